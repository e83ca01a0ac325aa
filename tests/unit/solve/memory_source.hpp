#pragma once

#include <algorithm>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/match_spec.hpp"
#include "solve/candidate_source.hpp"
#include "solve/solve.hpp"

namespace taipan::test {

/// A record with the fields a solve looks at; the others follow from them.
inline PackageRecord package(std::string name, std::string version, std::string build = "0",
                             std::vector<std::string> depends = {}, std::vector<std::string> constrains = {}) {
    PackageRecord record;
    record.name = std::move(name);
    record.version = std::move(version);
    record.build = std::move(build);
    const auto underscore = record.build.rfind('_');
    const std::string number = record.build.substr(underscore == std::string::npos ? 0 : underscore + 1);
    if (!number.empty() && number.find_first_not_of("0123456789") == std::string::npos)
        record.build_number = std::stoll(number);
    record.depends = std::move(depends);
    record.constrains = std::move(constrains);
    record.subdir = "linux-64";
    record.channel_name = "main";
    record.channel = "https://example.org/main";
    record.fn = record.dist_name() + ".conda";
    record.url = record.channel + "/linux-64/" + record.fn;
    return record;
}

inline PackageRecord noarch_python(PackageRecord record) {
    record.noarch = Noarch::python;
    record.subdir = "noarch";
    return record;
}

inline PackageRecord virtual_package(std::string name, std::string version, std::string build = "0") {
    auto record = package(std::move(name), std::move(version), std::move(build));
    record.channel = record.channel_name = "@";
    return record;
}

/// Channels in memory. The first one added has the highest priority.
class MemorySource final : public CandidateSource {
public:
    MemorySource() = default;
    explicit MemorySource(std::vector<PackageRecord> records) { add_channel("main", std::move(records)); }

    void add_channel(const std::string& name, std::vector<PackageRecord> records) {
        for (auto& record : records) {
            record.channel_name = name;
            record.channel = "https://example.org/" + name;
            record.url = record.channel + '/' + record.subdir + '/' + record.fn;
        }
        channels_.emplace_back(name, std::move(records));
    }

    Result<std::vector<Candidate>> candidates(std::string_view name) override {
        asked_.emplace_back(name);
        std::vector<Candidate> found;
        for (std::size_t i = 0; i < channels_.size(); ++i)
            for (const auto& record : channels_[i].second)
                if (record.name == name)
                    found.push_back(
                        {record, static_cast<int>(channels_.size() - i), beside_pip(channels_[i].second, record)});
        return found;
    }
    static bool beside_pip(const std::vector<PackageRecord>& records, const PackageRecord& record) {
        return std::any_of(records.begin(), records.end(), [&](const PackageRecord& other) {
            return other.name == "pip" && other.subdir == record.subdir;
        });
    }
    Result<std::vector<std::string>> names_matching(std::string_view glob) override {
        std::vector<std::string> found;
        for (auto& name : all_names())
            if (glob_matches(glob, name)) found.push_back(std::move(name));
        return found;
    }
    std::vector<std::string> all_names() override {
        std::vector<std::string> names;
        for (const auto& [channel, records] : channels_)
            for (const auto& record : records) names.push_back(record.name);
        std::sort(names.begin(), names.end());
        names.erase(std::unique(names.begin(), names.end()), names.end());
        return names;
    }
    std::vector<std::string> searched_channels() override {
        std::vector<std::string> names;
        for (const auto& [channel, records] : channels_) names.push_back(channel);
        return names;
    }

    std::vector<std::string> other_platforms(const MatchSpec& spec) override {
        const auto found = elsewhere_.find(spec.name());
        return found == elsewhere_.end() ? std::vector<std::string>{} : found->second;
    }
    /// Makes the name exist for other platforms.
    void add_elsewhere(const std::string& name, std::vector<std::string> platforms) {
        elsewhere_.emplace(name, std::move(platforms));
    }

    [[nodiscard]] const std::vector<std::string>& asked() const { return asked_; }

private:
    std::vector<std::pair<std::string, std::vector<PackageRecord>>> channels_;
    std::vector<std::string> asked_;
    std::map<std::string, std::vector<std::string>> elsewhere_;
};

inline MatchSpec spec(std::string_view text) {
    auto parsed = MatchSpec::parse(text);
    if (!parsed) throw std::runtime_error("bad spec in a test: " + std::string(text));
    return std::move(*parsed);
}

inline std::vector<MatchSpec> specs(std::initializer_list<std::string_view> texts) {
    std::vector<MatchSpec> result;
    for (const auto text : texts) result.push_back(spec(text));
    return result;
}

/// `name-version-build` of each, in order.
inline std::vector<std::string> names_of(const std::vector<PackageRecord>& records) {
    std::vector<std::string> names;
    for (const auto& record : records) names.push_back(record.dist_name());
    return names;
}

/// The same, sorted: for sets.
inline std::vector<std::string> sorted_names(const std::vector<PackageRecord>& records) {
    auto names = names_of(records);
    std::sort(names.begin(), names.end());
    return names;
}

} // namespace taipan::test
