#include "base/json_writer.hpp"
#include "config/environment_file.hpp"
#include "model/match_spec.hpp"
#include "prefix/pip_packages.hpp"
#include "prefix/prefix_data.hpp"
#include "program/common_options.hpp"
#include "requests/target_prefix.hpp"

// `compare`: does an environment have what a file asks for? Exit code 0 when it does, else 1.

namespace taipan::cli {

namespace {

std::string shown_spec(const PackageRecord& record) { return record.name + '=' + record.version + '=' + record.build; }

class Compare final : public Command {
public:
    Options options() override {
        Options options = {{"file", &words_, "FILE", "environment file or list of specs", "Comparing"}};
        append(options, common_.prefix_options());
        append(options, common_.output_options());
        append(options, common_.config_options());
        return options;
    }
    [[nodiscard]] std::string usage_error() const override {
        return words_.size() == 1 ? common_.usage_error() : "name one file to compare with";
    }
    [[nodiscard]] bool wants_json() const override { return common_.json.value_or(false); }

    Result<int> run(Invocation& invocation) override {
        TAIPAN_TRY(const auto config, load_settings(invocation, common_));
        TAIPAN_TRY(const auto prefix, resolve_target(invocation, common_, config, WithoutTarget::active_or_root));
        TAIPAN_CHECK(require_environment(prefix));
        const RequestFileContext context{config.environment, config.home, config.working_directory, config.subdir};
        TAIPAN_TRY(const auto file, read_request_file(words_.front(), context));
        TAIPAN_TRY(const auto data, load_prefix(prefix, RecordDetail::identity, config.channel_settings));
        auto installed = data.packages();
        TAIPAN_TRY(auto from_pip, pip_packages(data));
        installed.insert(installed.end(), from_pip.begin(), from_pip.end());
        TAIPAN_TRY(auto lines, differences(file, installed));
        const bool same = lines.empty();
        if (same) {
            lines.emplace_back("Success. All the packages in the specification file are present in the environment "
                               "with matching version and build string.");
        }
        if (config.json) {
            JsonWriter json;
            invocation.console.print(json.value(lines).take() + "\n");
        } else {
            for (const auto& line : lines) invocation.console.print(line + '\n');
        }
        return same ? exit_success : exit_failure;
    }

private:
    static Result<std::vector<std::string>> differences(const RequestFile& file,
                                                        const std::vector<PackageRecord>& installed) {
        std::vector<std::string> lines;
        auto wanted = file.dependencies;
        wanted.insert(wanted.end(), file.pip.begin(), file.pip.end());
        for (const auto& text : wanted) {
            TAIPAN_TRY(const auto spec, MatchSpec::parse(text));
            const PackageRecord* found = nullptr;
            for (const auto& record : installed) {
                if (spec.matches_name(record.name)) found = &record;
            }
            if (found == nullptr)
                lines.push_back(spec.name() + " not found");
            else if (!spec.matches(*found))
                lines.push_back(found->name + " found but mismatch. Specification pkg: " + text +
                                ", Running pkg: " + shown_spec(*found));
        }
        return lines;
    }

    CommonOptions common_;
    std::vector<std::string> words_;
};

} // namespace

std::unique_ptr<Command> make_compare() { return std::make_unique<Compare>(); }

} // namespace taipan::cli
