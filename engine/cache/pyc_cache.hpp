#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace taipan {

/// A Python source and its bytecode file, both relative to the prefix.
struct CompiledModule {
    std::string source, pyc;
};

/// True for a directory of the prefix that is known to have no symlink on the way to it.
using KnownDirectory = std::function<bool(std::string_view)>;

/// Bytecode that an interpreter made of a package's modules in some prefix, kept beside the package cache
/// (`<cache>/.taipan-pyc/<interpreter>/<dist name>-<hash>/`) and linked into the next prefix. An entry is published
/// whole, by rename, and never changed; it may be removed at any time.
class PycCache {
public:
    /// `packages_directory` is a writable package cache.
    explicit PycCache(std::string packages_directory) : directory_(std::move(packages_directory) + "/.taipan-pyc") {}

    struct Key {
        std::string interpreter; ///< dist name of the python package: another build may write other bytecode
        std::string dist_name;
        std::string hash; ///< sha256 (or md5) of the package archive
    };

    /// Gives the modules their bytecode as far as it is there and belongs to the very sources that lie in the prefix
    /// (same mtime and size, as Python itself asks). The `__pycache__` directories exist. `copy`: no hard links.
    /// Returns the indexes of modules that are still without; a damaged or foreign entry is no error, but none.
    Result<std::vector<std::size_t>> place(const Key& key, const std::vector<CompiledModule>& modules, int prefix_fd,
                                           bool copy, const KnownDirectory& known = {}) const;
    /// Keeps the bytecode that was just made; a module without bytecode is one that does not compile, which is
    /// remembered as well. `copy` as above.
    Result<void> store(const Key& key, const std::vector<CompiledModule>& modules, int prefix_fd, bool copy,
                       const KnownDirectory& known = {}) const;

private:
    [[nodiscard]] std::string entry_path(const Key& key) const;
    std::string directory_;
};

} // namespace taipan
