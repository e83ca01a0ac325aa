#pragma once

#include <memory>
#include <string>
#include <type_traits>

#include <curl/curl.h>

#include "base/result.hpp"

namespace taipan {

struct FreeCurlEasy {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct FreeCurlMulti {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct FreeCurlList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using CurlEasy = std::unique_ptr<CURL, FreeCurlEasy>;
using CurlMulti = std::unique_ptr<CURLM, FreeCurlMulti>;
using CurlList = std::unique_ptr<curl_slist, FreeCurlList>;

/// Initialises libcurl once a process; further calls are free.
Result<void> initialise_curl();

[[nodiscard]] Error curl_setup_error(const char* option, const char* reason);

/// Sets an option and checks that libcurl took it.
template <class Value> Result<void> set_option(CURL* easy, CURLoption option, const char* name, Value value) {
    const CURLcode code = curl_easy_setopt(easy, option, value);
    if (code != CURLE_OK) return curl_setup_error(name, curl_easy_strerror(code));
    return {};
}
template <class Value> Result<void> set_option(CURLM* multi, CURLMoption option, const char* name, Value value) {
    const CURLMcode code = curl_multi_setopt(multi, option, value);
    if (code != CURLM_OK) return curl_setup_error(name, curl_multi_strerror(code));
    return {};
}

/// `TAIPAN_CURL(easy, CURLOPT_URL, url)`: sets an option or returns its error from the enclosing function.
#define TAIPAN_CURL(handle, option, value) TAIPAN_CHECK(::taipan::set_option(handle, option, #option, value))

} // namespace taipan
