#include "flow/interpreter_watch.hpp"

#include <string_view>

#include "model/dependency_name.hpp"

namespace taipan {

namespace {

std::vector<std::string> needed_names(const PackageRecord& record) {
    std::vector<std::string> names;
    for (const auto& text : record.depends) names.push_back(dependency_name(text));
    return names;
}

} // namespace

InterpreterWatch::InterpreterWatch(const std::vector<PackageRecord>& final_state, std::set<std::string> to_link)
    : to_link_(std::move(to_link)) {
    for (const auto& record : final_state) needs_.emplace(record.name, needed_names(record));
    ready_ = complete();
}

bool InterpreterWatch::linked(const PackageRecord& record) {
    if (ready_) return false;
    needs_.insert_or_assign(record.name, needed_names(record));
    to_link_.erase(record.name);
    ready_ = complete();
    return ready_;
}

bool InterpreterWatch::complete() const {
    std::set<std::string_view> seen{"python"};
    std::vector<std::string_view> open{"python"};
    while (!open.empty()) {
        const std::string name(open.back());
        open.pop_back();
        if (to_link_.contains(name)) return false;
        const auto found = needs_.find(name);
        if (found == needs_.end()) continue; // virtual, or not installed at all
        for (const auto& needed : found->second) {
            if (seen.insert(needed).second) open.push_back(needed);
        }
    }
    return true;
}

} // namespace taipan
