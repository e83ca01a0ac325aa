#include "requests/wishes.hpp"

#include <algorithm>

#include "base/filesystem.hpp"
#include "config/expand.hpp"
#include "model/record.hpp"

namespace taipan::cli {

namespace {

/// Not an environment of its own: nothing is made there.
std::string nowhere(const Config& config) { return config.pkgs_dirs.front() + "/.taipan-warm"; }

bool names_a_file(const std::string& word) {
    return word.ends_with(".yml") || word.ends_with(".yaml") || word.ends_with(".txt") || word.ends_with(".lock");
}

} // namespace

Options WishOptions::options(CommonOptions& common) {
    const std::string group = "Packages";
    Options options = {
        {"specs", &specs_, "SPEC", "packages, or names of files", group},
        {"--platform,--subdir", &platforms_, "SUBDIR",
         "platform that the packages are for (default: this machine's); may be repeated", group},
        {"--no-deps", &no_deps_, {}, "exactly the named packages, whatever they need", group},
    };
    append(options, files_.options());
    Options channels = common.channel_options();
    std::erase_if(channels, [](const Option& option) { return option.names == "--platform,--subdir"; });
    append(options, std::move(channels));
    return options;
}

std::vector<std::string> WishOptions::platforms(const Config& config) const {
    if (platforms_.empty()) return {config.subdir};
    std::vector<std::string> unique;
    for (const auto& platform : platforms_) {
        if (std::find(unique.begin(), unique.end(), platform) == unique.end()) unique.push_back(platform);
    }
    return unique;
}

/// Words that name a file are files: `warm -f a.yml b.yml`.
void WishOptions::sort_words(const Config& config) {
    std::vector<std::string> rest;
    for (auto& word : specs_) {
        const bool named =
            names_a_file(word) && exists(absolute_path(expand_home(word, config.home), config.working_directory));
        (named ? files_.files : rest).push_back(std::move(word));
    }
    specs_ = std::move(rest);
}

Result<std::vector<Wish>> WishOptions::read(const Invocation& invocation, const CommonOptions& common,
                                            const Config& config) {
    sort_words(config);
    std::vector<Wish> wishes;
    for (const auto& platform : platforms(config)) {
        Config for_platform = config;
        for_platform.subdir = platform;
        if (!is_known_subdir(platform)) {
            return make_error(ErrorCode::invalid_argument,
                              "unknown platform '" + platform + "'; write it as in linux-64 or osx-arm64");
        }
        TAIPAN_CHECK(read_for(invocation, common, for_platform, wishes));
    }
    return wishes;
}

Result<void> WishOptions::read_for(const Invocation& invocation, const CommonOptions& common, const Config& config,
                                   std::vector<Wish>& wishes) const {
    const auto add = [&](RequestFile file, const std::string& source) {
        Wish wish;
        wish.source = source;
        wish.subdir = config.subdir;
        wish.request.action = Action::create;
        wish.request.prefix = nowhere(config);
        wish.request.specs = file.dependencies;
        wish.request.channels = request_channels(common, config, file.channels, file.nodefaults);
        wish.request.command_line = invocation.command_line();
        wish.request.no_deps = no_deps_;
        wish.request.locked = file.locked;
        wish.request.from_lock = file.kind == RequestFile::Kind::lock;
        const bool solved = file.kind == RequestFile::Kind::environment;
        if (solved && !file.pip.empty()) wish.request.specs.emplace_back("pip");
        wish.file = std::move(file);
        wishes.push_back(std::move(wish));
    };
    for (const auto& path : files_.files) {
        RequestFileOptions one = files_;
        one.files = {path}; // each is an environment of its own: they may be of different kinds
        TAIPAN_TRY(auto read, read_request_files(one, config));
        const std::string source = read.front().path;
        add(std::move(read.front()), source);
    }
    if (specs_.empty()) return {};
    RequestFile words;
    words.dependencies = specs_;
    add(std::move(words), "packages");
    return {};
}

void note_warnings(const std::vector<Wish>& wishes, EventSink& sink) {
    std::vector<std::string> said;
    const auto say = [&](std::string text) {
        if (std::find(said.begin(), said.end(), text) != said.end()) return;
        sink.note(Severity::warning, text);
        said.push_back(std::move(text));
    };
    for (const auto& wish : wishes) {
        for (const auto& warning : wish.file.warnings) say(warning);
        if (!wish.file.pip.empty())
            say(wish.source + ": its 'pip:' packages are not fetched; pip has a cache of its own");
    }
}

Session& PlatformSessions::at(const std::string& subdir) {
    auto& session = sessions_[subdir];
    if (!session) {
        Config config = config_;
        config.subdir = subdir;
        session = std::make_unique<Session>(std::move(config), sink_, stop_);
    }
    return *session;
}

Result<std::vector<Plan>> plan_wishes(PlatformSessions& sessions, const std::vector<Wish>& wishes) {
    std::vector<Plan> plans;
    for (const auto& wish : wishes) {
        Session& session = sessions.at(wish.subdir);
        TAIPAN_TRY(auto plan, make_plan(session, wish.request).context("for " + wish.source + " on " + wish.subdir));
        for (const auto& warning : plan.warnings) session.sink().note(Severity::warning, warning);
        plans.push_back(std::move(plan));
    }
    return plans;
}

} // namespace taipan::cli
