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
#include "clean_scan.hpp"
#include "common_options.hpp"
#include "model/record.hpp"
#include "text.hpp"

// `clean`: shows what nobody needs, asks, removes it. A directory is renamed before it is removed, so that no other
// process ever sees half of a package.

namespace taipan::cli {

namespace {

struct KindWords {
    CacheItemKind kind;
    std::string_view shown, json;
};
constexpr std::array<KindWords, 5> kind_words = {{
    {CacheItemKind::tarball, "package archives", "tarballs"},
    {CacheItemKind::package, "unused packages", "packages"},
    {CacheItemKind::index, "cached indexes", "index_cache"},
    {CacheItemKind::lock, "lock files", "locks"},
    {CacheItemKind::leftover, "leftovers", "tempfiles"},
}};

std::uint64_t total_bytes(const std::vector<CacheItem>& items) {
    std::uint64_t sum = 0;
    for (const auto& item : items) sum += item.bytes;
    return sum;
}

Result<void> remove_item(const CacheItem& item) {
    const std::string path = item.directory + '/' + item.name;
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
            {"-a,--all", &all_, {}, "everything below except -f", group},
            {"-t,--tarballs", &tarballs_, {}, "package archives", group},
            {"-p,--packages", &packages_, {}, "extracted packages that no environment is linked to", group},
            {"-i,--index-cache", &index_, {}, "cached indexes", group},
            {"-l,--locks,--logfiles", &locks_, {}, "lock files of other tools", group},
            {"-c,--tempfiles,--trash", &leftovers_, {}, "what interrupted runs left behind", group},
            {"-f,--force-pkgs-dirs", &force_, {}, "the whole package cache, used or not", group},
            {"--unused", &unused_, "DAYS",
             "archives, packages and bytecode that no environment uses, and that none has used for so many days",
             group},
            {"-r,--root-prefix", &common_.root_prefix, "PATH", "where the packages are kept", "Environment"},
        };
        append(options, common_.output_options());
        append(options, common_.consent_options());
        append(options, common_.config_options());
        return options;
    }
    [[nodiscard]] std::string usage_error() const override {
        if (all_ || tarballs_ || packages_ || index_ || locks_ || leftovers_ || force_ || unused_) return {};
        return "say what to remove, for instance --all";
    }
    [[nodiscard]] bool wants_json() const override { return common_.json.value_or(false); }

    Result<int> run(Invocation& invocation) override {
        TAIPAN_TRY(const auto config, load_settings(invocation, common_));
        TAIPAN_TRY(const auto deadline, unused_since(std::time(nullptr)));
        Console& console = invocation.console;
        std::vector<CacheItem> items;
        for (const auto& directory : config.pkgs_dirs) {
            if (::access(directory.c_str(), W_OK) != 0) continue;
            auto found = force_ ? scan_everything(directory) : scan_cache(directory, std::time(nullptr));
            std::erase_if(found, [&](const CacheItem& item) { return !force_ && !wanted(item.kind); });
            if (unused_ && !force_) keep_used(found, deadline);
            items.insert(items.end(), found.begin(), found.end());
        }
        if (!config.json) console.print(summary(items));
        if (!items.empty() && !common_.dry_run && !config.json && !config.always_yes) {
            TAIPAN_TRY(const bool yes, console.confirm("Remove all that?"));
            if (!yes) return exit_success;
        }
        if (!common_.dry_run) {
            for (const auto& item : items) TAIPAN_CHECK(remove_item(item));
            for (const auto& directory : config.pkgs_dirs) {
                if (::access(directory.c_str(), W_OK) == 0) TAIPAN_CHECK(CacheIndex::prune(directory));
            }
        }
        if (config.json)
            console.print(document(items));
        else if (!items.empty())
            console.print((common_.dry_run ? "Would free " : "Freed ") + human_bytes(total_bytes(items)) + ".\n");
        return exit_success;
    }

private:
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
        case CacheItemKind::lock: return all_ || locks_;
        case CacheItemKind::leftover: return all_ || leftovers_ || packages_ || tarballs_;
        }
        return false;
    }

    [[nodiscard]] std::string summary(const std::vector<CacheItem>& items) const {
        if (items.empty()) return "There is nothing to remove.\n";
        std::string text;
        if (common_.verbose > 0) {
            TextTable list({Align::left, Align::right});
            for (const auto& item : items) list.add({item.directory + '/' + item.name, human_bytes(item.bytes)});
            text = list.text(2) + "\n";
        }
        TextTable table({Align::left, Align::right, Align::right});
        for (const auto& words : kind_words) {
            std::vector<CacheItem> of_kind;
            std::copy_if(items.begin(), items.end(), std::back_inserter(of_kind),
                         [&](const CacheItem& item) { return item.kind == words.kind; });
            if (of_kind.empty()) continue;
            table.add({std::string(force_ ? "the whole cache" : words.shown), std::to_string(of_kind.size()),
                       human_bytes(total_bytes(of_kind))});
        }
        return text + table.text(2);
    }

    [[nodiscard]] std::string document(const std::vector<CacheItem>& items) const {
        JsonWriter json;
        json.begin_object();
        if (common_.dry_run) json.member("dry_run", true);
        for (const auto* key : {"index_cache", "locks", "packages", "tarballs", "tempfiles"}) {
            std::uint64_t sum = 0;
            json.key(key).begin_object();
            json.key("files").begin_array();
            for (const auto& item : items) {
                const auto words = std::find_if(kind_words.begin(), kind_words.end(),
                                                [&](const KindWords& one) { return one.kind == item.kind; });
                if (words->json != key) continue;
                json.value(item.directory + '/' + item.name);
                sum += item.bytes;
            }
            json.end_array();
            json.member("total_size", sum);
            json.end_object();
        }
        json.member("success", true);
        return json.end_object().take() + "\n";
    }

    CommonOptions common_;
    std::optional<std::string> unused_; ///< days
    bool all_ = false, tarballs_ = false, packages_ = false, index_ = false, locks_ = false, leftovers_ = false;
    bool force_ = false;
};

} // namespace

std::unique_ptr<Command> make_clean() { return std::make_unique<Clean>(); }

} // namespace taipan::cli
