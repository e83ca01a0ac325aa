#pragma once

#include <string>
#include <string_view>

#include "base/json_writer.hpp"

namespace taipan::cli {

/// A channel as conda's JSON takes it apart. Without credentials.
struct ShownChannel {
    std::string scheme, location, name;

    [[nodiscard]] std::string location_url() const { return scheme + "://" + location; }
    [[nodiscard]] std::string url() const { return location_url() + (name.empty() ? "" : "/" + name); }
    void write(JsonWriter& json) const;
};

/// The channel that is called `name` at a place, which is a URL, or a host and path of https.
[[nodiscard]] ShownChannel shown_location(std::string_view url, std::string name);
/// The channel of this base URL.
[[nodiscard]] ShownChannel shown_channel(const std::string& base_url);

} // namespace taipan::cli
