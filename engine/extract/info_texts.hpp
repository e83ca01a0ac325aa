#pragma once

#include <string>

#include "base/byte_input.hpp"
#include "base/result.hpp"
#include "extract/extract.hpp"

namespace taipan {

/// Texts of info/ that an index is made of. Empty when the package does not have the file.
struct InfoTexts {
    std::string index_json;
    std::string run_exports_json;
};

/// Reads them out of an archive without unpacking it: of a `.conda` only its info-*.tar.zst, of a `.tar.bz2` up to
/// where info/ ends after info/index.json. corrupt_package when there is no info/index.json.
Result<InfoTexts> read_info_texts(ByteInput& archive, ArchiveFormat format);

} // namespace taipan
