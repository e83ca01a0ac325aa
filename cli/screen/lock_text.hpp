#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "model/record.hpp"

namespace taipan::cli {

/// What one platform is locked to.
struct LockedPlatform {
    std::string subdir;
    std::string content_hash;            ///< of everything that the result was asked to be
    std::vector<PackageRecord> packages; ///< in dependency order
    /// By package name: the categories whose requests need it; only `main` if that is among them.
    std::map<std::string, std::set<std::string>> categories;
};

/// A lock file of conda-lock (CEP 37) before it is text.
struct LockDocument {
    std::vector<std::string> channels, sources;
    std::vector<LockedPlatform> platforms;
};

/// The file's text. The same document gives the same bytes.
[[nodiscard]] std::string conda_lock_text(const LockDocument& document);

/// An `@EXPLICIT` list of one platform, with the packages of these categories.
[[nodiscard]] std::string explicit_lock_text(const LockedPlatform& platform, const std::set<std::string>& categories);

/// Which category each package belongs to: `requests` maps names that were asked for to categories, and whatever such a
/// package needs, near or far, goes with it.
[[nodiscard]] std::map<std::string, std::set<std::string>>
categories_of(const std::vector<PackageRecord>& packages, const std::map<std::string, std::set<std::string>>& requests);

} // namespace taipan::cli
