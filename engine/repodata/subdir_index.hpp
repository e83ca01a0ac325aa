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
#include "repodata/index_file.hpp"

namespace taipan {

/// The index of one (channel, subdir): which packages there are. A record is read only when its name is asked for.
/// Reading is thread-safe.
class SubdirIndex {
public:
    /// `url` of the subdir is `<channel.base_url>/<subdir>`.
    SubdirIndex(repodata::IndexFile file, const Channel& channel, std::string_view subdir);
    /// The same, where the file does not say what holds for the subdir.
    SubdirIndex(repodata::IndexFile file, const repodata::IndexInfo& info, const Channel& channel,
                std::string_view subdir);
    /// Reads the text of a whole repodata.json, all at once and in memory; see flow/index_build.hpp for large ones.
    /// With `use_only_tar_bz2` the `.conda` records are ignored. Fails with ErrorCode::parse on malformed JSON and on a
    /// repodata_version above 2.
    static Result<SubdirIndex> parse(std::string_view json, const Channel& channel, std::string_view subdir,
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
    [[nodiscard]] bool has(std::string_view name) const;
    /// Those that begin so.
    [[nodiscard]] std::vector<std::string_view> names_with_prefix(std::string_view prefix) const;
    /// The records of that (lower-case) name, `.conda` first, in the order of the file; empty when there are none.
    /// Fails with ErrorCode::parse when the index file is damaged.
    Result<std::vector<PackageRecord>> records(std::string_view name) const;
    /// The names that some package of that name depends on, some maybe twice. Views live as long as the index.
    Result<std::vector<std::string_view>> needed_names(std::string_view name) const;

    [[nodiscard]] const Channel& channel() const;
    [[nodiscard]] std::string_view subdir() const;
    /// How many records there are; a `.tar.bz2` that is hidden by its `.conda` counts too.
    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] const repodata::IndexCounters& counters() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace taipan
