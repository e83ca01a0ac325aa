// The problem: "does this version satisfy that constraint" is asked for every pair of dependency and candidate, so it
// must cost a few comparisons and no allocation; and the grammar (conda-spec 6.2) has a dozen kinds of atoms.
//
// The approach: a spec is compiled to one array of words, a tree in preorder. A node is a header word
//
//     bits 0-7 Op | 8-31 words of the whole node, header included | 32-47 words of key 1 | 48-63 words of key 2
//
// then its keys (version_key.hpp), or for all_of and any_of its operands, themselves nodes. Nodes of Op::pattern have
// an index into the spec's patterns in place of the length of key 1.
//
// What must hold: sizes are relative, so that a node can be put in front of finished ones; text length and depth of
// nesting are bounded, as specs come from channels.

#include "model/version_spec.hpp"

#include <algorithm>

#include "model/version_key.hpp"

namespace taipan {

namespace {

using Word = std::uint64_t;

enum class Op : std::uint8_t {
    all_of,
    any_of,
    any,
    none,
    equal,
    not_equal,
    less,
    less_equal,
    greater,
    greater_equal,
    starts_with,
    not_starts_with,
    compatible, // key 1 is the bound, key 2 the prefix
    pattern,
};

constexpr Word header(Op op, std::size_t size, std::size_t key1 = 0, std::size_t key2 = 0) {
    return static_cast<Word>(op) | Word{size} << 8 | Word{key1} << 32 | Word{key2} << 48;
}
constexpr Op op_of(Word word) { return static_cast<Op>(word & 0xff); }
constexpr std::size_t size_of(Word word) { return word >> 8 & 0xff'ffff; }
constexpr std::size_t key1_of(Word word) { return word >> 32 & 0xffff; }
constexpr std::size_t key2_of(Word word) { return word >> 48; }

constexpr bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string_view trim(std::string_view text) {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

std::string_view without_trailing(std::string_view text, char c) {
    while (text.ends_with(c)) text.remove_suffix(1);
    return text;
}

struct Relation {
    std::string_view sign;
    Op op;
};
// Longer signs first.
constexpr Relation relations[] = {{"==", Op::equal},         {"!=", Op::not_equal},  {"<=", Op::less_equal},
                                  {">=", Op::greater_equal}, {"~=", Op::compatible}, {"<", Op::less},
                                  {">", Op::greater},        {"=", Op::starts_with}};

} // namespace

/// Recursive descent over the grammar; writes the code and the normal text side by side.
class VersionSpecParser {
public:
    explicit VersionSpecParser(std::string_view text) : whole_(text), rest_(text) {}

    Result<VersionSpec> run() {
        if (whole_.size() > VersionSpec::max_length) return invalid("it is too long");
        spec_.text_.reserve(whole_.size() + 1);
        if (whole_.find_first_of("()|,^$") == std::string_view::npos) {
            TAIPAN_CHECK(atom(trim(whole_)));
        } else {
            TAIPAN_CHECK(alternatives(0));
            if (!rest_.empty()) return invalid("a ')' has no '('");
        }
        return std::move(spec_);
    }

private:
    [[nodiscard]] Error invalid(const char* why) const {
        return make_error(ErrorCode::invalid_argument,
                          "invalid version spec '" + std::string(whole_.substr(0, 200)) + "': " + why);
    }

    bool next_is(char c) {
        while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
        return rest_.starts_with(c);
    }

    /// Makes the nodes from `begin` on operands of one node.
    void wrap(Op op, std::size_t begin) {
        auto& code = spec_.code_;
        code.insert(code.begin() + static_cast<std::ptrdiff_t>(begin), header(op, code.size() - begin + 1));
    }

    /// `term , term | term`; tells whether it was more than one alternative.
    Result<bool> alternatives(std::size_t depth) {
        if (depth > VersionSpec::max_depth) return invalid("its parentheses are nested too deep");
        const std::size_t begin = spec_.code_.size();
        TAIPAN_TRY(bool many, conjunction(depth));
        bool joined = false;
        while (next_is('|')) {
            rest_.remove_prefix(1);
            spec_.text_ += '|';
            TAIPAN_TRY([[maybe_unused]] const bool several, conjunction(depth));
            joined = true;
        }
        if (joined) wrap(Op::any_of, begin);
        return joined || many;
    }

    /// `term , term`; tells whether it is a single parenthesised list of alternatives.
    Result<bool> conjunction(std::size_t depth) {
        const std::size_t begin = spec_.code_.size();
        std::size_t text_begin = spec_.text_.size();
        TAIPAN_TRY(bool many, term(depth));
        bool joined = false;
        while (true) {
            const bool more = next_is(',');
            if (many && (more || joined)) { // alternatives beside other terms: these parentheses mean something
                spec_.text_.insert(text_begin, 1, '(');
                spec_.text_ += ')';
            }
            if (!more) break;
            rest_.remove_prefix(1);
            spec_.text_ += ',';
            text_begin = spec_.text_.size();
            TAIPAN_TRY(many, term(depth));
            joined = true;
        }
        if (joined) wrap(Op::all_of, begin);
        return !joined && many;
    }

    /// Tells whether it is a parenthesised list of alternatives.
    Result<bool> term(std::size_t depth) {
        bool many = false;
        if (next_is('(')) {
            rest_.remove_prefix(1);
            TAIPAN_TRY(many, alternatives(depth + 1));
            if (!next_is(')')) return invalid("a '(' has no ')'");
            rest_.remove_prefix(1);
        } else {
            std::size_t end = std::string_view::npos;
            if (next_is('^')) end = rest_.find('$'); // a regular expression may contain `|` and parentheses
            end = end == std::string_view::npos ? rest_.find_first_of("()|,") : end + 1;
            const std::string_view text = rest_.substr(0, end);
            rest_.remove_prefix(text.size());
            TAIPAN_CHECK(atom(trim(text)));
        }
        if (next_is(',') || next_is('|') || next_is(')') || rest_.empty()) return many;
        return invalid("two constraints stand side by side without ',' or '|'");
    }

    Result<void> atom(std::string_view text) {
        if (text.empty()) return invalid("a constraint is empty");
        if (text.front() == '^' || text.back() == '$') {
            if (text.size() < 2 || text.front() != '^' || text.back() != '$')
                return invalid("a regular expression starts with '^' and ends with '$'");
            return pattern(text);
        }
        if (std::string_view("=<>!~").find(text.front()) != std::string_view::npos) return relation(text);
        if (text == "*") {
            spec_.text_ += text;
            spec_.code_.push_back(header(Op::any, 1));
            return {};
        }
        if (without_trailing(text, '*').find('*') != std::string_view::npos) return pattern(text);
        if (text.back() == '*') {
            const std::size_t begin = spec_.text_.size();
            spec_.text_ += text;
            if (!text.ends_with(".*")) spec_.text_.insert(spec_.text_.size() - 1, 1, '.');
            const std::string normal = spec_.text_.substr(begin);
            return key_node(Op::starts_with, without_trailing(without_trailing(normal, '*'), '.'));
        }
        spec_.text_ += text;
        if (text.find('@') != std::string_view::npos) { // no version has one
            spec_.code_.push_back(header(Op::none, 1));
            return {};
        }
        return key_node(Op::equal, text);
    }

    Result<void> relation(std::string_view text) {
        const auto* found = std::find_if(std::begin(relations), std::end(relations),
                                         [&](const Relation& known) { return text.starts_with(known.sign); });
        if (found == std::end(relations)) return invalid("it has no known operator");
        std::string_view version = text.substr(found->sign.size());
        if (version.empty()) return invalid("nothing follows the operator");
        if (std::string_view("=<>!~").find(version.front()) != std::string_view::npos)
            return invalid("it has no known operator");
        if (std::any_of(version.begin(), version.end(), is_blank))
            return invalid("a blank stands inside of a constraint");
        Op op = found->op;
        if (version.ends_with(".*")) {
            if (op == Op::compatible) return invalid("'~=' and '.*' exclude each other");
            if (op == Op::not_equal) op = Op::not_starts_with;
            version.remove_suffix(2);
        }
        spec_.text_ += text;
        return op == Op::compatible ? compatible_node(version) : key_node(op, version);
    }

    Result<void> append_key(std::string_view version) {
        auto result = version_key::append(version, spec_.code_);
        if (!result) return invalid(result.error().message.c_str());
        return {};
    }

    Result<void> key_node(Op op, std::string_view version) {
        const std::size_t at = spec_.code_.size();
        spec_.code_.push_back(0);
        TAIPAN_CHECK(append_key(version));
        const std::size_t words = spec_.code_.size() - at - 1;
        spec_.code_[at] = header(op, words + 1, words);
        return {};
    }

    /// `~=1.4.2`: at least that, and beginning with all but the last of what its dots separate.
    Result<void> compatible_node(std::string_view version) {
        auto& code = spec_.code_;
        const std::size_t at = code.size();
        code.push_back(0);
        TAIPAN_CHECK(append_key(version));
        const std::size_t bound = code.size() - at - 1;
        const auto dot = version.rfind('.');
        if (dot == std::string_view::npos || !version_key::append(version.substr(0, dot), code)) {
            code.resize(at);
            code.push_back(header(Op::none, 1));
            return {};
        }
        const std::size_t words = code.size() - at - 1;
        code[at] = header(Op::compatible, words + 1, bound, words - bound);
        return {};
    }

    Result<void> pattern(std::string_view text) {
        auto parsed = Pattern::parse(text);
        if (!parsed) return invalid(parsed.error().message.c_str());
        spec_.text_ += text;
        spec_.code_.push_back(header(Op::pattern, 1, spec_.patterns_.size()));
        spec_.patterns_.push_back(std::move(*parsed));
        return {};
    }

    std::string_view whole_;
    std::string_view rest_;
    VersionSpec spec_;
};

Result<VersionSpec> VersionSpec::parse(std::string_view text) { return VersionSpecParser(text).run(); }

bool VersionSpec::contains(const Version& version) const { return node_contains(0, version); }

bool VersionSpec::node_contains(std::size_t at, const Version& version) const {
    const Word head = code_[at];
    const auto key1 = version_key::View(code_).subspan(at + 1, op_of(head) == Op::pattern ? 0 : key1_of(head));
    const auto order = [&] { return version_key::compare(version.key(), key1); };
    switch (op_of(head)) {
    case Op::all_of:
    case Op::any_of: {
        const bool decisive = op_of(head) == Op::any_of; // the answer of one operand that settles it
        const std::size_t end = at + size_of(head);
        for (std::size_t operand = at + 1; operand < end; operand += size_of(code_[operand]))
            if (node_contains(operand, version) == decisive) return decisive;
        return !decisive;
    }
    case Op::any: return true;
    case Op::none: return false;
    case Op::equal: return order() == 0;
    case Op::not_equal: return order() != 0;
    case Op::less: return order() < 0;
    case Op::less_equal: return order() <= 0;
    case Op::greater: return order() > 0;
    case Op::greater_equal: return order() >= 0;
    case Op::starts_with: return version_key::starts_with(version.key(), key1);
    case Op::not_starts_with: return !version_key::starts_with(version.key(), key1);
    case Op::compatible: {
        const auto prefix = version_key::View(code_).subspan(at + 1 + key1.size(), key2_of(head));
        return order() >= 0 && version_key::starts_with(version.key(), prefix);
    }
    case Op::pattern: return patterns_[key1_of(head)].matches(version.text());
    }
    return false;
}

Result<VersionSpec> merge(const VersionSpec& a, const VersionSpec& b) {
    if (a.text() == b.text()) return a;
    // conda joins without parentheses, and so turns `1|2` and `>=3` into `1|(2,>=3)`. A `|` that only stands in
    // a regular expression gets parentheses that the parser drops again.
    auto operand = [](const std::string& text) {
        return text.find('|') == std::string::npos ? text : '(' + text + ')';
    };
    const auto& [first, second] = std::minmax(a.text(), b.text());
    return VersionSpec::parse(operand(first) + ',' + operand(second));
}

} // namespace taipan
