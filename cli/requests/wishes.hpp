#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "flow/plan.hpp"
#include "flow/session.hpp"
#include "program/command.hpp"
#include "program/common_options.hpp"
#include "program/option.hpp"
#include "requests/request_files.hpp"

namespace taipan::cli {

/// An environment to be: what asks for it (a file, or the command line), for which platform, and what it asks for.
struct Wish {
    std::string source, subdir;
    InstallRequest request;
    RequestFile file; ///< as read; `dependencies`, `channels` and `locked` are in `request`
};

/// Environments that a cache is to serve, as files and specs name them: for one or several platforms. Shared by `warm`
/// and the commands of `cache`.
class WishOptions {
public:
    /// Files, specs, platforms, channels.
    [[nodiscard]] Options options(CommonOptions& common);
    [[nodiscard]] bool empty() const { return specs_.empty() && files_.files.empty(); }
    [[nodiscard]] std::vector<std::string> platforms(const Config& config) const;

    /// Reads the files, for each platform. Each file is an environment of its own; the specs together make one more.
    Result<std::vector<Wish>> read(const Invocation& invocation, const CommonOptions& common, const Config& config);

private:
    Result<void> read_for(const Invocation& invocation, const CommonOptions& common, const Config& config,
                          std::vector<Wish>& wishes) const;
    void sort_words(const Config& config);

    std::vector<std::string> specs_, platforms_;
    RequestFileOptions files_;
    bool no_deps_ = false;
};

/// What is worth telling of the wishes: warnings of their files.
void note_warnings(const std::vector<Wish>& wishes, EventSink& sink);

/// The sessions of one command, one for each platform.
class PlatformSessions {
public:
    PlatformSessions(Config config, EventSink& sink, StopSource& stop)
        : config_(std::move(config)), sink_(sink), stop_(stop) {}
    Session& at(const std::string& subdir);
    /// That of this machine, for what is not about a platform.
    Session& own() { return at(config_.subdir); }
    [[nodiscard]] const Config& config() const { return config_; }

private:
    Config config_;
    EventSink& sink_;
    StopSource& stop_;
    std::map<std::string, std::unique_ptr<Session>> sessions_;
};

/// A plan for each wish, in their order.
Result<std::vector<Plan>> plan_wishes(PlatformSessions& sessions, const std::vector<Wish>& wishes);

} // namespace taipan::cli
