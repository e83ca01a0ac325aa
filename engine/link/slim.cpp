// What an image that only runs programs can do without. One table says it, for the code and for the README; each group
// errs on the side of keeping. What is left out is not in the records either, so that they stay true.

#include "link/slim.hpp"

#include <algorithm>

#include "model/pattern.hpp"

namespace taipan {

namespace {

template <typename Patterns> bool any_matches(const Patterns& patterns, std::string_view path) {
    return std::any_of(patterns.begin(), patterns.end(), [&](const auto& p) { return glob_matches(p, path); });
}

} // namespace

const std::vector<SlimGroup>& slim_groups() {
    static const std::vector<SlimGroup> groups = {
        {"static", "static libraries", {"*.a", "*.la"}, {}, true},
        {"headers", "headers for compiling", {"include/*"}, {"include/python*/pyconfig.h"}, true},
        {"docs",
         "manuals and documentation",
         {"share/doc/*", "share/man/*", "share/info/*", "share/gtk-doc/*", "share/devhelp/*", "man/*", "doc/*",
          "docs/*"},
         {"*/copyright", "*/COPYING*", "*/LICENSE*", "*/LICENCE*"},
         true},
        {"tests",
         "tests of Python and its packages",
         {"lib/python*/test/*", "lib/python*/idlelib/idle_test/*", "lib/python*/lib2to3/tests/*",
          "lib/python*/unittest/test/*", "lib/python*/*test/test_*", "*/site-packages/*/tests/*"},
         {"*/site-packages/astropy/tests/*"}, // which it imports
         true},
        {"build",
         "what builds of other programs look for",
         {"*/pkgconfig/*", "lib/cmake/*", "share/aclocal/*"},
         {},
         true},
        {"pyc", "bytecode of Python modules (they start slower)", {"*.pyc"}, {}, false},
        {"py",
         "sources of Python modules that have bytecode, which takes their place",
         {"lib/python*/*.py"},
         // Run by their paths, compiled by something else than Python, or no modules at all.
         {"*/site-packages/pip/*", "*/_in_process.py", "*/site-packages/torch/*", "*/site-packages/triton/*",
          "*/site-packages/numba/*", "*/templates/*", "lib/python*/config-*"},
         false,
         true},
        {"conda-meta", "all that tools for environments need: nothing can be added or removed later", {}, {}, false},
    };
    return groups;
}

Result<SlimRules> SlimRules::make(const std::vector<std::string>& groups, std::vector<std::string> exclude,
                                  std::vector<std::string> keep) {
    SlimRules rules;
    for (const std::string& name : groups) {
        bool known = name == "default";
        for (const SlimGroup& group : slim_groups()) {
            if (name != group.name && !(name == "default" && group.by_default)) continue;
            known = true;
            rules.groups_.push_back(&group);
        }
        if (known) continue;
        std::string names = "default";
        for (const SlimGroup& group : slim_groups()) names.append(", ").append(group.name);
        return make_error(ErrorCode::invalid_argument,
                          "'" + name + "' is nothing that can be left out; there are: " + names);
    }
    if (rules.has("py") && rules.has("pyc")) {
        return make_error(ErrorCode::invalid_argument,
                          "'py' and 'pyc' together would leave nothing of Python modules; name one of them");
    }
    rules.exclude_ = std::move(exclude);
    rules.keep_ = std::move(keep);
    return rules;
}

bool SlimRules::has(std::string_view name) const {
    return std::any_of(groups_.begin(), groups_.end(), [&](const SlimGroup* group) { return group->name == name; });
}

bool SlimRules::has_pattern_of(std::string_view path, bool for_bytecode) const {
    return std::any_of(groups_.begin(), groups_.end(), [&](const SlimGroup* group) {
        return group->for_bytecode == for_bytecode && any_matches(group->left_out, path) &&
               !any_matches(group->kept, path);
    });
}

bool SlimRules::leaves_out(std::string_view path) const {
    if (empty() || any_matches(keep_, path)) return false;
    return any_matches(exclude_, path) || has_pattern_of(path, false);
}

bool SlimRules::yields_to_bytecode(std::string_view path) const {
    return has("py") && !any_matches(keep_, path) && has_pattern_of(path, true);
}

} // namespace taipan
