#pragma once

#include <string_view>
#include <vector>

namespace taipan {

/// What people ask about a configuration key: its kind, default and meaning. How it takes effect is in config_keys.
struct KeyInfo {
    enum class Shape { primitive, sequence, map };
    /// Headings of conda's description, in its order; `hidden` keys are shown by name only, `mamba` ones are not
    /// conda's.
    enum class Category {
        channels,
        basic,
        network,
        solver,
        linking,
        build,
        output,
        plugins,
        experimental,
        hidden,
        mamba
    };

    std::string_view name;
    Category category = Category::basic;
    Shape shape = Shape::primitive;
    std::string_view types;        ///< conda's words, blank-separated: `bool`, `int NoneType`, `primitive`
    std::string_view default_json; ///< as JSON; empty: depends on the machine
    std::string_view description;
};

/// Every key of conda and mamba, by category.
[[nodiscard]] const std::vector<KeyInfo>& key_catalogue();
/// By canonical name; nullptr when it is none.
[[nodiscard]] const KeyInfo* find_key_info(std::string_view name);
[[nodiscard]] std::string_view category_heading(KeyInfo::Category category);

} // namespace taipan
