# The function @NAME@ for fish.

if not set -q CONDA_SHLVL
    set -gx CONDA_SHLVL 0
    set -gx PATH @CONDABIN@ $PATH
end

function @NAME@
    set -l first
    if set -q argv[1]; and not contains -- --help $argv; and not contains -- -h $argv
        set first $argv[1]
    end
    switch "$first"
        case activate deactivate reactivate
            @CALL@ | source
            return $pipestatus[1]
        case install update upgrade remove uninstall
            $@VARIABLE@ $argv; or return
            set -l argv reactivate
            @CALL@ | source
            return $pipestatus[1]
        case '*'
            $@VARIABLE@ $argv
    end
end

# The prompt shows the environment on the right, or on the left with CONDA_LEFT_PROMPT; CONDA_DISABLE_FISH_PROMPT
# leaves it alone, and so does another tool that shows it already.
if not set -q CONDA_DISABLE_FISH_PROMPT; and not functions -q __conda_add_prompt; and not functions -q __mamba_add_prompt
    function __conda_add_prompt
        if set -q CONDA_PROMPT_MODIFIER
            set_color -o green
            echo -n $CONDA_PROMPT_MODIFIER
            set_color normal
        end
    end

    functions -q fish_prompt; and not functions -q __fish_prompt_orig; and functions -c fish_prompt __fish_prompt_orig
    functions -q __fish_prompt_orig; or function __fish_prompt_orig; end
    functions -q fish_right_prompt; and not functions -q __fish_right_prompt_orig
    and functions -c fish_right_prompt __fish_right_prompt_orig
    functions -q __fish_right_prompt_orig; or function __fish_right_prompt_orig; end

    function __conda_keep_status
        return $argv[1]
    end

    function fish_prompt
        set -l last_status $status
        set -q CONDA_LEFT_PROMPT; and __conda_add_prompt
        __conda_keep_status $last_status
        __fish_prompt_orig
    end

    function fish_right_prompt
        set -q CONDA_LEFT_PROMPT; or __conda_add_prompt
        __fish_right_prompt_orig
    end
end
