set __@NAME@_dispatch=@FILE@;
alias @NAME@ 'source "$__@NAME@_dispatch" \!*';
if ( ! $?CONDA_SHLVL ) setenv PATH @CONDABIN@":$PATH";
if ( ! $?CONDA_SHLVL ) setenv CONDA_SHLVL 0;
if ( ! $?prompt ) set prompt='';
