# The shell function @NAME@, for bash, zsh, ksh, dash and other POSIX shells. Backslashes keep aliases out.

\unalias @NAME@ 2>/dev/null || \:

__@NAME@_exe() {
    "$@VARIABLE@" "$@"
}

__@NAME@_hashr() {
    if [ -n "${ZSH_VERSION:+x}" ]; then
        \rehash
    else
        \hash -r
    fi
}

__@NAME@_activate() {
    __@NAME@_text="$(PS1="${PS1:-}" @CALL@)" || \return
    \eval "$__@NAME@_text"
    \unset __@NAME@_text
    __@NAME@_hashr
}

__@NAME@_asks_for_help() {
    for __@NAME@_word in "$@"; do
        case "$__@NAME@_word" in
            -h|--help) \return 0 ;;
        esac
    done
    \return 1
}

@NAME@() {
    case "${1-}" in
        activate|deactivate|reactivate)
            if __@NAME@_asks_for_help "$@"; then
                __@NAME@_exe "$@"
            else
                __@NAME@_activate "$@"
            fi
            ;;
        install|update|upgrade|remove|uninstall)
            __@NAME@_exe "$@" || \return
            __@NAME@_activate reactivate
            ;;
        *)
            __@NAME@_exe "$@"
            ;;
    esac
}

if [ -z "${CONDA_SHLVL+x}" ]; then
    \export CONDA_SHLVL=0
    PATH=@CONDABIN@${PATH:+":$PATH"}
    \export PATH
    # It must be set for `set -u`, but is not exported: another shell started from here has its own.
    if [ -z "${PS1+x}" ]; then
        PS1=
    fi
fi
