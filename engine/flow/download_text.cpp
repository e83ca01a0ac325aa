#include "flow/download_text.hpp"

#include "flow/network.hpp"
#include "flow/plan_channels.hpp"
#include "model/channel.hpp"

namespace taipan {

Result<std::string> download_text(Session& session, const std::string& url, std::uint64_t limit) {
    const Config& config = session.config();
    const std::string shown = without_credentials(url);
    TAIPAN_TRY(Network* const network, session.network());
    TransferRequest request;
    request.shown_url = shown.substr(0, shown.find('?')); // what is asked for may be signed
    request.size_limit = limit;
    auto own = resolve_channel(url, config.channel_settings);
    if (own && own->size() == 1) {
        add_stored_credential(own->front(), config.credentials);
        request.urls = sources_of(own->front(), shown, config);
    } else {
        request.urls = {TransferSource(url)};
    }
    TAIPAN_TRY(Download download, network->fetch(std::move(request)));
    return download.body.take_text();
}

} // namespace taipan
