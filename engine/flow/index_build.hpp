#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/byte_input.hpp"
#include "base/result.hpp"
#include "repodata/index_file.hpp"

namespace taipan {

/// How an index is to be made.
struct IndexBuild {
    bool zst = false; ///< the input is compressed
    bool use_only_tar_bz2 = false;
    int workers = 1; ///< threads that may parse at once
    /// Where the index file goes. It is made beside that place, and without a name if it is not to be kept.
    std::string path = {};
    /// Is shown the inflated text, piece by piece.
    std::function<void(std::string_view)> text = {};
    /// Called when the whole input has been read: what the index is made from; nullopt: it is not kept.
    std::function<std::optional<repodata::IndexSource>()> source = {};
    /// Told why the index could not be written to a file; then it is in memory, and neither of the above is called.
    std::function<void(const Error&)> not_kept = {};
};

/// Makes an index out of the bytes of a repodata.json (or .zst): they are inflated and cut here while other threads
/// parse what has been cut, so that neither the text nor more than a few pieces of it are ever in memory as a whole.
/// Fails with ErrorCode::parse when it
/// is no index; the message goes on after "The index <url> ".
Result<repodata::IndexFile> build_index(ByteInput& input, const IndexBuild& how);

} // namespace taipan
