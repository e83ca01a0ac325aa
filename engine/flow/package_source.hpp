#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "flow/index.hpp"
#include "flow/package_supply.hpp"
#include "flow/session.hpp"
#include "model/match_spec.hpp"
#include "model/record.hpp"
#include "solve/candidate_source.hpp"

namespace taipan {

/// All packages of some channels, to ask questions of. The indexes are loaded as for an installation.
class ChannelPackages {
public:
    /// `channels` as typed; channels that only a spec names (`channel::name`) are added.
    static Result<ChannelPackages> load(Session& session, const std::vector<std::string>& channels,
                                        const std::vector<MatchSpec>& specs);
    [[nodiscard]] CandidateSource& source() { return *source_; }
    [[nodiscard]] const std::vector<Channel>& channels() const { return indexes_->channels; }

private:
    ChannelPackages(IndexPlace place, LoadedIndexes indexes)
        : place_(std::make_unique<IndexPlace>(std::move(place))),
          indexes_(std::make_unique<LoadedIndexes>(std::move(indexes))),
          source_(std::make_unique<IndexCandidates>(*indexes_)) {}
    std::unique_ptr<IndexPlace> place_; ///< outlives the indexes
    std::unique_ptr<LoadedIndexes> indexes_;
    std::unique_ptr<IndexCandidates> source_;
};

/// The packages that are installed in an environment, to ask the same questions of.
class InstalledPackages final : public CandidateSource {
public:
    explicit InstalledPackages(std::vector<PackageRecord> records);
    Result<std::vector<Candidate>> candidates(std::string_view name) override;
    Result<std::vector<std::string>> names_matching(std::string_view glob) override;
    std::vector<std::string> all_names() override;
    std::vector<std::string> searched_channels() override { return {}; }

private:
    std::vector<PackageRecord> records_; ///< sorted by name
};

} // namespace taipan
