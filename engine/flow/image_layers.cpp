// Problem: a layer is a compressed tar of up to gigabytes, and must be the same whatever the machine, the number of
// cores and the state of the caches. Approach: one thread makes the tar in chunks of one size, all compress them, one
// writes them in order. What is in the tar comes from the package alone: the times of its files (the bytecode in it
// names them), and for what is made here the time of the package. What must hold: the key of a layer names everything
// that its bytes depend on.

#include "flow/image_layers.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include <tbb/parallel_pipeline.h>

#include "base/digest.hpp"
#include "base/temporary_name.hpp"
#include "flow/first_error.hpp"
#include "link/placed_content.hpp"

namespace taipan {

namespace {

constexpr std::string_view key_head = "taipan image layer 1\n";
constexpr std::int64_t first_of_1980 = 315532800;
constexpr std::int64_t largest_seconds = 253402300799; // the end of 9999; larger timestamps count milliseconds
constexpr std::size_t gzip_window = std::size_t{32} << 10U;

/// The owner's rights for all, but writing for the owner only: whatever the umask of who extracted the package.
mode_t settled_mode(mode_t mode) {
    const mode_t owner = mode & 0700U;
    const mode_t shared = (owner & 0500U) >> 3U;
    return owner | shared | (shared >> 3U);
}

/// `a/b` -> `a`, `a/b`.
std::vector<std::string> with_parents(std::string_view path) {
    std::vector<std::string> paths;
    for (; !path.empty(); path = parent_path(path)) paths.emplace_back(path);
    return paths;
}

TarItem directory_item(std::string path, std::int64_t moment) {
    TarItem item;
    item.kind = TarItem::Kind::directory;
    item.path = std::move(path);
    item.mode = 0755;
    item.modified = moment;
    return item;
}

bool is_rewritten(PlaceKind kind) { return kind == PlaceKind::rewrite_text || kind == PlaceKind::rewrite_binary; }

} // namespace

std::int64_t moment_of_package(const PackageRecord& record) {
    const std::int64_t timestamp = record.timestamp.value_or(0);
    return std::max(first_of_1980, timestamp > largest_seconds ? timestamp / 1000 : timestamp);
}

/// The members of a layer, in the order of their paths, which is that of the tar.
class LayerMaker::PackageItems {
public:
    PackageItems(const std::vector<const ImagePackage*>& packages, const std::string& root, StoredLayer& layer)
        : packages_(packages), root_(root), layer_(layer), readers_(packages.size()) {
        std::set<std::string> directories;
        for (const auto& path : with_parents(root)) directories.insert(path);
        for (std::size_t p = 0; p < packages.size(); ++p) {
            moment_ = std::max(moment_, moment_of_package(packages[p]->record));
            for (const std::string& directory : packages[p]->directories) directories.insert(root + '/' + directory);
            for (std::uint32_t i = 0; i < packages[p]->plan.actions.size(); ++i) {
                if (packages[p]->hidden[i]) continue;
                members_.push_back({root + '/' + packages[p]->targets[i], p, i});
            }
        }
        for (const auto& directory : directories) members_.push_back({directory, no_package, 0});
        std::sort(members_.begin(), members_.end(), [](const Member& a, const Member& b) { return a.path < b.path; });
    }

    Result<std::optional<TarItem>> next() {
        if (next_ == members_.size()) return std::optional<TarItem>();
        Member& member = members_[next_++];
        if (member.package == no_package) return std::optional(directory_item(std::move(member.path), moment_));
        TAIPAN_TRY(PlacedContent content, read(member.package, member.action));
        TarItem item;
        item.path = std::move(member.path);
        item.modified = content.modified;
        if (item.modified == 0) item.modified = moment_of_package(packages_[member.package]->record);
        if (content.symlink) {
            item.kind = TarItem::Kind::symlink;
            item.mode = 0777;
            item.target = std::move(content.bytes);
        } else {
            item.mode = settled_mode(content.mode);
            item.size = content.size;
            item.bytes = std::move(content.bytes);
            item.fd = std::move(content.fd);
        }
        return std::optional(std::move(item));
    }

    /// What the records say of files that lost their path to another package's.
    Result<void> read_hidden() {
        for (std::size_t p = 0; p < packages_.size(); ++p) {
            for (std::uint32_t i = 0; i < packages_[p]->plan.actions.size(); ++i) {
                if (packages_[p]->hidden[i] && is_rewritten(packages_[p]->plan.actions[i].kind)) {
                    TAIPAN_TRY(const auto content, read(p, i));
                    static_cast<void>(content);
                }
            }
        }
        return {};
    }

private:
    static constexpr std::size_t no_package = static_cast<std::size_t>(-1);
    struct Member {
        std::string path;
        std::size_t package = no_package;
        std::uint32_t action = 0;
    };

    Result<PlacedContent> read(std::size_t package, std::uint32_t action) {
        auto& reader = readers_[package];
        const ImagePackage& owner = *packages_[package];
        if (!reader) reader = std::make_unique<PlacedContentReader>(owner.plan, owner.directory);
        TAIPAN_TRY(PlacedContent content, reader->read(action));
        if (!content.sha256.empty()) {
            layer_.rewritten.push_back({package, owner.plan.actions[action].path, content.sha256});
        }
        return content;
    }

    const std::vector<const ImagePackage*>& packages_;
    std::string root_;
    StoredLayer& layer_;
    std::vector<std::unique_ptr<PlacedContentReader>> readers_; ///< by package
    std::vector<Member> members_;
    std::size_t next_ = 0;
    std::int64_t moment_ = 0;
};

std::string LayerMaker::key_of(const std::vector<const ImagePackage*>& packages) const {
    Digest digest(Digest::Kind::sha256);
    digest.update(key_head);
    digest.update(std::string(to_string(compression_)) + '\n' + prefix_ + '\n' + session_.config().subdir + '\n');
    for (const ImagePackage* package : packages) {
        // Without an identity there is nothing that the next run could recognise.
        digest.update(package->identity.empty() ? temporary_name("unknown") : package->identity);
        digest.update('\n' + std::to_string(moment_of_package(package->record)) + '\n');
        for (const std::string& directory : package->directories) digest.update(directory + '\0');
        const LinkPlan& plan = package->plan;
        for (std::size_t i = 0; i < plan.actions.size(); ++i) {
            const LinkAction& action = plan.actions[i];
            std::string line = package->targets[i] + '\0' + action.source_name + '\0';
            line += static_cast<char>('a' + static_cast<int>(action.kind));
            line += package->hidden[i] ? '-' : '+';
            digest.update(line);
        }
        for (const auto& script : plan.entry_points) digest.update(script.text + '\0');
    }
    return digest.finish_hex();
}

Result<void> LayerMaker::compress(TarStream& stream, AtomicFile& file, StoredLayer& layer) const {
    Digest plain(Digest::Kind::sha256), packed(Digest::Kind::sha256);
    LayerFrame frame(compression_);
    FirstError errors;
    const auto write = [&](std::string_view bytes) -> Result<void> {
        packed.update(bytes);
        layer.size += bytes.size();
        return file.write(bytes);
    };
    TAIPAN_CHECK(write(frame.head()));
    std::string before;
    using Chunk = std::shared_ptr<LayerChunk>;
    const auto cut = [&](tbb::flow_control& control) -> Chunk {
        if (session_.stop().stop_requested()) errors.take(make_error(ErrorCode::cancelled, "stopped"));
        if (errors.any() || stream.at_end()) {
            control.stop();
            return nullptr;
        }
        auto chunk = std::make_shared<LayerChunk>();
        auto bytes = stream.read(layer_chunk);
        if (!bytes) {
            errors.take(std::move(bytes).error());
            control.stop();
            return nullptr;
        }
        chunk->bytes = std::move(*bytes);
        chunk->last = stream.at_end();
        plain.update(chunk->bytes);
        if (compression_ == LayerCompression::gzip) {
            chunk->before = std::move(before);
            before = chunk->bytes.substr(chunk->bytes.size() - std::min(chunk->bytes.size(), gzip_window));
        }
        return chunk;
    };
    const auto pack = [&](Chunk chunk) -> Chunk {
        if (!errors.any()) errors.take(compress_chunk(compression_, *chunk));
        return chunk;
    };
    const auto store = [&](const Chunk& chunk) {
        if (errors.any()) return;
        frame.add(*chunk);
        errors.take(write(chunk->packed));
    };
    tbb::parallel_pipeline(static_cast<std::size_t>(session_.workers()) + 1,
                           tbb::make_filter<void, Chunk>(tbb::filter_mode::serial_in_order, cut) &
                               tbb::make_filter<Chunk, Chunk>(tbb::filter_mode::parallel, pack) &
                               tbb::make_filter<Chunk, void>(tbb::filter_mode::serial_in_order, store));
    TAIPAN_CHECK(errors.result());
    TAIPAN_CHECK(write(frame.tail()));
    layer.sha256 = packed.finish_hex();
    layer.diff_id = plain.finish_hex();
    return {};
}

Result<LayerMaker::Made> LayerMaker::package_layer(const std::vector<const ImagePackage*>& packages) const {
    const std::string key = key_of(packages);
    if (auto known = cache_.find(key)) return Made{std::move(*known), true};
    Made made;
    PackageItems items(packages, prefix_.substr(1), made.layer);
    TarStream stream([&] { return items.next(); });
    TAIPAN_TRY(AtomicFile file, cache_.begin(key));
    TAIPAN_CHECK(compress(stream, file, made.layer));
    TAIPAN_CHECK(items.read_hidden());
    TAIPAN_CHECK(cache_.publish(key, std::move(file), made.layer));
    return made;
}

Result<LayerMaker::Made> LayerMaker::layer_of(std::vector<TarItem> items, std::int64_t moment) const {
    const std::string root = prefix_.substr(1);
    std::set<std::string> directories;
    Digest digest(Digest::Kind::sha256);
    digest.update(std::string(key_head) + "records\n" + std::string(to_string(compression_)) + '\n');
    for (TarItem& item : items) {
        item.path = root + '/' + item.path;
        for (const auto& path : with_parents(parent_path(item.path))) directories.insert(path);
        digest.update(layer_tar_header(item));
        digest.update(item.bytes);
    }
    for (const auto& path : directories) items.push_back(directory_item(path, moment));
    std::sort(items.begin(), items.end(), [](const TarItem& a, const TarItem& b) { return a.path < b.path; });

    const std::string key = digest.finish_hex();
    if (auto known = cache_.find(key)) return Made{std::move(*known), true};
    Made made;
    std::size_t next = 0;
    TarStream stream([&]() -> Result<std::optional<TarItem>> {
        if (next == items.size()) return std::optional<TarItem>();
        return std::optional(std::move(items[next++]));
    });
    TAIPAN_TRY(AtomicFile file, cache_.begin(key));
    TAIPAN_CHECK(compress(stream, file, made.layer));
    TAIPAN_CHECK(cache_.publish(key, std::move(file), made.layer));
    return made;
}

} // namespace taipan
