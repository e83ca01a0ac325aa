#include "fetch/exchange.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <strings.h>

#include "base/filesystem.hpp"
#include "fetch/certificates.hpp"
#include "model/channel.hpp"

namespace taipan {

namespace asio = boost::asio;

namespace {

std::string_view trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == '\r' || text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
    return text;
}

bool header_is(std::string_view line, std::string_view name) {
    return line.size() > name.size() && line[name.size()] == ':' &&
           ::strncasecmp(line.data(), name.data(), name.size()) == 0;
}

/// What the callbacks of one exchange share.
struct Callbacks {
    ExchangeRequest* request = nullptr;
    ExchangeResult* result = nullptr;
    SpareConnections::Opening opening;
    bool first = true;
};

/// Whether this is the end of the head of an answer that libcurl does not follow elsewhere.
bool ends_head(std::string_view line, const ResponseHead& head) {
    constexpr long first_final = 200, first_redirect = 300, first_refusal = 400;
    return (line == "\r\n" || line == "\n") && head.status >= first_final &&
           (head.status < first_redirect || head.status >= first_refusal);
}

std::size_t on_header(char* data, std::size_t, std::size_t size, void* user) noexcept {
    try {
        auto& callbacks = *static_cast<Callbacks*>(user);
        const ResponseHead& head = callbacks.result->head;
        callbacks.result->head.take_line({data, size});
        if (callbacks.opening.from != nullptr && ends_head({data, size}, head))
            callbacks.opening.from->answered(callbacks.opening, head.is_of_the_file() && head.keeps_connection);
        return size;
    } catch (...) {
        return 0;
    }
}

std::size_t on_body(char* data, std::size_t, std::size_t size, void* user) noexcept {
    auto& callbacks = *static_cast<Callbacks*>(user);
    ExchangeResult& result = *callbacks.result;
    try {
        // An error page is nobody's package.
        if (result.head.status != 200 && result.head.status != 206) return size;
        const bool first = std::exchange(callbacks.first, false);
        if (auto taken = callbacks.request->take(result.head, {data, size}, first); !taken) {
            if (!result.error) result.error = std::move(taken).error();
            return 0;
        }
        return size;
    } catch (const std::exception& failure) {
        if (!result.error) result.error = make_error(ErrorCode::internal, failure.what());
        return 0;
    }
}

int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) noexcept {
    try {
        return static_cast<Callbacks*>(user)->request->abandoned() ? 1 : 0;
    } catch (...) {
        return 1;
    }
}

std::string proxy_for(const TransferSettings& settings, std::string_view url) {
    const std::size_t scheme_end = url.find("://");
    if (scheme_end == std::string_view::npos) return {};
    const std::string scheme(url.substr(0, scheme_end));
    const std::string bare = without_credentials(url);
    const std::size_t host_end = std::min(bare.find_first_of("/:", scheme_end + 3), bare.size());
    for (const auto& key : {bare.substr(0, host_end), scheme,
                            "all://" + bare.substr(scheme_end + 3, host_end - scheme_end - 3), std::string("all")}) {
        if (const auto found = settings.proxy_servers.find(key); found != settings.proxy_servers.end()) {
            return found->second;
        }
    }
    return {};
}

Result<void> set_up_tls(CURL* easy, const TransferSettings& settings) {
    if (settings.ssl_verify == "false") {
        TAIPAN_CURL(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        TAIPAN_CURL(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    } else if (settings.ssl_verify != "true" && !settings.ssl_verify.empty()) {
        const bool directory = is_directory(settings.ssl_verify);
        TAIPAN_CURL(easy, directory ? CURLOPT_CAPATH : CURLOPT_CAINFO, settings.ssl_verify.c_str());
    } else if (const auto certificates = bundled_certificates(); !certificates.empty()) {
        curl_blob blob{const_cast<char*>(certificates.data()), certificates.size(),
                       CURL_BLOB_NOCOPY}; // NOLINT: read only
        TAIPAN_CURL(easy, CURLOPT_CAINFO_BLOB, &blob);
    }
    if (!settings.client_ssl_cert.empty()) TAIPAN_CURL(easy, CURLOPT_SSLCERT, settings.client_ssl_cert.c_str());
    if (!settings.client_ssl_cert_key.empty()) TAIPAN_CURL(easy, CURLOPT_SSLKEY, settings.client_ssl_cert_key.c_str());
    return {};
}

Result<void> set_up_credentials(CURL* easy, const TransferSettings& settings, const TransferSource& source) {
    TAIPAN_CURL(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_OPTIONAL));
    if (!settings.netrc_file.empty()) TAIPAN_CURL(easy, CURLOPT_NETRC_FILE, settings.netrc_file.c_str());
    if (source.bearer.empty()) return {};
    // As an option and not as a header of ours, libcurl keeps it from other hosts when it is redirected.
    TAIPAN_CURL(easy, CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BEARER));
    TAIPAN_CURL(easy, CURLOPT_XOAUTH2_BEARER, source.bearer.c_str());
    return {};
}

Result<void> set_up_connection(CURL* easy, const TransferSettings& settings, const ExchangeRequest& request) {
    const std::string& url = request.source->url;
    TAIPAN_CURL(easy, CURLOPT_URL, url.c_str());
    TAIPAN_CURL(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    // An index fetched over TLS must not come from plain HTTP after all.
    TAIPAN_CURL(easy, CURLOPT_REDIR_PROTOCOLS_STR, url.starts_with("https") ? "https" : "http,https");
    TAIPAN_CURL(easy, CURLOPT_FOLLOWLOCATION, 1L);
    TAIPAN_CURL(easy, CURLOPT_MAXREDIRS, 10L);
    TAIPAN_CURL(easy, CURLOPT_NOSIGNAL, 1L);
    TAIPAN_CURL(easy, CURLOPT_USERAGENT, settings.user_agent.c_str());
    TAIPAN_CURL(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(settings.connect_timeout_seconds * 1000));
    TAIPAN_CURL(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    TAIPAN_CURL(easy, CURLOPT_LOW_SPEED_TIME, std::max(1L, static_cast<long>(settings.stall_timeout_seconds)));
    TAIPAN_CURL(easy, CURLOPT_BUFFERSIZE, 128L * 1024L); // each transfer has one
    TAIPAN_CURL(easy, CURLOPT_PIPEWAIT, 0L);
    if (request.accepts_gzip) TAIPAN_CURL(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
    if (request.own_connection) TAIPAN_CURL(easy, CURLOPT_FRESH_CONNECT, 1L);
    if (const std::string proxy = proxy_for(settings, url); !proxy.empty()) {
        TAIPAN_CURL(easy, CURLOPT_PROXY, proxy.c_str());
    }
    if (!settings.no_proxy.empty()) TAIPAN_CURL(easy, CURLOPT_NOPROXY, settings.no_proxy.c_str());
    TAIPAN_CHECK(set_up_credentials(easy, settings, *request.source));
    return set_up_tls(easy, settings);
}

Result<CurlList> set_up(CURL* easy, const TransferSettings& settings, Callbacks& callbacks) {
    const ExchangeRequest& request = *callbacks.request;
    TAIPAN_CHECK(set_up_connection(easy, settings, request));
    TAIPAN_CURL(easy, CURLOPT_HEADERFUNCTION, &on_header);
    TAIPAN_CURL(easy, CURLOPT_HEADERDATA, &callbacks);
    TAIPAN_CURL(easy, CURLOPT_WRITEFUNCTION, &on_body);
    TAIPAN_CURL(easy, CURLOPT_WRITEDATA, &callbacks);
    TAIPAN_CURL(easy, CURLOPT_NOPROGRESS, 0L);
    TAIPAN_CURL(easy, CURLOPT_XFERINFOFUNCTION, &on_progress);
    TAIPAN_CURL(easy, CURLOPT_XFERINFODATA, &callbacks);
    CurlList list;
    for (const auto& header : request.headers) {
        curl_slist* longer = curl().slist_append(list.get(), header.c_str());
        if (longer == nullptr) return curl_setup_error("a header", "out of memory");
        static_cast<void>(list.release());
        list.reset(longer);
    }
    TAIPAN_CURL(easy, CURLOPT_HTTPHEADER, list.get());
    return list;
}

} // namespace

void ResponseHead::take_line(std::string_view line) {
    if (line.starts_with("HTTP/")) {
        *this = {};
        const std::size_t blank = line.find(' ');
        if (blank != std::string_view::npos) {
            std::from_chars(line.data() + blank + 1, line.data() + line.size(), status);
            shares_connection = line.substr(0, blank) >= "HTTP/2";
        }
        keeps_connection = line.starts_with("HTTP/1.1");
        return;
    }
    const auto value = [&] { return std::string(trim(line.substr(line.find(':') + 1))); };
    if (header_is(line, "etag"))
        etag = value();
    else if (header_is(line, "last-modified"))
        last_modified = value();
    else if (header_is(line, "cache-control"))
        cache_control = value();
    else if (header_is(line, "retry-after"))
        retry_after = value();
    else if (header_is(line, "content-range"))
        content_range = value();
    else if (header_is(line, "content-encoding"))
        encoded = true;
    else if (header_is(line, "connection"))
        keeps_connection = keeps_connection && ::strcasecmp(value().c_str(), "close") != 0;
    else if (header_is(line, "accept-ranges"))
        ranges_refused = value() == "none";
    else if (header_is(line, "content-length")) {
        const std::string text = value();
        std::from_chars(text.data(), text.data() + text.size(), length);
    }
}

bool ResponseHead::is_of_the_file() const {
    constexpr long whole = 200, part = 206, behind_the_end = 416;
    return status == whole || status == part || status == behind_the_end;
}

const std::string& ResponseHead::validator() const {
    return etag.empty() || etag.starts_with("W/") ? last_modified : etag;
}

bool ExchangeResult::connection_failed() const {
    if (error) return false;
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PARTIAL_FILE:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_SSL_CONNECT_ERROR: return true;
    default: return false;
    }
}

bool is_tunnelled(const TransferSettings& settings, std::string_view url) {
    return url.starts_with("https:") && (settings.environment_has_proxy || !proxy_for(settings, url).empty());
}

asio::awaitable<ExchangeResult> exchange(CurlLoop& loop, const TransferSettings& settings, ExchangeRequest request) {
    ExchangeResult result;
    const CurlEasy easy(curl().easy_init());
    if (!easy) {
        result.error = curl_setup_error("a new handle", "out of memory");
        co_return result;
    }
    Callbacks callbacks{&request, &result, {}, true};
    std::array<char, CURL_ERROR_SIZE> detail{};
    curl().easy_setopt(easy.get(), CURLOPT_ERRORBUFFER, detail.data());
    auto headers = set_up(easy.get(), settings, callbacks);
    if (!headers) {
        result.error = std::move(headers).error();
        co_return result;
    }
    // A proxy answers before the server does, and must not be asked for many connections.
    if (request.fans_out && !is_tunnelled(settings, request.source->url))
        loop.spares().serve(easy.get(), callbacks.opening);
    result.code = co_await loop.perform(easy.get(), request.fans_out);
    result.detail = detail.data();
    co_return result;
}

} // namespace taipan
