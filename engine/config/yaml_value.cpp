#include "config/yaml_value.hpp"

#include <cstddef>
#include <exception>

#include <yaml-cpp/yaml.h>

// yaml-cpp throws, hands out shared mutable nodes, and resolves aliases by reference. This file is its only door: the
// document is copied once into plain values inside a single try block, with bounds on depth and number, since aliases
// of aliases can describe a document that is exponentially larger than its text.

namespace taipan {

namespace {

constexpr int max_depth = 64;
constexpr std::size_t max_values = 1'000'000;

class Copier {
public:
    explicit Copier(std::string_view path) : path_(path) {}

    Result<YamlValue> copy(const YAML::Node& node, int depth) {
        if (depth > max_depth) return fail(node, "is nested too deeply");
        if (++count_ > max_values) return fail(node, "has too many values");
        YamlValue value;
        value.line = node.Mark().is_null() ? 0 : node.Mark().line + 1;
        switch (node.Type()) {
        case YAML::NodeType::Undefined:
        case YAML::NodeType::Null: break;
        case YAML::NodeType::Scalar:
            value.kind = YamlValue::Kind::scalar;
            value.text = node.Scalar();
            value.quoted = node.Tag() == "!"; // yaml-cpp's mark of a quoted scalar
            break;
        case YAML::NodeType::Sequence:
            value.kind = YamlValue::Kind::sequence;
            for (const auto& item : node) {
                TAIPAN_TRY(value.items.emplace_back(), copy(item, depth + 1));
            }
            break;
        case YAML::NodeType::Map:
            value.kind = YamlValue::Kind::map;
            for (const auto& member : node) {
                if (!member.first.IsScalar()) return fail(member.first, "has a key that is not a plain word");
                TAIPAN_TRY(auto copied, copy(member.second, depth + 1));
                if (copied.line == 0) copied.line = member.first.Mark().line + 1;
                value.members.emplace_back(member.first.Scalar(), std::move(copied));
            }
            break;
        }
        return value;
    }

private:
    Error fail(const YAML::Node& node, std::string_view what) const {
        return make_error(ErrorCode::parse, std::string(path_) + " " + std::string(what) + " (line " +
                                                std::to_string(node.Mark().line + 1) + ")");
    }

    std::string_view path_;
    std::size_t count_ = 0;
};

} // namespace

const YamlValue* YamlValue::find(std::string_view key) const {
    for (const auto& [name, value] : members) {
        if (name == key) return &value;
    }
    return nullptr;
}

Result<YamlValue> parse_yaml(std::string_view text, std::string_view path) {
    try {
        return Copier(path).copy(YAML::Load(std::string(text)), 0);
    } catch (const YAML::Exception& failure) {
        std::string where;
        if (!failure.mark.is_null()) where = ", line " + std::to_string(failure.mark.line + 1);
        return make_error(ErrorCode::parse,
                          "cannot read " + std::string(path) + where + ": invalid YAML: " + failure.msg);
    } catch (const std::exception& failure) {
        return make_error(ErrorCode::parse, "cannot read " + std::string(path) + ": " + failure.what());
    }
}

} // namespace taipan
