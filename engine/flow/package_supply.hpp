#pragma once

#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cache/package_cache.hpp"
#include "flow/install.hpp"
#include "flow/materialise.hpp"
#include "flow/plan.hpp"
#include "flow/session.hpp"
#include "prefix/transaction.hpp"

namespace taipan {

/// The package caches as a run may use them, and if it leaves nothing in them, why.
struct CacheAccess {
    PackageCache cache;
    bool direct = false;
    std::string reason; ///< why direct, if nobody asked for it
};

/// As the configuration says (`direct`); if it says nothing: written to if one can be written, else direct.
Result<CacheAccess> open_caches(const Config& config);

/// The directory that the indexes of one run are kept in: that of the package cache, or one that goes with this.
class IndexPlace {
public:
    /// Without a cache to write to: below the directory for temporary files, or beside the environment (if the run has
    /// one) where there is none. Offline, what a cache has is read there.
    static Result<IndexPlace> choose(const Config& config, const PackageCache& cache, const std::string& prefix = {});
    [[nodiscard]] const std::string& directory() const { return directory_; }

private:
    std::string directory_;
    std::unique_ptr<StagedDirectory> temporary_;
};

/// Where the packages of one run come from, and where they lie until they are linked: in the cache, to stay; or, in
/// direct mode and where the prefix cannot share the files of the cache, inside of the prefix, from where their files
/// are moved into place.
class PackageSupply {
public:
    static Result<PackageSupply> open(Session& session, const Plan& plan);

    [[nodiscard]] const PackageCache& cache() const { return cache_; }
    /// Decides where packages are unpacked, for the prefix of this transaction. Before any is brought.
    Result<void> choose_place(const Transaction& transaction);
    /// All packages to link of the plan.
    Result<void> bring(const Plan& plan, const OnPackage& on_package, InstallReport& report) const;
    /// These once more (indexes into the plan's `link`), since their files have been moved already.
    Result<void> bring_again(const Plan& plan, const std::set<std::size_t>& indexes, const OnPackage& on_package) const;

private:
    PackageSupply(Session& session, PackageCache cache, std::vector<Channel> channels)
        : session_(&session), cache_(std::move(cache)), channels_(std::move(channels)) {}
    Session* session_;
    PackageCache cache_;
    std::vector<Channel> channels_; ///< whose credentials the downloads may need
};

} // namespace taipan
