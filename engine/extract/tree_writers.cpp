// Several writers for one archive.
//
// Problem: creating files costs more than decoding them, and a large package may be all that is left to do; but its
// members depend on each other: a later one replaces an earlier one, a hard link wants its target, a symlink changes
// where the paths behind it lead. The kernel locks a directory for every change in it, so two writers in one directory
// gain nothing. Approach: each directory belongs to a lane, each lane is a queue that one thread at a time works off
// with a TreeWriter of its own. The reader fills the queues; idle workers empty them, and so does the reader when too
// much has piled up. What depends on other directories (hard links, paths through symlinks of the archive) waits until
// the queues are empty and is done by the reader, alone. What must hold:
// * members of one directory are written in their order, since a directory never changes its lane;
// * a path is only given to a lane if no symlink is on its way: all symlinks that were ever made are known by path, and
//   none is made where a directory is. Safety does not depend on this: TreeWriter follows no link out of the tree;
// * memory is bounded by `most_queued`;
// * while nobody helps, the reader writes directly, as for a small package.

#include "extract/tree_writers.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <limits>
#include <mutex>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <sys/resource.h>

#include "extract/safe_path.hpp"

namespace taipan {

namespace {

constexpr std::uint64_t most_queued = std::uint64_t{8} << 20;
/// So much is taken from a lane at a time.
constexpr std::uint64_t most_taken = std::uint64_t{512} << 10;
constexpr std::size_t largest_piece = std::size_t{256} << 10;
/// What an order costs in a queue besides its content.
constexpr std::uint64_t order_weight = 512;
/// So much is queued between two calls for help.
constexpr std::uint64_t worth_a_call = 64 * order_weight;
/// So many members are written alone before it is asked again whether somebody could help.
constexpr unsigned members_alone = 64;
constexpr std::uint64_t nothing_failed = std::numeric_limits<std::uint64_t>::max();

/// Something to do in one directory; a large file is several orders in a row.
struct Order {
    enum class Kind { file, directory, symlink };
    Kind kind = Kind::file;
    bool opens = false, closes = false; ///< of a file: its first and last order
    std::uint64_t member = 0;           ///< which member of the archive
    std::string path;                   ///< set when it opens
    std::string text;                   ///< content, or target of the symlink
    std::uint64_t offset = 0;           ///< of the content
    mode_t mode = 0;
    std::uint64_t size = 0;
    timespec modified{};

    [[nodiscard]] std::uint64_t weight() const { return order_weight + text.size(); }
};

struct Lane {
    Lane(int root, std::size_t directory_handles, RealDirectories& real) : writer(root, directory_handles, real) {}

    std::deque<Order> orders; ///< guarded by the mutex of the lanes
    std::uint64_t queued = 0; ///< weight of what is in it or being worked off; guarded likewise
    bool taken = false;       ///< guarded likewise; the rest belongs to who took it
    TreeWriter writer;
    std::string path; ///< of the open file
    std::optional<OutputFile> file;

    Result<void> carry_out(Order& order) {
        switch (order.kind) {
        case Order::Kind::directory: return writer.create_directory(order.path);
        case Order::Kind::symlink: return writer.create_symlink(order.path, order.text);
        case Order::Kind::file: break;
        }
        if (order.opens) {
            file.reset();
            path = std::move(order.path);
            TAIPAN_TRY(auto created, writer.create_file(path, order.mode));
            file.emplace(std::move(created));
        }
        if (!order.text.empty()) TAIPAN_CHECK(file->write(order.text, order.offset));
        if (!order.closes) return {};
        auto finished = file->finish(order.size, order.modified);
        file.reset();
        return finished;
    }
};

/// A writer that is short of descriptors can close its own directories, but not those of the other lanes.
bool plenty_of_descriptors(std::size_t directory_handles) {
    rlimit limit{};
    return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= 4 * directory_handles;
}

Error both_kinds(std::string_view path) {
    return make_error(ErrorCode::corrupt_package,
                      "the archive has both a directory and something else named " + printable(path));
}

std::string_view directory_of(std::string_view path) {
    const auto slash = path.rfind('/');
    return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

} // namespace

class TreeWriters::Lanes {
public:
    Lanes(int root, std::size_t directory_handles, RealDirectories& real, TaskRunner& helpers)
        : helpers_(helpers), crew_(&helpers, [this] { return work_once(); }) {
        const auto count = static_cast<std::size_t>(std::clamp(2 * (helpers.others() + 1), 2, 16));
        for (std::size_t i = 0; i < count; ++i) {
            lanes_.push_back(std::make_unique<Lane>(root, directory_handles / count, real));
        }
    }

    using Member = TreeWriters::Member;
    /// Whether the next member goes to a lane. If not, all lanes are empty and it can be written alone.
    Result<bool> next_member(Member kind, const std::string& path);
    /// The member's orders, in the lane that `next_member` chose.
    Result<void> put(Order order);
    void begin_file(const std::string& path, mode_t mode);
    Result<void> add_content(std::string_view bytes, std::uint64_t offset);
    Result<void> end_file(std::uint64_t size, timespec modified);
    /// Waits until nothing is queued; the error of the earliest member that failed.
    Result<void> drain();
    [[nodiscard]] bool used_links() const {
        return std::any_of(lanes_.begin(), lanes_.end(), [](const auto& lane) { return lane->writer.used_links(); });
    }

private:
    struct Hash : std::hash<std::string_view> {
        using is_transparent = void;
    };
    struct Directory {
        std::size_t lane = 0;
        bool through_link = false;
    };

    Directory directory(std::string_view path);
    [[nodiscard]] std::size_t least_loaded();
    [[nodiscard]] Lane* waiting_lane() const;
    bool work_once();
    void work_off(Lane& lane, std::deque<Order>& orders);
    void fail(std::uint64_t member, Error error);

    TaskRunner& helpers_;
    std::vector<std::unique_ptr<Lane>> lanes_;
    std::unordered_map<std::string, Directory, Hash, std::equal_to<>> directories_;
    std::unordered_set<std::string, Hash, std::equal_to<>> links_; ///< paths that are or were a symlink, or may be one
    std::uint64_t member_ = 0;
    bool in_use_ = false;
    bool too_odd_ = false; ///< links were made through links: their true paths are not known here
    std::size_t lane_ = 0; ///< of the present member
    Order order_;          ///< of the present file, not queued yet
    std::uint64_t since_call_ = 0;

    std::mutex mutex_; ///< guards what follows, and the queues
    std::condition_variable changed_;
    std::uint64_t queued_ = 0; ///< weight in all lanes, with what is being worked off
    std::uint64_t failed_member_ = nothing_failed;
    std::optional<Error> error_; ///< of that member
    std::atomic<bool> failed_{false};
    Crew crew_; ///< last, so that it goes first
};

std::size_t TreeWriters::Lanes::least_loaded() {
    const std::scoped_lock guard(mutex_);
    const auto least = std::min_element(lanes_.begin(), lanes_.end(),
                                        [](const auto& a, const auto& b) { return a->queued < b->queued; });
    return static_cast<std::size_t>(least - lanes_.begin());
}

/// A directory that is going to be used, with the ones above it.
TreeWriters::Lanes::Directory TreeWriters::Lanes::directory(std::string_view path) {
    if (const auto known = directories_.find(path); known != directories_.end()) return known->second;
    Directory made;
    made.through_link = links_.contains(path) || (!path.empty() && directory(directory_of(path)).through_link);
    made.lane = least_loaded();
    directories_.emplace(path, made);
    return made;
}

Result<bool> TreeWriters::Lanes::next_member(Member kind, const std::string& path) {
    if (member_++ % members_alone == 0 && !too_odd_) {
        const bool use = helpers_.idle() > 0 || crew_.helped();
        if (in_use_ && !use) TAIPAN_CHECK(drain());
        in_use_ = use;
    }
    const bool is_link = kind == Member::symlink || kind == Member::hardlink;
    const auto place = directory(kind == Member::directory ? std::string_view(path) : directory_of(path));
    if (kind != Member::directory && !place.through_link && directories_.contains(path) && !links_.contains(path)) {
        return both_kinds(path);
    }
    // A hard link may be a second name of a symlink.
    if (kind == Member::symlink || (kind == Member::hardlink && !links_.empty())) links_.insert(path);
    if (!in_use_) return false;
    if (place.through_link || kind == Member::hardlink) {
        TAIPAN_CHECK(drain());
        if (place.through_link && is_link) {
            too_odd_ = true;
            in_use_ = false;
        }
        return false;
    }
    lane_ = place.lane;
    return true;
}

Result<void> TreeWriters::Lanes::put(Order order) {
    if (failed_.load(std::memory_order_relaxed)) {
        return make_error(ErrorCode::cancelled, "an earlier member of the archive could not be written");
    }
    order.member = member_;
    const auto weight = order.weight();
    bool full = false;
    {
        const std::scoped_lock guard(mutex_);
        auto& lane = *lanes_[lane_];
        lane.orders.push_back(std::move(order));
        lane.queued += weight;
        queued_ += weight;
        full = queued_ > most_queued;
    }
    since_call_ += weight;
    if (since_call_ >= worth_a_call) {
        since_call_ = 0;
        crew_.call();
    }
    while (full) {
        if (!work_once()) {
            std::unique_lock guard(mutex_);
            changed_.wait(guard, [this] { return queued_ <= most_queued || waiting_lane() != nullptr; });
        }
        const std::scoped_lock guard(mutex_);
        full = queued_ > most_queued;
    }
    return {};
}

void TreeWriters::Lanes::begin_file(const std::string& path, mode_t mode) {
    order_ = Order{};
    order_.opens = true;
    order_.path = path;
    order_.mode = mode;
}

Result<void> TreeWriters::Lanes::add_content(std::string_view bytes, std::uint64_t offset) {
    while (!bytes.empty()) {
        const bool continues = order_.text.empty() || offset == order_.offset + order_.text.size();
        if (!continues || order_.text.size() >= largest_piece) {
            TAIPAN_CHECK(put(std::exchange(order_, Order{})));
            continue;
        }
        if (order_.text.empty()) order_.offset = offset;
        const auto piece = bytes.substr(0, largest_piece - order_.text.size());
        order_.text += piece;
        bytes.remove_prefix(piece.size());
        offset += piece.size();
    }
    return {};
}

Result<void> TreeWriters::Lanes::end_file(std::uint64_t size, timespec modified) {
    order_.closes = true;
    order_.size = size;
    order_.modified = modified;
    return put(std::exchange(order_, Order{}));
}

/// The fullest lane that nobody works off; null if there is none with work.
Lane* TreeWriters::Lanes::waiting_lane() const {
    Lane* fullest = nullptr;
    for (const auto& lane : lanes_) {
        if (lane->taken || lane->orders.empty()) continue;
        if (fullest == nullptr || lane->queued > fullest->queued) fullest = lane.get();
    }
    return fullest;
}

bool TreeWriters::Lanes::work_once() {
    Lane* lane = nullptr;
    std::deque<Order> orders;
    std::uint64_t weight = 0;
    {
        const std::scoped_lock guard(mutex_);
        lane = waiting_lane();
        if (lane == nullptr) return false;
        lane->taken = true;
        while (!lane->orders.empty() && weight < most_taken) {
            weight += lane->orders.front().weight();
            orders.push_back(std::move(lane->orders.front()));
            lane->orders.pop_front();
        }
    }
    work_off(*lane, orders);
    {
        const std::scoped_lock guard(mutex_);
        lane->taken = false;
        lane->queued -= weight;
        queued_ -= weight;
    }
    changed_.notify_all();
    return true;
}

void TreeWriters::Lanes::work_off(Lane& lane, std::deque<Order>& orders) {
    for (auto& order : orders) {
        if (failed_.load(std::memory_order_relaxed)) {
            // What comes before the failed member may fail too, and is then the one to be named.
            const std::scoped_lock guard(mutex_);
            if (order.member >= failed_member_) continue;
        }
        try {
            if (auto done = lane.carry_out(order); !done) {
                const auto& path = order.kind == Order::Kind::file ? lane.path : order.path;
                fail(order.member, std::move(done).context("in member " + printable(path)).error());
            }
        } catch (const std::exception& failure) {
            fail(order.member, make_error(ErrorCode::internal, std::string("cannot write: ") + failure.what()));
        }
    }
}

void TreeWriters::Lanes::fail(std::uint64_t member, Error error) {
    const std::scoped_lock guard(mutex_);
    if (member >= failed_member_) return;
    failed_member_ = member;
    error_ = std::move(error);
    failed_.store(true, std::memory_order_relaxed);
}

Result<void> TreeWriters::Lanes::drain() {
    while (true) {
        if (work_once()) continue;
        std::unique_lock guard(mutex_);
        changed_.wait(guard, [this] { return queued_ == 0 || waiting_lane() != nullptr; });
        if (queued_ > 0) continue;
        if (error_) return *error_;
        return {};
    }
}

TreeWriters::TreeWriters(int root, std::size_t directory_handles, TaskRunner* helpers)
    : alone_(root, helpers == nullptr ? directory_handles : directory_handles / 4, real_) {
    if (helpers != nullptr && plenty_of_descriptors(directory_handles))
        lanes_ = std::make_unique<Lanes>(root, directory_handles - directory_handles / 4, real_, *helpers);
}
TreeWriters::~TreeWriters() = default;

/// Whether the member goes to a lane. Else it can be written alone, after what the lanes may have changed.
Result<bool> TreeWriters::shared(Member kind, const std::string& path) {
    if (!lanes_) return false;
    TAIPAN_TRY(const bool shared, lanes_->next_member(kind, path));
    if (!shared) alone_.forget_links();
    return shared;
}

Result<void> TreeWriters::begin_file(const std::string& path, mode_t mode) {
    TAIPAN_TRY(file_is_shared_, shared(Member::file, path));
    if (file_is_shared_) {
        lanes_->begin_file(path, mode);
        return {};
    }
    file_.reset();
    path_ = path;
    TAIPAN_TRY(auto created, alone_.create_file(path_, mode));
    file_.emplace(std::move(created));
    return {};
}

Result<void> TreeWriters::write(std::string_view bytes, std::uint64_t offset) {
    return file_is_shared_ ? lanes_->add_content(bytes, offset) : file_->write(bytes, offset);
}

Result<void> TreeWriters::end_file(std::uint64_t size, timespec modified) {
    if (file_is_shared_) return lanes_->end_file(size, modified);
    auto finished = file_->finish(size, modified);
    file_.reset();
    return finished;
}

Result<void> TreeWriters::create_directory(const std::string& path) {
    TAIPAN_TRY(const bool in_lane, shared(Member::directory, path));
    if (!in_lane) return alone_.create_directory(path);
    Order order;
    order.kind = Order::Kind::directory;
    order.path = path;
    return lanes_->put(std::move(order));
}

Result<void> TreeWriters::create_symlink(const std::string& path, const std::string& target) {
    TAIPAN_TRY(const bool in_lane, shared(Member::symlink, path));
    if (!in_lane) return alone_.create_symlink(path, target);
    Order order;
    order.kind = Order::Kind::symlink;
    order.path = path;
    order.text = target;
    return lanes_->put(std::move(order));
}

Result<void> TreeWriters::create_hardlink(const std::string& path, const std::string& target) {
    TAIPAN_TRY([[maybe_unused]] const bool in_lane, shared(Member::hardlink, path));
    return alone_.create_hardlink(path, target);
}

Result<void> TreeWriters::finish() { return lanes_ ? lanes_->drain() : Result<void>(); }

Result<std::string> TreeWriters::read_text(const std::string& path, std::uint64_t limit) {
    return alone_.read_text(path, limit);
}

bool TreeWriters::used_links() const { return alone_.used_links() || (lanes_ && lanes_->used_links()); }

} // namespace taipan
