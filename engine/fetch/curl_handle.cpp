#include "fetch/curl_handle.hpp"

#ifndef TAIPAN_STATIC_CURL
#include <dlfcn.h>
#endif

namespace taipan {

namespace {

CurlFunctions functions; // filled once, by initialise_curl

#ifdef TAIPAN_STATIC_CURL // the program has libcurl in it

Result<void> find_functions() {
    functions = {
        &::curl_global_init,         &::curl_version_info,    &::curl_easy_init,        &::curl_easy_cleanup,
        &::curl_easy_setopt,         &::curl_easy_strerror,   &::curl_multi_init,       &::curl_multi_cleanup,
        &::curl_multi_setopt,        &::curl_multi_strerror,  &::curl_multi_add_handle, &::curl_multi_remove_handle,
        &::curl_multi_socket_action, &::curl_multi_info_read, &::curl_slist_append,     &::curl_slist_free_all};
    return {};
}

#else

#ifdef __APPLE__
constexpr const char* library_name = "libcurl.4.dylib";
#else
constexpr const char* library_name = "libcurl.so.4";
#endif

/// Looks functions up until one is missing.
class Loader {
public:
    explicit Loader(void* library) : library_(library) {}
    template <class Function> void find(Function& function, const char* name) {
        if (!missing_.empty()) return;
        function = reinterpret_cast<Function>(::dlsym(library_, name)); // NOLINT: what dlsym is for
        if (function == nullptr) missing_ = name;
    }
    [[nodiscard]] const std::string& missing() const { return missing_; }

private:
    void* library_;
    std::string missing_;
};

Result<void> find_functions() {
    // Never closed: libcurl and what it brings along do not expect to be unloaded.
    void* const library = ::dlopen(library_name, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        const char* const reason = ::dlerror();
        return make_error(ErrorCode::network, std::string("downloads need the library libcurl, which cannot be "
                                                          "loaded; install it (Debian: libcurl4): ") +
                                                  (reason == nullptr ? library_name : reason));
    }
    Loader loader(library);
    loader.find(functions.global_init, "curl_global_init");
    loader.find(functions.version_info, "curl_version_info");
    loader.find(functions.easy_init, "curl_easy_init");
    loader.find(functions.easy_cleanup, "curl_easy_cleanup");
    loader.find(functions.easy_setopt, "curl_easy_setopt");
    loader.find(functions.easy_strerror, "curl_easy_strerror");
    loader.find(functions.multi_init, "curl_multi_init");
    loader.find(functions.multi_cleanup, "curl_multi_cleanup");
    loader.find(functions.multi_setopt, "curl_multi_setopt");
    loader.find(functions.multi_strerror, "curl_multi_strerror");
    loader.find(functions.multi_add_handle, "curl_multi_add_handle");
    loader.find(functions.multi_remove_handle, "curl_multi_remove_handle");
    loader.find(functions.multi_socket_action, "curl_multi_socket_action");
    loader.find(functions.multi_info_read, "curl_multi_info_read");
    loader.find(functions.slist_append, "curl_slist_append");
    loader.find(functions.slist_free_all, "curl_slist_free_all");
    if (!loader.missing().empty()) {
        return make_error(ErrorCode::network, std::string(library_name) + " has no " + loader.missing() +
                                                  "; downloads need libcurl 7.88 or newer");
    }
    return {};
}

#endif

Result<void> load() {
    TAIPAN_CHECK(find_functions());
    const CURLcode code = functions.global_init(CURL_GLOBAL_DEFAULT);
    if (code != CURLE_OK) return curl_setup_error("curl_global_init", functions.easy_strerror(code));
    return {};
}

} // namespace

Result<void> initialise_curl() {
    static const Result<void> loaded = load();
    if (!loaded) return Error(loaded.error());
    return {};
}

const CurlFunctions& curl() { return functions; }

Error curl_setup_error(const char* option, const char* reason) {
    return make_error(ErrorCode::internal, std::string("libcurl refused ") + option + ": " + reason);
}

} // namespace taipan
