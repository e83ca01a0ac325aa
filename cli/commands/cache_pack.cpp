#include <array>

#include <unistd.h>

#include "base/filesystem.hpp"
#include "base/json_writer.hpp"
#include "config/expand.hpp"
#include "flow/pack.hpp"
#include "requests/cache_options.hpp"
#include "requests/wishes.hpp"
#include "screen/text.hpp"
#include "screen/watched_run.hpp"

// `cache pack` and `cache unpack`: a package cache as one file, for a CI to keep.

namespace taipan::cli {

namespace {

constexpr std::array<std::string_view, cache_entry_kinds> part_words{"archive", "extracted package",
                                                                     "package's bytecode", "index file"};
constexpr std::array<std::string_view, cache_entry_kinds> part_keys{"archives", "packages", "bytecode", "index"};

std::string parts_text(const PackReport& report) {
    std::string text;
    for (std::size_t kind = 0; kind < part_words.size(); ++kind) {
        const auto& part = report.parts[kind];
        if (part.entries == 0) continue;
        const std::string what = kind == static_cast<std::size_t>(CacheEntryKind::bytecode)
                                     ? "bytecode of " + counted(part.entries, "package")
                                     : counted(part.entries, part_words[kind]);
        text += (text.empty() ? "" : ", ") + what + " (" + human_bytes(part.bytes) + ')';
    }
    return text.empty() ? "nothing" : text;
}

std::string document(const std::string& file, const PackReport& report, bool unpacked) {
    JsonWriter json;
    json.begin_object().member("file", file).member("size", report.pack_bytes);
    for (std::size_t kind = 0; kind < part_keys.size(); ++kind) {
        json.key(part_keys[kind]).begin_object().member("entries", report.parts[kind].entries);
        json.member("size", report.parts[kind].bytes).end_object();
    }
    if (unpacked) json.member("already_there", report.already_there);
    return json.member("success", true).end_object().take() + "\n";
}

std::string absolute(const std::string& path, const Config& config) {
    return absolute_path(expand_home(path, config.home), config.working_directory);
}

class CachePack final : public Command {
public:
    Options options() override {
        Options options = {{"-o,--output", &output_, "FILE", "the file to write, a .tar.zst", "Cache"}};
        append(options, wishes_.options(options_.common));
        append(options, options_.form_options("pack archives (this is the default)", "pack extracted packages"));
        append(options,
               {{"--no-bytecode", &no_bytecode_, {}, "leave out bytecode that was made of packages", "Cache"}});
        append(options, options_.place_options());
        return options;
    }
    [[nodiscard]] std::string usage_error() const override {
        if (output_.empty()) return "say with -o which file to write";
        return options_.common.usage_error();
    }
    [[nodiscard]] bool wants_json() const override { return options_.common.json.value_or(false); }

    Result<int> run(Invocation& invocation) override {
        TAIPAN_TRY(auto config, options_.load(invocation));
        const bool json = config.json;
        WatchedRun watched(invocation.console, config.quiet, config.verbosity);
        PlatformSessions sessions(std::move(config), *watched.progress, watched.stop);
        TAIPAN_TRY(const auto inputs, choose(invocation, sessions, *watched.progress));
        const std::string file = absolute(output_, sessions.config());
        TAIPAN_TRY(const auto report, write_pack(sessions.own(), file, inputs));
        watched.progress->finish();
        invocation.console.print(json ? document(file, report, false)
                                      : "Packed " + parts_text(report) + " into " + file + ": " +
                                            human_bytes(report.pack_bytes) + ".\n");
        return exit_success;
    }

private:
    /// All of the cache, or what the files need of it.
    Result<std::vector<PackInput>> choose(const Invocation& invocation, PlatformSessions& sessions,
                                          Progress& progress) {
        CacheForms forms{true, false, !no_bytecode_};
        if (options_.extracted) forms = {options_.archives, true, !no_bytecode_};
        if (wishes_.empty()) {
            TAIPAN_TRY(const std::string directory, writable_cache(sessions.config()));
            return all_entries(directory, forms);
        }
        TAIPAN_TRY(const auto wishes, wishes_.read(invocation, options_.common, sessions.config()));
        note_warnings(wishes, progress);
        TAIPAN_TRY(const auto plans, plan_wishes(sessions, wishes));
        NeededEntries needed;
        for (std::size_t i = 0; i < plans.size(); ++i)
            TAIPAN_CHECK(add_needs(needed, sessions.at(wishes[i].subdir), plans[i]));
        return needed_entries(sessions.own(), plans, needed, forms);
    }

    CacheOptions options_;
    WishOptions wishes_;
    std::string output_;
    bool no_bytecode_ = false;
};

class CacheUnpack final : public Command {
public:
    Options options() override {
        Options options = {
            {"file", &files_, "FILE", "what `cache pack` has written; - reads it from standard input", "Cache"},
            {"--extracted",
             &extracted_,
             {},
             "extract archives at once, and do not keep them: quickest when all will be installed",
             "Cache"}};
        append(options, options_.place_options());
        return options;
    }
    [[nodiscard]] std::string usage_error() const override {
        return files_.size() == 1 ? "" : "name one file that `taipan cache pack` has written";
    }
    [[nodiscard]] bool wants_json() const override { return options_.common.json.value_or(false); }

    Result<int> run(Invocation& invocation) override {
        TAIPAN_TRY(auto config, options_.load(invocation));
        const bool json = config.json;
        WatchedRun watched(invocation.console, config.quiet, config.verbosity);
        const bool piped = files_.front() == "-";
        const std::string file = piped ? "standard input" : absolute(files_.front(), config);
        Session session(std::move(config), *watched.progress, watched.stop);
        const UnpackForm form = extracted_ ? UnpackForm::extracted : UnpackForm::archives;
        TAIPAN_TRY(const auto report,
                   piped ? read_pack_stream(session, STDIN_FILENO, form) : read_pack(session, file, form));
        watched.progress->finish();
        std::string text = "Unpacked " + parts_text(report) + " from " + file;
        if (report.already_there > 0) text += "; " + std::to_string(report.already_there) + " were there already";
        invocation.console.print(json ? document(file, report, true) : text + ".\n");
        return exit_success;
    }

private:
    CacheOptions options_;
    std::vector<std::string> files_;
    bool extracted_ = false;
};

} // namespace

std::unique_ptr<Command> make_cache_pack() { return std::make_unique<CachePack>(); }
std::unique_ptr<Command> make_cache_unpack() { return std::make_unique<CacheUnpack>(); }

} // namespace taipan::cli
