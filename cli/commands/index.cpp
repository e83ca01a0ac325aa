#include <algorithm>
#include <charconv>

#include "base/filesystem.hpp"
#include "base/json_writer.hpp"
#include "flow/index_folder.hpp"
#include "model/channel.hpp"
#include "program/common_options.hpp"
#include "screen/text.hpp"
#include "screen/watched_run.hpp"

// `index`: makes a channel out of a folder of packages. Options are spelled as conda-index does.

namespace taipan::cli {

namespace {

class Index final : public Command {
public:
    Options options() override {
        const std::string group = "Index";
        const std::string compatible = "Accepted for compatibility, without effect";
        Options options = {
            {"folder", &folders_, "DIR", "the folder that has linux-64, noarch, ... in it", group},
            {"-s,--subdir", &subdirs_, "SUBDIR", "index only this platform (and noarch); may be repeated", group},
            {"--base-url", &base_url_, "URL", "where the packages are, if not beside the index (CEP 15)", group},
            {"--zst", &zst_, {}, "write repodata.json.zst (the default)", group},
            {"--no-zst", &zst_, {}, "do not write repodata.json.zst", group, false},
            {"--run-exports", &run_exports_, {}, "write run_exports.json (the default)", group},
            {"--no-run-exports", &run_exports_, {}, "do not write run_exports.json", group, false},
            {"--write-shards,--shards", &shards_, {}, "also write sharded repodata (CEP 16)", group},
            {"--no-write-shards,--no-shards", &shards_, {}, {}, group, false},
            {"--strict", &strict_, {}, "fail when any package cannot be indexed", group},
            {"--force", &force_, {}, "read every archive again, whatever is known of it", group},
            {"--threads", &threads_, "N", "how many workers read packages", group},
            {"-n,--channel-name", &accepted_value_, "NAME", "no web pages are made", compatible},
            {"--no-channeldata,--no-rss,--no-bz2,--no-current-repodata",
             &accepted_flag_,
             {},
             "none of these is made",
             compatible},
            {"--write-monolithic,--compact,--update-cache", &accepted_flag_, {}, "done anyway", compatible},
        };
        append(options, common_.output_options());
        append(options, common_.config_options());
        return options;
    }
    [[nodiscard]] std::string usage_error() const override {
        if (folders_.size() != 1) return "name the one folder to index";
        if (!threads_.empty() && thread_count() <= 0) return "--threads needs a number above 0";
        return common_.usage_error();
    }
    [[nodiscard]] bool wants_json() const override { return json_; }

    Result<int> run(Invocation& invocation) override {
        TAIPAN_TRY(auto config, load_settings_for_output(invocation, common_, json_));
        if (!threads_.empty()) config.worker_threads = thread_count();
        TAIPAN_TRY(const auto request, make_request(invocation));
        WatchedRun watched(invocation.console, config.quiet || json_, config.verbosity);
        const bool quiet = config.quiet;
        Session session(std::move(config), *watched.progress, watched.stop);
        TAIPAN_TRY(const auto subdirs, index_folder(session, request));
        watched.progress->finish();
        if (json_)
            invocation.console.print(document(request.folder, subdirs));
        else
            report(invocation.console, subdirs, quiet);
        return exit_success;
    }

private:
    [[nodiscard]] int thread_count() const {
        int number = 0;
        const auto [end, error] = std::from_chars(threads_.data(), threads_.data() + threads_.size(), number);
        return error == std::errc() && end == threads_.data() + threads_.size() ? number : 0;
    }

    Result<IndexFolderRequest> make_request(const Invocation& invocation) const {
        IndexFolderRequest request;
        request.folder = absolute_path(folders_.front(), invocation.working_directory);
        request.subdirs = subdirs_;
        for (const auto& subdir : subdirs_) {
            if (is_known_subdir(subdir)) continue;
            return make_error(ErrorCode::invalid_argument,
                              "unknown platform '" + subdir + "'; write it as in linux-64 or osx-arm64");
        }
        request.base_url = base_url_;
        request.zst = zst_.value_or(true);
        request.run_exports = run_exports_.value_or(true);
        request.shards = shards_.value_or(false);
        request.strict = strict_;
        request.use_cache = !force_;
        const std::string epoch = invocation.variable("SOURCE_DATE_EPOCH");
        std::int64_t seconds = 0;
        if (std::from_chars(epoch.data(), epoch.data() + epoch.size(), seconds).ec == std::errc() && seconds >= 0)
            request.source_date_epoch = seconds;
        return request;
    }

    static void report(Console& console, const std::vector<IndexedSubdir>& subdirs, bool quiet) {
        for (const auto& subdir : subdirs) {
            for (const auto& package : subdir.unusable)
                console.print_error("warning: " + package.path + " is left out: " + package.error.describe() + '\n');
        }
        if (quiet) return;
        for (const auto& subdir : subdirs) {
            std::string text = subdir.subdir + ": " + std::to_string(subdir.packages) + " packages";
            if (subdir.read != 0) text += ", " + std::to_string(subdir.read) + " read";
            if (subdir.gone != 0) text += ", " + std::to_string(subdir.gone) + " gone";
            if (subdir.removed != 0) text += ", " + std::to_string(subdir.removed) + " removed by patch instructions";
            if (!subdir.unusable.empty()) text += ", " + std::to_string(subdir.unusable.size()) + " unusable";
            text += subdir.written.empty() ? "; nothing to write" : "";
            console.print(text + '\n');
        }
    }

    static std::string document(const std::string& folder, const std::vector<IndexedSubdir>& subdirs) {
        JsonWriter json;
        json.begin_object().member("folder", folder).member("success", true).key("subdirs").begin_object();
        for (const auto& subdir : subdirs) {
            json.key(subdir.subdir).begin_object();
            json.member("gone", subdir.gone).member("packages", subdir.packages).member("read", subdir.read);
            json.member("removed", subdir.removed).key("unusable").begin_array();
            for (const auto& package : subdir.unusable) {
                json.begin_object().member("error", package.error.describe()).member("path", package.path);
                json.end_object();
            }
            json.end_array().member("written", subdir.written).end_object();
        }
        return json.end_object().end_object().take() + '\n';
    }

    CommonOptions common_;
    std::vector<std::string> folders_, subdirs_;
    std::string base_url_, threads_, accepted_value_;
    std::optional<bool> zst_, run_exports_, shards_;
    bool strict_ = false, force_ = false, json_ = false, accepted_flag_ = false;
};

} // namespace

std::unique_ptr<Command> make_index() { return std::make_unique<Index>(); }

} // namespace taipan::cli
