#include "program/parser.hpp"

#include <algorithm>
#include <numeric>
#include <type_traits>
#include <utility>

#include <CLI/CLI.hpp>

// CLI11 behind a table: each Option becomes one CLI11 option. CLI11's exceptions end here. Values are taken one at a
// time (`-c A -c B`), since `-c A spec` must not swallow the spec, and the last of repeated single values wins, as with
// conda's argparse.

namespace taipan::cli {

namespace {

template <class Target> void add_value(CLI::App& app, const Option& option, Target& target) {
    const std::function<void(const std::string&)> store = [&target](const std::string& text) { target = text; };
    app.add_option_function(option.names, store)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

void add_option(CLI::App& app, const Option& option) {
    std::visit(
        [&](auto* target) {
            using Target = std::remove_pointer_t<decltype(target)>;
            if constexpr (std::is_same_v<Target, bool> || std::is_same_v<Target, std::optional<bool>>) {
                app.add_flag_callback(option.names, [target, value = option.flag_value] { *target = value; });
            } else if constexpr (std::is_same_v<Target, int>) {
                app.add_flag(option.names, [target](std::int64_t count) { *target = static_cast<int>(count); });
            } else if constexpr (std::is_same_v<Target, std::string>) {
                if (option.implied_value.empty())
                    add_value(app, option, *target);
                else
                    app.add_flag(option.names + '{' + option.implied_value + '}', *target);
            } else if constexpr (std::is_same_v<Target, std::vector<std::string>>) {
                auto* added = app.add_option(option.names, *target);
                if (!option.positional()) added->allow_extra_args(false);
            } else if constexpr (std::is_same_v<Target, std::vector<std::pair<std::string, std::string>>>) {
                app.add_option(option.names, *target)->allow_extra_args(false);
            } else {
                add_value(app, option, *target);
            }
        },
        option.target);
}

/// The words that are ours when the first plain word ends our options; moves the rest to `rest`.
std::vector<std::string> split_at_first_word(const Options& options, std::vector<std::string> words,
                                             std::vector<std::string>& rest) {
    const auto takes_value = [&](const std::string& word) {
        return std::any_of(options.begin(), options.end(), [&](const Option& option) {
            return !option.positional() && option.takes_value() &&
                   (',' + option.names + ',').find(',' + word + ',') != std::string::npos;
        });
    };
    std::size_t end = 0;
    while (end < words.size() && words[end].size() > 1 && words[end].front() == '-' && words[end] != "--") {
        end += takes_value(words[end]) ? std::size_t{2} : std::size_t{1};
    }
    end = std::min(end, words.size());
    const std::size_t start = end < words.size() && words[end] == "--" ? end + 1 : end;
    rest.assign(words.begin() + static_cast<std::ptrdiff_t>(start), words.end());
    words.resize(end);
    return words;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, changed}));
        }
    }
    return row.back();
}

/// CLI11's words for an unknown option, with the option that was probably meant.
std::string unknown_option(const Options& options, const CLI::App& app) {
    const auto extras = app.remaining();
    if (extras.empty()) return "unexpected argument";
    const std::string word = extras.front().substr(0, extras.front().find('='));
    std::string message = (word.starts_with('-') ? "unknown option " : "unexpected argument ") + extras.front();
    std::vector<std::string> names;
    for (const auto& option : options) {
        for (const auto& name : CLI::detail::split(option.names, ',')) {
            if (name.starts_with("--")) names.push_back(name);
        }
    }
    const auto nearest = nearest_word(word, {names.begin(), names.end()});
    if (word.starts_with("--") && !nearest.empty()) message += "; did you mean " + std::string(nearest) + "?";
    return message;
}

} // namespace

std::string_view nearest_word(std::string_view word, const std::vector<std::string_view>& candidates) {
    std::string_view best;
    std::size_t least = std::max<std::size_t>(1, word.size() / 3) + 1;
    for (const auto candidate : candidates) {
        if (const auto distance = edit_distance(word, candidate); distance < least) {
            least = distance;
            best = candidate;
        }
    }
    return best;
}

ParseOutcome parse_options(const Options& options, std::vector<std::string> words, bool ends_at_first_word) {
    ParseOutcome outcome;
    std::vector<std::string> rest;
    if (ends_at_first_word) words = split_at_first_word(options, std::move(words), rest);
    CLI::App app;
    app.set_help_flag();
    app.allow_extras();
    try {
        app.add_flag("-h,--help", outcome.help);
        for (const auto& option : options) {
            if (!(ends_at_first_word && option.positional())) add_option(app, option);
        }
        std::reverse(words.begin(), words.end()); // CLI11 wants them so
        app.parse(std::move(words));
        if (!outcome.help && app.remaining_size() > 0) outcome.error = unknown_option(options, app);
    } catch (const CLI::Error& failure) {
        outcome.error = failure.what();
    }
    for (const auto& option : options) {
        if (ends_at_first_word && option.positional()) *std::get<std::vector<std::string>*>(option.target) = rest;
    }
    return outcome;
}

} // namespace taipan::cli
