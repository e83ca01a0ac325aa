
if [[ -o interactive ]]; then
    (( ${+functions[compdef]} )) || { autoload -Uz compinit && compinit -u; }
    __@NAME@_complete() {
        local line name
        local -a described
        "${@VARIABLE@:-@NAME@}" completer --described -- "${(@Q)words[2,CURRENT]}" 2>/dev/null | while IFS= read -r line; do
            case "$line" in
                :files) _files ;;
                :folders) _files -/ ;;
                *)
                    name="${line%%$'\t'*}"
                    described+=("${name//:/\\:}${${line#$name}/$'\t'/:}")
                    ;;
            esac
        done
        (( ${#described} )) && _describe -V @NAME@ described
    }
    compdef __@NAME@_complete @NAME@
fi
