# The commands `@NAME@ activate`, `@NAME@ deactivate` and `@NAME@ reactivate` for nushell; everything else is the
# program itself. nushell cannot source a path that is made while it runs, so scripts in activate.d are not run.

def --env "__@NAME@_apply" [plan: record] {
    for name in $plan.vars.unset { hide-env --ignore-errors $name }
    load-env $plan.vars.export
    if ($plan.path | is-not-empty) { $env.PATH = $plan.path.PATH }
}

def --env "@NAME@ activate" [...words: string] {
    __@NAME@_apply (^$env.@VARIABLE@ shell activate --shell nushell ...$words | from json)
}

def --env "@NAME@ deactivate" [...words: string] {
    __@NAME@_apply (^$env.@VARIABLE@ shell deactivate --shell nushell ...$words | from json)
}

def --env "@NAME@ reactivate" [] {
    __@NAME@_apply (^$env.@VARIABLE@ shell reactivate --shell nushell | from json)
}

if "CONDA_SHLVL" not-in $env {
    $env.CONDA_SHLVL = "0"
    $env.PATH = ($env.PATH | prepend @CONDABIN@)
}
