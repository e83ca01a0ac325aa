#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "shell/shell_hook.hpp"

namespace taipan::cli {

/// The lines that a block begins and ends with. Only what stands between them is ever changed in a file of the user.
struct BlockMarks {
    std::string begin, end;
};
/// `# >>> WORD initialize >>>` and its counterpart, or a region in PowerShell; those of conda and mamba are exactly
/// theirs, so that each tool finds its own block.
[[nodiscard]] BlockMarks block_marks(ShellKind kind, std::string_view word);

/// What `init` puts into an rc file: it loads the hook of `request` in each new shell.
[[nodiscard]] std::string block_text(const HookRequest& request);
/// `init --condabin`: only PATH.
[[nodiscard]] std::string path_block_text(const HookRequest& request);

/// The content with the block in place of the one it has, else at the end. Fails when a block begins and does not end.
Result<std::string> with_block(std::string_view content, const BlockMarks& marks, std::string_view block);
/// The content without the block and the blank line that was put before it; unchanged when there is none.
Result<std::string> without_block(std::string_view content, const BlockMarks& marks);

} // namespace taipan::cli
