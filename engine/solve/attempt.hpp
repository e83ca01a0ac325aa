#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "solve/catalog.hpp"

namespace taipan::solve_detail {

/// Why an entry may not be chosen in an attempt.
enum class Block : std::uint8_t {
    none,
    impossible,      ///< needs another machine, or has a dependency that cannot be parsed
    strict_priority, ///< a channel above has the name
    pin,             ///< a pin of the user
    python_minor,    ///< would move python to another minor version
    frozen,          ///< the installed package is to stay as it is
    downgrade,       ///< an update must not go back
};

/// What is asked of libsolv in one attempt.
struct Job {
    enum class Kind : std::uint8_t {
        install,    ///< something that fulfils `dependency`
        keep_entry, ///< exactly `entry`
        update,     ///< the best of the installed package's name, `entry` being the installed one; what only the old
                    ///< package needed may go with it
        wanted,     ///< `entry`, which is installed, is there for its own sake: nobody has to need it
        allow       ///< nothing; but `entry`, which is installed, may be replaced by another of its name
    };
    Kind kind = Kind::install;
    DependencyId dependency = 0;
    EntryId entry = 0;
};

/// Limits of an attempt, by name.
struct Limits {
    struct Pin {
        MatchSpec spec;
        Block reason = Block::pin;
    };
    std::multimap<std::string, Pin> pins;
    std::map<std::string, bool> frozen; ///< names whose installed package must stay
    bool no_downgrade = false;
    std::set<std::string> may_downgrade; ///< names that the request itself asks to go back
};

/// The part of the catalog an attempt can choose from: everything the jobs reach, nothing else.
class Reach {
public:
    Reach(Catalog& catalog, const Limits& limits) : catalog_(catalog), limits_(limits) {}

    /// Follows the jobs through the dependencies. An update job reaches every candidate of its name.
    Result<void> follow(const std::vector<Job>& jobs);

    [[nodiscard]] bool reached(EntryId id) const { return id < reached_.size() && reached_[id] == in; }
    /// Reached entries, grouped by nothing in particular.
    [[nodiscard]] const std::vector<EntryId>& entries() const { return order_; }
    /// Dependencies that were met on the way (answered).
    [[nodiscard]] const std::vector<DependencyId>& dependencies() const { return met_; }
    /// Reached entries that fulfil the dependency.
    [[nodiscard]] std::vector<EntryId> providers(DependencyId id) const;
    [[nodiscard]] Block block(EntryId id) const;

private:
    Result<void> require(DependencyId id);
    void reach(EntryId id);
    [[nodiscard]] Block limit(EntryId id) const;

    Catalog& catalog_;
    const Limits& limits_;
    static constexpr std::uint8_t in = 1, out = 2;
    std::vector<std::uint8_t> reached_;  ///< by entry: 0 (not met), in, out
    std::vector<std::uint8_t> required_; ///< by dependency
    std::vector<EntryId> order_, pending_;
    std::vector<DependencyId> met_;
};

} // namespace taipan::solve_detail
