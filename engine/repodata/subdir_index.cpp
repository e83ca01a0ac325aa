#include "repodata/subdir_index.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <unordered_map>
#include <utility>

#include "repodata/base_url.hpp"
#include "repodata/batch_parser.hpp"
#include "repodata/index_builder.hpp"
#include "repodata/splitter.hpp"

namespace taipan {

using namespace repodata;

struct SubdirIndex::State {
    Channel channel;
    std::string subdir;
    std::string package_base; ///< URL of the directory with the packages
    std::string record_subdir;
    std::optional<IndexFile> file; ///< always there once it is made

    [[nodiscard]] PackageRecord package(const RecordView& view) const;
};

namespace {

std::vector<std::string> copies(std::span<const std::string_view> texts) { return {texts.begin(), texts.end()}; }

/// A `.conda` hides the `.tar.bz2` of the same stem, and remembers its md5 and size.
class TwinHider {
public:
    /// Whether `next` is hidden by one of `records`, the packages before it. `.conda` packages come first.
    bool hides(const RecordView& next, std::vector<PackageRecord>& records) {
        const auto stem = package_stem(next.fn);
        if (next.fn.ends_with(".conda")) {
            by_stem_.emplace(stem, records.size());
            return false;
        }
        const auto twin = by_stem_.find(stem);
        if (twin == by_stem_.end()) return false;
        records[twin->second].legacy_bz2_md5 = next.md5;
        records[twin->second].legacy_bz2_size = next.size;
        return true;
    }

private:
    std::unordered_map<std::string_view, std::size_t> by_stem_;
};

Result<IndexFile> index_in_memory(std::string_view json, bool use_only_tar_bz2) {
    MemoryStore store;
    IndexBuilder builder(store);
    BatchParser parser;
    Result<void> parsed;
    Splitter splitter(
        Buffer::of_size,
        [&](const Batch& batch) {
            if (!parsed) return;
            if (auto result = parser.parse(batch))
                parsed = builder.add(*result);
            else
                parsed = std::move(result).error();
        },
        use_only_tar_bz2);
    while (!json.empty()) {
        const auto space = splitter.space();
        const std::size_t count = std::min(space.size(), json.size());
        std::memcpy(space.data(), json.data(), count);
        json.remove_prefix(count);
        TAIPAN_CHECK(splitter.advance(count));
    }
    TAIPAN_TRY(const auto skeleton, splitter.finish());
    TAIPAN_CHECK(std::move(parsed));
    TAIPAN_CHECK(builder.read_skeleton(skeleton, use_only_tar_bz2));
    TAIPAN_CHECK(builder.seal({}));
    return IndexFile::of_bytes(store.take());
}

} // namespace

PackageRecord SubdirIndex::State::package(const RecordView& view) const {
    PackageRecord record;
    record.name = view.name;
    record.version = view.version;
    record.build = view.build;
    record.build_number = view.build_number;
    record.channel = channel.base_url;
    record.channel_name = channel.name;
    record.subdir = view.subdir.empty() ? std::string_view(record_subdir) : view.subdir;
    record.fn = view.fn;
    record.url.reserve(package_base.size() + 1 + view.fn.size());
    record.url.append(package_base).append("/").append(view.fn);
    record.md5 = view.md5;
    record.sha256 = view.sha256;
    record.size = view.size;
    record.legacy_bz2_md5 = view.legacy_bz2_md5;
    record.legacy_bz2_size = view.legacy_bz2_size;
    record.depends = copies(view.depends);
    record.constrains = copies(view.constrains);
    record.noarch = view.noarch;
    record.track_features = view.track_features;
    record.features = view.features;
    record.license = view.license;
    record.license_family = view.license_family;
    record.timestamp = view.timestamp;
    record.python_site_packages_path = view.python_site_packages_path;
    record.arch = view.arch;
    record.platform = view.platform;
    record.date = view.date;
    return record;
}

SubdirIndex::SubdirIndex(IndexFile file, const Channel& channel, std::string_view subdir) {
    const IndexInfo info = file.info();
    *this = SubdirIndex(std::move(file), info, channel, subdir);
}

SubdirIndex::SubdirIndex(IndexFile file, const IndexInfo& info, const Channel& channel, std::string_view subdir)
    : state_(std::make_unique<State>()) {
    state_->channel = channel;
    state_->subdir.assign(subdir);
    const std::string directory = channel.base_url + '/' + state_->subdir;
    state_->package_base =
        without_credentials(info.base_url.empty() ? directory : resolve_reference(directory, info.base_url));
    state_->record_subdir = info.subdir.empty() ? state_->subdir : info.subdir;
    state_->file = std::move(file);
}

SubdirIndex::SubdirIndex(SubdirIndex&&) noexcept = default;
SubdirIndex& SubdirIndex::operator=(SubdirIndex&&) noexcept = default;
SubdirIndex::~SubdirIndex() = default;

Result<SubdirIndex> SubdirIndex::parse(std::string_view json, const Channel& channel, std::string_view subdir,
                                       bool use_only_tar_bz2) {
    auto file = index_in_memory(json, use_only_tar_bz2);
    if (file) return SubdirIndex(std::move(*file), channel, subdir);
    Error error = std::move(file).error();
    error.message = "The index " + channel.base_url + '/' + std::string(subdir) + "/repodata.json " + error.message;
    return error;
}

SubdirIndex SubdirIndex::empty(const Channel& channel, std::string_view subdir) {
    // An empty text of an index cannot fail to be read.
    auto index = parse("{}", channel, subdir);
    return std::move(*index);
}

bool SubdirIndex::has(std::string_view name) const { return state_->file->find(name).has_value(); }

std::vector<std::string_view> SubdirIndex::names() const { return names_with_prefix({}); }

std::vector<std::string_view> SubdirIndex::names_with_prefix(std::string_view prefix) const {
    const IndexFile& file = *state_->file;
    std::vector<std::string_view> names;
    for (std::size_t at = file.lower_bound(prefix); at < file.name_count() && file.name(at).starts_with(prefix); ++at)
        names.push_back(file.name(at));
    return names;
}

Result<std::vector<PackageRecord>> SubdirIndex::records(std::string_view name) const {
    std::vector<PackageRecord> records;
    const auto at = state_->file->find(name);
    if (!at) return records;
    TAIPAN_TRY(const auto blocks, state_->file->blocks(*at));
    std::size_t count = 0;
    for (const auto& block : blocks) count += block.size();
    records.reserve(count);
    Arena arena;
    TwinHider hider;
    for (const auto& block : blocks) {
        for (std::uint32_t i = 0; i < block.size(); ++i) {
            TAIPAN_TRY(const RecordView view, block.record(i, arena));
            if (blocks.size() > 1 && hider.hides(view, records)) continue;
            records.push_back(state_->package(view));
        }
    }
    return records;
}

Result<std::vector<std::string_view>> SubdirIndex::needed_names(std::string_view name) const {
    std::vector<std::string_view> needed;
    const auto at = state_->file->find(name);
    if (!at) return needed;
    TAIPAN_TRY(const auto blocks, state_->file->blocks(*at));
    for (const auto& block : blocks) {
        TAIPAN_TRY(const auto names, block.needed_names());
        needed.insert(needed.end(), names.begin(), names.end());
    }
    return needed;
}

const Channel& SubdirIndex::channel() const { return state_->channel; }
std::string_view SubdirIndex::subdir() const { return state_->subdir; }
std::size_t SubdirIndex::size() const { return static_cast<std::size_t>(state_->file->counters().records); }
const IndexCounters& SubdirIndex::counters() const { return state_->file->counters(); }

} // namespace taipan
