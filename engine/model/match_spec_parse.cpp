// The problem: one spec can be written in a dozen ways (conda-spec 6.3), most of them grown, not designed; a solve
// parses the dependencies of tens of thousands of records, nearly all of them `name`, `name version` or
// `name version build`.
//
// The approach: what is rare is taken off step by step, each step only if its first character occurs in the text:
// track features (`x@`), comment (`#`), ` if ` suffix, URL, `[key=value]`, `(optional)`, `channel:namespace:`. What is
// left is name, version and build, told apart by views on the text.
//
// What must hold: a key that we do not understand is an error, never ignored, since a spec that is read too loosely
// installs the wrong package. Hashes after `#` of a URL are kept, but take no part in matching.

#include "model/match_spec.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>

#include "base/json_writer.hpp"
#include "model/feature_set.hpp"
#include "model/url.hpp"

namespace taipan {

namespace {

constexpr auto npos = std::string_view::npos;

std::string_view trim(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result) c = lower(c);
    return result;
}

constexpr bool is_one_of(char c, std::string_view characters) { return characters.find(c) != npos; }

bool is_hex(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    });
}

/// CEP 26 on a lower-case name: letters and digits, joined by single separators; may begin with `_`, a virtual
/// package with `__`.
bool is_package_name(std::string_view name) {
    auto is_alnum = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'); };
    if (name.starts_with("__")) {
        name.remove_prefix(2);
        if (name.empty() || !is_alnum(name.front())) return false;
    } else if (name.starts_with('_')) {
        name.remove_prefix(1);
    } else if (name.empty() || !is_alnum(name.front())) {
        return false;
    }
    bool after_separator = false;
    for (char c : name) {
        const bool separator = is_one_of(c, "._-");
        if ((separator && after_separator) || !(separator || is_alnum(c))) return false;
        after_separator = separator;
    }
    return true;
}

struct VersionBuild {
    std::string_view version;
    std::string_view build; // empty when there is none
};

/// The build is what follows the first blank or `=` behind which no operator, `,`, `|` or `-` stands any more, unless
/// an operator stands right before it (`>= 1.7`).
VersionBuild split_build(std::string_view text) {
    const std::size_t tail = text.find_last_of("-=,|<>~") + 1; // npos + 1 is 0
    auto splits_at = [&](std::size_t i) { return i > 0 && i + 1 < text.size() && !is_one_of(text[i - 1], "=!|,<>~"); };
    std::size_t at = npos;
    if (tail > 0 && text[tail - 1] == '=' && splits_at(tail - 1)) at = tail - 1;
    for (std::size_t i = text.find(' ', tail); at == npos && i != npos; i = text.find(' ', i + 1))
        if (splits_at(i)) at = i;
    if (at == npos) return {text, {}};
    return {text.substr(0, at), trim(text.substr(at + 1))};
}

/// A single `=` is fuzzy unless a build follows; `==` is exact; a leading `=` of a longer expression is VersionSpec's.
void interpret_equals(std::string& version, bool has_build) {
    if (!version.starts_with('=') || version == "=" || version == "==") return;
    const std::size_t signs = std::min(version.find_first_not_of('='), version.size());
    if (signs >= 2 && !has_build) {
        version.erase(0, signs);
        return;
    }
    if (version.find_first_of("=,|", signs) != npos) return;
    version.erase(0, signs);
    if (!has_build && !version.ends_with('*') && !version.ends_with('$')) version += '*';
}

} // namespace

class MatchSpecParser {
public:
    MatchSpecParser(std::string_view text, const ChannelSettings& settings) : whole_(text), settings_(settings) {}

    Result<MatchSpec> run() {
        if (whole_.size() > MatchSpec::max_length) return invalid("it is too long");
        auto parsed = parse();
        if (!parsed) return std::move(parsed).error();
        if (extra_) spec_.extra_ = std::move(extra_);
        return std::move(spec_);
    }

private:
    using Extra = MatchSpec::Extra;

    [[nodiscard]] Error invalid(std::string_view why) const {
        const auto shown = without_credentials(whole_.substr(0, 200), true);
        Error error = make_error(ErrorCode::invalid_argument, "invalid spec '" + shown + "': " + std::string(why));
        error.details = JsonWriter().begin_object().member("invalid_spec", shown).end_object().take();
        return error;
    }

    Extra& extra() {
        if (!extra_) extra_ = std::make_shared<Extra>();
        return *extra_;
    }

    Result<void> parse() {
        std::string_view text = whole_;
        while (text.starts_with(' ')) text.remove_prefix(1);
        if (text.empty()) return set_name("*");
        if (text.ends_with('@')) {
            extra().track_features = feature_set(text.substr(0, text.size() - 1));
            return set_name("*");
        }
        std::string_view fragment;
        if (const auto hash = text.find('#'); hash != npos) {
            fragment = trim(text.substr(hash + 1));
            text = text.substr(0, hash);
        }
        if (has_package_extension(trim(text))) return url_or_path(trim(text), fragment);
        text = text.substr(0, text.find(" if "));
        if (text.find_first_of("[](:") == npos) return name_and_rest(text);
        return decorated(text);
    }

    /// A spec with brackets, parentheses or a channel.
    Result<void> decorated(std::string_view text) {
        std::string plain;
        std::vector<Pair> pairs;
        if (const auto open = text.find('['); open != npos) {
            TAIPAN_TRY(const std::size_t end, read_brackets(text, open + 1, pairs));
            plain = text.substr(0, open);
            plain += text.substr(end);
            text = plain;
        }
        std::string bare;
        if (const auto open = text.rfind('('), close = text.rfind(')'); open != npos && close != npos && open < close) {
            const std::string_view inner = trim(text.substr(open + 1, close - open - 1));
            if (inner.starts_with("optional") || inner.starts_with("target")) { // both obsolete
                bare = text.substr(0, open);
                bare += text.substr(close + 1);
                text = bare;
            }
        }
        if (const auto colon = text.rfind(':'); colon != npos) {
            const std::string_view before = text.substr(0, colon); // channel:namespace, or namespace alone
            if (const auto second = before.rfind(':'); second != npos) set_channel(before.substr(0, second));
            text = text.substr(colon + 1);
        }
        TAIPAN_CHECK(name_and_rest(text));
        for (auto pair = pairs.begin(); pair != pairs.end(); ++pair) {
            auto is_same = [&](const Pair& later) { return later.key == pair->key; };
            if (std::any_of(pair + 1, pairs.end(), is_same)) continue; // the last one counts
            TAIPAN_CHECK(set_key(pair->key, pair->value));
        }
        return {};
    }

    Result<void> url_or_path(std::string_view text, std::string_view fragment) {
        std::string url(text);
        if (!split_url(text)) {
            std::string path(text);
            if (text.starts_with("~/"))
                path = settings_.home + path.substr(1);
            else if (!text.starts_with('/'))
                path = settings_.working_directory + '/' + path;
            url = file_url_of_path(std::filesystem::path(path).lexically_normal().string());
        }
        extra().url = url;
        extra().bare_url = without_credentials(url);
        extra().fn = percent_decode(url.substr(url.rfind('/') + 1));
        set_url_hash(fragment);
        TAIPAN_TRY(const std::vector<Channel> channels, resolve_channel(url, settings_));
        if (channels.size() != 1 || channels.front().subdir.empty()) return set_name("*");
        const auto parts = split_package_filename(extra().fn);
        if (!parts) return invalid("its file name is not NAME-VERSION-BUILD with a package extension");
        extra().channel = channels.front().name;
        extra().subdir = channels.front().subdir;
        spec_.name_ = lower(parts->name);
        TAIPAN_CHECK(set_version(parts->version));
        return set_build(parts->build);
    }

    void set_url_hash(std::string_view fragment) {
        if (fragment.starts_with("md5:")) fragment.remove_prefix(4);
        if (fragment.starts_with("sha256:")) fragment.remove_prefix(7);
        if (!is_hex(fragment)) return;
        if (fragment.size() == 32) extra().url_md5 = lower(fragment);
        if (fragment.size() == 64) extra().url_sha256 = lower(fragment);
    }

    /// `name`, `name version`, `name version build`, and the same with operators.
    Result<void> name_and_rest(std::string_view text) {
        const std::size_t end = std::min(text.find_first_of(" =<>!~"), text.size());
        if (end == 0) return invalid("it has no package name");
        TAIPAN_CHECK(set_name(text.substr(0, end)));
        if (text.size() - end < 2) return {}; // a single operator or blank at the end counts for nothing
        const std::string_view rest = trim(text.substr(end));
        if (rest.empty()) return {};
        const auto [version_text, build] = split_build(rest);
        std::string version(version_text);
        std::erase(version, ' ');
        interpret_equals(version, !build.empty());
        TAIPAN_CHECK(set_version(version));
        return build.empty() ? Result<void>() : set_build(build);
    }

    Result<void> set_name(std::string_view name) {
        spec_.name_ = lower(name);
        if (name.find('*') == npos)
            return is_package_name(spec_.name_) ? Result<void>()
                                                : invalid("'" + std::string(name) + "' is no package name");
        TAIPAN_TRY(extra().name_pattern, parse_pattern(spec_.name_));
        return {};
    }

    Result<void> set_version(std::string_view text) {
        spec_.version_.reset();
        if (text == "*") return {};
        auto version = VersionSpec::parse(text);
        if (!version) return invalid(version.error().message);
        spec_.version_ = std::move(*version);
        return {};
    }

    Result<void> set_build(std::string_view text) {
        TAIPAN_TRY(spec_.build_, parse_pattern(text));
        return {};
    }

    Result<Pattern> parse_pattern(std::string_view text) const {
        auto pattern = Pattern::parse(text);
        if (!pattern) return invalid(pattern.error().message);
        return pattern;
    }

    void set_channel(std::string_view text) {
        text = trim(text);
        if (text.empty()) return;
        auto reference = channel_reference(text, settings_);
        auto pattern = Pattern::parse(reference.name);
        if (!reference.subdir.empty()) extra().subdir = std::move(reference.subdir);
        if (reference.name == "*") reference.name.clear();
        extra().channel_pattern.reset();
        if (pattern && !pattern->is_literal() && !reference.name.empty()) extra().channel_pattern = std::move(*pattern);
        extra().channel = std::move(reference.name);
    }

    struct Pair {
        std::string_view key, value;
    };

    /// Reads `key=value, ...]` from `at` on; returns where the text goes on. Words without `=` count for nothing
    /// (as in conda). `build_number>=1` and `version<2` mean what they say; conda and mamba overlook them.
    Result<std::size_t> read_brackets(std::string_view text, std::size_t at, std::vector<Pair>& pairs) const {
        while (true) {
            at = text.find_first_not_of(", ", at);
            if (at == npos) return invalid("a '[' has no ']'");
            if (text[at] == ']') break;
            const std::size_t key_end = std::min(text.find_first_of("=<>!~, ]", at), text.size());
            const std::string_view key = text.substr(at, key_end - at);
            const std::size_t sign = text.find_first_not_of(' ', key_end);
            const bool compared = sign != npos && is_one_of(text[sign], "<>!~");
            if (sign == npos || (text[sign] != '=' && !compared)) {
                at = key_end;
                continue;
            }
            if (compared && key != "build_number" && key != "version")
                return invalid("in brackets it is key=value, and only version and build_number can be compared");
            at = compared ? sign : text.find_first_not_of(' ', sign + 1);
            if (at == npos) return invalid("a '[' has no ']'");
            TAIPAN_TRY(const std::string_view value, read_value(text, at));
            if (key.empty() || value.empty()) return invalid("a key in brackets has no value, or a value no key");
            pairs.push_back({key, value});
        }
        if (text.find('[', at) != npos) return invalid("it has more than one pair of brackets");
        return at + 1;
    }

    /// A quoted or bare value; moves `at` behind it.
    Result<std::string_view> read_value(std::string_view text, std::size_t& at) const {
        const std::size_t begin = at;
        if (text[begin] == '\'' || text[begin] == '"') {
            for (at = text.find(text[begin], begin + 1); at != npos; at = text.find(text[begin], at + 1))
                if (at + 1 < text.size() && is_one_of(text[at + 1], ", ]")) {
                    ++at;
                    return text.substr(begin + 1, at - begin - 2);
                }
            return invalid("a quote is not closed");
        }
        int depth = 0;
        for (; at < text.size(); ++at) {
            if (text[at] == '[') ++depth;
            if (depth == 0 && is_one_of(text[at], ", ]")) break;
            if (text[at] == ']') --depth;
        }
        return text.substr(begin, at - begin);
    }

    Result<void> set_key(std::string_view key, std::string_view value) {
        struct Setter {
            std::string_view key;
            Result<void> (MatchSpecParser::*set)(std::string_view);
        };
        static constexpr std::array<Setter, 15> setters = {
            {{"name", &MatchSpecParser::ignore},   // a name inside never replaces the one outside
             {"target", &MatchSpecParser::ignore}, // obsolete
             {"version", &MatchSpecParser::key_version},
             {"build", &MatchSpecParser::set_build},
             {"build_number", &MatchSpecParser::key_build_number},
             {"channel", &MatchSpecParser::key_channel},
             {"subdir", &MatchSpecParser::key_text<&Extra::subdir>},
             {"fn", &MatchSpecParser::key_text<&Extra::fn>},
             {"url", &MatchSpecParser::key_url},
             {"md5", &MatchSpecParser::key_hash<&Extra::md5>},
             {"sha256", &MatchSpecParser::key_hash<&Extra::sha256>},
             {"track_features", &MatchSpecParser::key_features<&Extra::track_features>},
             {"features", &MatchSpecParser::key_features<&Extra::features>},
             {"license", &MatchSpecParser::key_pattern<&Extra::license>},
             {"license_family", &MatchSpecParser::key_pattern<&Extra::license_family>}}};
        const auto* setter =
            std::find_if(setters.begin(), setters.end(), [&](const Setter& known) { return known.key == key; });
        if (setter == setters.end()) return invalid("the key '" + std::string(key) + "' is not known");
        return (this->*setter->set)(value);
    }

    Result<void> ignore(std::string_view) { return {}; }

    Result<void> key_version(std::string_view value) {
        std::string version(value);
        interpret_equals(version, false);
        return set_version(version);
    }

    Result<void> key_build_number(std::string_view value) {
        struct Sign {
            std::string_view text;
            BuildNumberSpec::Op op;
        };
        using Op = BuildNumberSpec::Op;
        static constexpr Sign signs[] = {{"==", Op::equal},         {"!=", Op::not_equal}, {"<=", Op::less_equal},
                                         {">=", Op::greater_equal}, {"=", Op::equal},      {"<", Op::less},
                                         {">", Op::greater}};
        extra().build_number.reset();
        if (value == "*") return {};
        BuildNumberSpec spec;
        std::string_view digits = value;
        for (const Sign& sign : signs)
            if (value.starts_with(sign.text)) {
                spec.op = sign.op;
                digits.remove_prefix(sign.text.size());
                break;
            }
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), spec.number);
        if (error != std::errc() || end != digits.data() + digits.size() || spec.number < 0)
            return invalid("build_number takes a number or a comparison with one");
        spec.text = digits.size() == value.size() ? std::to_string(spec.number) : std::string(value);
        extra().build_number = std::move(spec);
        return {};
    }

    Result<void> key_channel(std::string_view value) {
        const std::string subdir = extra().subdir;
        const bool subdir_set = subdir_set_;
        set_channel(value);
        if (subdir_set) extra().subdir = subdir; // `subdir=` has the last word
        return {};
    }

    template <std::string Extra::*member> Result<void> key_text(std::string_view value) {
        if (member == &Extra::subdir) subdir_set_ = true;
        extra().*member = value;
        return {};
    }

    template <std::string Extra::*member> Result<void> key_hash(std::string_view value) {
        extra().*member = lower(value);
        return {};
    }

    template <std::string Extra::*member> Result<void> key_features(std::string_view value) {
        extra().*member = feature_set(value);
        return {};
    }

    template <std::optional<Pattern> Extra::*member> Result<void> key_pattern(std::string_view value) {
        TAIPAN_TRY(extra().*member, parse_pattern(lower(value)));
        return {};
    }

    Result<void> key_url(std::string_view value) {
        extra().url = value;
        extra().bare_url = without_credentials(value);
        return {};
    }

    std::string_view whole_;
    const ChannelSettings& settings_;
    MatchSpec spec_;
    std::shared_ptr<Extra> extra_;
    bool subdir_set_ = false;
};

Result<MatchSpec> MatchSpec::parse(std::string_view text, const ChannelSettings& settings) {
    return MatchSpecParser(text, settings).run();
}

} // namespace taipan
