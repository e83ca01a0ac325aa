#include "model/match_spec.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using taipan::MatchSpec;
using taipan::PackageRecord;

namespace {

struct TextRow {
    const char* input;
    const char* canonical; // ERROR: refused
};

// conda-spec 6.3 and 6.4; every row was run on the real conda.
const TextRow text_rows[] = {
    {"numpy", "numpy"},
    {"numpy=1.7", "numpy=1.7"},
    {"numpy 1.7", "numpy==1.7"},
    {"numpy =1.7", "numpy=1.7"},
    {"numpy ==1.7", "numpy==1.7"},
    {"numpy==1.7", "numpy==1.7"},
    {"numpy==1.7.*", "numpy=1.7"},
    {"numpy=1.7.*", "numpy=1.7"},
    {"numpy 1.7*", "numpy=1.7"},
    {"numpy 1.7.*", "numpy=1.7"},
    {"numpy=1.7*", "numpy=1.7"},
    {"numpy=1.7=py_0", "numpy==1.7=py_0"},
    {"numpy 1.7 py_0", "numpy==1.7=py_0"},
    {"numpy==1.7=py_0", "numpy==1.7=py_0"},
    {"numpy =1.7 py_0", "numpy==1.7=py_0"},
    {"numpy ==1.7 py_0", "numpy==1.7=py_0"},
    {"numpy=1.7=*", "numpy==1.7[build=*]"},
    {"numpy=*=py_0", "numpy[build=py_0]"},
    {"numpy * py_0", "numpy[build=py_0]"},
    {"numpy=*", "numpy"},
    {"numpy *", "numpy"},
    {"numpy>=1.7", "numpy[version='>=1.7']"},
    {"numpy >=1.7", "numpy[version='>=1.7']"},
    {"numpy>=1.7,<2", "numpy[version='>=1.7,<2']"},
    {"numpy >=1.7, <2", "numpy[version='>=1.7,<2']"},
    {"numpy>=1.7=py_0", "numpy[version='>=1.7',build=py_0]"},
    {"numpy >= 1.7 , < 2.0 py34_0", "numpy[version='>=1.7,<2.0',build=py34_0]"},
    {"numpy=1.7|1.8", "numpy[version='=1.7|1.8']"},
    {"numpy=1.7|=1.8", "numpy[version='=1.7|=1.8']"},
    {"numpy 1.7|1.8", "numpy[version='1.7|1.8']"},
    {"numpy!=1.7", "numpy!=1.7"},
    {"numpy~=1.7.3", "numpy~=1.7.3"},
    {"numpy>=1.7,!=1.7.2", "numpy[version='>=1.7,!=1.7.2']"},
    {"numpy 1.7.* *_cpython", "numpy=1.7[build=*_cpython]"},
    {"python=3.8[build=*_cpython]", "python=3.8[build=*_cpython]"},
    {"python 3.8.* *_cpython", "python=3.8[build=*_cpython]"},
    {"blas=*=*mkl", "blas[build=*mkl]"},
    {"blas *=*mkl", "blas[build=*mkl]"},
    {"blas[build=*mkl]", "blas[build=*mkl]"},
    {"blas[build=\"^.*(mkl|openblas)$\"]", "blas[build='^.*(mkl|openblas)$']"},
    {"foo[build_number=3]", "foo[build_number=3]"},
    {"foo[build_number=\">=3\"]", "foo[build_number='>=3']"},
    {"foo[version=\"1.0\"]", "foo==1.0"},
    {"foo[version=1.0]", "foo==1.0"},
    {"foo[version='=1.0']", "foo=1.0"},
    {"foo[version==1.0]", "foo=1.0"},
    {"foo[version=>=1]", "foo[version='>=1']"},
    {"foo[version='>=1.0,<2']", "foo[version='>=1.0,<2']"},
    {"foo[name=bar]", "foo"},
    {"foo 1.0[version=2.0]", "foo==2.0"},
    {"foo=1.0[build=py_0]", "foo=1.0[build=py_0]"},
    {"foo[channel=conda-forge]", "conda-forge::foo"},
    {"foo[channel=conda-forge, subdir=linux-64]", "conda-forge/linux-64::foo"},
    {"foo[md5=0123456789abcdef0123456789abcdef]", "foo[md5=0123456789abcdef0123456789abcdef]"},
    {"foo[sha256=aa, license=MIT]", "foo[sha256=aa,license=mit]"},
    {"foo[license=mit]", "foo[license=mit]"},
    {"foo[fn=foo-1.0-0.conda]", "foo[fn=foo-1.0-0.conda]"},
    {"foo[url=https://conda.anaconda.org/conda-forge/linux-64/foo-1.0-0.conda]",
     "foo[url=https://conda.anaconda.org/conda-forge/linux-64/foo-1.0-0.conda]"},
    {"foo[track_features=\"a b\"]", "foo[track_features='a b']"},
    {"foo[features=a]", "foo[features=a]"},
    {"foo[bad=1]", "ERROR"},
    {"FOO=1.0", "foo=1.0"},
    {"conda-forge::numpy", "conda-forge::numpy"},
    {"conda-forge/linux-64::numpy=1.7", "conda-forge/linux-64::numpy=1.7"},
    {"conda-forge/noarch::numpy 1.7 py_0", "conda-forge/noarch::numpy==1.7=py_0"},
    {"conda-forge[subdir]::numpy", "conda-forge::numpy"},
    {"conda-forge:ns:numpy", "conda-forge::numpy"},
    {"conda-forge::numpy[channel=other]", "other::numpy"},
    {"ns:numpy", "numpy"},
    {"::numpy", "numpy"},
    {"*/linux-64::foo>=1.0", "foo[subdir=linux-64,version='>=1.0']"},
    {"*::foo", "foo"},
    {"*[md5=0123456789abcdef0123456789abcdef]", "*[md5=0123456789abcdef0123456789abcdef]"},
    {"*", "*"},
    {"pkgs/main::numpy", "defaults::numpy"},
    {"pkgs/main/linux-64::numpy", "defaults/linux-64::numpy"},
    {"https://repo.anaconda.com/pkgs/main::x", "https://repo.anaconda.com/pkgs/main::x"},
    {"https://conda.anaconda.org/conda-forge::x=1", "conda-forge::x=1"},
    {"https://conda.anaconda.org/conda-forge/linux-64::x=1", "conda-forge/linux-64::x=1"},
    {"https://my.org/ch/linux-64::x", "https://my.org/ch/linux-64::x"},
    {"conda-forge/label/rc::numpy", "conda-forge/label/rc::numpy"},
    {"conda-forge/label/rc/linux-64::numpy", "conda-forge/label/rc/linux-64::numpy"},
    {"file:///tmp/ch::x", "file:///tmp/ch::x"},
    {"https://conda.anaconda.org/conda-forge/linux-64/python-3.11.10-h123456_0.conda",
     "conda-forge/linux-64::python==3.11.10=h123456_0"},
    {"https://conda.anaconda.org/conda-forge/linux-64/"
     "python-3.11.10-h123456_0.tar.bz2#0123456789abcdef0123456789abcdef",
     "conda-forge/linux-64::python==3.11.10=h123456_0"},
    {"file:///tmp/x/noarch/a-b-c-1.0-py_0.tar.bz2", "file:///tmp/x/noarch::a-b-c==1.0=py_0"},
    {"/tmp/x-1.0-0.conda", "*[url=file:///tmp/x-1.0-0.conda]"},
    {"foo bar baz qux", "foo==bar=baz qux"},
    {"foo=1=2=3", "ERROR"},
    {"foo@", "*[track_features=foo]"},
    {"foo=", "foo"},
    {"foo ", "foo"},
    {"foo= ", "ERROR"},
    {"foo==", "ERROR"},
    {"foo>=", "ERROR"},
    {"foo<", "foo"},
    {"=1.0", "ERROR"},
    {">=1", "ERROR"},
    {"", "*"},
    {"foo<=1.0=0", "foo[version='<=1.0',build=0]"},
    {"foo ==1.*", "foo=1"},
    {"foo=1.0.*", "foo=1.0"},
    {"foo-1.0-0", "foo-1.0-0"},
    {"foo..bar", "ERROR"},
    {"foo$", "ERROR"},
    {"f/oo", "ERROR"},
    {"foo # comment", "foo"},
    {"foo 1.0 # comment", "foo==1.0"},
    {"foo 1.0 if win", "foo==1.0"},
    {"foo (target=bar)", "foo"},
    {"foo=1.0(optional)", "foo=1.0"},
    {"foo=1!2.0", "foo=1!2.0"},
    {"foo =1!2.0=*_0", "foo==1!2.0[build=*_0]"},
    {"foo>=1|<0.5", "foo[version='>=1|<0.5']"},
    {"foo 1.0|2.0 0", "foo[version='1.0|2.0',build=0]"},
    {"libblas=*=*openblas", "libblas[build=*openblas]"},
    {"pytorch=*=cuda*", "pytorch[build=cuda*]"},
    {"pytorch=2.1.*=*cuda*", "pytorch=2.1[build=*cuda*]"},
    {"pytorch >=2.1 cuda*", "pytorch[version='>=2.1',build=cuda*]"},
    {"__glibc>=2.17", "__glibc[version='>=2.17']"},
    {"__cuda", "__cuda"},
    {"_libgcc_mutex 0.1 conda_forge", "_libgcc_mutex==0.1=conda_forge"},
    {"openssl 1.1.1*", "openssl=1.1.1"},
    {"openssl >=1.1.1a,<1.1.2a", "openssl[version='>=1.1.1a,<1.1.2a']"},
    {"ca-certificates 2020.*", "ca-certificates=2020"},
    {"python_abi 3.11.* *_cp311", "python_abi=3.11[build=*_cp311]"},
    {"numpy >=1.19,<3", "numpy[version='>=1.19,<3']"},
    {"jpeg ==9e", "jpeg==9e"},
    {"jpeg 9e", "jpeg==9e"},
    {"jpeg >=9e,<10a", "jpeg[version='>=9e,<10a']"},
    {"tzdata", "tzdata"},
    {"foo 1.*", "foo=1"},
    {"foo 1.*.2", "foo==1.*.2"},
    {"foo=1.2.3*", "foo=1.2.3"},
    {"foo ^1\\.2.*$", "foo[version='^1\\.2.*$']"},
    {"foo=^1\\.2.*$", "foo[version='^1\\.2.*$']"},
};

taipan::ChannelSettings settings() {
    taipan::ChannelSettings result;
    result.working_directory = "/some";
    result.home = "/home/me";
    return result;
}

MatchSpec spec(const std::string& text) {
    auto parsed = MatchSpec::parse(text, settings());
    INFO(text);
    REQUIRE(parsed);
    return *parsed;
}

std::string canonical(const std::string& text) {
    auto parsed = MatchSpec::parse(text, settings());
    return parsed ? parsed->to_string() : "ERROR";
}

PackageRecord foo() {
    PackageRecord record;
    record.name = "foo";
    record.version = "1.0";
    record.build = "py310_0";
    record.channel = "https://conda.anaconda.org/conda-forge";
    record.channel_name = "conda-forge";
    record.subdir = "linux-64";
    record.fn = "foo-1.0-py310_0.conda";
    record.url = record.channel + "/linux-64/" + record.fn;
    record.license = "MIT";
    record.md5 = "0123456789abcdef0123456789abcdef";
    return record;
}

bool matches_foo(const std::string& text) { return spec(text).matches(foo()); }

} // namespace

TEST_CASE("specs have conda's canonical string", "[match_spec]") {
    for (const TextRow& row : text_rows) {
        CAPTURE(row.input);
        CHECK(canonical(row.input) == row.canonical);
    }
}

TEST_CASE("the canonical string is a fixed point", "[match_spec]") {
    for (const TextRow& row : text_rows) {
        const std::string text = row.canonical;
        if (text == "ERROR") continue;
        CAPTURE(row.input, text);
        CHECK(canonical(text) == text);
    }
}

TEST_CASE("errors name the spec and say what to look at", "[match_spec]") {
    auto error = MatchSpec::parse("foo[bad=1]");
    REQUIRE_FALSE(error);
    CHECK(error.error().code == taipan::ErrorCode::invalid_argument);
    CHECK(error.error().message.find("foo[bad=1]") != std::string::npos);
    CHECK(error.error().message.find("'bad'") != std::string::npos);
    error = MatchSpec::parse("https://user:secret@host/t/token/ch::foo[bad=1]");
    REQUIRE_FALSE(error);
    CHECK(error.error().message.find("secret") == std::string::npos);
    CHECK(error.error().message.find("token") == std::string::npos);
}

TEST_CASE("keys of repodata schema 3 are refused, not ignored", "[match_spec]") {
    for (const char* text : {"foo[when=\"python >=3.10\"]", "foo[extras=[dev]]", "foo[flags=[cuda]]"}) {
        CAPTURE(text);
        CHECK_FALSE(MatchSpec::parse(text));
    }
}

TEST_CASE("malformed brackets are refused", "[match_spec]") {
    for (const char* text : {"foo[version=1.0", "foo[version='1.0]", "foo[version=]", "foo[=1]",
                             "foo[build=a][build=b]", "foo[version='>=']", "foo[build_number=x]", "foo[build_number=>]",
                             "foo[build='^($']", "foo[build_number=-1]", "[name=foo]"}) {
        CAPTURE(text);
        CHECK_FALSE(MatchSpec::parse(text));
    }
    CHECK_FALSE(MatchSpec::parse(std::string(MatchSpec::max_length + 1, 'a')));
}

TEST_CASE("channels outside of channel_alias are printed as URL", "[match_spec]") {
    CHECK(canonical("pkgs/pro::foo") == "https://repo.anaconda.com/pkgs/pro::foo");
    CHECK(canonical("pkgs/main/label/x::foo") == "https://repo.anaconda.com/pkgs/main/label/x::foo");
    CHECK(canonical("https://u:p@my.org/t/tok/ch/noarch::foo") == "https://my.org/ch/noarch::foo");
    CHECK(canonical("/tmp/ch::foo") == "file:///tmp/ch::foo");
}

TEST_CASE("a glob for the version", "[match_spec]") {
    CHECK(canonical("foo=*_cpython") == "foo=*_cpython");
    CHECK(canonical("foo=1.*.2") == "foo=1.*.2");
    CHECK(canonical("foo 1.*.2") == "foo==1.*.2");
}

TEST_CASE("brackets: separators, quotes and blanks", "[match_spec]") {
    CHECK(canonical("foo[version='>=1,<2' build=\"a*\" , md5=aa]") == "foo[version='>=1,<2',build=a*,md5=aa]");
    CHECK(canonical("foo[build='^[ab]+_(0|1)$']") == "foo[build='^[ab]+_(0|1)$']");
    CHECK(canonical("foo[license='GPL-2.0 WITH x']") == "foo[license='gpl-2.0 with x']");
    CHECK(canonical("foo[subdir=noarch, channel=conda-forge/linux-64]") == "conda-forge/noarch::foo");
    CHECK(canonical("foo[channel=a/linux-64,channel=b]") == "b::foo");
    CHECK(canonical("foo[md5=AA]") == "foo[md5=aa]");
}

TEST_CASE("parts of a spec", "[match_spec]") {
    const MatchSpec plain = spec("NumPy");
    CHECK(plain.name() == "numpy");
    CHECK(plain.has_exact_name());
    CHECK(plain.is_name_only());
    CHECK_FALSE(plain.version());
    CHECK_FALSE(plain.build());
    CHECK(plain.channel().empty());

    CHECK(spec("numpy *").is_name_only());
    CHECK_FALSE(spec("numpy 1.0").is_name_only());
    CHECK_FALSE(spec("py*").has_exact_name());
    CHECK_FALSE(spec("py*").is_name_only());
    CHECK(spec("py*").matches_name("python"));
    CHECK(spec("*").matches_name("anything"));
    CHECK_FALSE(spec("python").matches_name("python_abi"));

    const MatchSpec full = spec("conda-forge/linux-64::foo >=1,<2 py* [build_number='>=3',sha256=ab]");
    CHECK(full.channel() == "conda-forge");
    CHECK(full.subdir() == "linux-64");
    CHECK(full.version()->text() == ">=1,<2");
    CHECK(full.build()->text() == "py*");
    CHECK(full.build_number()->text == ">=3");
    CHECK(full.sha256() == "ab");
    CHECK(full.md5().empty());
}

TEST_CASE("URL and path specs", "[match_spec]") {
    const std::string md5 = "0123456789abcdef0123456789ABCDEF";
    const MatchSpec url =
        spec("https://u:p@conda.anaconda.org/t/tok/conda-forge/linux-64/foo-1.0-py310_0.conda#" + md5);
    CHECK(url.url() == "https://u:p@conda.anaconda.org/t/tok/conda-forge/linux-64/foo-1.0-py310_0.conda");
    CHECK(url.md5() == "0123456789abcdef0123456789abcdef");
    CHECK(url.name() == "foo");
    CHECK(url.to_string() == "conda-forge/linux-64::foo==1.0=py310_0");
    CHECK(url.matches(foo()));

    const std::string sha256(64, 'a');
    CHECK(spec("https://h/c/noarch/a-1-0.conda#sha256:" + sha256).sha256() == sha256);
    CHECK(spec("https://h/c/noarch/a-1-0.conda#" + sha256).sha256() == sha256);
    CHECK(spec("https://u:p@h/x/a-1-0.conda").to_string() == "*[url=https://h/x/a-1-0.conda]");
    CHECK(spec("./a-1-0.conda").url() == "file:///some/a-1-0.conda");
    CHECK(spec("../x/a-1-0.conda").url() == "file:///x/a-1-0.conda");
    CHECK(spec("~/a b-1-0.tar.bz2").url() == "file:///home/me/a%20b-1-0.tar.bz2");
    CHECK_FALSE(MatchSpec::parse("https://h/c/noarch/a-1.conda"));
}

TEST_CASE("what matches a record", "[match_spec]") {
    struct Row {
        const char* spec;
        bool result;
    };
    const Row rows[] = {
        {"foo 1.0 py310*", true},
        {"foo 1.0 PY310*", false},
        {"foo 1.0 ^py.*_0$", true},
        {"foo=1.0.0", true},
        {"foo==1.0.0", true},
        {"foo 1", true},
        {"foo[build_number=0]", true},
        {"foo[build_number=\">0\"]", false},
        {"foo[build_number=\">=0\"]", true},
        {"conda-forge::foo", true},
        {"conda-forge/noarch::foo", false},
        {"https://conda.anaconda.org/conda-forge::foo", true},
        {"*::foo", true},
        {"conda*::foo", true},
        {"foo[license=mit]", true},
        {"foo[license=MI*]", true},
        {"foo[subdir=linux-*]", false},
        {"foo[fn=foo-1.0-py310_0.conda]", true},
        {"fo*", true},
        {"F*", true},
        {"foo ~=1", false}, // an error in conda
        {"bar", false},
        {"foo[build_number='!=0']", false},
        {"foo[build_number='<1']", true},
        {"foo[build_number='<=0']", true},
        {"foo[build_number='==0']", true},
        {"foo[build_number=*]", true},
        {"foo * py310_0", true},
        {"foo * py310_1", false},
        {"foo 1.0 *", true},
        {"foo[md5=0123456789abcdef0123456789abcdef]", true},
        {"foo[md5=1123456789abcdef0123456789abcdef]", false},
        {"foo[sha256=aa]", false},
        {"foo[url=https://conda.anaconda.org/conda-forge/linux-64/foo-1.0-py310_0.conda]", true},
        {"foo[url=https://conda.anaconda.org/conda-forge/linux-64/foo-1.0-py310_1.conda]", false},
        {"foo[license_family=MIT]", false},
        {"other::foo", false},
        {"https://elsewhere.org/conda-forge::foo", false},
        {"foo[build='^(py310|py311)_0$']", true},
    };
    for (const Row& row : rows) {
        CAPTURE(row.spec);
        CHECK(matches_foo(row.spec) == row.result);
    }
}

TEST_CASE("channels match by any of their names", "[match_spec]") {
    PackageRecord main = foo();
    main.channel = "https://repo.anaconda.com/pkgs/main";
    main.channel_name = "defaults";
    CHECK(spec("defaults::foo").matches(main));
    CHECK(spec("pkgs/main::foo").matches(main));
    CHECK(spec("pkgs/r::foo").matches(main));
    CHECK(spec("https://repo.anaconda.com/pkgs/main::foo").matches(main));
    CHECK_FALSE(spec("https://repo.anaconda.com/pkgs/r::foo").matches(main));
    CHECK_FALSE(spec("conda-forge::foo").matches(main));

    PackageRecord local = foo();
    local.channel = "file:///srv/distr";
    local.channel_name = "file:///srv/distr";
    CHECK(spec("distr::foo").matches(local));
    CHECK(spec("/srv/distr::foo").matches(local));
    CHECK(spec("file:///srv/distr::foo").matches(local));
    CHECK_FALSE(spec("srv::foo").matches(local));
}

TEST_CASE("track_features compare as sets", "[match_spec]") {
    PackageRecord record = foo();
    record.track_features = "b a";
    CHECK_FALSE(spec("foo[track_features=a]").matches(record));
    CHECK(spec("foo[track_features=\"a b\"]").matches(record));
    CHECK(spec("foo[track_features='a,b']").matches(record));
    CHECK_FALSE(spec("foo[track_features='a b']").matches(foo()));
}

TEST_CASE("a record's malformed version matches only a spec without version", "[match_spec]") {
    PackageRecord record = foo();
    record.version = "1..0";
    CHECK(spec("foo").matches(record));
    CHECK(spec("foo * py310_0").matches(record));
    CHECK_FALSE(spec("foo >0").matches(record));
}

TEST_CASE("specs of one name are merged", "[match_spec]") {
    auto merged = [](const std::vector<const char*>& texts) -> std::string {
        MatchSpec result = spec(texts.front());
        for (std::size_t i = 1; i < texts.size(); ++i) {
            auto next = merge(result, spec(texts[i]));
            if (!next) {
                CHECK(next.error().code == taipan::ErrorCode::unsatisfiable);
                return "ERROR";
            }
            result = *next;
        }
        return result.to_string();
    };
    CHECK(merged({"foo >=1", "foo <2", "foo[build=py*]"}) == "foo[version='<2,>=1',build=py*]");
    CHECK(merged({"foo=1", "foo=1.2"}) == "foo[version='1.*,1.2.*']");
    CHECK(merged({"foo 1.0 a", "foo 1.0 b"}) == "ERROR");
    CHECK(merged({"conda-forge::foo", "defaults::foo"}) == "ERROR");
    CHECK(merged({"foo", "foo=1"}) == "foo=1");
    CHECK(merged({"foo=1", "foo"}) == "foo=1");
    CHECK(merged({"foo=1", "foo=1"}) == "foo=1");
    CHECK(merged({"foo", "bar"}) == "ERROR");
    CHECK(merged({"foo 1|2", "foo >=2"}) == "foo[version='(1|2),>=2']");
    CHECK(merged({"foo 1.0 py*", "foo 1.0 py310_0"}) == "foo==1.0=py310_0");
    CHECK(merged({"foo 1.0 cu*", "foo 1.0 py310_0"}) == "ERROR");
    CHECK(merged({"foo[build=py*]", "foo[build=py31*]"}) == "foo[build=py31*]");
    CHECK(merged({"foo[build=*_0]", "foo[build=*0_0]"}) == "foo[build=*0_0]");
    CHECK(merged({"foo[build=py*]", "foo[build=cu*]"}) == "ERROR");
    CHECK(merged({"conda-forge::foo", "conda*::foo", "foo[subdir=noarch]"}) == "conda-forge/noarch::foo");
    CHECK(merged({"foo[md5=aa]", "foo[md5=bb]"}) == "ERROR");
    CHECK(merged({"foo[md5=aa]", "foo[sha256=bb]"}) == "foo[md5=aa,sha256=bb]");
    CHECK(merged({"foo[build_number=1]", "foo[build_number='>=1']"}) == "ERROR");

    auto both = merge(spec("foo[build=py*]"), spec("foo[build=*_0]"));
    REQUIRE(both);
    auto swapped = merge(spec("foo[build=*_0]"), spec("foo[build=py*]"));
    REQUIRE(swapped);
    CHECK(both->to_string() == swapped->to_string());
    CHECK(both->matches(foo()));
    PackageRecord other = foo();
    other.build = "py310_1";
    CHECK_FALSE(both->matches(other));
    other.build = "cuda_0";
    CHECK_FALSE(both->matches(other));
}

TEST_CASE("comparisons in brackets mean what they say", "[match_spec]") {
    const auto text = [](std::string_view spec) {
        const auto parsed = MatchSpec::parse(spec);
        return parsed ? parsed->to_string() : "no spec";
    };
    CHECK(text("numpy[build_number>=1]") == "numpy[build_number='>=1']");
    CHECK(text("numpy[build_number!=1]") == "numpy[build_number='!=1']");
    CHECK(text("*[build_number<3, version>=1.7]") == text("*[version='>=1.7',build_number='<3']"));
    CHECK(text("numpy[license>MIT]") == "no spec");
    CHECK(text("numpy[version>=1.7,<1.8]") == "no spec"); // quotes are needed there
}
