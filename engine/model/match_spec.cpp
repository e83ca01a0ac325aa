// What a parsed spec answers: does a record match. A solve asks this for every dependency and candidate, mostly about
// name, version and build; everything else a spec may say lies in `Extra`, which most specs do not have.

#include "model/match_spec.hpp"

#include "model/feature_set.hpp"

namespace taipan {

bool BuildNumberSpec::contains(std::int64_t build_number) const {
    switch (op) {
    case Op::equal: return build_number == number;
    case Op::not_equal: return build_number != number;
    case Op::less: return build_number < number;
    case Op::less_equal: return build_number <= number;
    case Op::greater: return build_number > number;
    case Op::greater_equal: return build_number >= number;
    }
    return false;
}

const MatchSpec::Extra& MatchSpec::empty_extra() {
    static const Extra empty;
    return empty;
}

const std::string& MatchSpec::md5() const { return extra().md5.empty() ? extra().url_md5 : extra().md5; }

const std::string& MatchSpec::sha256() const { return extra().sha256.empty() ? extra().url_sha256 : extra().sha256; }

bool MatchSpec::is_name_only() const { return !version_ && !build_ && !extra_; }

bool MatchSpec::matches_name(std::string_view name) const {
    const auto& pattern = extra().name_pattern;
    return pattern ? pattern->matches(name) : name == name_;
}

bool MatchSpec::matches(const Version& version, std::string_view build, std::int64_t build_number) const {
    if (version_ && !version_->contains(version)) return false;
    if (build_ && !build_->matches(build)) return false;
    return !extra_ || !extra_->build_number || extra_->build_number->contains(build_number);
}

bool MatchSpec::matches(const PackageRecord& record, const Version& version) const {
    return matches_name(record.name) && matches(version, record.build, record.build_number) &&
           (!extra_ || matches_extra(record));
}

bool MatchSpec::matches(const PackageRecord& record) const {
    if (!matches_name(record.name)) return false;
    if (!version_) { // the version may be anything, even malformed
        if (build_ && !build_->matches(record.build)) return false;
        if (!extra_) return true;
        return (!extra_->build_number || extra_->build_number->contains(record.build_number)) && matches_extra(record);
    }
    const auto version = Version::parse(record.version);
    return version && matches(record, *version);
}

/// By canonical name or, as in conda, by the channel's bare name: `distr::pkg` after `-c file:///srv/distr`. A URL
/// outside of channel_alias means that URL alone.
bool MatchSpec::matches_channel(const PackageRecord& record) const {
    const Extra& wanted = *extra_;
    if (wanted.channel_pattern) return wanted.channel_pattern->matches(record.channel_name);
    if (record.channel_name == wanted.channel) return true;
    if (wanted.channel.find("://") != std::string::npos) return record.channel == wanted.channel;
    return bare_channel_name(record.channel) == wanted.channel;
}

bool MatchSpec::matches_extra(const PackageRecord& record) const {
    const Extra& wanted = *extra_;
    auto exact = [](const std::string& want, const std::string& have) { return want.empty() || want == have; };
    auto pattern = [](const std::optional<Pattern>& want, const std::string& have) {
        return !want || want->matches_ignoring_case(have);
    };
    auto features = [](const std::string& want, const std::string& have) {
        return want.empty() || want == feature_set(have);
    };
    return exact(wanted.subdir, record.subdir) && exact(wanted.md5, record.md5) &&
           exact(wanted.sha256, record.sha256) && exact(wanted.fn, record.fn) && exact(wanted.bare_url, record.url) &&
           pattern(wanted.license, record.license) && pattern(wanted.license_family, record.license_family) &&
           features(wanted.track_features, record.track_features) && features(wanted.features, record.features) &&
           (wanted.channel.empty() || matches_channel(record));
}

} // namespace taipan
