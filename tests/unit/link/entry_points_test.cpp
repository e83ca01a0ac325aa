#include <catch2/catch.hpp>

#include <string>

#include "link/entry_points.hpp"

using namespace taipan;

TEST_CASE("entry points are parsed and checked") {
    const auto simple = parse_entry_point("foo = foo.cli:main");
    REQUIRE(simple);
    CHECK(simple->command == "foo");
    CHECK(simple->module == "foo.cli");
    CHECK(simple->attribute == "main");
    const auto dotted = parse_entry_point(" foo-x.y=pkg : A.main ");
    REQUIRE(dotted);
    CHECK(dotted->command == "foo-x.y");
    CHECK(dotted->attribute == "A.main");

    using namespace std::string_literals;
    for (const std::string& bad :
         {"foo"s, "foo=bar"s, "=a:b"s, "../foo=a:b"s, ".foo=a:b"s, "a/b=a:b"s, "a\\b=a:b"s, "a\nb=a:b"s, "a\0b=a:b"s,
          "f=a b:c"s, "f=a:b()"s, "f=:b"s, "f=a:"s, "f=a..b:c"s, "f=1a:b"s, "f=a;import os:b"s, "f=a:b.1"s}) {
        INFO(bad);
        const auto result = parse_entry_point(bad);
        REQUIRE_FALSE(result);
        CHECK(result.error().code == ErrorCode::corrupt_package);
    }
}

TEST_CASE("the script of an entry point is conda's") {
    const EntryPoint entry_point{"foo", "foo.cli", "main"};
    CHECK(entry_point_text(entry_point, "/p/bin/python3.11") == R"(#!/p/bin/python3.11
# -*- coding: utf-8 -*-
import re
import sys

from foo.cli import main

if __name__ == '__main__':
    sys.argv[0] = re.sub(r'(-script\.pyw?|\.exe)?$', '', sys.argv[0])
    sys.exit(main())
)");
    const std::string method = entry_point_text({"foo", "foo", "A.main"}, "/p/bin/python3.11");
    CHECK(method.find("\nfrom foo import A\n") != std::string::npos);
    CHECK(method.find("    sys.exit(A.main())\n") != std::string::npos);
}

TEST_CASE("long or blank-ridden interpreters are called through sh") {
    const EntryPoint entry_point{"foo", "foo", "main"};
    const std::string fits = "/" + std::string(123, 'p'); // with "#!" and the newline: 127
    CHECK(entry_point_text(entry_point, fits).starts_with("#!" + fits + "\n# -*-"));
    CHECK(entry_point_text(entry_point, fits + "p")
              .starts_with("#!/bin/sh\n'''exec' \"" + fits + "p\" \"$0\" \"$@\" #'''\n# -*-"));
    CHECK(entry_point_text(entry_point, fits + "p", Platform::macos).starts_with("#!" + fits + "p\n"));
    CHECK(entry_point_text(entry_point, "/a b/python").starts_with("#!/bin/sh\n'''exec' \"/a b/python\" "));
    CHECK(entry_point_text(entry_point, "/x", Platform::windows).starts_with("# -*- coding"));
}
