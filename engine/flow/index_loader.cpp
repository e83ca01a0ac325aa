// One index, from where it is to something that can be asked for names.
//
// The cache is the one conda keeps (conda-spec 7.6): `<key>.json` and its state, to which we add `<key>.tpi`, what we
// made of the json. The json is used without asking while fresh, else the server is asked whether it changed.
// Validators belong to the file they came with: when the server's `.zst` comes or goes they are dropped. The `.tpi` is
// used while it says that it was made from exactly this json; anything else is made anew, without a word.
//
// The json is written although we never read it while the `.tpi` is good: for conda and mamba, which find it fresh or
// validate it with its state, and for a `.tpi` that has to be made anew, which then needs no network.

#include "flow/index_loader.hpp"

#include <chrono>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

#include "base/filesystem.hpp"
#include "flow/arriving_body.hpp"
#include "flow/index_build.hpp"
#include "flow/network.hpp"
#include "flow/plan_channels.hpp"

namespace taipan {

using repodata::IndexFile;
using repodata::IndexSource;

namespace {

constexpr std::uint64_t index_size_limit = std::uint64_t{8} << 30U;
constexpr std::int64_t second_ns = 1'000'000'000;

std::int64_t now_ns() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

/// An open repodata file, and what identifies it.
struct RepodataFile {
    UniqueFd fd;
    IndexSource source;
};

Result<RepodataFile> open_repodata(const std::string& path, const std::string& url) {
    RepodataFile file;
    file.fd = UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status {};
    if (!file.fd || ::fstat(file.fd.get(), &status) != 0) return system_error(errno, "cannot open", path);
    file.source = {url, status.st_mtim.tv_sec * second_ns + status.st_mtim.tv_nsec, status.st_size};
    return file;
}

/// Whether a status is an answer to the question whether there is such a file, and no passing trouble.
bool is_lasting_refusal(long status) {
    constexpr long unauthorized = 401, proxy_authentication = 407, timeout = 408, too_many = 429;
    return status >= 400 && status < 500 && status != unauthorized && status != proxy_authentication &&
           status != timeout && status != too_many;
}

/// The inflated text on its way into the cache. Trouble with it is told once and costs the file only.
class KeptText {
public:
    explicit KeptText(const std::string& path) {
        if (auto file = AtomicFile::create(path))
            file_.emplace(std::move(*file));
        else
            error_ = std::move(file).error();
    }
    void write(std::string_view bytes) {
        if (error_) return;
        if (auto written = file_->write(bytes); !written) error_ = std::move(written).error();
    }
    Result<void> commit() {
        if (error_) return *error_;
        return file_->commit();
    }

private:
    std::optional<AtomicFile> file_;
    std::optional<Error> error_;
};

} // namespace

IndexLoader::IndexLoader(Session& session, Channel channel, std::string subdir, const std::string& cache_directory)
    : session_(session),
      channel_(std::move(channel)),
      subdir_(std::move(subdir)),
      url_(channel_.base_url + '/' + subdir_),
      cache_directory_(cache_directory),
      paths_(repodata_cache_paths(cache_directory, repodata_cache_key(channel_.authenticated(url_), "repodata.json",
                                                                      session.config().use_only_tar_bz2))),
      shard_paths_(repodata_cache_paths(
          cache_directory, repodata_cache_key(channel_.authenticated(url_), "repodata_shards.msgpack.zst"))) {
    shard_paths_.json = cache_directory_ + '/' + std::string(base_name(shard_paths_.json));
    shard_paths_.json.replace(shard_paths_.json.size() - std::string_view("json").size(), std::string::npos,
                              "msgpack.zst");
}

Result<SubdirIndex> IndexLoader::load() {
    Span span(session_.sink(), Stage::index, url_);
    auto index = load_or_empty();
    if (index) span.succeed();
    return index;
}

Result<SubdirIndex> IndexLoader::load_again() {
    remember(remove_tree(paths_.index));
    return load();
}

Result<SubdirIndex> IndexLoader::load_or_empty() {
    auto index = load_once();
    if (index || index.error().code != ErrorCode::parse || url_.starts_with("file://")) return index;
    // What cannot be read must not stay in the cache; if it came from there, the server may have better.
    forget();
    return std::exchange(from_cache_, false) && !session_.config().offline ? load_once() : std::move(index);
}

Result<SubdirIndex> IndexLoader::load_once() {
    auto index = url_.starts_with("file://") ? from_directory() : from_server();
    if (index || index.error().code == ErrorCode::parse) return index;
    if (http_status_of(index.error()) == 404 && subdir_ != "noarch") return SubdirIndex::empty(channel_, subdir_);
    return std::move(index).context("while loading the index of channel " + channel_.name + " (" + subdir_ + ")");
}

void IndexLoader::forget() {
    for (const auto& path : {paths_.json, paths_.state, paths_.index}) {
        if (auto gone = remove_tree(path); !gone) session_.sink().note(Severity::warning, gone.error().message);
    }
}

Result<SubdirIndex> IndexLoader::finish(Result<IndexFile> file) {
    if (file) return SubdirIndex(std::move(*file), channel_, subdir_);
    Error error = std::move(file).error();
    if (error.code == ErrorCode::parse) error.message = "The index " + url_ + "/repodata.json " + error.message;
    return error;
}

/// From a repodata file on disk, or from what was made of it before.
Result<SubdirIndex> IndexLoader::from_file(const std::string& path, bool zst) {
    TAIPAN_TRY(const RepodataFile repodata, open_repodata(path, url_));
    if (auto file = IndexFile::open(paths_.index); file && file->source() == repodata.source)
        return finish(std::move(file));
    // A file of a directory may be rewritten in place at any time: if that was just now, it may happen again without
    // its time changing. Small ones are read as fast as an index file.
    constexpr std::int64_t small = 1 << 20;
    const bool stable =
        path == paths_.json || (repodata.source.size >= small && now_ns() - repodata.source.mtime_ns > second_ns);
    IndexBuild how{.zst = zst,
                   .use_only_tar_bz2 = session_.config().use_only_tar_bz2,
                   .workers = session_.workers(),
                   .path = stable ? paths_.index : std::string()};
    how.source = [&] { return stable ? std::optional(repodata.source) : std::nullopt; };
    FileInput input(repodata.fd.get(), static_cast<std::uint64_t>(repodata.source.size));
    return finish(build_index(input, how));
}

Result<SubdirIndex> IndexLoader::from_directory() {
    const std::string directory = path_of_file_url(url_);
    if (exists(directory + "/repodata.json")) return from_file(directory + "/repodata.json", false);
    if (exists(directory + "/repodata.json.zst")) return from_file(directory + "/repodata.json.zst", true);
    return make_error(ErrorCode::http, "HTTP 404 for url <" + url_ +
                                           "/repodata.json>: there is no such file; a channel directory needs "
                                           "noarch/repodata.json, and one for each platform that it has packages for");
}

bool IndexLoader::is_fresh_enough(const std::optional<RepodataState>& state) const {
    const Config& config = session_.config();
    return state && (config.offline || config.use_index_cache || is_fresh(*state, config.local_repodata_ttl, now_ns()));
}

Result<std::unique_ptr<ShardedSubdir>> IndexLoader::load_shards() {
    std::unique_ptr<ShardedSubdir> none;
    if (!session_.config().repodata_use_shards || url_.starts_with("file://")) return none;
    const auto state = load_repodata_state(paths_);
    if (is_fresh_enough(state)) return none; // all of it is here
    if (state && state->has_shards && !state->has_shards->value && still_holds(state->has_shards, now_ns()))
        return none;
    Span span(session_.sink(), Stage::index, url_);
    auto bytes = shard_index();
    if (!bytes) {
        const long status = http_status_of(bytes.error());
        if (status == 404 || status == 403 || status == 410)
            has_shards_ = RememberedAnswer{false, format_utc_timestamp(now_ns())};
        else if (bytes.error().code == ErrorCode::cancelled)
            return std::move(bytes).error();
        return none; // asking for the whole index tells what is wrong, if anything is
    }
    auto index = repodata::parse_shard_index(*bytes);
    if (!index) {
        remember(remove_tree(shard_paths_.json));
        session_.sink().note(Severity::warning,
                             "The file " + url_ + "/repodata_shards.msgpack.zst " + index.error().message);
        return none;
    }
    auto sharded = std::make_unique<ShardedSubdir>(std::move(*index), channel_, subdir_,
                                                   sources_of(channel_, url_, session_.config()), cache_directory_,
                                                   session_.config().use_only_tar_bz2);
    if (!shard_index_before_.empty()) {
        if (const auto before = repodata::parse_shard_index(shard_index_before_)) sharded->expect_like(*before);
        shard_index_before_.clear();
    }
    span.succeed();
    return sharded;
}

Result<std::string> IndexLoader::shard_index() {
    auto state = load_repodata_state(shard_paths_);
    if (is_fresh_enough(state)) return read_file(shard_paths_.json, repodata::shard_index_limit);
    if (session_.config().offline) return make_error(ErrorCode::offline, "the index of shards is not in the cache");
    const auto lock = RepodataLock::acquire(shard_paths_);
    state = load_repodata_state(shard_paths_);
    if (is_fresh_enough(state)) return read_file(shard_paths_.json, repodata::shard_index_limit);
    return ask_for_shard_index(std::move(state));
}

TransferRequest IndexLoader::unless_unchanged(const std::string& file,
                                              const std::optional<RepodataState>& state) const {
    TransferRequest transfer;
    transfer.urls = sources_of(channel_, url_ + file, session_.config());
    transfer.shown_url = url_ + file;
    if (state && !state->etag.empty()) transfer.headers.push_back("If-None-Match: " + state->etag);
    if (state && !state->mod.empty()) transfer.headers.push_back("If-Modified-Since: " + state->mod);
    return transfer;
}

RepodataState IndexLoader::state_after(const Download& download) const {
    RepodataState state;
    state.url = url_;
    state.etag = download.etag;
    state.mod = download.last_modified;
    state.cache_control = download.cache_control;
    state.refresh_ns = now_ns();
    return state;
}

Result<std::string> IndexLoader::ask_for_shard_index(std::optional<RepodataState> state) {
    TAIPAN_TRY(Network* const network, session_.network());
    TransferRequest transfer = unless_unchanged("/repodata_shards.msgpack.zst", state);
    transfer.size_limit = repodata::shard_index_limit;
    // Else most of what is asked for next is likely in the cache.
    transfer.fans_out = transfer.in_parts = !state;
    TAIPAN_TRY(Download download, network->fetch(std::move(transfer)));
    if (download.status == 304 && state) {
        state->refresh_ns = now_ns();
        TAIPAN_TRY(std::string bytes, read_file(shard_paths_.json, repodata::shard_index_limit));
        remember(save_repodata_state(shard_paths_, *state));
        return bytes;
    }
    RepodataState fetched = state_after(download);
    TAIPAN_TRY(std::string bytes, download.body.take_text());
    if (auto before = read_file(shard_paths_.json, repodata::shard_index_limit))
        shard_index_before_ = std::move(*before);
    auto stored = write_file_atomic(shard_paths_.json, bytes);
    if (stored) stored = save_repodata_state(shard_paths_, fetched);
    remember(std::move(stored));
    return bytes;
}

Result<SubdirIndex> IndexLoader::from_server() {
    const Config& config = session_.config();
    auto state = load_repodata_state(paths_);
    from_cache_ = true;
    if (is_fresh_enough(state)) return from_file(paths_.json, false);
    from_cache_ = false;
    if (config.offline) {
        return make_error(ErrorCode::offline, "the index of " + url_ +
                                                  " is not in the cache, and --offline forbids to fetch it; run the "
                                                  "same command, or `taipan warm`, once with a network");
    }
    // Two processes need not download it both. Without the lock (timeout, NFS) both may: renames keep that right.
    const auto lock = RepodataLock::acquire(paths_);
    state = load_repodata_state(paths_);
    from_cache_ = true;
    if (is_fresh_enough(state)) return from_file(paths_.json, false);
    from_cache_ = false;
    return ask_server(std::move(state));
}

Result<SubdirIndex> IndexLoader::ask_server(std::optional<RepodataState> state) {
    const bool known_without_zst =
        state && state->has_zst && !state->has_zst->value && still_holds(state->has_zst, now_ns());
    const bool has_zst = state && state->has_zst && state->has_zst->value;
    std::optional<Error> refusal;
    if (session_.config().repodata_use_zst && !known_without_zst) {
        auto index = request("/repodata.json.zst", has_zst ? state : std::nullopt, true);
        const long status = index ? 0 : http_status_of(index.error());
        // What was read in the cache, since nothing has changed, says nothing about the server's.
        const bool damaged = !index && index.error().code == ErrorCode::parse && !from_cache_;
        if (status == 0 && !damaged) return index;
        // Servers say in many ways that they have no such file, or fail at it; the other one may be there all the same.
        refusal = std::move(index).error();
        no_zst_ = is_lasting_refusal(status);
    }
    auto index = request("/repodata.json", has_zst ? std::nullopt : state, false);
    // A server that is out of order has not said that the subdir does not exist.
    if (!index && refusal && !no_zst_ && http_status_of(index.error()) != 0) return std::move(*refusal);
    if (index && refusal && refusal->code == ErrorCode::parse)
        session_.sink().note(Severity::warning, url_ +
                                                    "/repodata.json.zst is damaged on the server, repodata.json is "
                                                    "used instead: " +
                                                    refusal->message);
    return index;
}

Result<SubdirIndex> IndexLoader::request(const std::string& file, std::optional<RepodataState> state, bool zst) {
    TAIPAN_TRY(Network* const network, session_.network());
    TransferRequest transfer = unless_unchanged(file, state);
    transfer.spool_directory = cache_directory_;
    transfer.size_limit = index_size_limit;
    transfer.accepts_gzip = !zst;
    transfer.progress = [this](std::uint64_t done) { session_.sink().advance(Stage::index, url_, done); };
    ArrivingBody arriving(*network, std::move(transfer));
    if (arriving.wait_for_bytes()) {
        std::optional<Result<Download>> download;
        auto built = build(
            arriving, [&] { return &download.emplace(arriving.take()); }, zst);
        if (!download) download.emplace(arriving.take());
        if (!*download) return std::move(*download).error();
        if (built || built.error().code != ErrorCode::cancelled) return finish(std::move(built));
        return from_download(std::move(**download), zst); // it had begun anew
    }
    TAIPAN_TRY(Download download, arriving.take());
    if (download.status != 304) return from_download(std::move(download), zst);
    if (!state)
        return make_error(ErrorCode::http,
                          "HTTP 304 for url <" + url_ + file +
                              ">: the server says that nothing has changed since a download that there "
                              "never was; a cache between here and there may be in disorder");
    from_cache_ = true;
    state->refresh_ns = now_ns();
    if (has_shards_) state->has_shards = has_shards_;
    TAIPAN_TRY(auto index, from_file(paths_.json, false));
    remember(save_repodata_state(paths_, *state));
    return index;
}

Result<SubdirIndex> IndexLoader::from_download(Download download, bool zst) {
    Result<Download> complete(std::move(download));
    TAIPAN_TRY(const auto input, complete->body.input());
    return finish(build(
        *input, [&] { return &complete; }, zst));
}

/// Out of what a server sends, or has sent; `download` is called for the end of it when all was read.
Result<IndexFile> IndexLoader::build(ByteInput& input, const std::function<Result<Download>*()>& download, bool zst) {
    KeptText json(paths_.json);
    IndexBuild how{.zst = zst,
                   .use_only_tar_bz2 = session_.config().use_only_tar_bz2,
                   .workers = session_.workers(),
                   .path = paths_.index};
    how.text = [&](std::string_view bytes) { json.write(bytes); };
    how.source = [&]() -> std::optional<IndexSource> {
        const Result<Download>& complete = *download();
        if (!complete) return std::nullopt;
        RepodataState state = state_after(*complete);
        if (zst || no_zst_) state.has_zst = RememberedAnswer{zst, format_utc_timestamp(state.refresh_ns)};
        state.has_shards = has_shards_;
        auto stored = json.commit();
        if (stored) stored = save_repodata_state(paths_, state);
        const bool kept = static_cast<bool>(stored);
        remember(std::move(stored));
        if (!kept) return std::nullopt;
        return IndexSource{url_, state.mtime_ns, state.size};
    };
    how.not_kept = [&](const Error& error) {
        if (error.code != ErrorCode::cancelled) remember(error);
    };
    return build_index(input, how);
}

/// A cache that cannot be written costs time at the next run, not this run.
void IndexLoader::remember(Result<void> stored) {
    if (!stored) {
        session_.sink().note(Severity::warning, "the index of " + url_ + " is not kept: " + stored.error().message);
    }
}

} // namespace taipan
