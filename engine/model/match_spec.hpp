#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "model/channel.hpp"
#include "model/pattern.hpp"
#include "model/record.hpp"
#include "model/version.hpp"
#include "model/version_spec.hpp"

namespace taipan {

/// A constraint on the build number: `3`, `>=3`, `!=3` and so on.
struct BuildNumberSpec {
    enum class Op : unsigned char { equal, not_equal, less, less_equal, greater, greater_equal };
    Op op = Op::equal;
    std::int64_t number = 0;
    std::string text; ///< as written

    [[nodiscard]] bool contains(std::int64_t build_number) const;
};

/// A request for packages: a name and constraints on version, build, channel and more (CEP 29, with conda's
/// behaviour where the two differ; conda-spec 6.3). Copies are cheap.
class MatchSpec {
public:
    /// Longest text that is accepted.
    static constexpr std::size_t max_length = 8192;

    /// Parses what a user types and what `depends` contains. `settings` canonicalises `channel::`.
    /// Fails with ErrorCode::invalid_argument.
    static Result<MatchSpec> parse(std::string_view text, const ChannelSettings& settings = {});

    /// Lower case; may be a glob or `*`.
    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] bool has_exact_name() const { return !extra().name_pattern; }
    /// An exact name and nothing else.
    [[nodiscard]] bool is_name_only() const;
    /// Canonical channel name, URL outside of channel_alias, or glob; empty when any channel will do.
    [[nodiscard]] const std::string& channel() const { return extra().channel; }
    [[nodiscard]] const std::string& subdir() const { return extra().subdir; }
    /// Set for URL and path specs, else empty. As the user wrote it, credentials included: for the request only.
    [[nodiscard]] const std::string& url() const { return extra().url; }
    /// Expected hash: `[md5=...]`, or that of `url#md5`, which takes no part in matching (as in conda).
    [[nodiscard]] const std::string& md5() const;
    /// The same: `[sha256=...]`, or that of `url#sha256:...`.
    [[nodiscard]] const std::string& sha256() const;
    /// The version constraint; nullopt when any version will do.
    [[nodiscard]] const std::optional<VersionSpec>& version() const { return version_; }
    /// The build string constraint; nullopt when any build will do.
    [[nodiscard]] const std::optional<Pattern>& build() const { return build_; }
    [[nodiscard]] const std::optional<BuildNumberSpec>& build_number() const { return extra().build_number; }

    /// Version, build and build number only; `version` must be the parsed form of the candidate's version.
    [[nodiscard]] bool matches(const Version& version, std::string_view build, std::int64_t build_number) const;
    /// All constraints, name and channel included. `version` as above.
    [[nodiscard]] bool matches(const PackageRecord& record, const Version& version) const;
    /// The same; parses the record's version.
    [[nodiscard]] bool matches(const PackageRecord& record) const;
    /// Whether the name constraint (exact, glob or `*`) admits this lower-case name.
    [[nodiscard]] bool matches_name(std::string_view name) const;

    /// conda's canonical string, the form of history and `requested_spec`.
    [[nodiscard]] std::string to_string() const;

private:
    friend class MatchSpecParser;
    friend Result<MatchSpec> merge(const MatchSpec& a, const MatchSpec& b);

    // What few specs have. Shared by copies, so never changed once the spec is made.
    struct Extra {
        std::optional<Pattern> name_pattern; // when the name is a glob or `*`
        std::string channel;                 // canonical name, URL or glob
        std::optional<Pattern> channel_pattern;
        std::string subdir, fn, md5, sha256;
        std::string url, bare_url;            // with and without credentials
        std::string url_md5, url_sha256;      // of the URL's fragment
        std::string track_features, features; // sorted, blank-separated
        std::optional<BuildNumberSpec> build_number;
        std::optional<Pattern> license, license_family; // lower case
    };

    MatchSpec() = default;
    [[nodiscard]] const Extra& extra() const { return extra_ ? *extra_ : empty_extra(); }
    [[nodiscard]] static const Extra& empty_extra();
    [[nodiscard]] bool matches_channel(const PackageRecord& record) const;
    [[nodiscard]] bool matches_extra(const PackageRecord& record) const;
    void print_version(std::string& out, std::string& brackets) const;
    void print_extra(std::string& brackets) const;
    static Result<void> merge_extra(Extra& into, const Extra& other);

    std::string name_;
    std::optional<VersionSpec> version_;
    std::optional<Pattern> build_;
    std::shared_ptr<const Extra> extra_; // null when there is none of it
};

/// One spec that asks for what both ask for. Fails with ErrorCode::unsatisfiable when they contradict each other: two
/// names, two exact builds, two channels, two hashes. (conda-spec 6.3, "Merging".)
Result<MatchSpec> merge(const MatchSpec& a, const MatchSpec& b);

} // namespace taipan
