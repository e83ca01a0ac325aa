#include "flow/package_request.hpp"

#include <string>

#include "flow/plan_channels.hpp"

namespace taipan {

TransferRequest package_request(const Session& session, const PackageCache& cache, const std::vector<Channel>& channels,
                                const PackageRecord& record) {
    EventSink& sink = session.sink();
    TransferRequest request;
    request.urls = sources_of_package(channels, record.url, session.config());
    request.shown_url = record.url;
    request.spool_directory = cache.spool_directory();
    request.consumed = !cache.keeps_archives();
    request.expected_size = record.size.value_or(0);
    request.digest_known = !record.sha256.empty() || !record.md5.empty();
    const std::string name = record.dist_name();
    request.started = [&sink, name, size = request.expected_size] { sink.begin(Stage::fetch, name, size); };
    request.progress = [&sink, name](std::uint64_t done) { sink.advance(Stage::fetch, name, done); };
    return request;
}

} // namespace taipan
