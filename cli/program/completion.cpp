#include "program/completion.hpp"

#include <algorithm>

#include "program/completion_values.hpp"
#include "screen/text.hpp"

// Completion from the tables that the parser and the help read. A command is found by its words; its options say which
// names there are and which of them take a value; what a value can be follows from its placeholder in the help text.

namespace taipan::cli {

namespace {

using Words = std::vector<std::string>;

bool is_option(const std::string& word) { return word.size() > 1 && word.front() == '-'; }

/// How many of the words that are complete name this command; 0 for another one.
std::size_t matched(const CommandEntry& entry, const Words& words) {
    const auto path = split_words(entry.path);
    const auto aliases = split_words(entry.aliases);
    if (words.size() < path.size() + 1) return 0;
    for (std::size_t i = 0; i < path.size(); ++i) {
        const bool by_alias =
            i + 1 == path.size() && std::find(aliases.begin(), aliases.end(), words[i]) != aliases.end();
        if (words[i] != path[i] && !by_alias) return 0;
    }
    return path.size();
}

/// The next words of commands that begin with all words but the last.
void add_command_words(const Words& words, Completion& completion) {
    std::string prefix;
    for (std::size_t i = 0; i + 1 < words.size(); ++i) prefix += words[i] + ' ';
    for (const auto& entry : commands()) {
        if (!entry.path.starts_with(prefix) || entry.summary.empty()) continue;
        const auto rest = split_words(entry.path.substr(prefix.size()));
        if (rest.empty() || !rest.front().starts_with(words.back())) continue;
        const std::string name(rest.front());
        const bool there = std::any_of(completion.candidates.begin(), completion.candidates.end(),
                                       [&](const auto& candidate) { return candidate.text == name; });
        if (!there) completion.candidates.push_back({name, rest.size() == 1 ? std::string(entry.summary) : ""});
    }
}

const Option* find_option(const Options& options, std::string_view name) {
    for (const auto& option : options) {
        if (option.positional()) continue;
        const auto names = split_words(option.names, ',');
        if (std::find(names.begin(), names.end(), name) != names.end()) return &option;
    }
    return nullptr;
}

void add_option_names(const Options& options, const std::string& current, Completion& completion) {
    for (const auto& option : options) {
        if (option.positional() || option.help.empty()) continue;
        for (const auto name : split_words(option.names, ',')) {
            const bool fits = name.starts_with(current) &&
                              (current.starts_with("--") || current.size() < 2 || !name.starts_with("--"));
            if (fits) completion.candidates.push_back({std::string(name), option.help});
        }
    }
    if (std::string_view("--help").starts_with(current)) completion.candidates.push_back({"--help", "show the help"});
}

void complete_command(const Invocation& invocation, const CommandEntry& entry, const Words& words,
                      Completion& completion) {
    const auto command = entry.make();
    const auto options = command->options();
    ValueRequest request{invocation, entry.path, {}, {}, words.back()};
    const Option* waiting = nullptr; // the option that the next word is the value of
    bool only_words = false, ended = false;
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
        const auto& word = words[i];
        if (waiting != nullptr) {
            if (waiting->names.starts_with("-n,")) request.name = word;
            if (waiting->names.starts_with("-p,")) request.prefix = word;
            waiting = nullptr;
        } else if (word == "--") {
            only_words = true;
        } else if (!only_words && is_option(word)) {
            const auto* option = find_option(options, word);
            if (option != nullptr && option->takes_value()) waiting = option;
        } else if (command->ends_at_first_word()) {
            ended = true;
            break;
        }
    }
    if (ended) { // the words are another program's
        completion.files = true;
        return;
    }
    const auto& current = words.back();
    if (waiting != nullptr) {
        add_values(*waiting, request, completion);
    } else if (const auto mark = current.find('='); !only_words && current.starts_with("--") && mark != current.npos) {
        const auto* option = find_option(options, current.substr(0, mark));
        request.typed = current.substr(mark + 1);
        if (option == nullptr || !option->takes_value()) return;
        add_values(*option, request, completion);
        for (auto& candidate : completion.candidates) candidate.text.insert(0, current, 0, mark + 1);
    } else if (!only_words && current.starts_with('-')) {
        add_option_names(options, current, completion);
    } else {
        for (const auto& option : options) {
            if (option.positional()) add_values(option, request, completion);
        }
    }
}

/// A command line as words; the last one is what the cursor is at the end of.
Words split_line(std::string_view line) {
    Words words(1);
    char quote = 0;
    bool started = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (quote != 0) {
            if (c == quote)
                quote = 0;
            else
                words.back().push_back(c);
        } else if (c == '\'' || c == '"') {
            quote = c;
            started = true;
        } else if (c == '\\' && i + 1 < line.size()) {
            words.back().push_back(line[++i]);
        } else if (c == ' ' || c == '\t' || c == '\n') {
            if (started || !words.back().empty()) words.emplace_back();
            started = false;
        } else {
            words.back().push_back(c);
        }
    }
    return words;
}

} // namespace

Completion complete(const Invocation& invocation, const Words& words) {
    Completion completion;
    if (words.empty()) return completion;
    const CommandEntry* best = nullptr;
    std::size_t length = 0;
    for (const auto& entry : commands()) {
        if (const auto count = matched(entry, words); count > length) {
            best = &entry;
            length = count;
        }
    }
    add_command_words(words, completion);
    if (best != nullptr) {
        complete_command(invocation, *best, Words(words.begin() + static_cast<std::ptrdiff_t>(length), words.end()),
                         completion);
    } else if (words.size() == 1 && words.front().starts_with('-')) {
        for (const auto* name : {"--help", "--version"}) {
            if (std::string_view(name).starts_with(words.front())) completion.candidates.push_back({name, ""});
        }
    }
    return completion;
}

int run_completer(Invocation& invocation, Words words) {
    bool described = false;
    std::string breaks;
    std::size_t at = 0;
    for (; at < words.size(); ++at) {
        if (words[at] == "--described") {
            described = true;
        } else if (words[at] == "--breaks" && at + 1 < words.size()) {
            breaks = words[++at];
        } else if (words[at] == "--line" && at + 1 < words.size()) {
            auto line = split_line(words[at + 1]);
            line.erase(line.begin()); // the program
            words = std::move(line);
            at = 0;
            break;
        } else {
            if (words[at] == "--") ++at;
            break;
        }
    }
    words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(std::min(at, words.size())));
    const auto completion = complete(invocation, words);
    if (completion.files || completion.folders) {
        invocation.console.print(completion.files ? ":files\n" : ":folders\n");
    }
    // bash replaces only what follows the last of its break characters.
    const auto broken = words.empty() ? std::string::npos : words.back().find_last_of(breaks);
    const auto skipped = broken == std::string::npos ? 0 : broken + 1;
    for (const auto& candidate : completion.candidates) {
        // What has blanks or starts with ':' could not be told from the rest.
        if (candidate.text.size() < skipped || candidate.text.find_first_of(" \t\n:") == 0) continue;
        std::string line = candidate.text.substr(skipped);
        if (described && !candidate.description.empty()) line += '\t' + candidate.description;
        invocation.console.print(line + '\n');
    }
    return exit_success;
}

} // namespace taipan::cli
