// Problem: a prefix has hundreds of records, each listing thousands of files, and `list` wants only their heads.
// Approach: records that conda, and we, have written have `files` and `paths_data` in one stretch near the end. In
// JSON a raw newline never occurs inside a string, so in a file that is indented by two the line `  "files": [` can
// only be the top-level key. The stretch from there to the line `  "link": {` is not read: the head and the tail
// make a valid document. Anything that looks different is read as a whole.
// What must hold: both ways give the same identity; a name that does not fit its record is skipped, text that is
// no JSON is an error (conda-spec 4.2).

#include "prefix/prefix_data.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <memory>
#include <optional>

#include <dirent.h>
#include <fcntl.h>
#include <simdjson.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/filesystem.hpp"
#include "base/json_writer.hpp"

namespace taipan {

namespace {

constexpr std::size_t head_size = 16 << 10;
constexpr std::size_t tail_size = 4 << 10;
constexpr std::uint64_t record_limit = std::uint64_t{1} << 30;

std::string conda_meta(const std::string& prefix) { return prefix + "/conda-meta"; }

/// The names of record files, sorted.
Result<std::vector<std::string>> record_names(const std::string& directory) {
    struct Closer {
        void operator()(DIR* stream) const { ::closedir(stream); }
    };
    const std::unique_ptr<DIR, Closer> stream(::opendir(directory.c_str()));
    if (!stream) return system_error(errno, "cannot list", directory);
    std::vector<std::string> names;
    while (true) {
        errno = 0;
        const dirent* entry = ::readdir(stream.get()); // NOLINT(concurrency-mt-unsafe): own stream
        if (entry == nullptr) break;
        const std::string_view name = entry->d_name;
        if (name.ends_with(".json") && !name.starts_with("._")) names.emplace_back(name);
    }
    if (errno != 0) return system_error(errno, "cannot list", directory);
    std::sort(names.begin(), names.end());
    return names;
}

/// Up to `size` bytes from `offset`; short at the end of the file.
Result<std::string> read_at(int fd, std::size_t size, std::size_t offset, const std::string& path) {
    std::string bytes(size, '\0');
    std::size_t filled = 0;
    while (filled < size) {
        const ssize_t got = ::pread(fd, bytes.data() + filled, size - filled, static_cast<off_t>(offset + filled));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return system_error(errno, "cannot read", path);
        if (got == 0) break;
        filled += static_cast<std::size_t>(got);
    }
    bytes.resize(filled);
    return bytes;
}

/// The document without files and paths_data, if head and tail have the form that allows to cut them out.
std::optional<std::string> without_files(std::string_view head, std::string_view tail) {
    constexpr std::string_view start = "{\n  \"";
    constexpr std::string_view files = "\n  \"files\": [";
    constexpr std::string_view link = "\n  \"link\": {";
    if (!head.starts_with(start) || !tail.ends_with("\n}")) return std::nullopt;
    const std::size_t cut = head.find(files);
    const std::size_t resume = tail.rfind(link);
    if (cut == std::string_view::npos || resume == std::string_view::npos) return std::nullopt;
    return std::string(head.substr(0, cut)).append(tail.substr(resume));
}

/// The record's text, without the lists of files if that is wanted and can be had cheaply.
Result<std::string> read_record(int directory_fd, const std::string& name, const std::string& path,
                                RecordDetail detail) {
    const UniqueFd fd(::openat(directory_fd, name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd) return system_error(errno, "cannot open", path);
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) return system_error(errno, "cannot stat", path);
    if (!S_ISREG(status.st_mode)) return make_error(ErrorCode::parse, path + " is no regular file");
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size > record_limit) return make_error(ErrorCode::parse, path + " is too large to be a record");
    if (detail == RecordDetail::identity && size > head_size + tail_size) {
        TAIPAN_TRY(const std::string head, read_at(fd.get(), head_size, 0, path));
        TAIPAN_TRY(const std::string tail, read_at(fd.get(), tail_size, size - tail_size, path));
        if (auto text = without_files(head, tail)) return *std::move(text);
    }
    return read_at(fd.get(), size, 0, path);
}

std::string record_path(const std::string& prefix, const PrefixRecord& record) {
    return conda_meta(prefix) + '/' + record.package.dist_name() + ".json";
}

/// Gives the text to `write`, piece by piece.
template <class Write> Result<void> write_text(const PrefixRecord& record, Write write) {
    Result<void> written;
    JsonWriter json([&](std::string_view piece) {
        if (written) written = write(piece);
    });
    write_prefix_record_json(json, record);
    json.flush();
    return written;
}

Error unreadable(const std::string& path, const Error& error) {
    return make_error(ErrorCode::corrupt_environment, "the record " + path + " cannot be read (" + error.message +
                                                          "); remove that file and install its package again");
}

/// The records of these files.
Result<PrefixData> load_records(const std::string& prefix, const std::vector<std::string>& names, RecordDetail detail,
                                const ChannelSettings& settings) {
    PrefixData data;
    data.prefix = prefix;
    const std::string directory = conda_meta(prefix);
    TAIPAN_TRY(const UniqueFd directory_fd, open_directory(directory));
    data.records.reserve(names.size());
    for (const std::string& name : names) {
        const std::string path = directory + '/' + name;
        auto text = read_record(directory_fd.get(), name, path, detail);
        if (!text) return unreadable(path, text.error());
        auto record = parse_prefix_record(*text, settings, detail);
        if (!record) return unreadable(path, record.error());
        const auto parts = split_dist_name(std::string_view(name).substr(0, name.size() - 5));
        const PackageRecord& package = record->package;
        if (!parts || parts->name != package.name || parts->version != package.version ||
            parts->build != package.build) {
            data.warnings.push_back(path + " is skipped: its name does not fit its content, " + package.dist_name());
            continue;
        }
        data.records.push_back(*std::move(record));
    }
    std::stable_sort(data.records.begin(), data.records.end(),
                     [](const PrefixRecord& a, const PrefixRecord& b) { return a.package.name < b.package.name; });
    return data;
}

} // namespace

const PrefixRecord* PrefixData::find(std::string_view name) const {
    const auto found = std::lower_bound(records.begin(), records.end(), name,
                                        [](const PrefixRecord& r, std::string_view n) { return r.package.name < n; });
    return found != records.end() && found->package.name == name ? &*found : nullptr;
}

std::vector<PackageRecord> PrefixData::packages() const {
    std::vector<PackageRecord> result;
    result.reserve(records.size());
    for (const PrefixRecord& record : records) result.push_back(record.package);
    return result;
}

bool is_environment(const std::string& prefix) { return exists(conda_meta(prefix) + "/history"); }

Result<void> require_environment(const std::string& prefix) {
    if (is_environment(prefix)) return {};
    if (!is_directory(prefix)) {
        auto error = make_error(ErrorCode::environment_not_found, "Not a conda environment: " + prefix);
        JsonWriter facts;
        error.details = facts.begin_object().member("location", prefix).end_object().take();
        return error;
    }
    auto error = make_error(ErrorCode::not_an_environment,
                            prefix + " is a directory, but no environment: it has no conda-meta/history");
    error.details = JsonWriter().begin_object().member("target_directory", prefix).end_object().take();
    return error;
}

Result<std::vector<std::string>> record_file_names(const std::string& prefix) {
    if (!is_directory(conda_meta(prefix))) return std::vector<std::string>(); // a root prefix may be none yet
    return record_names(conda_meta(prefix));
}

Result<PrefixData> load_prefix(const std::string& prefix, RecordDetail detail, const ChannelSettings& settings) {
    const std::string directory = conda_meta(prefix);
    constexpr int attempts = 20; // another command may be at work
    for (int attempt = 1; is_directory(directory); ++attempt) {
        TAIPAN_TRY(const std::vector<std::string> names, record_names(directory));
        auto data = load_records(prefix, names, detail, settings);
        if (data || attempt == attempts) return data;
        const auto now = record_names(directory);
        if (now && *now == names) return data;
    }
    PrefixData none;
    none.prefix = prefix;
    return none;
}

Result<PrefixRecord> load_prefix_record(const std::string& prefix, const std::string& dist_name,
                                        const ChannelSettings& settings) {
    const std::string path = conda_meta(prefix) + '/' + dist_name + ".json";
    TAIPAN_TRY(const std::string text, read_regular_file(path, record_limit));
    auto record = parse_prefix_record(text, settings, RecordDetail::full);
    if (!record) return unreadable(path, record.error());
    return record;
}

Result<std::vector<std::string>> find_listed_files(const std::string& prefix, const std::string& dist_name,
                                                   const std::unordered_set<std::string>& wanted) {
    namespace ondemand = simdjson::ondemand;
    const std::string path = conda_meta(prefix) + '/' + dist_name + ".json";
    TAIPAN_TRY(const std::string text, read_regular_file(path, record_limit));
    const simdjson::padded_string padded(text);
    ondemand::parser parser;
    ondemand::document document;
    ondemand::array files;
    std::vector<std::string> found;
    auto code = parser.iterate(padded).get(document);
    if (!code) code = document["files"].get_array().get(files);
    if (code == simdjson::NO_SUCH_FIELD) return found;
    if (code) return unreadable(path, make_error(ErrorCode::parse, simdjson::error_message(code)));
    std::string file;
    for (auto item : files) {
        std::string_view name;
        if (auto wrong = item.get_string().get(name)) {
            return unreadable(path, make_error(ErrorCode::parse, simdjson::error_message(wrong)));
        }
        file = name;
        if (wanted.contains(file)) found.push_back(file);
    }
    return found;
}

Result<void> write_prefix_record(const std::string& prefix, const PrefixRecord& record) {
    TAIPAN_TRY(AtomicFile file, AtomicFile::create(record_path(prefix, record)));
    TAIPAN_CHECK(write_text(record, [&](std::string_view piece) { return file.write(piece); }));
    return file.commit();
}

Result<void> create_prefix_record(const std::string& prefix, const PrefixRecord& record) {
    const std::string path = record_path(prefix, record);
    const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666));
    if (!fd) return system_error(errno, "cannot create", path);
    return write_text(record, [&](std::string_view piece) { return write_all(fd.get(), piece, path); });
}

Result<void> create_environment(const std::string& prefix, double now) {
    const std::string directory = conda_meta(prefix);
    TAIPAN_CHECK(make_directories(directory));
    if (exists(directory + "/history")) return {};
    std::array<char, 64> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), now, std::chars_format::fixed, 6).ptr;
    TAIPAN_CHECK(
        write_file_atomic(directory + "/created_at", {buffer.data(), static_cast<std::size_t>(end - buffer.data())}));
    return append_to_file(directory + "/history", "");
}

} // namespace taipan
