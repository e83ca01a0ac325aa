#include "model/channel.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using taipan::Channel;
using taipan::ChannelSettings;

namespace {

ChannelSettings settings() {
    ChannelSettings result;
    result.working_directory = "/some/dir";
    result.home = "/home/me";
    return result;
}

Channel one(const std::string& text, const ChannelSettings& with = settings()) {
    auto resolved = taipan::resolve_channel(text, with);
    INFO(text);
    REQUIRE(resolved);
    REQUIRE(resolved->size() == 1);
    return resolved->front();
}

} // namespace

TEST_CASE("channels have conda's canonical name and base URL", "[channel]") {
    struct Row {
        const char* input;
        const char* name;
        const char* base_url;
        const char* subdir;
    };
    const Row rows[] = {
        {"conda-forge", "conda-forge", "https://conda.anaconda.org/conda-forge", ""},
        {"https://conda.anaconda.org/conda-forge", "conda-forge", "https://conda.anaconda.org/conda-forge", ""},
        {"https://conda.anaconda.org/conda-forge/", "conda-forge", "https://conda.anaconda.org/conda-forge", ""},
        {"https://conda.anaconda.org/conda-forge/linux-64", "conda-forge", "https://conda.anaconda.org/conda-forge",
         "linux-64"},
        {"http://conda.anaconda.org/conda-forge", "conda-forge", "http://conda.anaconda.org/conda-forge", ""},
        {"conda-forge/label/rc", "conda-forge/label/rc", "https://conda.anaconda.org/conda-forge/label/rc", ""},
        {"pkgs/main", "defaults", "https://repo.anaconda.com/pkgs/main", ""},
        {"https://repo.anaconda.com/pkgs/main", "defaults", "https://repo.anaconda.com/pkgs/main", ""},
        {"main", "main", "https://conda.anaconda.org/main", ""},
        {"pkgs/free", "pkgs/free", "https://conda.anaconda.org/pkgs/free", ""},
        {"https://repo.anaconda.com/pkgs/free", "https://repo.anaconda.com/pkgs/free",
         "https://repo.anaconda.com/pkgs/free", ""},
        {"pkgs/msys2", "pkgs/msys2", "https://conda.anaconda.org/pkgs/msys2", ""},
        {"pkgs/pro", "pkgs/pro", "https://repo.anaconda.com/pkgs/pro", ""},
        {"conda-forge/linux-64", "conda-forge", "https://conda.anaconda.org/conda-forge", "linux-64"},
        {"https://conda.anaconda.org/conda-forge/linux-64/foo-1-0.conda", "conda-forge",
         "https://conda.anaconda.org/conda-forge", "linux-64"},
        {"https://conda.anaconda.org/t/TOK/conda-forge", "conda-forge", "https://conda.anaconda.org/conda-forge", ""},
        {"https://repo.prefix.dev/ch", "https://repo.prefix.dev/ch", "https://repo.prefix.dev/ch", ""},
        {"https://host:8080/conda/ch", "https://host:8080/conda/ch", "https://host:8080/conda/ch", ""},
        {"https://user:pw@host/t/TOK/ch/linux-64", "https://host/ch", "https://host/ch", "linux-64"},
        {"/tmp/chan", "file:///tmp/chan", "file:///tmp/chan", ""},
        {"file:///tmp/chan", "file:///tmp/chan", "file:///tmp/chan", ""},
        {"file:///tmp/chan/noarch", "file:///tmp/chan", "file:///tmp/chan", "noarch"},
        {"./chan", "file:///some/dir/chan", "file:///some/dir/chan", ""},
        {"../chan/", "file:///some/chan", "file:///some/chan", ""},
        {"~/chan", "file:///home/me/chan", "file:///home/me/chan", ""},
        {"/tmp/my chan", "file:///tmp/my chan", "file:///tmp/my%20chan", ""},
        {"file:///tmp/my%20chan", "file:///tmp/my chan", "file:///tmp/my%20chan", ""},
        {"/tmp/t/chan", "file:///tmp/t/chan", "file:///tmp/t/chan", ""},
        {"noarch", "noarch", "https://conda.anaconda.org/noarch", ""},
    };
    for (const Row& row : rows) {
        CAPTURE(row.input);
        const Channel channel = one(row.input);
        CHECK(channel.name == row.name);
        CHECK(channel.base_url == row.base_url);
        CHECK(channel.subdir == row.subdir);
        CHECK(taipan::canonical_channel_name(row.input, settings()) == row.name);
    }
    CHECK(taipan::canonical_channel_name("", settings()) == "<unknown>");
    CHECK(taipan::canonical_channel_name("defaults", settings()) == "defaults");
    CHECK(taipan::canonical_channel_name("defaults/linux-64", settings()) == "defaults");
}

TEST_CASE("a multichannel becomes its members, in order", "[channel]") {
    auto defaults = taipan::resolve_channel("defaults/noarch", settings());
    REQUIRE(defaults);
    REQUIRE(defaults->size() == 2);
    CHECK((*defaults)[0].base_url == "https://repo.anaconda.com/pkgs/main");
    CHECK((*defaults)[1].base_url == "https://repo.anaconda.com/pkgs/r");
    CHECK((*defaults)[1].name == "defaults");
    CHECK((*defaults)[1].subdir == "noarch");

    ChannelSettings own = settings();
    own.custom_multichannels["ours"] = {"conda-forge", "https://host/private", "defaults"};
    auto ours = taipan::resolve_channel("ours", own);
    REQUIRE(ours);
    REQUIRE(ours->size() == 4);
    CHECK((*ours)[0].base_url == "https://conda.anaconda.org/conda-forge");
    CHECK((*ours)[0].name == "ours");
    CHECK((*ours)[1].name == "ours");
    CHECK((*ours)[2].base_url == "https://repo.anaconda.com/pkgs/main");

    own.custom_multichannels["a"] = {"b"};
    own.custom_multichannels["b"] = {"a"};
    CHECK_FALSE(taipan::resolve_channel("a", own));
}

TEST_CASE("configured aliases and custom channels", "[channel]") {
    ChannelSettings own = settings();
    own.channel_alias = "https://mirror.org/conda/t/ALIAS";
    own.custom_channels["private"] = "https://me:pw@internal.org:8443/repo";
    const Channel alias = one("conda-forge", own);
    CHECK(alias.base_url == "https://mirror.org/conda/conda-forge");
    CHECK(alias.name == "conda-forge");
    CHECK(alias.authenticated(alias.base_url + "/noarch/repodata.json") ==
          "https://mirror.org/conda/t/ALIAS/conda-forge/noarch/repodata.json");
    const Channel custom = one("private/label/dev", own);
    CHECK(custom.base_url == "https://internal.org:8443/repo/private/label/dev");
    CHECK(custom.name == "private/label/dev");
    CHECK(custom.authenticated(custom.base_url) == "https://me:pw@internal.org:8443/repo/private/label/dev");
    const Channel by_url = one("https://internal.org:8443/repo/private", own);
    CHECK(by_url.name == "private");
    CHECK(by_url.auth.user_password == "me:pw");
    CHECK(one("https://mirror.org/conda/conda-forge", own).name == "conda-forge");
}

TEST_CASE("credentials are kept apart and only given to their channel", "[channel]") {
    const Channel channel = one("https://us%40er:pw@host:8080/api/t/to-ken/ch/linux-64");
    CHECK(channel.base_url == "https://host:8080/api/ch");
    CHECK(channel.auth.user_password == "us%40er:pw");
    CHECK(channel.auth.token == "to-ken");
    CHECK(channel.authenticated("https://host:8080/api/ch/noarch/x.conda") ==
          "https://us%40er:pw@host:8080/api/t/to-ken/ch/noarch/x.conda");
    CHECK(channel.authenticated("https://evil.org/api/ch/x") == "https://evil.org/api/ch/x");
    CHECK(channel.authenticated("https://host:8080/api/ch2/x") == "https://host:8080/api/ch2/x");
    CHECK(one("conda-forge").authenticated("https://x/y") == "https://x/y");
}

TEST_CASE("credentials are taken out of texts", "[channel]") {
    struct Row {
        const char* url;
        const char* without;
        const char* masked;
    };
    const Row rows[] = {
        {"https://h/t/tk_1-2/ch/x", "https://h/ch/x", "https://h/t/<TOKEN>/ch/x"},
        {"https://u:p@h/ch", "https://h/ch", "https://h/ch"},
        {"https://u:p@w@h/ch@1", "https://h/ch@1", "https://h/ch@1"},
        {"https://u@h/conda/t/tk/ch", "https://h/conda/ch", "https://h/conda/t/<TOKEN>/ch"},
        {"https://h/t/tk", "https://h", "https://h/t/<TOKEN>"},
        {"https://h/ch", "https://h/ch", "https://h/ch"},
        {"h.org/t/tk/ch", "h.org/ch", "h.org/t/<TOKEN>/ch"},
        {"file:///tmp/t/x", "file:///tmp/t/x", "file:///tmp/t/x"},
        {"/tmp/t/x", "/tmp/t/x", "/tmp/t/x"},
        {"", "", ""},
    };
    for (const Row& row : rows) {
        CAPTURE(row.url);
        CHECK(taipan::without_credentials(row.url) == row.without);
        CHECK(taipan::without_credentials(row.url, true) == row.masked);
    }
}

TEST_CASE("what is no channel is refused", "[channel]") {
    for (const char* text : {"", "/////", "https://", "https:///x", "a b", "a\nb"}) {
        CAPTURE(text);
        auto resolved = taipan::resolve_channel(text, settings());
        if (std::string(text) == "/////") continue; // the root directory
        REQUIRE_FALSE(resolved);
        CHECK(resolved.error().code == taipan::ErrorCode::invalid_argument);
    }
}

TEST_CASE("file URLs and percent encoding", "[channel]") {
    CHECK(taipan::path_of_file_url("file:///a%20b/c") == "/a b/c");
    CHECK(taipan::path_of_file_url("file://localhost/a") == "/a");
    CHECK(taipan::path_of_file_url("file://elsewhere/a").empty());
    CHECK(taipan::path_of_file_url("file:///a%00b").empty());
    CHECK(taipan::path_of_file_url("https://h/a").empty());
    CHECK(taipan::path_of_file_url("/a").empty());
    CHECK(taipan::percent_decode("100%25%2Fx%zz%4") == "100%/x%zz%4");
    for (const char* path : {"/", "/a b", "/100%25", "/ä/#?[x]", "/a+b=c"}) {
        CAPTURE(path);
        CHECK(taipan::path_of_file_url(taipan::file_url_of_path(path)) == path);
    }
}

TEST_CASE("subdirs", "[channel]") {
    CHECK(taipan::is_known_subdir("linux-64"));
    CHECK(taipan::is_known_subdir("noarch"));
    CHECK_FALSE(taipan::is_known_subdir("linux"));
    CHECK_FALSE(taipan::is_known_subdir(""));
    CHECK(taipan::is_known_subdir(taipan::native_subdir()));
}

TEST_CASE("credentials go from every URL of a text", "[channel]") {
    CHECK(taipan::without_credentials_in_text("create -c https://me:pw@host/ch --channel=https://host/t/abc-1/ch x") ==
          "create -c https://host/ch --channel=https://host/t/<TOKEN>/ch x");
    CHECK(taipan::without_credentials_in_text("nothing to hide") == "nothing to hide");
    CHECK(taipan::without_credentials_in_text("'http://a:b@h/c',\"http://d@h/e\"") == "'http://h/c',\"http://h/e\"");
}
