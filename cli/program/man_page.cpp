#include "program/help.hpp"
#include "screen/text.hpp"

// `man`: the manual page in roff, from the tables that the parser and the help texts read.

namespace taipan::cli {

namespace {

/// Text that roff takes as it is.
std::string literal(std::string_view text) {
    std::string out;
    bool line_starts = true;
    for (const char c : text) {
        if (line_starts && (c == '.' || c == '\'')) out += "\\&";
        line_starts = c == '\n';
        if (c == '\\')
            out += "\\e";
        else if (c == '-')
            out += "\\-";
        else
            out.push_back(c);
    }
    return out;
}

std::string option_text(const Option& option) {
    std::string names;
    for (const auto name : split_words(option.positional() ? option.value : option.names, ',')) {
        names += (names.empty() ? "\\fB" : ", \\fB") + literal(name) + "\\fR";
    }
    if (!option.positional() && !option.value.empty()) names += " \\fI" + literal(option.value) + "\\fR";
    return ".TP\n" + names + "\n" + literal(option.help) + "\n";
}

std::string command_text(const CommandEntry& entry) {
    std::string text = ".SS taipan " + literal(entry.path) + " " + literal(entry.arguments) + "\n";
    text += literal(entry.summary) + "\n";
    if (!entry.aliases.empty()) text += "Other names: " + literal(entry.aliases) + ".\n";
    const auto command = entry.make();
    for (const auto& option : command->options()) {
        if (!option.help.empty()) text += option_text(option);
    }
    if (!entry.examples.empty()) text += ".PP\nExamples:\n.PP\n.nf\n.RS\n" + literal(entry.examples) + "\n.RE\n.fi\n";
    return text;
}

class ManualPage final : public Command {
public:
    Options options() override { return {}; }
    Result<int> run(Invocation& invocation) override {
        invocation.console.print(manual_page());
        return exit_success;
    }
};

} // namespace

std::string manual_page() {
    std::string text = ".TH TAIPAN 1 \"\" \"taipan " TAIPAN_VERSION "\" \"User Commands\"\n"
                       ".SH NAME\ntaipan \\- make environments out of conda packages, fast\n"
                       ".SH SYNOPSIS\n\\fBtaipan\\fR \\fICOMMAND\\fR [\\fIoptions\\fR]\n"
                       ".SH DESCRIPTION\n"
                       "taipan takes the place of conda, mamba and micromamba where environments are made: it reads "
                       "the same configuration, channels, environment files and lists, and makes the same "
                       "environments. Called through a link named conda, mamba or micromamba it behaves as that "
                       "program.\n.SH COMMANDS\n";
    for (const auto& entry : commands()) {
        if (!entry.summary.empty()) text += command_text(entry);
    }
    text +=
        ".SH ENVIRONMENT\n"
        ".TP\n\\fBMAMBA_ROOT_PREFIX\\fR\nwhere environments and packages are kept\n"
        ".TP\n\\fBCONDA_ENVS_DIRS\\fR, \\fBCONDA_PKGS_DIRS\\fR\nother places for them, separated by colons or commas\n"
        ".TP\n\\fBCONDA_\\fIKEY\\fR, \\fBMAMBA_\\fIKEY\\fR\nthe value of any key of .condarc\n"
        ".TP\n\\fBNO_COLOR\\fR\nno colours\n"
        ".SH FILES\n"
        ".TP\n\\fI~/.condarc\\fR, \\fI~/.mambarc\\fR, \\fI~/.config/conda/.condarc\\fR\nconfiguration of the user\n"
        ".TP\n\\fI~/.conda/environments.txt\\fR\nthe environments that were made\n"
        ".SH EXIT STATUS\n0 when all is well, 1 for an error, 2 for a command line that cannot be understood. "
        "`taipan run` ends as the program that it runs.\n";
    return text;
}

std::unique_ptr<Command> make_man() { return std::make_unique<ManualPage>(); }

} // namespace taipan::cli
