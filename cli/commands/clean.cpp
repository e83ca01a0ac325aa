#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <optional>
#include <set>

#include <unistd.h>

#include "base/filesystem.hpp"
#include "base/json_writer.hpp"
#include "base/temporary_name.hpp"
#include "cache/cache_index.hpp"
#include "commands/clean_scan.hpp"
#include "model/record.hpp"
#include "program/common_options.hpp"
#include "screen/text.hpp"

// `clean`: shows what nobody needs, asks, removes it; in conda's words and documents. A directory is renamed before it
// is removed, so that no other process ever sees half of a package.

namespace taipan::cli {

namespace {

struct KindWords {
    CacheItemKind kind;
    std::string_view shown, json;
    bool with_sizes; ///< and said to be unused
};
/// In the order in which conda goes through them. Locks are mamba's.
constexpr std::array<KindWords, 6> kind_words = {{
    {CacheItemKind::tarball, "tarball(s)", "tarballs", true},
    {CacheItemKind::index, "index cache(s)", "index_cache", false},
    {CacheItemKind::package, "package(s)", "packages", true},
    {CacheItemKind::leftover, "tempfile(s)", "tempfiles", false},
    {CacheItemKind::log, "logfile(s)", "logfiles", false},
    {CacheItemKind::lock, "lock file(s)", "locks", false},
}};

std::uint64_t total_bytes(const std::vector<CacheItem>& items) {
    std::uint64_t sum = 0;
    for (const auto& item : items) sum += item.bytes;
    return sum;
}

std::vector<CacheItem> of_kind(const std::vector<CacheItem>& items, CacheItemKind kind) {
    std::vector<CacheItem> found;
    std::copy_if(items.begin(), items.end(), std::back_inserter(found),
                 [&](const CacheItem& item) { return item.kind == kind; });
    return found;
}

Result<void> remove_item(const CacheItem& item) {
    const std::string path = item.path();
    if (!is_directory(path)) return remove_tree(path);
    const std::string aside = temporary_name(item.directory + "/.taipan-clean");
    if (::rename(path.c_str(), aside.c_str()) != 0) return system_error(errno, "cannot remove", path);
    return remove_tree(aside);
}

class Clean final : public Command {
public:
    Options options() override {
        const std::string group = "What to remove";
        Options options = {
            {"-a,--all", &all_, {}, "everything below except -f and --unused", group},
            {"-i,--index-cache", &index_, {}, "cached indexes", group},
            {"-p,--packages", &packages_, {}, "extracted packages that no environment is linked to", group},
            {"-t,--tarballs", &tarballs_, {}, "package archives", group},
            {"-f,--force-pkgs-dirs", &force_, {}, "all package caches that can be written, used or not", group},
            {"-c,--tempfiles,--trash",
             &tempfiles_,
             {},
             "what interrupted runs left behind in the caches, and files in use (.c~, .trash) of the environments "
             "named "
             "by path, or else of the root prefix",
             group},
            {"-l", &logs_and_locks_, {}, "log files and lock files of other tools", group},
            {"--logfiles", &logs_, {}, "log files of other tools", group},
            {"--locks", &locks_, {}, "lock files of other tools", group},
            {"--unused", &unused_, "DAYS",
             "archives, packages and bytecode that no environment uses, and that none has used for so many days",
             group},
            {"environments", &environments_, "PATH", "environments whose --tempfiles are meant", group},
            {"-r,--root-prefix", &common_.root_prefix, "PATH", "where the packages are kept", "Environment"},
        };
        append(options, common_.output_options());
        append(options, common_.consent_options());
        append(options, common_.config_options());
        return options;
    }
    [[nodiscard]] std::string usage_error() const override {
        if (!environments_.empty() && !tempfiles_ && !all_) return "paths are for --tempfiles only";
        if (force_ || unused_) return {};
        const bool any = std::any_of(kind_words.begin(), kind_words.end(),
                                     [&](const KindWords& words) { return wanted(words.kind); });
        return any ? "" : "at least one removal target must be given, for instance --all";
    }
    [[nodiscard]] bool wants_json() const override { return common_.json.value_or(false); }

    Result<int> run(Invocation& invocation) override {
        TAIPAN_TRY(const auto config, load_settings(invocation, common_));
        Console& console = invocation.console;
        std::vector<std::string> caches;
        for (const auto& directory : config.pkgs_dirs) {
            if (is_directory(directory) && ::access(directory.c_str(), W_OK) == 0) caches.push_back(directory);
        }
        TAIPAN_TRY(auto items, find_items(config, caches));
        if (as_mamba(invocation.role())) add_shared_cache_of_mamba(invocation, config.home, items);
        const bool say = !config.json && !config.quiet;
        if (say) console.print(summary(items));
        if (!items.empty() && !common_.dry_run && !config.json && !config.always_yes) {
            TAIPAN_TRY(const bool yes, console.confirm("Remove all that?"));
            if (!yes) return exit_success;
        }
        bool removed_all = true;
        if (!common_.dry_run) {
            for (const auto& item : items) {
                auto removed = remove_item(item);
                if (removed) continue;
                removed_all = false;
                console.print_error("WARNING: " + removed.error().describe() + "\n");
            }
            for (const auto& directory : caches) {
                if (is_directory(directory)) TAIPAN_CHECK(CacheIndex::prune(directory));
            }
        }
        if (config.json) console.print(document(items));
        if (say && !items.empty()) {
            console.print((common_.dry_run ? "Would free " : "Freed ") + human_bytes(total_bytes(items)) + ".\n");
        }
        if (common_.dry_run && !config.json) console.print_error("\nDryRunExit: Dry run. Exiting.\n\n");
        return removed_all ? exit_success : exit_failure;
    }

private:
    Result<std::vector<CacheItem>> find_items(const Config& config, const std::vector<std::string>& caches) const {
        const std::time_t now = std::time(nullptr);
        TAIPAN_TRY(const auto deadline, unused_since(now));
        std::vector<CacheItem> items;
        for (const auto& directory : caches) {
            if (force_) {
                items.push_back(whole_cache(directory));
                continue;
            }
            auto found = scan_cache(directory, now);
            std::erase_if(found, [&](const CacheItem& item) { return !wanted(item.kind); });
            if (unused_) keep_used(found, deadline);
            items.insert(items.end(), found.begin(), found.end());
        }
        if (force_ || !wanted(CacheItemKind::leftover)) return items;
        std::set<std::string> places;
        for (const auto& path : environments_) places.insert(absolute_path(path, config.working_directory));
        if (places.empty()) places.insert(config.root_prefix);
        for (const auto& place : places) {
            auto found = scan_tempfiles(place);
            items.insert(items.end(), found.begin(), found.end());
        }
        return items;
    }

    /// mamba keeps shards, whatever `pkgs_dirs` says, where conda keeps what it knows of channels; its --all removes
    /// both.
    void add_shared_cache_of_mamba(const Invocation& invocation, const std::string& home,
                                   std::vector<CacheItem>& items) const {
        if (!all_ && !index_) return;
        const auto given = invocation.variable("XDG_CACHE_HOME");
        const std::string caches = given.empty() ? home + "/.cache" : given;
        const std::string name = all_ ? "conda" : "conda/pkgs/cache/shards";
        if (!is_directory(caches + '/' + name)) return;
        const std::string whole = caches + '/' + name + '/';
        std::erase_if(items, [&](const CacheItem& item) { return item.path().starts_with(whole); });
        auto cache = whole_cache(caches + '/' + name);
        cache.kind = CacheItemKind::index;
        items.push_back(std::move(cache));
    }

    /// What changed later is in use. Everything is old enough without --unused.
    [[nodiscard]] Result<std::time_t> unused_since(std::time_t now) const {
        if (!unused_) return now;
        constexpr long day_seconds = 24 * 60 * 60, most_days = 100'000;
        long days = -1;
        const char* const end = unused_->data() + unused_->size();
        const auto [stop, error] = std::from_chars(unused_->data(), end, days);
        if (error != std::errc() || stop != end || days < 0 || days > most_days) {
            return make_error(ErrorCode::invalid_argument, "--unused takes a number of days, not '" + *unused_ + "'");
        }
        return now - days * day_seconds;
    }

    /// Drops from the list what is in use: a package by its age, an archive with its package.
    static void keep_used(std::vector<CacheItem>& items, std::time_t deadline) {
        const auto is_package = [](const CacheItem& item) { return item.kind == CacheItemKind::package; };
        std::erase_if(items, [&](const CacheItem& item) {
            return (is_package(item) || item.kind == CacheItemKind::tarball) && item.last_change > deadline;
        });
        std::set<std::string> going;
        for (const auto& item : items) {
            if (is_package(item)) going.insert(item.name);
        }
        std::erase_if(items, [&](const CacheItem& item) {
            const std::string stem(package_stem(item.name));
            return item.kind == CacheItemKind::tarball && is_directory(item.directory + '/' + stem) &&
                   !going.contains(stem);
        });
    }

    [[nodiscard]] bool wanted(CacheItemKind kind) const {
        switch (kind) {
        case CacheItemKind::tarball: return all_ || tarballs_ || unused_;
        case CacheItemKind::package: return all_ || packages_ || unused_;
        case CacheItemKind::index: return all_ || index_;
        case CacheItemKind::lock: return all_ || locks_ || logs_and_locks_;
        case CacheItemKind::log: return all_ || logs_ || logs_and_locks_;
        case CacheItemKind::leftover: return all_ || tempfiles_;
        case CacheItemKind::cache: return force_;
        }
        return false;
    }

    [[nodiscard]] std::string summary(const std::vector<CacheItem>& items) const {
        if (force_) {
            std::string text = items.empty() ? "There are no package cache(s) to remove.\n"
                                             : "Will remove " + std::to_string(items.size()) + " package cache(s).\n";
            for (const auto& item : items) text += "  - " + item.path() + "\n";
            return text;
        }
        std::string text;
        for (const auto& words : kind_words) {
            if (!wanted(words.kind)) continue;
            const auto some = of_kind(items, words.kind);
            const std::string name(words.shown);
            if (some.empty()) {
                text += "There are no " + std::string(words.with_sizes ? "unused " : "") + name + " to remove.\n";
                continue;
            }
            const std::string size = words.with_sizes ? " (" + human_bytes(total_bytes(some)) + ")" : "";
            text += "Will remove " + std::to_string(some.size()) + size + ' ' + name + ".\n";
            if (common_.verbose == 0) continue;
            TextTable list({Align::left, Align::right});
            for (const auto& item : some) list.add({"- " + item.path(), human_bytes(item.bytes)});
            text += list.text(2);
        }
        return text;
    }

    /// conda's object for archives and packages.
    static void write_sizes(JsonWriter& json, const std::vector<CacheItem>& items) {
        std::set<std::string> directories;
        for (const auto& item : items) directories.insert(item.directory);
        json.begin_object();
        json.key("pkg_sizes").begin_object();
        for (const auto& directory : directories) {
            json.key(directory).begin_object();
            for (const auto& item : items) {
                if (item.directory == directory) json.member(item.name, item.bytes);
            }
            json.end_object();
        }
        json.end_object();
        json.key("pkgs_dirs").begin_object();
        for (const auto& directory : directories) {
            json.key(directory).begin_array();
            for (const auto& item : items) {
                if (item.directory == directory) json.value(item.name);
            }
            json.end_array();
        }
        json.end_object();
        json.member("total_size", total_bytes(items));
        json.key("warnings").begin_array().end_array();
        json.end_object();
    }

    static void write_paths(JsonWriter& json, const std::vector<CacheItem>& items) {
        json.begin_array();
        for (const auto& item : items) json.value(item.path());
        json.end_array();
    }

    [[nodiscard]] std::string document(const std::vector<CacheItem>& items) const {
        JsonWriter json;
        json.begin_object();
        if (force_) {
            json.key("pkgs_dirs");
            write_paths(json, items);
        }
        auto by_key = kind_words;
        std::sort(by_key.begin(), by_key.end(), [](const auto& a, const auto& b) { return a.json < b.json; });
        bool said_success = false;
        for (const auto& words : by_key) {
            if (!said_success && words.json > "success") {
                json.member("success", true);
                said_success = true;
            }
            if (force_ || !wanted(words.kind)) continue;
            const auto some = of_kind(items, words.kind);
            json.key(words.json);
            if (words.with_sizes) {
                write_sizes(json, some);
            } else if (words.kind == CacheItemKind::index) {
                json.begin_object().key("files");
                write_paths(json, some);
                json.end_object();
            } else {
                write_paths(json, some);
            }
        }
        return json.end_object().take() + "\n";
    }

    CommonOptions common_;
    std::optional<std::string> unused_; ///< days
    std::vector<std::string> environments_;
    bool all_ = false, tarballs_ = false, packages_ = false, index_ = false, tempfiles_ = false;
    bool logs_ = false, locks_ = false, logs_and_locks_ = false; ///< -l is conda's word for logs and mamba's for locks
    bool force_ = false;
};

} // namespace

std::unique_ptr<Command> make_clean() { return std::make_unique<Clean>(); }

} // namespace taipan::cli
