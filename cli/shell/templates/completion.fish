
function __@NAME@_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l program @NAME@
    set -q @VARIABLE@; and set program $@VARIABLE@
    for line in (command $program completer --described -- $words[2..-1] 2>/dev/null)
        switch $line
            case :files
                __fish_complete_path (commandline -ct)
            case :folders
                __fish_complete_directories (commandline -ct)
            case '*'
                printf '%s\n' $line
        end
    end
end
complete -c @NAME@ -e
complete -c @NAME@ -f -k -a '(__@NAME@_complete)'
