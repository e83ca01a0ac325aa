#include <catch2/catch.hpp>

#include "base/filesystem.hpp"
#include "config/credentials.hpp"
#include "scratch.hpp"

using namespace taipan;
using Kind = StoredCredential::Kind;

namespace {

std::string secret_for(const std::vector<StoredCredential>& credentials, std::string_view url) {
    const auto* found = find_credential(credentials, url);
    return found == nullptr ? "" : found->secret;
}

std::string with_login(const std::string& url, const StoredCredential& credential) {
    Channel channel;
    channel.base_url = url;
    add_stored_credential(channel, {credential});
    return channel.authenticated(url + "/noarch/a-1-0.conda");
}

} // namespace

TEST_CASE("the place of a login is host, port and path", "[credentials]") {
    CHECK(place_of_login("https://Example.com/private/") == "example.com/private");
    CHECK(place_of_login("example.com") == "example.com");
    CHECK(place_of_login("http://me:pw@example.com:8443/t/tk/x") == "example.com:8443/x");
}

TEST_CASE("the longest place that a URL lies in counts", "[credentials]") {
    const std::vector<StoredCredential> all = {{"example.com", Kind::bearer, "", "host"},
                                               {"example.com/a", Kind::bearer, "", "a"},
                                               {"*.wild.org", Kind::bearer, "", "wild"},
                                               {"", Kind::bearer, "", "nothing"}};
    CHECK(secret_for(all, "https://example.com/a/b") == "a");
    CHECK(secret_for(all, "https://example.com/ab") == "host");
    CHECK(secret_for(all, "https://example.com.evil.org/a").empty());
    CHECK(secret_for(all, "https://example.com:8443/a").empty()); // another server
    CHECK(secret_for(all, "https://x.wild.org/c") == "wild");
    CHECK(secret_for(all, "https://wild.org/c").empty());
    CHECK(secret_for(all, "file:///example.com/a").empty());
}

TEST_CASE("a login goes into the request", "[credentials]") {
    CHECK(with_login("https://h.org/ch", {"h.org", Kind::conda_token, "", "tk-1"}) ==
          "https://h.org/t/tk-1/ch/noarch/a-1-0.conda");
    CHECK(with_login("https://h.org/ch", {"h.org/ch", Kind::basic, "me@x", "p:/ä"}) ==
          "https://me%40x:p%3A%2F%C3%A4@h.org/ch/noarch/a-1-0.conda");
    Channel channel;
    channel.base_url = "https://h.org/ch";
    channel.auth.token = "own";
    add_stored_credential(channel, {{"h.org", Kind::bearer, "", "other"}});
    CHECK(channel.auth.bearer.empty()); // the URL came with its own
    channel.auth = {};
    add_stored_credential(channel, {{"h.org", Kind::bearer, "", "b"}});
    CHECK(channel.bearer_for("https://h.org/ch/noarch/a-1-0.conda") == "b");
    CHECK(channel.bearer_for("https://h.org/chx/a").empty());
    CHECK(channel.bearer_for("https://elsewhere.org/ch/a").empty());
}

TEST_CASE("the login file keeps what is not ours", "[credentials]") {
    const Scratch scratch;
    const std::string file = login_file(scratch.path);
    REQUIRE(make_directories(std::string(parent_path(file))));
    REQUIRE(write_file_atomic(file, R"({"other.org": {"type": "New", "parts": ["x", "y"]}})"));
    REQUIRE(store_credential(file, {"a.org", Kind::basic, "me", "secret"}));
    REQUIRE(store_credential(file, {"a.org", Kind::basic, "me", "better"}));
    REQUIRE(store_credential(file, {"b.org:80", Kind::bearer, "", "bb"}));
    std::vector<std::string> warnings;
    const auto found = load_credentials({}, scratch.path, warnings);
    REQUIRE(found.size() == 2);
    CHECK(found[0].secret == "better");
    CHECK(found[0].user == "me");
    CHECK(found[1].kind == Kind::bearer);
    REQUIRE(warnings.size() == 1); // the one of an unknown kind
    CHECK(warnings[0].find("other.org") != std::string::npos);
    CHECK(*forget_credential(file, "a.org"));
    CHECK_FALSE(*forget_credential(file, "a.org"));
    CHECK(read_file(file)->find("\"parts\"") != std::string::npos);
}
