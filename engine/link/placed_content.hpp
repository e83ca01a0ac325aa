#pragma once

#include <cstdint>
#include <string>

#include <sys/types.h>

#include "base/filesystem.hpp"
#include "base/result.hpp"
#include "link/plan.hpp"

namespace taipan {

/// One path of a package as placing it would make it, for those who do not make a prefix: image layers.
struct PlacedContent {
    bool symlink = false;
    std::string bytes;         ///< text of a symlink; content of a file that was rewritten or generated
    UniqueFd fd;               ///< of a file that is taken as it is
    std::uint64_t size = 0;    ///< of the file
    mode_t mode = 0;           ///< permission bits
    std::int64_t modified = 0; ///< seconds since the epoch; 0 for generated ones
    std::string sha256;        ///< of a rewritten file
};

/// Reads what the actions of one plan would place. Source directories stay open from action to action of one group.
class PlacedContentReader {
public:
    /// `package_directory` is the extracted package; both must outlive the reader.
    PlacedContentReader(const LinkPlan& plan, const std::string& package_directory)
        : plan_(plan), package_directory_(package_directory) {}

    /// The action at this index of LinkPlan::actions. Errors: as of placing it.
    Result<PlacedContent> read(std::uint32_t action);

private:
    Result<void> enter(const LinkGroup& group);
    Result<PlacedContent> read_symlink(const char* name);
    Result<PlacedContent> read_file(const LinkAction& action, const char* name);
    [[nodiscard]] std::string shown(const char* name) const;
    [[nodiscard]] Error wrong(const char* name, const std::string& why) const;

    const LinkPlan& plan_;
    const std::string& package_directory_;
    UniqueFd package_, directory_;
    const LinkGroup* group_ = nullptr;
};

} // namespace taipan
