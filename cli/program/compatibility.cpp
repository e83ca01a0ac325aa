#include "program/compatibility.hpp"

#include <algorithm>
#include <array>

#include "screen/text.hpp"

// Scripts are written for conda and mamba; their flags are all known here. Those that change something are options of
// the commands. The rest is in this table: what would be without effect anyway is accepted, with a note that says so,
// and what asks for something that is not done is refused, with the reason.

namespace taipan::cli {

namespace {

enum class Verdict { accepted, refused };

struct Row {
    std::string_view commands; ///< comma-separated; `*` for all
    std::string_view names;
    std::string_view value; ///< empty for flags
    Verdict verdict = Verdict::accepted;
    std::string_view why;
};

constexpr auto accepted = Verdict::accepted;
constexpr auto refused = Verdict::refused;
constexpr std::string_view solving = "create,install,update,remove,env create,env update,env remove";
constexpr std::string_view changing = "create,install,update,remove,env create,env update";
constexpr std::string_view with_channels =
    "create,install,update,remove,search,notices,env create,repoquery search,repoquery depends,repoquery whoneeds";
/// Commands that change something, and show nothing beforehand.
constexpr std::string_view writing =
    "run,config,config set,config append,config prepend,config remove,config remove-key,verify,cache pack,cache unpack,"
    "package extract,package create,package transmute,auth login,auth logout,env config vars set,env config vars unset";

const Row table[] = {
    // conda
    {solving, "--solver,--experimental-solver", "NAME", accepted, "there is one solver"},
    {with_channels, "--repodata-fn", "FILE", accepted, "the whole index is always used"},
    {with_channels, "--no-lock", {}, accepted, "locks are held for moments only"},
    {with_channels, "--use-local", {}, refused, "there is no channel of local builds; name its folder with -c"},
    {"*", "--experimental", {}, accepted, "nothing is experimental"},
    {"*", "--console", "NAME", accepted, "the form of the output follows from --json and the terminal"},
    {"*", "--no-plugins", {}, accepted, "there are no plugins"},
    {"*", "--debug", {}, accepted, "it is -v, which tells what there is to tell"},
    {changing, "--show-channel-urls,--no-show-channel-urls", {}, accepted, "plans always name channels"},
    {"create,install,update,env create",
     "--no-shortcuts,--no-menuinst,--shortcuts",
     {},
     accepted,
     "no shortcuts are made"},
    {"create,install,update", "--shortcuts-only", "NAME", accepted, "no shortcuts are made"},
    {"create,install,update",
     "--force",
     {},
     refused,
     "it is not clear what is meant; say --force-reinstall or --clobber"},
    {changing, "--force-pscheck,--unknown", {}, accepted, "conda does not use it any more"},
    {changing, "--environment-specifier,--env-spec,--format", "NAME", accepted,
     "what a file is follows from its content"},
    {"create,install,update,remove", "--dev", {}, accepted, "it is for conda's own developers"},
    {"remove", "--features", {}, refused, "packages of features are not made any more; name the packages"},
    {"remove", "--prune", {}, accepted, "what nothing needs any more always goes with the packages"},
    {"search",
     "--canonical,-f,--full-name,--names-only,--unknown,-o,--outdated,--spec,--reverse-dependency",
     {},
     accepted,
     "conda ignores it, too; see `taipan repoquery`"},
    {"env create,env update,env remove", "--offline", {}, accepted, "nothing is fetched"},
    {"env update", "--override-frozen", {}, accepted, "the environment is not protected"},
    {"list", "--auth", {}, accepted, "tokens and passwords are never shown"},
    {"list", "--no-show-channel-urls", {}, accepted, "it is so by default"},
    // mamba
    {"*", "--log-level", "LEVEL", accepted, "there is no log; -v and -q say how much is told"},
    {"*", "--no-banner,--no-progress-bars", {}, accepted, "--quiet hides progress"},
    {"index", "--dry-run", {}, refused, "the indexes are written at once; try it on a copy of the folder"},
    {writing, "--dry-run", {}, refused, "what the command does is done at once"},
    {"*", "--offline,--dry-run,--download-only,-y,--yes", {}, accepted, "the command fetches and asks nothing"},
    {"*", "-q,--quiet", {}, accepted, "the command shows no progress"},
    {"*", "-v,--verbose", {}, accepted, "the command has no more to tell"},
    {"*", "--json", {}, refused, "the command has no JSON form"},
    {"*", "--rc-file", "FILE", accepted, "the command reads no configuration"},
    {"*", "--no-rc,--no-env", {}, accepted, "the command reads no configuration"},
    {"*", "--use-uv", {}, accepted, "the command installs nothing with pip"},
    {"*", "--relocate-prefix", "PATH", refused, "an environment is made for the place that it lies in; use -p"},
    {changing, "--pin", {}, accepted, "pins hold by default"},
    {changing, "--no-py-pin,--py-pin", {}, accepted, "Python's version changes when it is asked for by name"},
    {changing, "--allow-uninstall,--allow-downgrade", {}, accepted, "it is so by default"},
    {changing,
     "--no-allow-uninstall,--no-allow-downgrade",
     {},
     refused,
     "--freeze-installed leaves every other package as it is"},
    {changing, "--lock-timeout", "SECONDS", accepted, "locks are held for moments only"},
    {changing, "--verify-artifacts", {}, refused, "signatures are not verified; each package is, by its SHA-256"},
    {changing, "--trusted-channels", "CHANNEL", refused,
     "signatures are not verified; each package is, by its SHA-256"},
    {changing, "--exp-repodata-parsing,--no-exp-repodata-parsing", {}, accepted, "there is one parser"},
    {with_channels, "--retry-clean-cache", {}, accepted, "a damaged index is fetched again in any case"},
    {"install,update,env update", "--retry-clean-cache", {}, accepted, "a damaged index is fetched again in any case"},
    {with_channels, "--ssl-no-revoke", {}, accepted, "it is for Windows"},
    {"update,env update", "--ssl-no-revoke", {}, accepted, "it is for Windows"},
    {"env list", "-n,--name,-p,--prefix", "NAME", accepted, "all environments are listed"},
    {"info", "--licenses", {}, accepted, "the licenses lie with the packages of the libraries"},
    {"update", "--prune-deps", {}, accepted, "--prune removes what nothing asked for"},
    {"update", "--no-prune-deps", {}, accepted, "it is so by default"},
    {"env export,export", "--override-platforms", {}, accepted, "the export is for the platform of the environment"},
    {"env export,export", "--platform,--subdir", "SUBDIR", refused,
     "an environment is exported as it is; `taipan lock` solves for other platforms"},
    {"env export,export", "--build", {}, accepted, "build strings are written by default"},
    {"repoquery search,search", "-t,--tree,--recursive", {}, refused, "see `taipan repoquery depends --tree`"},
    {"package",
     "-n,--name,-p,--prefix,-w,--which,-r,--reset,-u,--untracked,--pkg-name,--pkg-version,--pkg-build",
     {},
     refused,
     "packages are made by conda-build; `taipan verify` tells what belongs to no package"},
    {"search", "--local,-n,--name,-p,--prefix", {}, refused, "`taipan repoquery search` looks in environments"},
    {"run", "--trace", {}, accepted, "the command has no more to tell"},
    {"clean", "--locks", {}, accepted, "no lock files are left behind"},
    {"clean", "--trash", {}, accepted, "files that are in use can be removed here; there is no trash"},
    {"run", "--label", "WORD", accepted, "processes are not kept account of"},
};

bool applies(std::string_view commands, std::string_view path) {
    if (commands == "*") return true;
    const auto all = split_words(commands, ',');
    return std::find(all.begin(), all.end(), path) != all.end();
}

bool has_name(const Options& options, std::string_view name) {
    return std::any_of(options.begin(), options.end(), [&](const Option& option) {
        const auto names = split_words(option.names, ',');
        return std::find(names.begin(), names.end(), name) != names.end();
    });
}

struct RefusedCommand {
    std::string_view word, why;
};

constexpr std::string_view of_conda_build = "it belongs to the package conda-build; where that is installed and its "
                                            "programs are on PATH, they are started in this way";
constexpr std::array<RefusedCommand, 13> refused_commands = {{
    {"build", of_conda_build},
    {"convert", of_conda_build},
    {"debug", of_conda_build},
    {"develop", of_conda_build},
    {"inspect", of_conda_build},
    {"render", of_conda_build},
    {"skeleton", of_conda_build},
    {"ps", "processes of `run` are not kept account of; use ps and kill of the system"},
    {"self-update", "taipan is updated as it was installed"},
    {"constructor", "it is the part of micromamba that installers call; use `taipan create` with an explicit file"},
    {"content-trust", "signatures are not verified; each package is, by its SHA-256"},
    {"token", "see `taipan auth login`"},
    {"server", "there is no server; `taipan index` makes a channel that any web server can serve"},
}};

/// Options that may stand before the command and take a value.
bool takes_value(std::string_view word) {
    static constexpr std::array<std::string_view, 11> all = {
        "-r",          "--root-prefix",     "-p",        "--prefix",       "-n", "--name", "--rc-file",
        "--log-level", "--relocate-prefix", "--console", "--channel-alias"};
    return std::find(all.begin(), all.end(), word) != all.end();
}

} // namespace

CompatibilityOptions::CompatibilityOptions(std::string_view path, const Options& own, Role role) {
    Options taken = own;
    for (const auto& row : table) {
        if (!applies(row.commands, path)) continue;
        std::string names;
        for (const auto name : split_words(row.names, ',')) {
            if (has_name(taken, name)) continue;
            names.append(names.empty() ? "" : ",").append(name);
        }
        if (names.empty()) continue;
        // conda's --experimental names a feature, mamba's does not.
        const auto value = names == "--experimental" && role == Role::conda ? "NAME" : row.value;
        rows_.push_back({names, value, row.why, row.verdict == refused, false, {}});
        taken.push_back({names, &rows_.back().flag, {}, {}});
    }
}

Options CompatibilityOptions::options() {
    Options options;
    for (auto& row : rows_) {
        const std::string group = row.refused ? "Not supported" : "Accepted for compatibility, without effect";
        if (row.value.empty())
            options.push_back({row.names, &row.flag, {}, std::string(row.why), group});
        else
            options.push_back({row.names, &row.values, std::string(row.value), std::string(row.why), group});
    }
    return options;
}

std::string CompatibilityOptions::refusal() const {
    for (const auto& row : rows_) {
        if (row.refused && row.given()) return row.names + " is not supported: " + std::string(row.why);
    }
    return {};
}

std::string CompatibilityOptions::notes() const {
    std::string text;
    for (const auto& row : rows_) {
        if (!row.refused && row.given())
            text += "note: " + row.names + " has no effect: " + std::string(row.why) + '\n';
    }
    return text;
}

std::string_view refused_command(const std::vector<std::string>& words) {
    const auto found = std::find_if(refused_commands.begin(), refused_commands.end(), [&](const auto& command) {
        return !words.empty() && words.front() == command.word;
    });
    return found == refused_commands.end() ? std::string_view() : found->why;
}

std::vector<std::string> words_of_role(Role role, std::string_view path, std::vector<std::string> words) {
    if (role != Role::conda || path == "run") return words;
    for (auto& word : words) {
        if (word == "--") break;
        if (path == "list" && word == "-r") word = "--revisions";
        if (word == "--trace") word = "--verbose";
    }
    return words;
}

std::vector<std::string> options_before_command(const std::vector<std::string>& words, const IsCommand& is_command,
                                                std::vector<std::string>& rest) {
    std::vector<std::string> options;
    std::size_t at = 0;
    while (at < words.size() && !is_command(rest)) {
        const bool option = words[at].size() > 1 && words[at].front() == '-';
        if (option && takes_value(words[at]) && at + 1 < words.size()) options.push_back(words[at++]);
        (option ? options : rest).push_back(words[at++]);
    }
    rest.insert(rest.end(), words.begin() + static_cast<std::ptrdiff_t>(at), words.end());
    return options;
}

} // namespace taipan::cli
