#include "fetch/curl_handle.hpp"

namespace taipan {

Result<void> initialise_curl() {
    static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (code != CURLE_OK) return curl_setup_error("curl_global_init", curl_easy_strerror(code));
    return {};
}

Error curl_setup_error(const char* option, const char* reason) {
    return make_error(ErrorCode::internal, std::string("libcurl refused ") + option + ": " + reason);
}

} // namespace taipan
