#include <array>
#include <ctime>

#include "base/json_writer.hpp"
#include "cache/package_cache.hpp"
#include "flow/prune_cache.hpp"
#include "requests/cache_options.hpp"
#include "requests/wishes.hpp"
#include "screen/text.hpp"
#include "screen/watched_run.hpp"

// `cache prune`: leaves in a cache what environments of the given files need, and nothing else, so that a cache that a
// CI keeps does not grow from run to run.

namespace taipan::cli {

namespace {

class CachePrune final : public Command {
public:
    Options options() override {
        Options options = wishes_.options(options_.common);
        append(options, options_.form_options("keep packages as archives only", "keep packages extracted only"));
        append(options, options_.place_options());
        append(options, options_.common.consent_options());
        return options;
    }
    [[nodiscard]] std::string usage_error() const override {
        if (wishes_.empty()) return "name at least one file (-f) or package whose environments are to stay possible";
        return options_.common.usage_error();
    }
    [[nodiscard]] bool wants_json() const override { return options_.common.json.value_or(false); }

    Result<int> run(Invocation& invocation) override {
        TAIPAN_TRY(auto config, options_.load(invocation));
        const bool json = config.json;
        WatchedRun watched(invocation.console, config.quiet, config.verbosity);
        TAIPAN_TRY(const auto wishes, wishes_.read(invocation, options_.common, config));
        note_warnings(wishes, *watched.progress);
        PlatformSessions sessions(std::move(config), *watched.progress, watched.stop);
        TAIPAN_TRY(const auto plans, plan_wishes(sessions, wishes));
        NeededEntries needed;
        for (std::size_t i = 0; i < plans.size(); ++i)
            TAIPAN_CHECK(add_needs(needed, sessions.at(wishes[i].subdir), plans[i]));
        TAIPAN_TRY(const std::string directory, sweep(sessions.config()));
        TAIPAN_TRY(const auto entries, unneeded_entries(sessions.own(), directory, needed, forms()));
        if (!options_.common.dry_run && !entries.empty()) TAIPAN_CHECK(prune_cache(sessions.own(), directory, entries));
        watched.progress->finish();
        invocation.console.print(json ? document(directory, entries) : summary(entries));
        return exit_success;
    }

private:
    [[nodiscard]] CacheForms forms() const {
        if (options_.both_forms()) return {};
        return {options_.archives, options_.extracted, true};
    }

    /// What killed runs have left is nobody's.
    Result<std::string> sweep(const Config& config) const {
        TAIPAN_TRY(const PackageCache cache, PackageCache::open(config.pkgs_dirs));
        if (!options_.common.dry_run) cache.sweep_leftovers(std::time(nullptr));
        return cache.writable_directory();
    }

    static std::uint64_t freed(const std::vector<PrunedEntry>& entries) {
        std::uint64_t bytes = 0;
        for (const auto& pruned : entries) bytes += pruned.size.linked ? 0 : pruned.size.bytes;
        return bytes;
    }

    [[nodiscard]] std::string summary(const std::vector<PrunedEntry>& entries) const {
        if (entries.empty()) return "There is nothing in the cache that is not needed.\n";
        std::string text;
        TextTable table({Align::left, Align::right, Align::right});
        constexpr std::array<std::string_view, cache_entry_kinds> words{"archives", "extracted packages",
                                                                        "bytecode of packages", "files of indexes"};
        std::uint64_t linked = 0;
        for (int kind = 0; kind < cache_entry_kinds; ++kind) {
            std::uint64_t number = 0, bytes = 0;
            for (const auto& pruned : entries) {
                if (static_cast<int>(pruned.entry.kind) != kind) continue;
                ++number;
                bytes += pruned.size.bytes;
                linked += pruned.size.linked ? 1 : 0;
                if (options_.common.verbose > 0) text += "  " + pruned.entry.name + '\n';
            }
            if (number > 0) {
                table.add(
                    {std::string(words[static_cast<std::size_t>(kind)]), std::to_string(number), human_bytes(bytes)});
            }
        }
        text += table.text(2) + (options_.common.dry_run ? "Would free " : "Freed ") + human_bytes(freed(entries));
        if (linked > 0) text += "; of " + std::to_string(linked) + " of them, files live on in environments";
        return text + ".\n";
    }

    [[nodiscard]] std::string document(const std::string& directory, const std::vector<PrunedEntry>& entries) const {
        JsonWriter json;
        json.begin_object();
        if (options_.common.dry_run) json.member("dry_run", true);
        json.member("directory", directory).member("freed", freed(entries)).key("removed").begin_array();
        for (const auto& pruned : entries) {
            json.begin_object().member("kind", to_string(pruned.entry.kind)).member("name", pruned.entry.name);
            json.member("size", pruned.size.bytes).member("linked", pruned.size.linked).end_object();
        }
        return json.end_array().member("success", true).end_object().take() + "\n";
    }

    CacheOptions options_;
    WishOptions wishes_;
};

} // namespace

std::unique_ptr<Command> make_cache_prune() { return std::make_unique<CachePrune>(); }

} // namespace taipan::cli
