#include <algorithm>
#include <regex>

#include <fmt/format.h>

#include "base/filesystem.hpp"
#include "commands/list_mamba.hpp"
#include "prefix/pip_packages.hpp"
#include "prefix/prefix_data.hpp"
#include "requests/target_prefix.hpp"
#include "screen/explicit_list.hpp"
#include "screen/installed_size.hpp"
#include "screen/list_fields.hpp"
#include "screen/package_json.hpp"
#include "screen/revisions.hpp"
#include "screen/text.hpp"

// `list` in conda's forms (conda-spec 9.3).

namespace taipan::cli {

namespace {

constexpr std::size_t name_width = 23, version_width = 15, build_width = 15;

std::string channel_column(const PackageRecord& record, bool show_all) {
    return record.channel_name == "defaults" && !show_all ? std::string() : record.channel_name;
}

std::string package_table(const std::vector<PackageRecord>& records, const std::string& prefix, bool show_all) {
    std::size_t name = name_width, version = version_width, build = build_width;
    for (const auto& record : records) {
        name = std::max(name, record.name.size());
        version = std::max(version, record.version.size());
        build = std::max(build, record.build.size());
    }
    std::string text = "# packages in environment at " + prefix + ":\n#\n";
    text += fmt::format("# {:<{}}  {:<{}}  {:<{}}  Channel\n", "Name", name, "Version", version, "Build", build);
    for (const auto& record : records) {
        std::string line = fmt::format("{:<{}}  {:<{}}  {:<{}}  {}", record.name, name + 2, record.version, version,
                                       record.build, build, channel_column(record, show_all));
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + '\n';
    }
    return text;
}

class List final : public Command {
public:
    Options options() override {
        const std::string group = "Listing";
        Options options = {
            {"regex", &pattern_, "REGEX", "list packages whose name matches", group},
            {"-f,--full-name", &full_name_, {}, "the whole name must be equal", group},
            {"-e,--export", &export_, {}, "as lines that `create --file` understands", group},
            {"--explicit", &explicit_, {}, "as URLs that are installed without solving", group},
            {"--md5", &md5_, {}, "with --explicit: add the MD5 hashes", group},
            {"--sha256", &sha256_, {}, "with --explicit: add the SHA-256 hashes", group},
            {"-c,--canonical", &canonical_, {}, "as channel/platform::name-version-build", group},
            {"--revisions", &revisions_, {}, "what earlier runs changed", group},
            {"--no-pip", &no_pip_, {}, "leave out what pip installed", group},
            {"--reverse", &reverse_, {}, "in the reverse order", group},
            {"--fields", &fields_, "NAME,...", "the columns of the table", group},
            {"--size", &size_, {}, "how much each package takes", group},
            {"--show-channel-urls", &show_channels_, {}, "name the channel of packages from defaults too", group},
        };
        append(options, common_.prefix_options());
        append(options, common_.output_options());
        append(options, common_.config_options());
        return options;
    }
    [[nodiscard]] std::string usage_error() const override {
        for (const auto field : split_words(fields_, ',')) {
            if (list_field_title(field).empty()) {
                return "--fields knows " + list_field_names() + ", not '" + std::string(field) + "'";
            }
        }
        if (explicit_ && md5_ && sha256_) return "Only one of --md5 and --sha256 can be specified at the same time";
        return common_.usage_error();
    }
    [[nodiscard]] bool wants_json() const override { return json_; }

    Result<int> run(Invocation& invocation) override {
        TAIPAN_TRY(auto config, load_settings_for_output(invocation, common_, json_));
        TAIPAN_TRY(const auto prefix, resolve_target(invocation, common_, config, WithoutTarget::active_or_root));
        TAIPAN_TRY(config, load_settings_for_prefix(invocation, common_, prefix, std::move(config)));
        if (!as_mamba(invocation.role()) || !is_directory(prefix + "/conda-meta")) { // which is enough for mamba
            TAIPAN_CHECK(require_environment(prefix));
        }
        if (revisions_) {
            TAIPAN_TRY(const auto blocks, load_history(prefix));
            const bool of_mamba = as_mamba(invocation.role());
            invocation.console.print(of_mamba ? mamba_revisions(blocks, prefix, json_)
                                     : json_  ? revisions_json(blocks)
                                              : revisions_text(blocks));
            return exit_success;
        }
        TAIPAN_TRY(const auto data, load_prefix(prefix, RecordDetail::identity, config.channel_settings));
        if (as_mamba(invocation.role()) && !size_ && fields_.empty()) return list_as_mamba(invocation, data, config);
        for (const auto& warning : data.warnings) invocation.console.print_error("warning: " + warning + "\n");
        if (explicit_) {
            const auto hash = sha256_ ? ListHash::sha256 : md5_ ? ListHash::md5 : ListHash::none;
            invocation.console.print(explicit_list(data, config.subdir, hash));
            return exit_success;
        }
        TAIPAN_TRY(auto records, chosen_records(data, invocation.role()));
        if ((!fields_.empty() || size_) && !json_ && !export_ && !canonical_) {
            std::vector<std::string> fields;
            const std::string names = fields_.empty() ? "name,version,build,channel_name" : fields_;
            for (const auto field : split_words(names, ',')) {
                fields.emplace_back(field);
            }
            if (size_ && fields_.find("size") == std::string::npos) fields.emplace_back("size");
            std::string size_line;
            if (size_) {
                TAIPAN_TRY(const auto size, environment_size(prefix));
                size_line = "# environment size: " + conda_bytes(size) + '\n';
            }
            TAIPAN_TRY(const auto table, list_fields_text(records, prefix, fields, size_line));
            invocation.console.print(table);
            return exit_success;
        }
        invocation.console.print(rendered(records, prefix, config));
        return exit_success;
    }

private:
    Result<int> list_as_mamba(Invocation& invocation, const PrefixData& data, const Config& config) const {
        TAIPAN_TRY(const auto records, chosen_records(data, invocation.role()));
        const auto form = explicit_    ? MambaList::urls
                          : canonical_ ? MambaList::canonical
                          : export_    ? MambaList::specs
                                       : MambaList::table;
        const auto hash = sha256_ ? ListHash::sha256 : md5_ ? ListHash::md5 : ListHash::none;
        invocation.console.print(json_ ? mamba_list_json(records, config.channel_settings)
                                       : mamba_list(records, data.prefix, form, hash, config.channel_settings));
        return exit_success;
    }

    Result<std::vector<PackageRecord>> chosen_records(const PrefixData& data, Role role) const {
        std::vector<PackageRecord> records = data.packages();
        if (!no_pip_) {
            TAIPAN_TRY(auto from_pip, pip_packages(data));
            for (auto& record : from_pip) records.push_back(std::move(record));
        }
        std::sort(records.begin(), records.end(),
                  [](const PackageRecord& a, const PackageRecord& b) { return a.name < b.name; });
        if (!pattern_.empty()) {
            try {
                const std::regex expression(pattern_, std::regex::ECMAScript | std::regex::icase); // as conda
                std::erase_if(records, [&](const PackageRecord& record) {
                    return full_name_ ? record.name != pattern_ : !std::regex_search(record.name, expression);
                });
            } catch (const std::regex_error&) {
                return make_error(ErrorCode::invalid_argument, "'" + pattern_ + "' is no regular expression");
            }
            // mamba answers with an empty list.
            if (records.empty() && !(json_ && as_mamba(role))) {
                return make_error(ErrorCode::invalid_argument, "No packages match '" + pattern_ + "'.");
            }
        }
        if (reverse_) std::reverse(records.begin(), records.end());
        return records;
    }

    [[nodiscard]] std::string rendered(const std::vector<PackageRecord>& records, const std::string& prefix,
                                       const Config& config) const {
        if (json_) {
            JsonWriter json;
            json.begin_array();
            for (const auto& record : records) {
                const auto size = size_ && !record.fn.empty() ? installed_size(prefix, record)
                                                              : Result<std::uint64_t>(std::uint64_t{0});
                write_package(json, record, config.channel_settings,
                              size_ && size ? std::optional<std::uint64_t>(*size) : std::nullopt);
            }
            return json.end_array().take() + "\n";
        }
        std::string text;
        if (canonical_) {
            for (const auto& record : records) text += record.dist_string() + '\n';
        } else if (export_) {
            text = list_header(config.subdir);
            for (const auto& record : records) text += record.name + '=' + record.version + '=' + record.build + '\n';
        } else {
            text = package_table(records, prefix, show_channels_ || config.show_channel_urls);
        }
        return text;
    }

    CommonOptions common_;
    std::string pattern_, fields_;
    bool size_ = false;
    bool full_name_ = false, export_ = false, explicit_ = false, md5_ = false, sha256_ = false, canonical_ = false;
    bool revisions_ = false, no_pip_ = false, reverse_ = false, show_channels_ = false, json_ = false;
};

} // namespace

std::unique_ptr<Command> make_list() { return std::make_unique<List>(); }

} // namespace taipan::cli
