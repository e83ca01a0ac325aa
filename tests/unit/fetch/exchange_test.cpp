#include <catch2/catch.hpp>

#include "fetch/exchange.hpp"

using namespace taipan;

TEST_CASE("the head of the last answer counts", "[exchange]") {
    ResponseHead head;
    for (const char* line : {"HTTP/1.1 302 Found\r\n", "ETag: \"old\"\r\n", "Retry-After: 3\r\n", "\r\n",
                             "HTTP/2 200 \r\n", "etag: \"new\"\r\n", "Content-Length: 12\r\n",
                             "Last-Modified: Mon, 01 Jan 2024 00:00:00 GMT\r\n", "Accept-Ranges: none\r\n", "\r\n"})
        head.take_line(line);
    CHECK(head.status == 200);
    CHECK(head.etag == "\"new\"");
    CHECK(head.retry_after.empty());
    CHECK(head.length == 12);
    CHECK(head.ranges_refused);
    CHECK(head.validator() == "\"new\"");
}

TEST_CASE("a weak ETag says nothing about bytes", "[exchange]") {
    ResponseHead head;
    head.etag = "W/\"1\"";
    CHECK(head.validator().empty());
    head.last_modified = "Mon, 01 Jan 2024 00:00:00 GMT";
    CHECK(head.validator() == head.last_modified);
}
