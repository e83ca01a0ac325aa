#include <charconv>

#include <fcntl.h>
#include <sys/stat.h>

#include "base/byte_input.hpp"
#include "base/filesystem.hpp"
#include "base/json_writer.hpp"
#include "config/expand.hpp"
#include "extract/extract.hpp"
#include "extract/pack.hpp"
#include "model/record.hpp"
#include "program/common_options.hpp"
#include "program/signals.hpp"
#include "requests/target_prefix.hpp"
#include "screen/text.hpp"

// `package`: archives into directories and back, for people who look into packages or make them. Nothing is installed,
// and no cache is touched.

namespace taipan::cli {

namespace {

Result<int> number_of(const std::string& text, const char* option) {
    int value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc() || end != text.data() + text.size() || value < 1) {
        return make_error(ErrorCode::invalid_argument, std::string(option) + " takes a number, not '" + text + "'");
    }
    return value;
}

/// Unpacks into `destination`, which must be empty or not be there.
Result<ExtractedPackage> unpack(const std::string& archive, const std::string& destination, StopSource& stop) {
    const auto format = archive_format(archive);
    if (!format) {
        return make_error(ErrorCode::invalid_argument,
                          archive + " is no package; its name has to end in .conda or .tar.bz2");
    }
    if (!is_empty_or_missing(destination)) {
        return make_error(ErrorCode::invalid_argument,
                          destination + " is there already; name another directory, or empty it");
    }
    const UniqueFd fd(::open(archive.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return system_error(errno, "cannot open", archive);
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
        return make_error(ErrorCode::io, "cannot read " + archive + ": it is no regular file");
    }
    TAIPAN_CHECK(make_directories(std::string(parent_path(destination))));
    TAIPAN_TRY(StagedDirectory staged, StagedDirectory::create(std::string(parent_path(destination)), "package"));
    FileInput input(fd.get(), static_cast<std::uint64_t>(status.st_size));
    ExtractContext context;
    auto content = extract_package(context, input, *format, staged.fd(), stop.flag());
    if (!content) return std::move(content).context("while extracting " + archive).error();
    TAIPAN_CHECK(staged.commit(destination));
    return content;
}

/// What the three have in common.
class PackageCommand : public Command {
public:
    [[nodiscard]] bool wants_json() const override { return common_.json.value_or(false); }
    [[nodiscard]] std::string usage_error() const override { return common_.usage_error(); }

protected:
    [[nodiscard]] Options packing_options() {
        const std::string group = "Packing";
        return {
            {"-c,--compression-level", &level_, "N", "1 to 22 for .conda (default: 19), 1 to 9 for .tar.bz2", group},
            {"--compression-threads", &threads_, "N", "accepted for compatibility; one thread packs", group},
        };
    }
    [[nodiscard]] Result<PackOptions> pack_options(const Invocation& invocation) const {
        PackOptions options;
        if (!level_.empty()) {
            TAIPAN_TRY(options.level, number_of(level_, "--compression-level"));
        }
        if (const auto epoch = invocation.variable("SOURCE_DATE_EPOCH"); !epoch.empty()) {
            TAIPAN_TRY(options.source_epoch, number_of(epoch, "SOURCE_DATE_EPOCH"));
        }
        return options;
    }
    Result<Config> settings(Invocation& invocation) {
        TAIPAN_TRY(auto config, load_settings(invocation, common_));
        return config;
    }
    static std::string absolute(const std::string& path, const Config& config) {
        return absolute_path(expand_home(path, config.home), config.working_directory);
    }
    /// One line for a person, or one JSON document for all.
    static void report(Invocation& invocation, const Config& config, const std::vector<std::string>& made,
                       const std::string& words) {
        if (config.json) {
            JsonWriter json;
            json.begin_object().member("paths", made).member("success", true);
            invocation.console.print(json.end_object().take() + '\n');
        } else if (!config.quiet) {
            invocation.console.print(words);
        }
    }

    CommonOptions common_;
    std::string level_, threads_;
};

class Extract final : public PackageCommand {
public:
    Options options() override {
        const std::string group = "Package";
        Options options = {{"archive", &archive_, "ARCHIVE", "a .conda or .tar.bz2 file", group},
                           {"destination", &destination_, "DIR",
                            "where to (default: the archive's name without its ending, here)", group}};
        append(options, common_.output_options());
        append(options, common_.config_options());
        return options;
    }
    [[nodiscard]] std::string usage_error() const override {
        return archive_.empty() ? "name an archive" : PackageCommand::usage_error();
    }

    Result<int> run(Invocation& invocation) override {
        TAIPAN_TRY(const auto config, settings(invocation));
        const std::string archive = absolute(archive_, config);
        const std::string destination =
            absolute(destination_.empty() ? std::string(package_stem(base_name(archive))) : destination_, config);
        StopSource stop;
        const StopOnSignals signals(stop);
        TAIPAN_TRY(const auto content, unpack(archive, destination, stop));
        report(invocation, config, {destination}, counted(content.files, "file") + " in " + destination + '\n');
        return exit_success;
    }

private:
    std::string archive_, destination_;
};

class Create final : public PackageCommand {
public:
    Options options() override {
        const std::string group = "Package";
        Options options = {{"directory", &directory_, "DIR", "a directory with the content of a package", group},
                           {"archive", &archive_, "ARCHIVE", "the .conda or .tar.bz2 file to make", group}};
        append(options, packing_options());
        append(options, common_.output_options());
        append(options, common_.config_options());
        return options;
    }
    [[nodiscard]] std::string usage_error() const override {
        return archive_.empty() ? "name a directory and the archive to make of it" : PackageCommand::usage_error();
    }

    Result<int> run(Invocation& invocation) override {
        TAIPAN_TRY(const auto config, settings(invocation));
        TAIPAN_TRY(const auto how, pack_options(invocation));
        const std::string archive = absolute(archive_, config);
        TAIPAN_TRY(const auto packed, pack_package(absolute(directory_, config), archive, how));
        report(invocation, config, {archive},
               archive + ": " + counted(packed.files, "file") + ", " + human_bytes(packed.size) + '\n');
        return exit_success;
    }

private:
    std::string directory_, archive_;
};

class Transmute final : public PackageCommand {
public:
    Options options() override {
        const std::string group = "Package";
        Options options = {
            {"archives", &archives_, "ARCHIVE", "packages in one format to have in the other", group},
            {"-o,--out-folder", &folder_, "DIR", "where to put them (default: beside the old ones)", group},
            {"--force", &force_, {}, "replace archives that are there already", group}};
        append(options, packing_options());
        append(options, common_.output_options());
        append(options, common_.config_options());
        return options;
    }
    [[nodiscard]] std::string usage_error() const override {
        return archives_.empty() ? "name at least one archive" : PackageCommand::usage_error();
    }

    Result<int> run(Invocation& invocation) override {
        TAIPAN_TRY(const auto config, settings(invocation));
        TAIPAN_TRY(const auto how, pack_options(invocation));
        StopSource stop;
        const StopOnSignals signals(stop);
        std::vector<std::string> made;
        std::string words;
        for (const auto& word : archives_) {
            TAIPAN_TRY(auto path, transmute(absolute(word, config), config, how, stop));
            words += path + '\n';
            made.push_back(std::move(path));
        }
        report(invocation, config, made, words);
        return exit_success;
    }

private:
    Result<std::string> transmute(const std::string& archive, const Config& config, const PackOptions& how,
                                  StopSource& stop) const {
        const auto format = archive_format(archive);
        const std::string folder = folder_.empty() ? std::string(parent_path(archive)) : absolute(folder_, config);
        const std::string stem(package_stem(base_name(archive)));
        const std::string target = folder + '/' + stem + (format == ArchiveFormat::conda ? ".tar.bz2" : ".conda");
        if (!force_ && exists(target)) {
            return make_error(ErrorCode::invalid_argument, target + " is there already; say --force to replace it");
        }
        TAIPAN_CHECK(make_directories(folder));
        TAIPAN_TRY(const StagedDirectory staged, StagedDirectory::create(folder, "transmute"));
        const std::string tree = staged.path() + '/' + stem;
        TAIPAN_TRY(const auto content, unpack(archive, tree, stop));
        static_cast<void>(content);
        TAIPAN_TRY(const auto packed, pack_package(tree, target, how));
        static_cast<void>(packed);
        return target;
    }

    std::vector<std::string> archives_;
    std::string folder_;
    bool force_ = false;
};

} // namespace

std::unique_ptr<Command> make_package_extract() { return std::make_unique<Extract>(); }
std::unique_ptr<Command> make_package_create() { return std::make_unique<Create>(); }
std::unique_ptr<Command> make_package_transmute() { return std::make_unique<Transmute>(); }

} // namespace taipan::cli
