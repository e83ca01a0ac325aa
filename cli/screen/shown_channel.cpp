#include "screen/shown_channel.hpp"

#include "model/channel.hpp"

namespace taipan::cli {

void ShownChannel::write(JsonWriter& json) const {
    json.begin_object();
    json.key("auth").null();
    json.member("location", location).member("name", name);
    json.key("package_filename").null();
    json.key("platform").null();
    json.member("scheme", scheme);
    json.key("token").null();
    json.end_object();
}

ShownChannel shown_location(std::string_view url, std::string name) {
    auto text = without_credentials(url);
    while (text.ends_with('/')) text.pop_back();
    const auto mark = text.find("://");
    if (mark == std::string::npos) return {"https", text, std::move(name)};
    return {text.substr(0, mark), text.substr(mark + 3), std::move(name)};
}

ShownChannel shown_channel(const std::string& base_url) {
    auto name = bare_channel_name(base_url);
    auto place = base_url;
    if (place.ends_with('/' + name)) place.resize(place.size() - name.size() - 1);
    return shown_location(place, std::move(name));
}

} // namespace taipan::cli
