#include "solve/explain_words.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace taipan::solve_detail {
namespace {

constexpr std::size_t shown_versions = 5;
constexpr std::size_t shown_alternatives = 4;

/// What a virtual package stands for, and the variable that states it for another machine.
struct VirtualWords {
    std::string_view name, meaning, variable;
};
constexpr std::array<VirtualWords, 7> virtual_words = {{
    {"__cuda", "the CUDA version of the NVIDIA driver", "CONDA_OVERRIDE_CUDA"},
    {"__cuda_arch", "the compute capability of the GPU", "CONDA_OVERRIDE_CUDA_ARCH"},
    {"__glibc", "the C library of the system", "CONDA_OVERRIDE_GLIBC"},
    {"__linux", "the Linux kernel", "CONDA_OVERRIDE_LINUX"},
    {"__osx", "macOS", "CONDA_OVERRIDE_OSX"},
    {"__win", "Windows", "CONDA_OVERRIDE_WIN"},
    {"__archspec", "the processor's architecture", "CONDA_OVERRIDE_ARCHSPEC"},
}};

/// The text behind the name of a dependency, when it is written as "name rest".
std::string_view without_name(std::string_view text, std::string_view name) {
    if (text.starts_with(name) && text.size() > name.size() && text[name.size()] == ' ')
        return text.substr(name.size() + 1);
    return text;
}

} // namespace

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
    std::string text;
    for (const auto& part : parts) {
        if (!text.empty()) text += separator;
        text += part;
    }
    return text;
}

std::string Words::package(EntryId id) const {
    const auto& record = catalog_.entry(id).record;
    return record.name + ' ' + record.version + ' ' + record.build;
}

std::string Words::instead_of(const MatchSpec& spec, std::vector<EntryId> entries) const {
    if (!spec.build()) return versions(std::move(entries));
    std::string plain = spec.name();
    if (spec.version()) plain += "[version='" + spec.version()->text() + "']";
    const auto any_build = MatchSpec::parse(plain);
    std::vector<EntryId> others;
    for (const EntryId id : entries)
        if (any_build && catalog_.matches(*any_build, id)) others.push_back(id);
    if (others.empty()) return versions(std::move(entries));
    std::stable_sort(others.begin(), others.end(),
                     [&](EntryId a, EntryId b) { return catalog_.entry(b).version < catalog_.entry(a).version; });
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < std::min(others.size(), shown_versions); ++i) {
        const auto& record = catalog_.entry(others[i]).record;
        texts.push_back(record.version + ' ' + record.build);
    }
    const std::size_t hidden = others.size() - texts.size();
    return join(texts, ", ") + (hidden != 0 ? " and " + std::to_string(hidden) + " more" : "");
}

std::string Words::versions(std::vector<EntryId> entries) const {
    std::stable_sort(entries.begin(), entries.end(),
                     [&](EntryId a, EntryId b) { return catalog_.entry(a).version < catalog_.entry(b).version; });
    std::vector<std::string> texts;
    for (const EntryId id : entries) {
        const auto& version = catalog_.entry(id).record.version;
        if (texts.empty() || texts.back() != version) texts.push_back(version);
    }
    const std::size_t hidden = texts.size() > shown_versions ? texts.size() - shown_versions : 0;
    texts.erase(texts.begin(), texts.begin() + static_cast<std::ptrdiff_t>(hidden));
    return join(texts, ", ") + (hidden != 0 ? " and " + std::to_string(hidden) + " older" : "");
}

/// Many alternatives often are the builds of few versions: those count as one.
std::vector<std::string> Words::distinct_alternatives(const std::vector<DependencyId>& ids) const {
    std::vector<std::pair<std::string, std::size_t>> counted;
    for (const DependencyId id : ids) {
        const auto& dependency = catalog_.dependency(id);
        const std::string_view name = dependency.spec ? std::string_view(dependency.spec->name()) : std::string_view();
        std::string_view text = dependency.text;
        if (!counted.empty()) text = without_name(text, name);
        if (ids.size() > shown_alternatives && dependency.spec && dependency.spec->build()) {
            const auto blank = text.rfind(' ');
            if (blank != std::string_view::npos) text = text.substr(0, blank);
        }
        const auto same = [&](const auto& one) { return without_name(one.first, name) == without_name(text, name); };
        const auto found = std::find_if(counted.begin(), counted.end(), same);
        if (found == counted.end())
            counted.emplace_back(text, 1);
        else
            ++found->second;
    }
    std::vector<std::string> texts;
    for (const auto& [text, count] : counted)
        texts.push_back(count == 1 ? text : text + " (" + std::to_string(count) + " builds)");
    return texts;
}

std::string Words::alternatives(const std::vector<DependencyId>& ids) const {
    auto texts = distinct_alternatives(ids);
    const std::size_t hidden = texts.size() > shown_alternatives ? texts.size() - shown_alternatives : 0;
    texts.resize(texts.size() - hidden);
    return join(texts, " | ") + (hidden == 0 ? "" : " and " + std::to_string(hidden) + " more");
}

std::string Words::origin(const Job& job) const {
    const auto& dependency = catalog_.dependency(job.dependency);
    const auto& request = catalog_.request();
    const auto is_this = [&](const MatchSpec& spec) { return spec.to_string() == dependency.text; };
    if (std::any_of(request.install.begin(), request.install.end(), is_this) ||
        std::any_of(request.update.begin(), request.update.end(), is_this))
        return "requested";
    if (dependency.spec && request.history.contains(dependency.spec->name())) return "requested earlier";
    return "pinned";
}

std::string Words::impossible(const std::string& which, const Entry& entry) const {
    const auto& dependency = catalog_.dependency(*entry.impossible);
    if (!dependency.spec) return which + " has a dependency that cannot be read: \"" + dependency.text + '"';
    const std::string& name = dependency.spec->name();
    std::vector<std::string> here;
    for (const auto& record : catalog_.request().virtual_packages)
        if (record.name == name)
            here.push_back(record.build == "0" ? record.version : record.version + ' ' + record.build);
    const auto words = std::find_if(virtual_words.begin(), virtual_words.end(),
                                    [&](const VirtualWords& one) { return one.name == name; });
    std::string text = which + " needs " + dependency.text;
    if (words != virtual_words.end()) text += " (" + std::string(words->meaning) + ')';
    text += here.empty() ? ", which this system does not have" : ", and this system has " + join(here, ", ");
    if (words != virtual_words.end()) text += "; " + std::string(words->variable) + " states what another system has";
    return text;
}

std::string Words::pinned(const std::string& which, const std::string& name) const {
    std::vector<std::string> pins;
    const auto [begin, end] = plan_.limits.pins.equal_range(name);
    for (auto pin = begin; pin != end; ++pin)
        if (pin->second.reason == Block::pin) pins.push_back(pin->second.spec.to_string());
    return which + " is excluded by the pin " + join(pins, ", ") +
           " (conda-meta/pinned or pinned_packages; --no-pin ignores pins)";
}

std::string Words::hidden(const std::string& which, const Entry& entry) const {
    const Entry* above = &entry;
    for (const EntryId id : catalog_.name(entry.name).entries)
        if (catalog_.entry(id).channel_priority > above->channel_priority) above = &catalog_.entry(id);
    return which + " of " + entry.record.channel_name + " is hidden by " + above->record.channel_name +
           ", a channel above it that has " + entry.record.name + " too (channel priority is strict)";
}

std::string Words::blocked(Block block, const std::vector<EntryId>& entries) const {
    const Entry& first = catalog_.entry(entries.front());
    const std::string& name = catalog_.name(first.name).text;
    const std::string which = name + ' ' + versions(entries);
    const auto installed = catalog_.name(first.name).installed;
    const std::string present = installed ? catalog_.entry(*installed).record.version : std::string();
    switch (block) {
    case Block::impossible: return impossible(which, first);
    case Block::strict_priority: return hidden(which, first);
    case Block::pin: return pinned(which, name);
    case Block::python_minor:
        return which + " would move python from " + present +
               " to another minor version, which has to be asked for (python=X.Y)";
    case Block::frozen: return name + " is to stay at " + present + ", not " + versions(entries);
    case Block::downgrade: return which + " would be older than the installed " + present;
    case Block::none: break;
    }
    return which + " cannot be installed";
}

std::string Words::why_blocked(const std::vector<EntryId>& some) const {
    // One entry each: those that need different things of the system are told apart.
    std::map<std::pair<Block, DependencyId>, std::vector<EntryId>> groups;
    for (const EntryId entry : some)
        if (const Block block = reach_.block(entry); block != Block::none)
            groups[{block, block == Block::impossible ? *catalog_.entry(entry).impossible : 0}].push_back(entry);
    std::vector<std::string> texts;
    for (const auto& [reason, entries] : groups) texts.push_back(blocked(reason.first, entries));
    return join(texts, "; ");
}

std::string Words::why_none(DependencyId id) {
    if (!catalog_.answer(id)) return "the channels cannot be read";
    const Dependency& dependency = catalog_.dependency(id);
    if (!dependency.spec) return "it is no valid requirement";
    std::vector<EntryId> all;
    for (const NameId name : dependency.names) {
        const auto& entries = catalog_.name(name).entries;
        all.insert(all.end(), entries.begin(), entries.end());
    }
    if (dependency.matches.empty()) {
        const auto platforms = join(catalog_.source().other_platforms(*dependency.spec), ", ");
        if (!all.empty())
            return "no such version or build; there is " + instead_of(*dependency.spec, std::move(all)) +
                   (platforms.empty() ? "" : " (it exists for " + platforms + ')');
        return platforms.empty() ? "no channel that was searched has a package of that name"
                                 : "it exists for " + platforms + " only";
    }
    const std::string reasons = why_blocked(dependency.matches);
    return reasons.empty() ? "nothing that fulfils it can be installed" : reasons;
}

} // namespace taipan::solve_detail
