// An image from packages. Every package is brought into the cache and planned as for an environment; then it is decided
// who has which path and which packages share a layer, and layers are compressed straight from the cache, or taken from
// an earlier run. Records of all packages make the last layer, so that another package means two new layers.

#include "flow/image.hpp"

#include <algorithm>
#include <numeric>

#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include "base/digest.hpp"
#include "cache/package_cache.hpp"
#include "flow/first_error.hpp"
#include "flow/image_contents.hpp"
#include "flow/image_layers.hpp"
#include "flow/image_records.hpp"
#include "flow/materialise.hpp"
#include "flow/plan_channels.hpp"
#include "image/base_image.hpp"
#include "image/image_config.hpp"
#include "image/layer_groups.hpp"
#include "image/layout_writer.hpp"
#include "link/link_scripts.hpp"
#include "link/slim.hpp"
#include "solve/topological.hpp"

namespace taipan {

namespace {

constexpr std::size_t fewest_layers = 4; ///< three of packages, one of records

std::string identity_of(const PackageRecord& record, const PackageInfoTexts& info) {
    if (!record.sha256.empty()) return record.sha256;
    if (!record.md5.empty()) return record.md5;
    return info.paths_json.empty() ? std::string() : sha256_hex(info.index_json + '\0' + info.paths_json);
}

/// What is asked for, understood and found to be possible.
struct Terms {
    ImagePlatform platform;
    LayerCompression compression = LayerCompression::zstd;
    BaseImage base;
    std::size_t package_layers = 0; ///< at most
};

Result<Terms> terms_of(const Session& session, const ImageRequest& request) {
    Terms terms;
    const auto platform = image_platform(session.config().subdir);
    if (!platform) {
        return make_error(ErrorCode::invalid_argument, "images hold programs for Linux, not for " +
                                                           session.config().subdir + "; say --platform linux-64");
    }
    terms.platform = *platform;
    const auto compression = layer_compression_of(request.compression);
    if (!compression) {
        return make_error(ErrorCode::invalid_argument,
                          "layers are compressed by zstd, gzip or none, not '" + request.compression + "'");
    }
    terms.compression = *compression;
    TAIPAN_CHECK(check_layout_target(request.output, request.archive));
    if (!request.base.empty()) {
        TAIPAN_TRY(terms.base, read_base_image(request.base, *platform));
    }
    const std::size_t below = terms.base.layers.size(), most = std::min(request.most_layers, layer_limit);
    if (below + fewest_layers > most) {
        return make_error(ErrorCode::invalid_argument, "the base image has " + std::to_string(below) +
                                                           " layers, and only " + std::to_string(most) +
                                                           " are allowed in all; use another base, or --max-layers");
    }
    terms.package_layers = most - below - 1;
    return terms;
}

/// A package that lies in the cache.
struct Cached {
    PackageRecord record;
    std::string directory;
    PackageInfoTexts info;
};

/// What it takes to make one image; the steps in order.
class ImageRun {
public:
    ImageRun(Session& session, const Plan& plan, const ImageRequest& request)
        : session_(session), plan_(plan), request_(request) {}

    Result<ImageReport> run() {
        TAIPAN_TRY(terms_, terms_of(session_, request_));
        image_.platform = terms_.platform;
        if (!request_.base.empty()) image_.base = &terms_.base;
        TAIPAN_TRY(const PackageCache cache, PackageCache::open(session_.config().pkgs_dirs));
        TAIPAN_CHECK(bring(cache));
        Result<void> done;
        tbb::task_arena arena(session_.workers());
        arena.execute([&] {
            done = plan_packages();
            if (done) done = order_packages();
            if (done) done = settle_image_paths(packages_);
            if (done) done = make_layers(LayerCache(cache.writable_directory()));
        });
        TAIPAN_CHECK(std::move(done));
        note_what_is_left_out();
        TAIPAN_CHECK(write());
        return std::move(report_);
    }

private:
    Result<void> bring(const PackageCache& cache) {
        TAIPAN_TRY(const auto channels, channels_of_request(plan_.channels, {}, session_.config()));
        cached_.resize(plan_.link.size());
        InstallReport ignored;
        return materialise(
            session_, cache, channels, plan_.link,
            [&](CachedPackage package) -> Result<void> {
                // Each index comes once.
                cached_[package.index] = {std::move(package.record), std::move(package.directory),
                                          std::move(package.info)};
                return {};
            },
            ignored);
    }

    Result<void> plan_packages() {
        const auto found = std::find_if(cached_.begin(), cached_.end(),
                                        [](const Cached& package) { return package.record.name == "python"; });
        std::optional<PythonInfo> python;
        if (found != cached_.end()) {
            TAIPAN_TRY(python, python_info(found->record));
        }
        const Config& config = session_.config();
        TAIPAN_TRY(slim_, SlimRules::make(config.slim, config.slim_exclude, config.slim_keep));
        packages_.resize(cached_.size());
        FirstError errors;
        tbb::parallel_for(std::size_t{0}, cached_.size(), [&](std::size_t i) {
            if (!errors.any()) errors.take(plan_package(i, python));
        });
        cached_.clear();
        return errors.result();
    }

    Result<void> plan_package(std::size_t index, const std::optional<PythonInfo>& python) {
        Cached& cached = cached_[index];
        ImagePackage& package = packages_[index];
        const std::string step = "while planning the image's " + cached.record.fn;
        auto layout = parse_package_layout(cached.info);
        if (!layout) return std::move(layout).context(step).error();
        if (layout->legacy) {
            TAIPAN_TRY(const UniqueFd directory, open_directory(cached.directory));
            TAIPAN_CHECK(detect_symlinks(*layout, directory.get()).context(step));
        }
        for (const PathEntry& path : layout->paths) package.size += path.size.value_or(0);
        LinkOptions options;
        options.prefix = request_.prefix;
        options.compile_pyc = false;
        options.slim = &slim_;
        options.platform = platform_of_subdir(session_.config().subdir);
        auto made = make_link_plan(std::move(*layout), cached.record, python, options);
        if (!made) return std::move(made).context(step).error();
        package.plan = std::move(*made);
        package.identity = identity_of(cached.record, cached.info);
        package.record = std::move(cached.record);
        package.directory = std::move(cached.directory);
        package.requested_spec = plan_.link[index].requested_spec;
        return check_prefix_length(package.plan).context(step);
    }

    /// Of packages that were asked for by URL, dependencies are known only now.
    Result<void> order_packages() {
        if (std::any_of(plan_.link.begin(), plan_.link.end(),
                        [](const PlannedPackage& package) { return package.from_url && !package.complete; })) {
            std::vector<PackageRecord> records;
            for (const ImagePackage& package : packages_) records.push_back(package.record);
            std::vector<ImagePackage> ordered;
            for (const std::size_t index : topological_order(records)) ordered.push_back(std::move(packages_[index]));
            packages_ = std::move(ordered);
        }
        for (const ImagePackage& package : packages_) note_link_scripts(package);
        return {};
    }

    void note_link_scripts(const ImagePackage& package) {
        for (const LinkScript script : {LinkScript::pre_link, LinkScript::post_link}) {
            const std::string path = link_script_path(script, package.record.name);
            const auto& paths = package.plan.paths;
            if (std::none_of(paths.begin(), paths.end(), [&](const auto& known) { return known.entry.path == path; })) {
                continue;
            }
            scripted_ += (scripted_.empty() ? "" : ", ") + path;
        }
    }

    Result<void> make_layers(LayerCache cache) {
        std::vector<LayerMember> members;
        for (const ImagePackage& package : packages_) members.push_back({package.record.name, package.size});
        const auto groups = group_layers(members, terms_.package_layers);
        const LayerMaker maker(session_, request_.prefix, terms_.compression, std::move(cache));
        std::vector<LayerMaker::Made> made(groups.size());
        FirstError errors;
        tbb::parallel_for(std::size_t{0}, groups.size(), [&](std::size_t i) {
            if (!errors.any()) errors.take(make_layer(maker, groups[i], made[i]));
        });
        TAIPAN_CHECK(errors.result());
        std::vector<PlacedFiles> placed(packages_.size());
        for (std::size_t i = 0; i < groups.size(); ++i) {
            for (auto& digest : made[i].layer.rewritten) {
                if (digest.package >= groups[i].size()) continue;
                const std::size_t package = groups[i][digest.package];
                if (digest.path >= packages_[package].plan.paths.size()) continue;
                placed[package].digests.emplace_back(static_cast<std::uint32_t>(digest.path), digest.sha256);
            }
            add_layer(made[i], names_of(groups[i]));
        }
        moment_ = moment_of_image();
        if (slim_.has("conda-meta")) return {};
        TAIPAN_TRY(const auto records, maker.layer_of(image_records(plan_, packages_, placed, moment_), moment_));
        add_layer(records, {});
        return {};
    }

    Result<void> make_layer(const LayerMaker& maker, const std::vector<std::size_t>& group, LayerMaker::Made& made) {
        std::vector<const ImagePackage*> members;
        std::uint64_t size = 0;
        for (const std::size_t index : group) {
            members.push_back(&packages_[index]);
            size += packages_[index].size;
        }
        const std::string subject = members.front()->record.dist_name() +
                                    (group.size() > 1 ? " and " + std::to_string(group.size() - 1) + " more" : "");
        Span span(session_.sink(), Stage::record, subject, size);
        auto layer = maker.package_layer(members);
        if (!layer) return std::move(layer).context("while making an image layer of " + subject).error();
        made = std::move(*layer);
        span.succeed();
        return {};
    }

    [[nodiscard]] std::vector<std::string> names_of(const std::vector<std::size_t>& group) const {
        std::vector<std::string> names;
        for (const std::size_t index : group) names.push_back(packages_[index].record.dist_name());
        return names;
    }

    void add_layer(const LayerMaker::Made& made, std::vector<std::string> packages) {
        ImageLayer layer;
        layer.media_type = layer_media_type(terms_.compression);
        layer.diff_id = made.layer.diff_id;
        for (const auto& name : packages) layer.made_of += (layer.made_of.empty() ? "" : " ") + name;
        if (packages.empty()) layer.made_of = "conda-meta";
        layer.blob.sha256 = made.layer.sha256;
        layer.blob.size = made.layer.size;
        layer.blob.file = made.layer.path;
        layer.blob.whole_file = true;
        image_.layers.push_back(std::move(layer));
        report_.layers.push_back({made.layer.sha256, made.layer.size, std::move(packages), made.cached});
    }

    [[nodiscard]] std::int64_t moment_of_image() const {
        if (request_.source_date_epoch) return *request_.source_date_epoch;
        return std::accumulate(packages_.begin(), packages_.end(), moment_of_package({}),
                               [](std::int64_t newest, const ImagePackage& package) {
                                   return std::max(newest, moment_of_package(package.record));
                               });
    }

    void note_what_is_left_out() {
        if (!scripted_.empty()) {
            session_.sink().note(Severity::warning,
                                 "link scripts are not run, since nothing runs while an image is written: " +
                                     scripted_ + "; run what is needed of them in a Dockerfile step FROM the image");
        }
        if (request_.base.empty()) {
            session_.sink().note(Severity::info, "the image has no base: programs that need a C library will run only "
                                                 "when it is put upon one (--base)");
        }
    }

    Result<void> write() {
        image_.created = rfc3339_time(moment_);
        image_.prefix = request_.prefix;
        image_.settings = {request_.entrypoint, request_.command, request_.environment,
                           request_.labels,     request_.user,    request_.working_directory};
        ImageBlob config, manifest;
        TAIPAN_TRY(config.bytes, image_config_json(image_));
        seal(config);
        manifest.bytes = image_manifest_json(image_, config);
        seal(manifest);
        std::vector<ImageBlob> blobs{config, manifest};
        for (const ImageLayer& layer : terms_.base.layers) blobs.push_back(layer.blob);
        for (const ImageLayer& layer : image_.layers) blobs.push_back(layer.blob);
        for (const ImageBlob& blob : blobs) report_.size += blob.size;
        report_.base_layers = terms_.base.layers.size();
        report_.manifest_sha256 = manifest.sha256;
        const std::string index = image_index_json(image_, manifest, request_.tag);
        if (!request_.archive) return write_layout_directory(request_.output, blobs, index);
        return write_layout_archive(request_.output, blobs, index, docker_manifest_json(image_, config, request_.tag));
    }

    static void seal(ImageBlob& blob) {
        blob.sha256 = sha256_hex(blob.bytes);
        blob.size = blob.bytes.size();
    }

    Session& session_;
    const Plan& plan_;
    const ImageRequest& request_;
    Terms terms_;
    std::vector<Cached> cached_;
    std::vector<ImagePackage> packages_; ///< in dependency order
    SlimRules slim_;
    std::int64_t moment_ = 0;
    std::string scripted_; ///< the link scripts of the packages
    ImageDescription image_;
    ImageReport report_;
};

} // namespace

Result<void> check_image_request(const Session& session, const ImageRequest& request) {
    TAIPAN_TRY(const auto terms, terms_of(session, request));
    static_cast<void>(terms);
    return {};
}

Result<ImageReport> make_image(Session& session, const Plan& plan, const ImageRequest& request) {
    raise_open_file_limit();
    return ImageRun(session, plan, request).run();
}

} // namespace taipan
