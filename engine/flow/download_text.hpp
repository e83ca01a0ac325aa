#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "flow/session.hpp"

namespace taipan {

/// The content of an http(s) URL, with the stored login of its server. Errors: as of any download, and parse when it is
/// larger than `limit` bytes; they never show credentials.
Result<std::string> download_text(Session& session, const std::string& url, std::uint64_t limit);

} // namespace taipan
