#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "model/record.hpp"

namespace taipan {

/// Tells when the python of a prefix can run while packages are being linked: when it and all that it needs, near or
/// far, are there. What a package needs may become known only when it is linked. Not thread-safe.
class InterpreterWatch {
public:
    /// `final_state`: everything that will be installed; `to_link`: the names of those that are not there yet.
    InterpreterWatch(const std::vector<PackageRecord>& final_state, std::set<std::string> to_link);

    /// Python can run; true from the beginning when nothing of it is to be linked.
    [[nodiscard]] bool ready() const { return ready_; }
    /// This package is linked. True when it was the last one that python waited for.
    bool linked(const PackageRecord& record);

private:
    [[nodiscard]] bool complete() const;

    std::map<std::string, std::vector<std::string>> needs_; ///< by name: the names of its dependencies
    std::set<std::string> to_link_;
    bool ready_ = false;
};

} // namespace taipan
