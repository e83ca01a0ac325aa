#include "condarc/condarc_edit.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "config/expand.hpp"
#include "screen/yaml_text.hpp"

// A .condarc belongs to its user, who has written comments into it. So a change is made to the lines of the one key
// that changes: lines of list items and map members that stay are kept as they are, with the comments before and behind
// them. There is more YAML than this understands (flow style, anchors, keys in quotes); therefore each edited text is
// parsed again, and when it does not say what it should, the key, and in the last resort the file, is written anew.

namespace taipan::cli {

namespace {

using Lines = std::vector<std::string>;

Lines split_lines(std::string_view text) {
    Lines lines;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        lines.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

std::string join_lines(const Lines& lines) {
    std::string text;
    for (const auto& line : lines) text += line + '\n';
    return text;
}

/// Where a key's lines are: [begin, end).
struct Block {
    std::size_t begin = 0, end = 0;
};

bool is_comment_or_blank(const std::string& line) {
    const auto text = trimmed(line);
    return text.empty() || text.front() == '#';
}

bool begins_with_key(const std::string& line, const std::string& key) {
    std::string_view rest(line);
    const char quote = rest.empty() ? ' ' : rest.front();
    if (quote == '"' || quote == '\'') rest.remove_prefix(1);
    if (!rest.starts_with(key)) return false;
    rest.remove_prefix(key.size());
    if ((quote == '"' || quote == '\'') && rest.starts_with(quote)) rest.remove_prefix(1);
    return trimmed(rest).starts_with(':');
}

/// The lines of each top-level key; empty when one cannot be found, as in flow style.
std::vector<std::pair<std::string, Block>> blocks_of(const Lines& lines, const YamlValue& content) {
    std::vector<std::pair<std::string, Block>> blocks;
    std::size_t at = 0;
    for (const auto& [key, value] : content.members) {
        while (at < lines.size() && !begins_with_key(lines[at], key)) ++at;
        if (at == lines.size()) return {};
        if (!blocks.empty()) blocks.back().second.end = at;
        blocks.push_back({key, {at, lines.size()}});
        ++at;
    }
    for (auto& [key, block] : blocks) { // what comments the next key is not part of this one
        while (block.end > block.begin + 1 && is_comment_or_blank(lines[block.end - 1]) &&
               !lines[block.end - 1].starts_with(' ')) {
            --block.end;
        }
    }
    return blocks;
}

/// The comment behind a value, with the blanks before it; empty when there is none.
std::string trailing_comment(std::string_view line) {
    char quote = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (quote != 0) {
            if (line[i] == quote) quote = 0;
        } else if ((line[i] == '"' || line[i] == '\'') && (i == 0 || line[i - 1] == ' ')) {
            quote = line[i];
        } else if (line[i] == '#' && i > 0 && line[i - 1] == ' ') {
            const auto blank = line.find_last_not_of(' ', i - 1);
            return std::string(line.substr(blank + 1));
        }
    }
    return {};
}

std::string scalar_text(const YamlValue& value) {
    if (value.is_null()) return "null";
    return value.quoted ? yaml_scalar(value.text) : value.text;
}

/// One element of a sequence or map that has its lines to itself.
struct Element {
    std::string key; ///< of a map's member
    YamlValue value;
    Lines lines; ///< with the comments before it
};

/// Takes the elements of a block apart; false when that is not one scalar a line.
bool take_apart(const Lines& lines, const Block& block, const YamlValue& value, std::vector<Element>& elements,
                Lines& rest) {
    std::size_t at = block.begin + 1;
    const auto take = [&](std::string key, const YamlValue& item) {
        const auto line = static_cast<std::size_t>(item.line);
        if (!item.is_scalar() || line <= at || line > block.end) return false;
        const auto begin = lines.begin();
        elements.push_back({std::move(key), item,
                            Lines(begin + static_cast<std::ptrdiff_t>(at), begin + static_cast<std::ptrdiff_t>(line))});
        at = line;
        return true;
    };
    for (const auto& item : value.items) {
        if (!take({}, item)) return false;
    }
    for (const auto& [key, item] : value.members) {
        if (!take(key, item)) return false;
    }
    rest.assign(lines.begin() + static_cast<std::ptrdiff_t>(at),
                lines.begin() + static_cast<std::ptrdiff_t>(block.end));
    return !elements.empty();
}

std::string indent_of(const Element& element) {
    const auto& line = element.lines.back();
    return line.substr(0, line.find_first_not_of(' '));
}

Lines edited_sequence(const std::vector<Element>& old, const YamlValue& value) {
    Lines lines;
    std::vector<bool> used(old.size(), false);
    for (const auto& item : value.items) {
        std::size_t i = 0;
        while (i < old.size() && (used[i] || !same_value(old[i].value, item))) ++i;
        if (i < old.size()) {
            used[i] = true;
            lines.insert(lines.end(), old[i].lines.begin(), old[i].lines.end());
        } else {
            lines.push_back(indent_of(old.front()) + "- " + scalar_text(item));
        }
    }
    return lines;
}

Lines edited_map(const std::vector<Element>& old, const YamlValue& value) {
    Lines lines;
    for (const auto& [key, item] : value.members) {
        const auto found = std::find_if(old.begin(), old.end(), [&](const Element& one) { return one.key == key; });
        if (found != old.end()) lines.insert(lines.end(), found->lines.begin(), found->lines.end());
        const std::string written = indent_of(old.front()) + yaml_scalar(key) + ": " + scalar_text(item);
        if (found == old.end())
            lines.push_back(written);
        else if (!same_value(found->value, item))
            lines.back() = written + trailing_comment(found->lines.back());
    }
    return lines;
}

/// A key's lines with another value in them; empty when the lines are not understood.
Lines edited_block(const Lines& lines, const Block& block, const YamlValue& before, const YamlValue& value) {
    const auto& first = lines[block.begin];
    if (before.kind != value.kind) return {};
    if (value.is_scalar()) {
        if (block.end != block.begin + 1) return {};
        return {first.substr(0, first.find(':')) + ": " + scalar_text(value) + trailing_comment(first)};
    }
    if (value.items.empty() && value.members.empty()) return {};
    std::vector<Element> elements;
    Lines rest;
    if (!take_apart(lines, block, before, elements, rest)) return {};
    Lines edited = {first};
    const Lines body = value.is_sequence() ? edited_sequence(elements, value) : edited_map(elements, value);
    edited.insert(edited.end(), body.begin(), body.end());
    edited.insert(edited.end(), rest.begin(), rest.end());
    return edited;
}

std::string written_key(const std::string& key, const YamlValue& value) {
    const auto text = yaml_block(value, 2);
    return yaml_scalar(key) + (text.starts_with('\n') ? ":" : ": ") + text + '\n';
}

YamlValue with_member(const YamlValue& content, const std::string& key, const std::optional<YamlValue>& value) {
    YamlValue changed = content;
    changed.kind = YamlValue::Kind::map;
    const auto found = std::find_if(changed.members.begin(), changed.members.end(),
                                    [&](const auto& member) { return member.first == key; });
    if (found == changed.members.end()) {
        if (value) changed.members.emplace_back(key, *value);
    } else if (value) {
        found->second = *value;
    } else {
        changed.members.erase(found);
    }
    return changed;
}

/// The text with the block's lines replaced.
std::string spliced(Lines lines, const Block& block, const Lines& by) {
    lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(block.begin),
                lines.begin() + static_cast<std::ptrdiff_t>(block.end));
    lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(block.begin), by.begin(), by.end());
    return join_lines(lines);
}

/// Ways to write the change, the one that keeps most of the text first.
std::vector<std::string> candidates(const std::string& text, const YamlValue& content, const YamlValue& wanted,
                                    const std::string& key, const std::optional<YamlValue>& value) {
    std::vector<std::string> texts;
    const auto lines = split_lines(text);
    const auto blocks = blocks_of(lines, content);
    const auto found =
        std::find_if(blocks.begin(), blocks.end(), [&](const auto& block) { return block.first == key; });
    if (found != blocks.end()) {
        const Block& block = found->second;
        if (value) {
            if (auto edited = edited_block(lines, block, *content.find(key), *value); !edited.empty()) {
                texts.push_back(spliced(lines, block, edited));
            }
        }
        texts.push_back(spliced(lines, block, value ? split_lines(written_key(key, *value)) : Lines()));
    } else if (value) {
        texts.push_back(join_lines(lines) + written_key(key, *value));
    }
    std::string all;
    for (const auto& [name, member] : wanted.members) all += written_key(name, member);
    texts.push_back(all);
    return texts;
}

} // namespace

YamlValue text_value(std::string_view text) {
    YamlValue value = plain_value(text);
    value.quoted = true;
    return value;
}

YamlValue plain_value(std::string_view text) {
    YamlValue value;
    value.kind = YamlValue::Kind::scalar;
    value.text = text;
    return value;
}

bool same_value(const YamlValue& a, const YamlValue& b) {
    if (a.kind != b.kind || a.text != b.text) return false;
    if (!std::equal(a.items.begin(), a.items.end(), b.items.begin(), b.items.end(), same_value)) return false;
    return std::equal(
        a.members.begin(), a.members.end(), b.members.begin(), b.members.end(),
        [](const auto& x, const auto& y) { return x.first == y.first && same_value(x.second, y.second); });
}

std::string yaml_block(const YamlValue& value, int indent) {
    const std::string blanks(static_cast<std::size_t>(indent), ' ');
    if (value.is_sequence()) {
        if (value.items.empty()) return "[]";
        std::string text;
        for (const auto& item : value.items) {
            auto inner = yaml_block(item, indent + 2);
            if (inner.starts_with('\n')) inner.erase(0, static_cast<std::size_t>(indent) + 3); // begins behind the dash
            text += '\n' + blanks + "- " + inner;
        }
        return text;
    }
    if (value.is_map()) {
        if (value.members.empty()) return "{}";
        std::string text;
        for (const auto& [key, item] : value.members) {
            const auto inner = yaml_block(item, indent + 2);
            text.append("\n").append(blanks).append(yaml_scalar(key));
            text.append(inner.starts_with('\n') ? ":" : ": ").append(inner);
        }
        return text;
    }
    return scalar_text(value);
}

Result<CondarcText> CondarcText::parse(std::string text, std::string path) {
    TAIPAN_TRY(auto content, parse_yaml(text, path));
    if (!content.is_map() && !content.is_null()) {
        return make_error(ErrorCode::parse, path + " is no configuration: 'key: value' lines are expected");
    }
    return CondarcText(std::move(text), std::move(path), std::move(content));
}

Result<void> CondarcText::put(const std::string& key, const std::optional<YamlValue>& value) {
    const auto wanted = with_member(content_, key, value);
    for (auto& text : candidates(text_, content_, wanted, key, value)) {
        auto parsed = parse_yaml(text, path_);
        if (!parsed || !(same_value(*parsed, wanted) || (parsed->is_null() && wanted.members.empty()))) continue;
        text_ = std::move(text);
        content_ = std::move(*parsed);
        return {};
    }
    return make_error(ErrorCode::internal, "cannot write '" + key + "' into " + path_);
}

} // namespace taipan::cli
