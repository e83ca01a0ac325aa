#pragma once

#include <string>
#include <vector>

#include "solve/attempt.hpp"
#include "solve/catalog.hpp"
#include "solve/jobs.hpp"
#include "solve/pool.hpp"

namespace taipan::solve_detail {

/// A line of an explanation, and what it goes back to.
struct Node {
    std::string text = {};                  ///< for people
    std::string kind = {};                  ///< for programs: request, package, needs, excludes, more
    std::string spec = {};                  ///< of a request or need
    std::string name = {};                  ///< of the package it is about
    std::vector<std::string> versions = {}; ///< of packages, ascending
    std::string reason = {};                ///< why this is where it ends; empty when the children say so
    std::vector<Node> children = {};
};

/// Requirements of one package that no version fulfils together.
struct Conflict {
    struct Demand {
        std::string spec; ///< what is wanted; alternatives of several builds are joined by " | "
        std::string by;   ///< "requested" and the like, or the package that wants it
        bool by_package = false;
        bool constraint = false; ///< the package does not need it, but goes together only with this
    };
    std::string name;
    std::vector<Demand> demands;
    std::string blocked = {}; ///< why those that would fit may not be chosen; empty when there are none
};

struct Explanation {
    std::vector<Conflict> conflicts; ///< the heart of the matter, where it is that simple
    std::vector<Node> roots;
};

/// Why the jobs of the plan contradict each other or the channels.
Explanation make_explanation(Catalog& catalog, const AttemptPlan& plan, const Reach& reach, const Answer& answer);

} // namespace taipan::solve_detail
