#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/channel.hpp"
#include "model/record.hpp"

namespace taipan {

/// What is counted while an index is scanned; for messages and tests.
struct ScanCounters {
    std::size_t skipped = 0; ///< entries left out: no package file name, unknown record/schema version, not an object
    std::size_t hidden = 0;  ///< `.tar.bz2` entries hidden by a `.conda` of the same stem
    std::size_t removed = 0; ///< file names under `removed`
};

/// The index of one (channel, subdir): which packages there are. Holds the text of repodata.json; a record is
/// parsed only when its name is asked for. Reading is thread-safe.
class SubdirIndex {
public:
    /// Scans the text of a whole repodata.json (moved in). `url` of the subdir is `<channel.base_url>/<subdir>`;
    /// it is named by every error. With `use_only_tar_bz2` the `.conda` records are ignored.
    /// Fails with ErrorCode::parse on malformed JSON and on a repodata_version above 2.
    static Result<SubdirIndex> parse(std::string json, const Channel& channel, std::string_view subdir,
                                     bool use_only_tar_bz2 = false);
    /// An index without packages, for a platform subdir that the channel does not have (conda-spec 7.4).
    static SubdirIndex empty(const Channel& channel, std::string_view subdir);

    SubdirIndex(SubdirIndex&&) noexcept;
    SubdirIndex& operator=(SubdirIndex&&) noexcept;
    SubdirIndex(const SubdirIndex&) = delete;
    SubdirIndex& operator=(const SubdirIndex&) = delete;
    ~SubdirIndex();

    /// All package names, lower case, sorted, unique. Views live as long as the index.
    [[nodiscard]] std::vector<std::string_view> names() const;
    /// The records of that (lower-case) name, in the order of the file; empty when there are none. A record that
    /// turns out to be broken is left out and counted in `*broken`.
    Result<std::vector<PackageRecord>> records(std::string_view name, std::size_t* broken = nullptr) const;

    [[nodiscard]] const Channel& channel() const;
    [[nodiscard]] std::string_view subdir() const;
    /// How many records there are (hidden and skipped ones not counted).
    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] const ScanCounters& counters() const;

private:
    struct State;
    explicit SubdirIndex(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

} // namespace taipan
