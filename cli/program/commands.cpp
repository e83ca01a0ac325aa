#include "program/command.hpp"

namespace taipan::cli {

const std::vector<CommandEntry>& commands() {
    static const std::vector<CommandEntry> table = {
        {"create", "", "(-n NAME | -p PATH) [-c CHANNEL]... [-f FILE]... [SPEC...]", "Make a new environment.",
         "taipan create -n demo -c conda-forge python=3.11 numpy\n"
         "taipan create -p ./env -c conda-forge -f requirements.txt\n"
         "taipan create -n copy --file explicit.txt\n"
         "taipan create -n copy --clone demo",
         make_create},
        {"install", "", "[-n NAME | -p PATH] [-c CHANNEL]... [-f FILE]... [SPEC...]",
         "Install packages into an environment.",
         "taipan install -n demo -c conda-forge scipy\n"
         "taipan install -n demo -c conda-forge --freeze-installed 'pandas>=2'\n"
         "taipan install -n demo --revision 3",
         make_install},
        {"update", "upgrade", "[-n NAME | -p PATH] [-c CHANNEL]... (SPEC... | --all)",
         "Update packages of an environment.",
         "taipan update -n demo -c conda-forge numpy\n"
         "taipan update -n demo -c conda-forge --all",
         make_update},
        {"remove", "uninstall", "[-n NAME | -p PATH] (SPEC... | --all)",
         "Remove packages from an environment, or all of it.",
         "taipan remove -n demo numpy\n"
         "taipan remove -n demo --all",
         make_remove},
        {"list", "", "[-n NAME | -p PATH] [REGEX]", "List the packages of an environment.",
         "taipan list -n demo\n"
         "taipan list -n demo --explicit --md5 > explicit.txt\n"
         "taipan list -n demo --json '^py'",
         make_list},
        {"run", "", "[-n NAME | -p PATH] PROGRAM [ARGUMENT...]", "Run a program in an environment.",
         "taipan run -n demo python script.py --flag\n"
         "taipan run -p ./env --cwd src make",
         make_run},
        {"init", "", "[SHELL...] [--reverse] [--dry-run]",
         "Set up shells, so that activate and deactivate work in them.",
         "taipan init bash\n"
         "taipan init zsh --dry-run --verbose\n"
         "taipan init --all --reverse",
         make_init},
        {"activate", "", "[--stack] [NAME | PATH]", "Enter an environment (by the shell's function, see init).",
         "taipan activate demo\n"
         "taipan activate ./env\n"
         "taipan activate --stack tools",
         make_activate},
        {"deactivate", "", "", "Leave the active environment for the one before.", "taipan deactivate",
         make_deactivate},
        {"search", "", "[-c CHANNEL]... [SPEC...]", "Look for packages in channels.",
         "taipan search -c conda-forge 'numpy>=2'\n"
         "taipan search -c conda-forge --info python=3.12\n"
         "taipan search -c conda-forge --json '*ssl*'",
         make_search},
        {"repoquery search", "", "[-c CHANNEL | -n NAME | -p PATH] SPEC...",
         "Look for packages in channels or in an environment.", "taipan repoquery search -c conda-forge 'numpy>=2'",
         make_repoquery_search},
        {"repoquery depends", "", "[-c CHANNEL | -n NAME | -p PATH] SPEC...", "Show what a package needs.",
         "taipan repoquery depends -c conda-forge --tree scipy\n"
         "taipan repoquery depends -n demo --recursive scipy",
         make_repoquery_depends},
        {"repoquery whoneeds", "", "[-c CHANNEL | -n NAME | -p PATH] SPEC...", "Show what needs a package.",
         "taipan repoquery whoneeds -n demo --tree zlib\n"
         "taipan repoquery whoneeds -c conda-forge 'openssl>=3'",
         make_repoquery_whoneeds},
        {"info", "", "[--envs | --base] [--json]", "Show paths, channels and what this machine is.",
         "taipan info\n"
         "taipan info --envs --json",
         make_info},
        {"config", "", "(--show | --get | --set KEY VALUE | --add KEY VALUE | ...)",
         "Show and change what is configured in .condarc files.",
         "taipan config --show-sources\n"
         "taipan config --add channels conda-forge\n"
         "taipan config --set channel_priority strict --env",
         make_config},
        {"config list", "", "[KEY...]", "List what is configured.",
         "taipan config list --sources\n"
         "taipan config list --all --descriptions",
         make_config_list},
        {"config sources", "", "", "List the configuration files that are read.", "taipan config sources",
         make_config_sources},
        {"config describe", "", "[KEY...]", "Tell what keys mean.", "taipan config describe channel_priority",
         make_config_describe},
        {"config get", "", "KEY", "Show a key of a configuration file.", "taipan config get channels", make_config_get},
        {"config set", "", "KEY VALUE", "Give a key of a configuration file a value.",
         "taipan config set channel_priority strict", make_config_set},
        {"config append", "", "KEY VALUE[,VALUE...]", "Put values at the end of a list.",
         "taipan config append channels conda-forge", make_config_append},
        {"config prepend", "", "KEY VALUE[,VALUE...]", "Put values in front of a list.",
         "taipan config prepend channels conda-forge", make_config_prepend},
        {"config remove", "", "KEY VALUE", "Take a value out of a list.", "taipan config remove channels conda-forge",
         make_config_remove},
        {"config remove-key", "", "KEY", "Take a key out of a configuration file.",
         "taipan config remove-key channel_priority", make_config_remove_key},
        {"verify", "", "[-n NAME | -p PATH] [--repair]", "Check an environment's files against its records.",
         "taipan verify -n demo\n"
         "taipan verify -n demo --repair",
         make_verify},
        {"rename", "", "[-n NAME | -p PATH] DESTINATION", "Give an environment another name or path.",
         "taipan rename -n demo demo-old\n"
         "taipan rename -p ./env ~/envs/work",
         make_rename},
        {"compare", "", "[-n NAME | -p PATH] FILE", "Check whether an environment has what a file asks for.",
         "taipan compare -n demo environment.yml", make_compare},
        {"doctor", "check", "[-n NAME | -p PATH] [NAME...]", "Show a health report of an environment.",
         "taipan doctor -n demo\n"
         "taipan doctor -n demo --fix",
         make_doctor},
        {"notices", "", "[-c CHANNEL]...", "Show what the owners of channels have to tell.",
         "taipan notices -c conda-forge", make_notices},
        {"clean", "", "(--all | -t | -p | -i | -l | -f | --unused DAYS)...",
         "Remove what is not needed from the package cache.",
         "taipan clean --all --dry-run\n"
         "taipan clean -t -y",
         make_clean},
        {"warm", "", "[-c CHANNEL]... [-f FILE]... [--platform SUBDIR]... [SPEC...]",
         "Fill the package cache, so that environments can be made offline later.",
         "taipan warm -f environment.yml\n"
         "taipan warm -f conda-lock.yml --platform linux-64 --platform linux-aarch64 --archives\n"
         "taipan env create --offline -f environment.yml",
         make_warm},
        {"cache key", "", "-f FILE... [--platform SUBDIR]... [--prefix TEXT]",
         "Print a short key that changes when the files need other packages.", "taipan cache key -f conda-lock.yml",
         make_cache_key},
        {"cache pack", "", "-o FILE [-f FILE]... [--archives | --extracted]",
         "Pack the package cache, or what files need of it, into one file.",
         "taipan cache pack -o packages.tar.zst -f conda-lock.yml", make_cache_pack},
        {"cache unpack", "", "FILE [--pkgs-dir DIR]", "Put what was packed into the package cache.",
         "taipan cache unpack packages.tar.zst", make_cache_unpack},
        {"cache prune", "", "-f FILE... [--platform SUBDIR]... [--dry-run]",
         "Remove from the package cache what the files do not need.",
         "taipan cache prune -f environment.yml --dry-run\n"
         "taipan cache prune -f conda-lock.yml --archives",
         make_cache_prune},
        {"cache stats", "", "[--json]", "Show what is in the package caches, and how often it was found there.",
         "taipan cache stats", make_cache_stats},
        {"lock", "", "[-f FILE]... [-p PLATFORM]... [-o FILE] [SPEC...]",
         "Write down the exact packages of an environment, for one or several platforms.",
         "taipan lock -f environment.yml -p linux-64 -p osx-arm64\n"
         "taipan lock --check -f environment.yml\n"
         "taipan lock -f environment.yml --explicit -o '{platform}.txt'\n"
         "taipan create -n demo -f conda-lock.yml",
         make_lock},
        {"package extract", "x", "ARCHIVE [DIR]", "Unpack a package archive into a directory.",
         "taipan package extract zlib-1.3.1-0.conda", make_package_extract},
        {"package create", "compress c", "DIR ARCHIVE", "Make a package archive of a directory.",
         "taipan package create ./zlib-1.3.1-0 zlib-1.3.1-0.conda", make_package_create},
        {"package transmute", "t", "ARCHIVE... [-o DIR]", "Have packages in the other format: .conda or .tar.bz2.",
         "taipan package transmute zlib-1.3.1-0.tar.bz2", make_package_transmute},
        {"image", "", "-o DIR|TAR [-f FILE]... [--base LAYOUT] [SPEC...]",
         "Write an OCI image of an environment, without making the environment.",
         "taipan image -f conda-lock.yml -o image --base debian.tar --entrypoint python\n"
         "taipan image -f environment.yml -o image.tar --prefix /opt/app --tag app:1.0\n"
         "skopeo copy oci:image docker://registry.example.org/app",
         make_image},
        {"index", "", "[-s SUBDIR]... DIR", "Make a channel out of a folder of packages.",
         "taipan index ./channel\n"
         "taipan index --write-shards --base-url https://example.org/packages ./channel",
         make_index},
        {"env create", "", "[-n NAME | -p PATH] [-f FILE]", "Make an environment from a file.",
         "taipan env create -f environment.yml\n"
         "taipan env create -n other -f environment.yml",
         make_env_create},
        {"env update", "", "[-n NAME | -p PATH] [-f FILE] [--prune]", "Bring an environment up to a file.",
         "taipan env update -n demo -f environment.yml --prune", make_env_update},
        {"env list", "", "[--json]", "List the environments.", "taipan env list", make_env_list},
        {"env remove", "", "(-n NAME | -p PATH)", "Remove an environment.", "taipan env remove -n demo",
         make_env_remove},
        {"env export", "", "[-n NAME | -p PATH] [--no-builds | --from-history]",
         "Write an environment as an environment file.",
         "taipan env export -n demo > environment.yml\n"
         "taipan env export -n demo --from-history -f environment.yml",
         make_env_export},
        {"export", "", "[-n NAME | -p PATH] [--no-builds | --from-history]",
         "Write an environment as an environment file; the same as `env export`.",
         "taipan export -n demo > environment.yml", make_env_export},
        {"auth login", "", "HOST (--token-stdin | --bearer-stdin | -u NAME --password-stdin)",
         "Keep a token or password for a server or channel, for mamba too.",
         "echo $TOKEN | taipan auth login example.com --token-stdin\n"
         "taipan auth login https://example.com/private -u me --password-stdin < password",
         make_auth_login},
        {"auth logout", "", "HOST | --all", "Forget a login.", "taipan auth logout example.com", make_auth_logout},
        {"env config vars list", "", "[-n NAME | -p PATH]", "Show the variables that an environment sets.",
         "taipan env config vars list -n demo", make_vars_list},
        {"env config vars set", "", "[-n NAME | -p PATH] NAME=VALUE...",
         "Have an environment set variables when it is activated.",
         "taipan env config vars set -n demo API_URL=http://localhost:8000", make_vars_set},
        {"env config vars unset", "", "[-n NAME | -p PATH] NAME...", "Take variables out of an environment.",
         "taipan env config vars unset -n demo API_URL", make_vars_unset},
        {"completion", "", "SHELL", "Write the completion of a shell (bash, zsh or fish), which the hook has in it.",
         "taipan completion bash > ~/.local/share/bash-completion/completions/taipan\n"
         "taipan completion fish > ~/.config/fish/completions/taipan.fish",
         make_completion},
        {"man", "", "", "Write the manual page, in roff.", "taipan man | man -l -", make_man},
        {"shell", "", "[-n NAME | -p PATH]", "Start a shell in an environment.", "taipan shell -n demo", make_shell},
        {"shell init", "", "[-s SHELL] [-r ROOT_PREFIX]", "Set up a shell, as `init` does.",
         "taipan shell init -s bash -r ~/taipan", make_shell_init},
        {"shell deinit", "", "[-s SHELL]", "Undo `shell init`.", "taipan shell deinit -s bash", make_shell_deinit},
        {"shell reinit", "", "", "Set up again the shells that are set up, after the program has moved.",
         "taipan shell reinit", make_shell_reinit},
        {"shell hook", "", "[-s SHELL]", "Write the shell's function `taipan`, to be evaluated.",
         "eval \"$(taipan shell hook -s bash)\"\n"
         "taipan shell hook -s fish | source",
         make_shell_hook},
        {"shell activate", "", "[-s SHELL] [--stack] [NAME | PATH]", "Write what activates an environment.",
         "eval \"$(taipan shell activate -s posix demo)\"", make_shell_activate},
        {"shell deactivate", "", "[-s SHELL]", "Write what leaves the active environment.",
         "eval \"$(taipan shell deactivate -s posix)\"", make_shell_deactivate},
        {"shell reactivate", "", "[-s SHELL]", "Write what the active environment needs after a change.",
         "eval \"$(taipan shell reactivate -s posix)\"", make_shell_reactivate},
    };
    return table;
}

} // namespace taipan::cli
