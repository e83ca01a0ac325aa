// Byte-compilation, beside everything else: a package that is linked gets what the cache has of its bytecode at once;
// the rest is left to the pool of interpreters, which works as soon as python and what it needs are linked. New
// bytecode is kept when all is done.

#include "flow/compile_stage.hpp"

#include <algorithm>
#include <cerrno>
#include <iterator>

#include <fcntl.h>
#include <unistd.h>

#include <tbb/parallel_for.h>

#include "base/beneath.hpp"
#include "base/filesystem.hpp"
#include "flow/first_error.hpp"
#include "link/place_file.hpp"

namespace taipan {

CompileStage::CompileStage(Session& session, CompileTarget target, std::size_t packages)
    : session_(session),
      target_(std::move(target)),
      cache_(target_.packages_directory),
      work_(packages),
      pool_({target_.prefix, target_.python, session.config().environment, {}, false}, session.workers(),
            session.sink(), session.stop().flag()) {}

Result<void> CompileStage::package_linked(std::size_t index, PackageModules package) {
    const auto& modules = package.plan->pyc;
    if (modules.empty()) return {};
    TAIPAN_TRY([[maybe_unused]] const auto made,
               create_directories(package.plan->pyc_directories, target_.prefix_fd, target_.prefix, &target_.made));
    Work& work = work_[index];
    work.package = std::move(package);
    std::vector<PycItem> to_compile;
    std::vector<const PycItem*> items; // those of `kept`
    for (const PycItem& item : modules) {
        if (work.package.key.hash.empty() || item.rewritten || item.replaces_source) {
            to_compile.push_back(item);
            continue;
        }
        work.kept.push_back({item.source, item.pyc});
        items.push_back(&item);
    }
    if (!work.kept.empty()) {
        TAIPAN_TRY(const auto missing,
                   cache_.place(work.package.key, work.kept, target_.prefix_fd, work.package.copy, known()));
        work.store = !missing.empty();
        for (const std::size_t i : missing) to_compile.push_back(*items[i]);
    }
    pool_.add(work.package.key.dist_name, std::move(to_compile));
    return {};
}

KnownDirectory CompileStage::known() const {
    return [&made = target_.made](std::string_view directory) { return made.contains(directory); };
}

Result<std::uint64_t> CompileStage::finish(const std::set<std::string>& contested) {
    TAIPAN_TRY(std::uint64_t compiled, pool_.finish());
    if (!contested.empty()) {
        TAIPAN_TRY(const std::uint64_t again, redo(contested));
        compiled += again;
    }
    FirstError errors;
    tbb::parallel_for(std::size_t{0}, work_.size(), [&](std::size_t i) {
        if (work_[i].store) keep(work_[i]);
        if (work_[i].package.plan != nullptr) errors.take(remove_sources(*work_[i].package.plan));
    });
    TAIPAN_CHECK(errors.result());
    return compiled;
}

Result<std::uint64_t> CompileStage::redo(const std::set<std::string>& contested) {
    std::set<std::string_view> seen;
    for (const Work& work : work_) {
        if (work.package.plan == nullptr) continue;
        std::vector<PycItem> items;
        for (const PycItem& item : work.package.plan->pyc) {
            if (!contested.contains(item.source) && !contested.contains(item.pyc)) continue;
            if (!seen.insert(item.pyc).second) continue;
            const UniqueFd directory = open_directory_beneath(target_.prefix_fd, std::string(parent_path(item.pyc)));
            const std::string name(base_name(item.pyc));
            if (directory && ::unlinkat(directory.get(), name.c_str(), 0) != 0 && errno != ENOENT) {
                return system_error(errno, "cannot replace", target_.prefix + '/' + item.pyc);
            }
            items.push_back(item);
        }
        pool_.add(work.package.key.dist_name, std::move(items));
    }
    return pool_.finish();
}

/// Of modules that are bytecode only. One that does not compile keeps its source.
Result<void> CompileStage::remove_sources(const LinkPlan& plan) {
    for (const PycItem& item : plan.pyc) {
        if (!item.replaces_source) continue;
        const UniqueFd directory = open_directory_beneath(target_.prefix_fd, std::string(parent_path(item.source)));
        const std::string source(base_name(item.source)), pyc(base_name(item.pyc));
        if (!directory || ::faccessat(directory.get(), pyc.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) != 0) continue;
        if (::unlinkat(directory.get(), source.c_str(), 0) != 0 && errno != ENOENT) {
            return system_error(errno, "cannot remove", target_.prefix + '/' + item.source);
        }
        ++sources_removed_;
        bytes_removed_ += item.source_size;
    }
    return {};
}

/// Bytecode that cannot be kept (a full disk, say) is compiled again next time, which is no error now.
void CompileStage::keep(const Work& work) {
    const PackageModules& package = work.package;
    if (auto kept = cache_.store(package.key, work.kept, target_.prefix_fd, package.copy, known()); !kept) {
        session_.sink().note(Severity::debug, "the bytecode of " + package.key.dist_name +
                                                  " is not kept in the cache: " + kept.error().message);
    }
}

} // namespace taipan
