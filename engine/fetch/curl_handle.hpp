#pragma once

#include <memory>
#include <string>
#include <type_traits>

#include <curl/curl.h>

#include "base/result.hpp"

namespace taipan {

/// What we use of libcurl, under the names it has there.
struct CurlFunctions {
    decltype(&::curl_global_init) global_init = nullptr;
    decltype(&::curl_version_info) version_info = nullptr;
    decltype(&::curl_easy_init) easy_init = nullptr;
    decltype(&::curl_easy_cleanup) easy_cleanup = nullptr;
    decltype(&::curl_easy_setopt) easy_setopt = nullptr;
    decltype(&::curl_easy_strerror) easy_strerror = nullptr;
    decltype(&::curl_multi_init) multi_init = nullptr;
    decltype(&::curl_multi_cleanup) multi_cleanup = nullptr;
    decltype(&::curl_multi_setopt) multi_setopt = nullptr;
    decltype(&::curl_multi_strerror) multi_strerror = nullptr;
    decltype(&::curl_multi_add_handle) multi_add_handle = nullptr;
    decltype(&::curl_multi_remove_handle) multi_remove_handle = nullptr;
    decltype(&::curl_multi_socket_action) multi_socket_action = nullptr;
    decltype(&::curl_multi_info_read) multi_info_read = nullptr;
    decltype(&::curl_slist_append) slist_append = nullptr;
    decltype(&::curl_slist_free_all) slist_free_all = nullptr;
};

/// Loads and initialises libcurl, once a process; further calls are free. It brings thirty libraries along, whose
/// loading takes half of the time of a command that needs no network, so it is not linked but loaded when needed.
Result<void> initialise_curl();
/// Only after `initialise_curl` succeeded.
[[nodiscard]] const CurlFunctions& curl();

struct FreeCurlEasy {
    void operator()(CURL* easy) const { curl().easy_cleanup(easy); }
};
struct FreeCurlMulti {
    void operator()(CURLM* multi) const { curl().multi_cleanup(multi); }
};
struct FreeCurlList {
    void operator()(curl_slist* list) const { curl().slist_free_all(list); }
};
using CurlEasy = std::unique_ptr<CURL, FreeCurlEasy>;
using CurlMulti = std::unique_ptr<CURLM, FreeCurlMulti>;
using CurlList = std::unique_ptr<curl_slist, FreeCurlList>;

[[nodiscard]] Error curl_setup_error(const char* option, const char* reason);

/// Sets an option and checks that libcurl took it.
template <class Value> Result<void> set_option(CURL* easy, CURLoption option, const char* name, Value value) {
    const CURLcode code = curl().easy_setopt(easy, option, value);
    if (code != CURLE_OK) return curl_setup_error(name, curl().easy_strerror(code));
    return {};
}
template <class Value> Result<void> set_option(CURLM* multi, CURLMoption option, const char* name, Value value) {
    const CURLMcode code = curl().multi_setopt(multi, option, value);
    if (code != CURLM_OK) return curl_setup_error(name, curl().multi_strerror(code));
    return {};
}

/// `TAIPAN_CURL(easy, CURLOPT_URL, url)`: sets an option or returns its error from the enclosing function.
#define TAIPAN_CURL(handle, option, value) TAIPAN_CHECK(::taipan::set_option(handle, option, #option, value))

} // namespace taipan
