// conda's canonical string of a spec (conda-spec 6.3) and the merging of two specs for one name. The string stands in
// history and conda-meta and is compared there, so it follows conda to the letter, with two exceptions: parentheses
// that mean something stay (see VersionSpec::text), and credentials of a URL are never shown.

#include <algorithm>
#include <array>

#include "model/feature_set.hpp"
#include "model/match_spec.hpp"

namespace taipan {

namespace {

bool has_any(std::string_view text, std::string_view characters) {
    return text.find_first_of(characters) != std::string_view::npos;
}

constexpr std::string_view operator_characters = "><$^|,";

void add_bracket(std::string& brackets, std::string_view key, std::string_view value, bool quoted) {
    brackets += brackets.empty() ? "[" : ",";
    brackets += key;
    brackets += quoted ? "='" : "=";
    brackets += value;
    if (quoted) brackets += '\'';
}

Error contradiction(std::string_view what, std::string_view a, std::string_view b) {
    return make_error(ErrorCode::unsatisfiable, "the " + std::string(what) + " cannot be both '" + std::string(a) +
                                                    "' and '" + std::string(b) + "'");
}

Result<void> merge_exact(std::string_view what, std::string& into, const std::string& other) {
    if (into.empty()) into = other;
    if (!other.empty() && into != other) return contradiction(what, into, other);
    return {};
}

/// A glob or regular expression as the inside of a regular expression.
std::string as_expression(const std::string& text) {
    if (text.size() >= 2 && text.front() == '^' && text.back() == '$') return text.substr(1, text.size() - 2);
    std::string result;
    for (char c : text) {
        if (c == '*')
            result += ".*";
        else if (has_any(std::string_view(&c, 1), "\\^$.|?+()[]{}"))
            (result += '\\') += c;
        else
            result += c;
    }
    return result;
}

/// What matches both: the stricter of the two where that is plain, else a regular expression for their intersection.
Result<Pattern> merge_patterns(std::string_view what, const Pattern& a, const Pattern& b) {
    if (a.text() == b.text() || b.text() == "*") return a;
    if (a.text() == "*") return b;
    if (a.is_literal() || b.is_literal()) {
        const Pattern& literal = a.is_literal() ? a : b;
        const Pattern& other = a.is_literal() ? b : a;
        if (other.matches(literal.text())) return literal;
        return contradiction(what, a.text(), b.text());
    }
    auto stars = [](const std::string& text) { return std::count(text.begin(), text.end(), '*'); };
    const bool same_end =
        (a.text().front() == '*' && b.text().front() == '*') || (a.text().back() == '*' && b.text().back() == '*');
    if (same_end && stars(a.text()) == 1 && stars(b.text()) == 1) {
        if (glob_matches(a.text(), b.text())) return b;
        if (glob_matches(b.text(), a.text())) return a;
        return contradiction(what, a.text(), b.text());
    }
    const auto& [first, second] = std::minmax(a.text(), b.text());
    return Pattern::parse("^(?=" + as_expression(first) + "$)(?:" + as_expression(second) + ")$");
}

Result<void> merge_optional(std::string_view what, std::optional<Pattern>& into, const std::optional<Pattern>& other) {
    if (!into) {
        into = other;
    } else if (other) {
        TAIPAN_TRY(into, merge_patterns(what, *into, *other));
    }
    return {};
}

} // namespace

std::string feature_set(std::string_view list) {
    std::vector<std::string_view> features;
    for (std::size_t begin = 0; begin < list.size();) {
        const std::size_t end = std::min(list.find_first_of(" ,", begin), list.size());
        if (end > begin) features.push_back(list.substr(begin, end - begin));
        begin = end + 1;
    }
    std::sort(features.begin(), features.end());
    features.erase(std::unique(features.begin(), features.end()), features.end());
    std::string result;
    for (std::string_view feature : features) {
        if (!result.empty()) result += ' ';
        result += feature;
    }
    return result;
}

/// Version and build: beside the name where that form exists, else in brackets.
void MatchSpec::print_version(std::string& out, std::string& brackets) const {
    bool exact = false;
    if (version_) {
        const std::string_view version = version_->text();
        const bool negated = version.starts_with("!=") || version.starts_with("~=");
        if (has_any(version, operator_characters) || (negated && build_)) {
            add_bracket(brackets, "version", version, true);
        } else if (negated) {
            out += version;
        } else if (version.ends_with(".*")) {
            (out += '=') += version.substr(0, version.size() - 2);
        } else if (version.ends_with('*')) { // an inner `*` too: `=1.*.2` is read as `1.*.2*`
            (out += '=') += version.substr(0, version.size() - 1);
        } else {
            if (!version.starts_with("==")) out += "==";
            out += version;
            exact = true;
        }
    }
    if (!build_) return;
    const std::string_view build = build_->text();
    const bool quoted = has_any(build, operator_characters);
    if (exact && !quoted && !has_any(build, "*"))
        (out += '=') += build;
    else
        add_bracket(brackets, "build", build, quoted);
}

void MatchSpec::print_extra(std::string& brackets) const {
    const Extra& extra = *extra_;
    auto print = [&](std::string_view key, std::string_view value) {
        if (!value.empty()) add_bracket(brackets, key, value, has_any(value, ", ="));
    };
    auto text_of = [](const auto& optional) {
        return optional ? std::string_view(optional->text()) : std::string_view();
    };
    if (extra.build_number) print("build_number", extra.build_number->text);
    print("track_features", extra.track_features);
    print("features", extra.features);
    if (extra.channel.empty()) print("url", extra.bare_url);
    print("md5", extra.md5);
    print("sha256", extra.sha256);
    print("license", text_of(extra.license));
    print("license_family", text_of(extra.license_family));
    if (extra.url.empty()) print("fn", extra.fn);
}

std::string MatchSpec::to_string() const {
    std::string out;
    std::string brackets;
    if (extra_) {
        const bool exact_channel = !extra_->channel.empty() && !extra_->channel_pattern;
        if (exact_channel) {
            out = extra_->channel;
            if (!extra_->subdir.empty()) (out += '/') += extra_->subdir;
            out += "::";
        } else {
            if (!extra_->channel.empty() && extra_->channel != "*")
                add_bracket(brackets, "channel", extra_->channel, false);
            if (!extra_->subdir.empty()) add_bracket(brackets, "subdir", extra_->subdir, false);
        }
    }
    out += name_;
    print_version(out, brackets);
    if (extra_) print_extra(brackets);
    if (!brackets.empty()) (out += brackets) += ']';
    return out;
}

Result<void> MatchSpec::merge_extra(Extra& into, const Extra& other) {
    if (into.channel.empty()) {
        into.channel = other.channel;
        into.channel_pattern = other.channel_pattern;
    } else if (!other.channel.empty()) {
        auto pattern_of = [](const Extra& extra) {
            return extra.channel_pattern ? Result<Pattern>(*extra.channel_pattern) : Pattern::parse(extra.channel);
        };
        TAIPAN_TRY(const Pattern a, pattern_of(into));
        TAIPAN_TRY(const Pattern b, pattern_of(other));
        TAIPAN_TRY(Pattern merged, merge_patterns("channel", a, b));
        into.channel = merged.text();
        into.channel_pattern.reset();
        if (!merged.is_literal()) into.channel_pattern = std::move(merged);
    }
    struct Field {
        const char* what;
        std::string Extra::*member;
    };
    constexpr std::array<Field, 9> fields = {{{"platform", &Extra::subdir},
                                              {"file name", &Extra::fn},
                                              {"md5", &Extra::md5},
                                              {"sha256", &Extra::sha256},
                                              {"URL", &Extra::bare_url},
                                              {"md5", &Extra::url_md5},
                                              {"sha256", &Extra::url_sha256},
                                              {"track_features", &Extra::track_features},
                                              {"features", &Extra::features}}};
    for (const Field& field : fields) TAIPAN_CHECK(merge_exact(field.what, into.*field.member, other.*field.member));
    if (into.url.empty()) into.url = other.url; // may differ in credentials, which no message may show
    if (!into.build_number)
        into.build_number = other.build_number;
    else if (other.build_number && into.build_number->text != other.build_number->text)
        return contradiction("build number", into.build_number->text, other.build_number->text);
    TAIPAN_CHECK(merge_optional("license", into.license, other.license));
    return merge_optional("license family", into.license_family, other.license_family);
}

Result<MatchSpec> merge(const MatchSpec& a, const MatchSpec& b) {
    auto step = [&] { return "while combining the requests '" + a.to_string() + "' and '" + b.to_string() + "'"; };
    if (a.name_ != b.name_) return Result<MatchSpec>(contradiction("name", a.name_, b.name_)).context(step());
    MatchSpec merged = a;
    if (!merged.version_) {
        merged.version_ = b.version_;
    } else if (b.version_) {
        auto version = merge(*a.version_, *b.version_);
        if (!version) return Result<MatchSpec>(std::move(version).error()).context(step());
        merged.version_ = std::move(*version);
    }
    if (auto build = merge_optional("build", merged.build_, b.build_); !build)
        return Result<MatchSpec>(std::move(build).error()).context(step());
    if (!a.extra_) {
        merged.extra_ = b.extra_;
    } else if (b.extra_ && a.extra_ != b.extra_) {
        auto extra = std::make_shared<MatchSpec::Extra>(*a.extra_);
        if (auto result = MatchSpec::merge_extra(*extra, *b.extra_); !result)
            return Result<MatchSpec>(std::move(result).error()).context(step());
        merged.extra_ = std::move(extra);
    }
    return merged;
}

} // namespace taipan
