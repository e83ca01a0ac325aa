#include <algorithm>
#include <array>
#include <ctime>
#include <filesystem>
#include <set>

#include <unistd.h>

#include <fmt/format.h>

#include "base/json_writer.hpp"
#include "cache/cache_contents.hpp"
#include "cache/cache_uses.hpp"
#include "requests/cache_options.hpp"
#include "requests/known_environments.hpp"
#include "screen/text.hpp"

// `cache stats`: what lies in the package caches, how old it is, what environments use of it, and how often packages
// were found there.

namespace taipan::cli {

namespace {

constexpr std::array<std::string_view, cache_entry_kinds> shown{"archives", "extracted", "bytecode", "index"};

struct Sum {
    std::uint64_t entries = 0, files = 0, bytes = 0;
};

struct CacheFacts {
    std::string directory;
    bool writable = false;
    std::array<Sum, cache_entry_kinds> kinds{};
    Sum used;                           ///< extracted packages that environments have
    std::time_t oldest = 0, newest = 0; ///< when an entry was made or used last; 0: there is none
    CacheUses uses;

    [[nodiscard]] std::uint64_t wanted() const {
        return uses.total.extracted + uses.total.archives + uses.total.fetched;
    }
    [[nodiscard]] double hit_rate() const {
        return wanted() == 0 ? 0 : static_cast<double>(wanted() - uses.total.fetched) / static_cast<double>(wanted());
    }
};

void add(Sum& sum, const EntrySize& size) {
    ++sum.entries;
    sum.files += size.files;
    sum.bytes += size.bytes;
}

/// The dist names in the environments that are known.
std::set<std::string> installed_packages(const Config& config) {
    std::set<std::string> names;
    for (const auto& environment : known_environments(config, Role::taipan)) {
        std::error_code error;
        const std::filesystem::path records = environment.prefix + "/conda-meta";
        for (std::filesystem::directory_iterator entry(records, error), end; !error && entry != end;
             entry.increment(error)) {
            if (entry->path().extension() == ".json") names.insert(entry->path().stem().string());
        }
    }
    return names;
}

CacheFacts look_at(const std::string& directory, const std::set<std::string>& installed) {
    CacheFacts facts;
    facts.directory = directory;
    facts.writable = ::access(directory.c_str(), W_OK) == 0;
    for (const auto& entry : list_cache(directory)) {
        const EntrySize size = measure_entry(directory, entry);
        add(facts.kinds[static_cast<std::size_t>(entry.kind)], size);
        if (entry.kind == CacheEntryKind::package && (size.linked || installed.contains(entry.name)))
            add(facts.used, size);
        if (facts.oldest == 0 || size.last_change < facts.oldest) facts.oldest = size.last_change;
        facts.newest = std::max(facts.newest, size.last_change);
    }
    facts.uses = read_cache_uses(directory);
    return facts;
}

std::string age(std::time_t then, std::time_t now) {
    constexpr std::time_t day = 24 * 60 * 60, hour = 60 * 60;
    const std::time_t seconds = std::max<std::time_t>(now - then, 0);
    if (seconds >= day) return counted(static_cast<std::uint64_t>(seconds / day), "day");
    if (seconds >= hour) return counted(static_cast<std::uint64_t>(seconds / hour), "hour");
    return counted(static_cast<std::uint64_t>(seconds / 60), "minute");
}

std::string text_of(const CacheFacts& facts, std::time_t now) {
    std::string text = facts.directory + (facts.writable ? "\n" : " (not writable)\n");
    TextTable table({Align::left, Align::right, Align::right, Align::right});
    for (std::size_t kind = 0; kind < shown.size(); ++kind) {
        const Sum& sum = facts.kinds[kind];
        table.add({std::string(shown[kind]), std::to_string(sum.entries), counted(sum.files, "file"),
                   human_bytes(sum.bytes)});
    }
    table.add({"used by environments", std::to_string(facts.used.entries), counted(facts.used.files, "file"),
               human_bytes(facts.used.bytes)});
    text += table.text(2);
    if (facts.newest != 0) {
        text += "  last change of an entry: " + age(facts.newest, now) + " ago; the oldest: " + age(facts.oldest, now) +
                " ago\n";
    }
    if (facts.uses.runs == 0) return text;
    const auto& total = facts.uses.total;
    return text +
           fmt::format("  {} since {} ago wanted {}: {:.0f} % were there ({} extracted, {} as archives), {} were "
                       "fetched ({})\n",
                       counted(facts.uses.runs, "run"), age(facts.uses.first, now), counted(facts.wanted(), "package"),
                       100 * facts.hit_rate(), total.extracted, total.archives, total.fetched,
                       human_bytes(total.fetched_bytes));
}

void write(JsonWriter& json, const CacheFacts& facts) {
    const auto write_sum = [&json](std::string_view name, const Sum& sum) {
        json.key(name).begin_object().member("entries", sum.entries).member("files", sum.files);
        json.member("size", sum.bytes).end_object();
    };
    json.begin_object().member("directory", facts.directory).member("writable", facts.writable);
    for (std::size_t kind = 0; kind < shown.size(); ++kind) write_sum(shown[kind], facts.kinds[kind]);
    write_sum("used_by_environments", facts.used);
    json.member("oldest_change", facts.oldest).member("newest_change", facts.newest);
    const auto& total = facts.uses.total;
    json.key("uses").begin_object().member("runs", facts.uses.runs).member("first", facts.uses.first);
    json.member("last", facts.uses.last).member("hits", total.extracted + total.archives);
    json.member("hits_extracted", total.extracted).member("hits_archives", total.archives);
    json.member("misses", total.fetched).member("fetched_size", total.fetched_bytes);
    json.member("hit_rate", facts.hit_rate()).end_object().end_object();
}

class CacheStats final : public Command {
public:
    Options options() override { return options_.place_options(); }
    [[nodiscard]] bool wants_json() const override { return options_.common.json.value_or(false); }

    Result<int> run(Invocation& invocation) override {
        TAIPAN_TRY(const auto config, options_.load(invocation));
        const auto installed = installed_packages(config);
        const std::time_t now = std::time(nullptr);
        JsonWriter json;
        std::string text;
        json.begin_object().key("caches").begin_array();
        for (const auto& directory : config.pkgs_dirs) {
            std::error_code error;
            if (!std::filesystem::is_directory(directory, error)) continue;
            const CacheFacts facts = look_at(directory, installed);
            write(json, facts);
            text += text_of(facts, now);
        }
        json.end_array().member("success", true).end_object();
        if (text.empty()) text = "There is no package cache yet.\n";
        invocation.console.print(config.json ? json.take() + "\n" : text);
        return exit_success;
    }

private:
    CacheOptions options_;
};

} // namespace

std::unique_ptr<Command> make_cache_stats() { return std::make_unique<CacheStats>(); }

} // namespace taipan::cli
