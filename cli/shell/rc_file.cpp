#include "shell/rc_file.hpp"

#include <optional>

#include "shell/shell_text.hpp"

namespace taipan::cli {

namespace {

struct Place {
    std::size_t begin = 0, end = 0; ///< of the lines, with the last newline
};

/// The position of a whole line, or npos.
std::size_t find_line(std::string_view content, std::string_view line, std::size_t from) {
    for (auto at = content.find(line, from); at != std::string_view::npos; at = content.find(line, at + 1)) {
        const auto after = at + line.size();
        const bool starts = at == 0 || content[at - 1] == '\n';
        const bool ends = after == content.size() || content[after] == '\n' || content[after] == '\r';
        if (starts && ends) return at;
    }
    return std::string_view::npos;
}

Result<std::optional<Place>> find_block(std::string_view content, const BlockMarks& marks) {
    const auto begin = find_line(content, marks.begin, 0);
    if (begin == std::string_view::npos) return std::optional<Place>();
    const auto end = find_line(content, marks.end, begin);
    if (end == std::string_view::npos) {
        return make_error(ErrorCode::parse, "the block that begins with '" + marks.begin + "' has no '" + marks.end +
                                                "'; correct the file by hand, nothing was changed in it");
    }
    const auto newline = content.find('\n', end);
    return std::optional<Place>({begin, newline == std::string_view::npos ? content.size() : newline + 1});
}

std::string framed(const HookRequest& request, const std::string& lines) {
    const auto marks = block_marks(request.shell.kind, block_word(request.role));
    const std::string name(role_name(request.role));
    const bool shell_init = as_mamba(request.role);
    return marks.begin + "\n# !! Contents within this block are managed by '" + name +
           (shell_init ? " shell init" : " init") + "' !!\n" + lines + marks.end + "\n";
}

/// conda's block, to the letter: other tools look for it.
std::string conda_lines(const HookRequest& request) {
    const std::string& exe = request.executable;
    const std::string& root = request.root_prefix;
    const std::string bin(exe.substr(0, exe.rfind('/')));
    const auto word = [&](const std::string& text) { return quoted_for(request.shell.kind, text); };
    // Where conda lies says which root prefix is its own; a link elsewhere has to be told.
    const std::string root_line =
        root_of_program(exe) == root ? "" : export_statement(request.shell.kind, "MAMBA_ROOT_PREFIX", root);
    switch (request.shell.kind) {
    case ShellKind::posix:
        return root_line + "__conda_setup=\"$(" + word(exe) + " 'shell." + request.shell.name +
               "' 'hook' 2> /dev/null)\"\n" +
               "if [ $? -eq 0 ]; then\n    eval \"$__conda_setup\"\nelse\n    if [ -f \"" + root +
               "/etc/profile.d/conda.sh\" ]; then\n        . \"" + root +
               "/etc/profile.d/conda.sh\"\n    else\n        export PATH=\"" + bin +
               ":$PATH\"\n    fi\nfi\nunset __conda_setup\n";
    case ShellKind::fish:
        return root_line + "if test -f " + word(exe) + "\n    " + word(exe) +
               " \"shell.fish\" \"hook\" $argv | source\nelse\n    set -x PATH " + word(bin) + " $PATH\nend\n";
    case ShellKind::csh: return root_line + "eval \"`" + word(exe) + " shell.tcsh hook`\"\n";
    case ShellKind::xonsh: return root_line + "execx($(@(" + word(exe) + ") shell.xonsh hook))\n";
    case ShellKind::powershell:
        return root_line + "If (Test-Path " + word(exe) + ") {\n    (& " + word(exe) +
               " \"shell.powershell\" \"hook\") | Out-String | ?{$_} | Invoke-Expression\n}\n";
    case ShellKind::nushell: return hook_text(request);
    }
    return {};
}

std::string own_lines(const HookRequest& request) {
    const std::string name(role_name(request.role)), variable(program_variable(request.role));
    const auto kind = request.shell.kind;
    const std::string set_exe = export_statement(kind, variable, request.executable),
                      set_root = export_statement(kind, "MAMBA_ROOT_PREFIX", request.root_prefix);
    const std::string hook = " shell hook --shell " + request.shell.name + " --root-prefix ";
    const std::string setup = "__" + std::string(block_word(request.role)) + "_setup";
    switch (kind) {
    case ShellKind::posix:
        return set_exe + set_root + setup + "=\"$(\"$" + variable + "\"" + hook +
               "\"$MAMBA_ROOT_PREFIX\" 2> /dev/null)\"\n" + "if [ $? -eq 0 ]; then\n    eval \"$" + setup +
               "\"\nelse\n    alias " + name + "=\"$" + variable + "\"  # Fallback on help from " + name +
               " activate\nfi\nunset " + setup + "\n";
    case ShellKind::fish: return set_exe + set_root + "$" + variable + hook + "$MAMBA_ROOT_PREFIX | source\n";
    case ShellKind::csh:
        return "eval \"`" + quoted_for(kind, request.executable) + hook + quoted_for(kind, request.root_prefix) +
               "`\"\n";
    case ShellKind::xonsh:
        return "execx($(@(" + quoted_for(kind, request.executable) + ")" + hook + "@(" +
               quoted_for(kind, request.root_prefix) + ")))\n";
    case ShellKind::powershell:
        return set_exe + set_root + "(& $Env:" + variable + hook +
               "$Env:MAMBA_ROOT_PREFIX) | Out-String | Invoke-Expression\n";
    case ShellKind::nushell: return hook_text(request); // which cannot evaluate what a program prints
    }
    return {};
}

} // namespace

BlockMarks block_marks(ShellKind kind, std::string_view word) {
    const std::string name(word);
    if (kind == ShellKind::powershell) return {"#region " + name + " initialize", "#endregion"};
    return {"# >>> " + name + " initialize >>>", "# <<< " + name + " initialize <<<"};
}

std::string block_text(const HookRequest& request) {
    return framed(request, request.role == Role::conda ? conda_lines(request) : own_lines(request));
}

std::string path_block_text(const HookRequest& request) {
    const auto condabin = request.root_prefix + "/condabin";
    const auto word = quoted_for(request.shell.kind, condabin);
    switch (request.shell.kind) {
    case ShellKind::posix: return framed(request, "export PATH=" + word + ":\"$PATH\"\n");
    case ShellKind::fish: return framed(request, "set -gx PATH " + word + " $PATH\n");
    case ShellKind::csh: return framed(request, "setenv PATH " + word + ":\"$PATH\"\n");
    case ShellKind::xonsh: return framed(request, "$PATH.insert(0, " + word + ")\n");
    case ShellKind::powershell: return framed(request, "$Env:PATH = " + word + " + ':' + $Env:PATH\n");
    case ShellKind::nushell: return framed(request, "$env.PATH = ($env.PATH | prepend " + word + ")\n");
    }
    return {};
}

Result<std::string> with_block(std::string_view content, const BlockMarks& marks, std::string_view block) {
    TAIPAN_TRY(const auto place, find_block(content, marks));
    std::string text;
    if (place) return text.append(content.substr(0, place->begin)).append(block).append(content.substr(place->end));
    text.append(content);
    if (!content.empty() && content.back() != '\n') text.push_back('\n');
    text.push_back('\n'); // also in an empty file: setup-micromamba looks for the block behind a line feed
    return text.append(block);
}

Result<std::string> without_block(std::string_view content, const BlockMarks& marks) {
    TAIPAN_TRY(const auto place, find_block(content, marks));
    std::string text;
    if (!place) return text.append(content);
    auto before = content.substr(0, place->begin);
    if (before.ends_with("\n\n") || before == "\n") before.remove_suffix(1);
    return text.append(before).append(content.substr(place->end));
}

} // namespace taipan::cli
