
if [ -n "${BASH_VERSION:+x}" ] && \command -v complete >/dev/null 2>&1; then
    __@NAME@_complete() {
        COMPREPLY=()
        local line
        while IFS= read -r line; do
            case "$line" in
                :files) COMPREPLY+=($(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")) ;;
                :folders) COMPREPLY+=($(compgen -d -- "${COMP_WORDS[COMP_CWORD]}")) ;;
                *) COMPREPLY+=("$line") ;;
            esac
        done < <("${@VARIABLE@:-@NAME@}" completer --breaks "$COMP_WORDBREAKS" --line "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
    }
    complete -o filenames -F __@NAME@_complete @NAME@
fi
