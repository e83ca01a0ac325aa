# What the alias @NAME@ does in csh and tcsh. Written by `@NAME@ shell init` and `@NAME@ shell hook`.
#
# csh has no functions: the alias sources this file with its words as arguments. The text to evaluate goes through a
# file, since csh takes newlines out of `command` substitutions. There is no way to return early.
set __@NAME@_status = 0
set __@NAME@_text = ''
set __@NAME@_first = ''
if ( $#argv > 0 ) set __@NAME@_first = $argv[1]:q
set __@NAME@_words = ( $argv:q )
foreach __@NAME@_word ( $argv:q )
    if ( "x$__@NAME@_word" == x-h || "x$__@NAME@_word" == x--help ) set __@NAME@_first = ''
end
switch ( "$__@NAME@_first" )
    case activate:
    case deactivate:
    case reactivate:
        set __@NAME@_text = "`mktemp`"
        breaksw
    case install:
    case update:
    case upgrade:
    case remove:
    case uninstall:
        "$@VARIABLE@" $__@NAME@_words:q
        set __@NAME@_status = $status
        if ( $__@NAME@_status == 0 ) set __@NAME@_text = "`mktemp`"
        set __@NAME@_words = ( reactivate )
        breaksw
    default:
        "$@VARIABLE@" $__@NAME@_words:q
        set __@NAME@_status = $status
        breaksw
endsw
if ( "$__@NAME@_text" != '' ) then
    env prompt=$prompt:q "$@VARIABLE@" @CALL@ >! "$__@NAME@_text"
    set __@NAME@_status = $status
    if ( $__@NAME@_status == 0 ) source "$__@NAME@_text"
    rm -f "$__@NAME@_text"
    rehash
endif
unset __@NAME@_text __@NAME@_first __@NAME@_words __@NAME@_word
( exit $__@NAME@_status )
