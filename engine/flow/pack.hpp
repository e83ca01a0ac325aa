#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cache/pack_format.hpp"
#include "cache/pack_source.hpp"
#include "flow/session.hpp"

namespace taipan {

/// How much of each kind was packed or unpacked.
struct PackReport {
    struct Part {
        std::uint64_t entries = 0, bytes = 0; ///< bytes in the pack
    };
    Part parts[cache_entry_kinds];
    std::uint64_t pack_bytes = 0;
    std::uint64_t already_there = 0; ///< entries that the cache had before they were unpacked
};

/// Writes these entries of a cache into one file, by all workers; the file appears when it is complete. The same
/// entries give the same file.
Result<PackReport> write_pack(Session& session, const std::string& file, const std::vector<PackInput>& inputs);

/// What becomes of archives that are unpacked.
enum class UnpackForm {
    archives,  ///< they are kept as they are
    extracted, ///< they are extracted at once, which an installation would have to do, and not kept
};

/// Unpacks a file of `write_pack` into the first writable package cache, each entry whole or not at all, by all
/// workers. What the cache has already stays as it is. Nothing is taken that is not byte for byte what was packed.
/// Errors: corrupt_package when the file is none, was cut short or changed; entries that were unpacked before stay.
Result<PackReport> read_pack(Session& session, const std::string& file, UnpackForm form);
/// The same from a pipe, while it arrives. `fd` is borrowed.
Result<PackReport> read_pack_stream(Session& session, int fd, UnpackForm form);

} // namespace taipan
