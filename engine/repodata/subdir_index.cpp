// The index of one channel subdir.
//
// Problem: conda-forge's repodata.json is a quarter of a gigabyte, half a million records, of which a request touches a
// few thousand. Approach: one scan with simdjson notes where each record lies and which name it has (from its file
// name, split from the right); nothing of a record is read until somebody asks for its name. What must hold:
//   - text_ is never changed after the scan: entries point into it, and name views do too;
//   - offsets are 32 bits wide, so a text of 4 GiB or more is refused (simdjson refuses it as well);
//   - a name's entries keep the order of the file, with `.conda` before `.tar.bz2`.
#include "repodata/subdir_index.hpp"

#include <algorithm>
#include <cstring>
#include <deque>
#include <limits>
#include <optional>
#include <unordered_map>
#include <utility>

#include <simdjson.h>

#include "repodata/base_url.hpp"
#include "repodata/record_json.hpp"

namespace taipan {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::int64_t newest_repodata_version = 2;

/// Where one record lies in the text.
struct Entry {
    std::uint32_t key, key_size;       ///< the file name
    std::uint32_t record, record_size; ///< `{...}`
    std::uint32_t twin;                ///< of a `.conda`: 1 + index of the `.tar.bz2` that it hides; else 0
};

/// Consecutive entries of one name in the file; then, after sorting, all entries of one name.
struct NameRange {
    std::string_view name;
    std::uint32_t first, count; ///< in the entries
};

} // namespace

struct SubdirIndex::State {
    Channel channel;
    std::string subdir;
    std::string text;
    std::string package_base; ///< URL of the directory with the packages
    std::string record_subdir;
    std::vector<Entry> entries;   ///< grouped by name
    std::vector<NameRange> names; ///< sorted
    std::deque<std::string> folded_names;
    ScanCounters counters;
    std::size_t size = 0;

    [[nodiscard]] std::string url() const { return channel.base_url + '/' + subdir + "/repodata.json"; }
    [[nodiscard]] std::string_view key(const Entry& entry) const {
        return std::string_view(text).substr(entry.key, entry.key_size);
    }
    Result<void> scan(bool use_only_tar_bz2);
    simdjson::error_code scan_document(ondemand::document& document, bool use_only_tar_bz2);
    simdjson::error_code scan_info(ondemand::value& value);
    simdjson::error_code scan_packages(ondemand::value& value, std::string_view extension,
                                       std::vector<NameRange>& runs);
    std::string_view lower_name(std::string_view name);
    void group(std::vector<NameRange>& runs, std::vector<Entry>& scanned);
    void hide_twins(std::uint32_t first, std::uint32_t& count);
    std::optional<PackageRecord> read(ondemand::parser& parser, const Entry& entry, std::string_view name) const;

    std::int64_t repodata_version = 1;
    std::string base_url, info_subdir;
};

Result<void> SubdirIndex::State::scan(bool use_only_tar_bz2) {
    if (text.size() >= std::numeric_limits<std::uint32_t>::max())
        return make_error(ErrorCode::parse, "The index " + url() + " is larger than 4 GiB");
    const std::size_t size_of_text = text.size();
    text.reserve(size_of_text + simdjson::SIMDJSON_PADDING);
    ondemand::parser parser;
    ondemand::document document;
    const simdjson::padded_string_view padded(text.data(), size_of_text, text.capacity());
    simdjson::error_code error = parser.iterate(padded).get(document);
    if (error == simdjson::SUCCESS) error = scan_document(document, use_only_tar_bz2);
    if (error != simdjson::SUCCESS)
        return make_error(ErrorCode::parse, "The index " + url() +
                                                " is not valid JSON of a channel: " + simdjson::error_message(error) +
                                                "; the server's copy may be damaged or incomplete");
    if (repodata_version > newest_repodata_version)
        return make_error(ErrorCode::parse,
                          "The index " + url() + " has repodata_version " + std::to_string(repodata_version) +
                              ", but this taipan reads versions up to " + std::to_string(newest_repodata_version));
    const std::string directory = channel.base_url + '/' + subdir;
    package_base = base_url.empty() ? directory : repodata::resolve_reference(directory, base_url);
    package_base = without_credentials(package_base);
    record_subdir = info_subdir.empty() ? subdir : info_subdir;
    return {};
}

simdjson::error_code SubdirIndex::State::scan_document(ondemand::document& document, bool use_only_tar_bz2) {
    ondemand::object object;
    if (auto error = document.get_object().get(object)) return error;
    std::vector<NameRange> runs;
    for (auto item : object) {
        ondemand::field field;
        if (auto error = std::move(item).get(field)) return error;
        std::string_view key;
        if (auto error = field.unescaped_key().get(key)) return error;
        ondemand::value& value = field.value();
        simdjson::error_code error = simdjson::SUCCESS;
        if (key == "packages")
            error = scan_packages(value, ".tar.bz2", runs);
        else if (key == "packages.conda" && !use_only_tar_bz2)
            error = scan_packages(value, ".conda", runs);
        else if (key == "info")
            error = scan_info(value);
        else if (key == "repodata_version")
            error = value.get_int64().get(repodata_version);
        else if (key == "removed") {
            ondemand::array removed;
            if (value.get_array().get(removed) == simdjson::SUCCESS)
                for (auto name : removed) {
                    if (name.error() != simdjson::SUCCESS) return name.error();
                    ++counters.removed;
                }
        }
        if (error != simdjson::SUCCESS) return error;
    }
    if (document.current_location().error() == simdjson::SUCCESS) return simdjson::TRAILING_CONTENT;
    std::vector<Entry> scanned = std::move(entries);
    group(runs, scanned);
    return simdjson::SUCCESS;
}

simdjson::error_code SubdirIndex::State::scan_info(ondemand::value& value) {
    ondemand::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) return simdjson::SUCCESS;
    for (auto item : object) {
        ondemand::field field;
        if (auto error = std::move(item).get(field)) return error;
        std::string_view key, content;
        if (auto error = field.unescaped_key().get(key)) return error;
        const bool is_base = key == "base_url";
        const bool is_version = key == "repodata_version";
        const bool is_subdir = key == "subdir";
        if (is_version) {
            if (auto error = field.value().get_int64().get(repodata_version)) return error;
        } else if ((is_base || is_subdir) && field.value().get_string().get(content) == simdjson::SUCCESS) {
            (is_base ? base_url : info_subdir).assign(content);
        }
    }
    return simdjson::SUCCESS;
}

std::string_view SubdirIndex::State::lower_name(std::string_view name) {
    const auto is_upper = [](char letter) { return letter >= 'A' && letter <= 'Z'; };
    if (std::none_of(name.begin(), name.end(), is_upper)) return name;
    std::string& lower = folded_names.emplace_back(name);
    for (char& letter : lower)
        if (is_upper(letter)) letter = static_cast<char>(letter - 'A' + 'a');
    return lower;
}

simdjson::error_code SubdirIndex::State::scan_packages(ondemand::value& value, std::string_view extension,
                                                       std::vector<NameRange>& runs) {
    ondemand::object object;
    if (auto error = value.get_object().get(object)) return error;
    const std::size_t first_run = runs.size(); // a run does not go on from one section into the next
    for (auto item : object) {
        ondemand::field field;
        if (auto error = std::move(item).get(field)) return error;
        const char* const key_start = field.key().raw();
        ondemand::object record;
        const auto record_error = field.value().get_object().get(record);
        if (record_error == simdjson::INCORRECT_TYPE) {
            ++counters.skipped;
            continue;
        }
        if (record_error != simdjson::SUCCESS) return record_error;
        std::string_view span;
        if (auto error = record.raw_json().get(span)) return error;
        const auto* const key_end = static_cast<const char*>(
            std::memchr(key_start, '"', static_cast<std::size_t>(text.data() + text.size() - key_start)));
        if (key_end == nullptr) return simdjson::UNCLOSED_STRING;
        const std::string_view file(key_start, static_cast<std::size_t>(key_end - key_start));
        const auto parts = split_package_filename(file);
        if (!parts || parts->extension != extension || file.find('\\') != std::string_view::npos) {
            ++counters.skipped;
            continue;
        }
        while (!span.empty() && span.back() != '}') span.remove_suffix(1); // raw_json keeps blanks behind the object
        const auto offset = [&](const char* at) { return static_cast<std::uint32_t>(at - text.data()); };
        const auto index = static_cast<std::uint32_t>(entries.size());
        entries.push_back({offset(key_start), static_cast<std::uint32_t>(file.size()), offset(span.data()),
                           static_cast<std::uint32_t>(span.size()), 0});
        const auto name = lower_name(parts->name);
        if (runs.size() > first_run && runs.back().name == name && runs.back().first + runs.back().count == index)
            ++runs.back().count;
        else
            runs.push_back({name, index, 1});
    }
    return simdjson::SUCCESS;
}

/// Brings the entries of each name together.
void SubdirIndex::State::group(std::vector<NameRange>& runs, std::vector<Entry>& scanned) {
    const auto is_conda = [&](const NameRange& run) { return key(scanned[run.first]).ends_with(".conda"); };
    std::stable_sort(runs.begin(), runs.end(), [&](const NameRange& a, const NameRange& b) {
        if (const int order = a.name.compare(b.name); order != 0) return order < 0;
        return is_conda(a) && !is_conda(b);
    });
    entries.clear();
    entries.reserve(scanned.size());
    for (std::size_t i = 0; i < runs.size();) {
        NameRange range{runs[i].name, static_cast<std::uint32_t>(entries.size()), 0};
        for (; i < runs.size() && runs[i].name == range.name; ++i) {
            const auto from = scanned.begin() + runs[i].first;
            entries.insert(entries.end(), from, from + runs[i].count);
            range.count += runs[i].count;
        }
        hide_twins(range.first, range.count);
        names.push_back(range);
        size += range.count;
    }
    names.shrink_to_fit();
}

/// A `.conda` hides the `.tar.bz2` of the same stem: the hidden ones move behind the visible `count` ones.
void SubdirIndex::State::hide_twins(std::uint32_t first, std::uint32_t& count) {
    if (!key(entries[first]).ends_with(".conda") || !key(entries[first + count - 1]).ends_with(".tar.bz2")) return;
    std::unordered_map<std::string_view, std::uint32_t> conda_of_stem;
    std::vector<Entry> visible, hidden;
    for (std::uint32_t i = first; i < first + count; ++i) {
        const auto stem = package_stem(key(entries[i]));
        if (key(entries[i]).ends_with(".conda")) {
            conda_of_stem.emplace(stem, static_cast<std::uint32_t>(visible.size()));
            visible.push_back(entries[i]);
        } else if (const auto found = conda_of_stem.find(stem); found != conda_of_stem.end()) {
            hidden.push_back(entries[i]);
            visible[found->second].twin = static_cast<std::uint32_t>(hidden.size());
        } else {
            visible.push_back(entries[i]);
        }
    }
    const auto visible_count = static_cast<std::uint32_t>(visible.size());
    for (auto& entry : visible)
        if (entry.twin != 0) entry.twin += first + visible_count;
    std::copy(visible.begin(), visible.end(), entries.begin() + first);
    std::copy(hidden.begin(), hidden.end(), entries.begin() + first + visible_count);
    counters.hidden += hidden.size();
    count = visible_count;
}

std::optional<PackageRecord> SubdirIndex::State::read(ondemand::parser& parser, const Entry& entry,
                                                      std::string_view name) const {
    const auto span = [&](const Entry& of) { return std::string_view(text).substr(of.record, of.record_size); };
    auto record = repodata::parse_record(parser, span(entry));
    if (!record || record->name != name) return std::nullopt;
    record->fn.assign(key(entry));
    record->url = package_base + '/' + record->fn;
    record->channel = channel.base_url;
    record->channel_name = channel.name;
    if (record->subdir.empty()) record->subdir = record_subdir;
    if (entry.twin != 0) {
        if (const auto twin = repodata::parse_record(parser, span(entries[entry.twin - 1]))) {
            record->legacy_bz2_md5 = twin->md5;
            record->legacy_bz2_size = twin->size;
        }
    }
    return record;
}

SubdirIndex::SubdirIndex(std::unique_ptr<State> state) : state_(std::move(state)) {}
SubdirIndex::SubdirIndex(SubdirIndex&&) noexcept = default;
SubdirIndex& SubdirIndex::operator=(SubdirIndex&&) noexcept = default;
SubdirIndex::~SubdirIndex() = default;

Result<SubdirIndex> SubdirIndex::parse(std::string json, const Channel& channel, std::string_view subdir,
                                       bool use_only_tar_bz2) {
    auto state = std::make_unique<State>();
    state->channel = channel;
    state->subdir.assign(subdir);
    state->text = std::move(json);
    TAIPAN_CHECK(state->scan(use_only_tar_bz2));
    return SubdirIndex(std::move(state));
}

SubdirIndex SubdirIndex::empty(const Channel& channel, std::string_view subdir) {
    auto state = std::make_unique<State>();
    state->channel = channel;
    state->subdir.assign(subdir);
    return SubdirIndex(std::move(state));
}

std::vector<std::string_view> SubdirIndex::names() const {
    std::vector<std::string_view> names;
    names.reserve(state_->names.size());
    for (const auto& range : state_->names) names.push_back(range.name);
    return names;
}

Result<std::vector<PackageRecord>> SubdirIndex::records(std::string_view name, std::size_t* broken) const {
    std::vector<PackageRecord> records;
    const auto& names = state_->names;
    const auto range = std::lower_bound(names.begin(), names.end(), name,
                                        [](const NameRange& a, std::string_view b) { return a.name < b; });
    if (range == names.end() || range->name != name) return records;
    records.reserve(range->count);
    ondemand::parser parser;
    for (std::uint32_t i = range->first; i < range->first + range->count; ++i) {
        if (auto record = state_->read(parser, state_->entries[i], name))
            records.push_back(std::move(*record));
        else if (broken != nullptr)
            ++*broken;
    }
    return records;
}

const Channel& SubdirIndex::channel() const { return state_->channel; }
std::string_view SubdirIndex::subdir() const { return state_->subdir; }
std::size_t SubdirIndex::size() const { return state_->size; }
const ScanCounters& SubdirIndex::counters() const { return state_->counters; }

} // namespace taipan
