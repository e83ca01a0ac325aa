# The function @NAME@ for PowerShell.

function global:__@NAME@_evaluate {
    $text = (& $Env:@VARIABLE@ @CALL@ | Out-String)
    if ($LASTEXITCODE -eq 0 -and $text.Trim().Length -gt 0) {
        Invoke-Expression -Command $text
    }
}

function global:@NAME@ {
    # No named parameters: every word, also -n, belongs to the command.
    $words = @($Args)
    $first = if ($words.Count -gt 0 -and -not ($words -contains '--help') -and -not ($words -contains '-h')) { $words[0] } else { '' }
    switch -CaseSensitive ($first) {
        { $_ -cin 'activate', 'deactivate', 'reactivate' } {
            __@NAME@_evaluate @words
        }
        { $_ -cin 'install', 'update', 'upgrade', 'remove', 'uninstall' } {
            & $Env:@VARIABLE@ @words
            if ($LASTEXITCODE -eq 0) { __@NAME@_evaluate reactivate }
        }
        default {
            & $Env:@VARIABLE@ @words
        }
    }
}

if ($null -eq $Env:CONDA_SHLVL) {
    $Env:CONDA_SHLVL = '0'
    $Env:PATH = @CONDABIN@ + [System.IO.Path]::PathSeparator + $Env:PATH
}

if (@CHANGES_PROMPT@ -and -not (Test-Path Function:\__conda_prompt_before)) {
    if (Test-Path Function:\prompt) {
        Copy-Item Function:\prompt Function:\global:__conda_prompt_before
    } else {
        function global:__conda_prompt_before { "PS $($executionContext.SessionState.Path.CurrentLocation)$('>' * ($nestedPromptLevel + 1)) " }
    }
    function global:prompt {
        if ($Env:CONDA_PROMPT_MODIFIER) { $Env:CONDA_PROMPT_MODIFIER | Write-Host -NoNewline }
        __conda_prompt_before
    }
}
