#pragma once

#include <cstdint>

#include "base/byte_input.hpp"
#include "base/result.hpp"
#include "model/record.hpp"

namespace taipan {

/// Whether an archive is the one that the record promises; checksum_mismatch if not. What a record does not promise is
/// not compared.
Result<void> check_size(std::uint64_t size, const PackageRecord& record);
Result<void> check_digests(const DigestingInput::Digests& digests, const PackageRecord& record);

/// The hashes and the size of a record that promises less.
void complete_digests(const DigestingInput::Digests& digests, std::uint64_t size, PackageRecord& record);

} // namespace taipan
