// The files beside a cached repodata.json, as conda keeps them (conda-spec 7.6).
//
// conda, mamba and taipan share one cache directory. A state file says for which bytes its etag stands, by mtime and
// size of the json; if they differ, somebody else rewrote the json, and the validators are forgotten. What must hold:
// the json is in place before its state, each by rename, so a crash in between costs a download and nothing else.
#include "repodata/cache_state.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <simdjson.h>

#include "base/digest.hpp"
#include "base/json_writer.hpp"

namespace taipan {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::int64_t day_ns = 86'400 * second_ns;
constexpr std::uint64_t largest_state_file = 1 << 20;

struct JsonStat {
    std::int64_t mtime_ns = 0, size = 0;
};

std::optional<JsonStat> stat_json(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
    return JsonStat{status.st_mtim.tv_sec * second_ns + status.st_mtim.tv_nsec, status.st_size};
}

char lower(char letter) { return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter; }

std::string lower_case(std::string_view text) {
    std::string result(text);
    for (char& letter : result) letter = lower(letter);
    return result;
}

/// Days since 1970 of a Gregorian date; nullopt when the parts are no date.
std::optional<std::int64_t> days_from_civil(int year, int month, int day) {
    const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    if (!date.ok()) return std::nullopt;
    return std::chrono::sys_days(date).time_since_epoch().count();
}

/// The time of `2026-11-22T19:56:56...` in ns; nullopt when it is none.
std::optional<std::int64_t> parse_utc_timestamp(const std::string& text) {
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
    constexpr int fields = 6;
    if (std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d", &year, &month, &day, &hour, &minute, &second) != fields)
        return std::nullopt;
    const auto days = days_from_civil(year, month, day);
    if (!days) return std::nullopt;
    return *days * day_ns + ((hour * 60 + minute) * 60 + second) * second_ns;
}

void read_answer(simdjson::ondemand::value& value, std::optional<RememberedAnswer>& out) {
    simdjson::ondemand::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) return;
    RememberedAnswer answer;
    bool known = false;
    for (auto field : object) {
        std::string_view key, text;
        simdjson::ondemand::value item;
        if (field.unescaped_key().get(key) != simdjson::SUCCESS || field.value().get(item) != simdjson::SUCCESS) return;
        if (key == "value")
            known = item.get_bool().get(answer.value) == simdjson::SUCCESS;
        else if (key == "last_checked" && item.get_string().get(text) == simdjson::SUCCESS)
            answer.last_checked = text;
    }
    if (known) out = std::move(answer);
}

void read_field(std::string_view key, simdjson::ondemand::value& value, RepodataState& state) {
    std::string_view text;
    std::int64_t number = 0;
    std::string* const texts = key == "url"             ? &state.url
                               : key == "etag"          ? &state.etag
                               : key == "mod"           ? &state.mod
                               : key == "cache_control" ? &state.cache_control
                                                        : nullptr;
    std::int64_t* const numbers = key == "mtime_ns"     ? &state.mtime_ns
                                  : key == "size"       ? &state.size
                                  : key == "refresh_ns" ? &state.refresh_ns
                                                        : nullptr;
    if (texts != nullptr) {
        if (value.get_string().get(text) == simdjson::SUCCESS) texts->assign(text);
    } else if (numbers != nullptr) {
        if (value.get_int64().get(number) == simdjson::SUCCESS) *numbers = number;
    } else if (key == "has_zst") {
        read_answer(value, state.has_zst);
    } else if (key == "has_shards") {
        read_answer(value, state.has_shards);
    }
}

void write_answer(JsonWriter& json, std::string_view key, const std::optional<RememberedAnswer>& answer) {
    if (!answer) return;
    json.key(key).begin_object();
    json.member("value", answer->value).member("last_checked", answer->last_checked);
    json.end_object();
}

} // namespace

std::string repodata_cache_key(std::string_view subdir_url, std::string_view file_name, bool use_only_tar_bz2) {
    constexpr std::size_t key_length = 8;
    std::string url(subdir_url);
    while (url.ends_with('/')) url.pop_back();
    url += '/';
    if (file_name != "repodata.json") url += file_name;
    return md5_hex(url).substr(0, key_length) + (use_only_tar_bz2 ? "1" : "");
}

RepodataCachePaths repodata_cache_paths(std::string_view cache_directory, std::string_view key) {
    std::string stem(cache_directory);
    stem.append("/").append(key);
    return {stem + ".json", stem + ".info.json", stem + ".tpi"};
}

Result<RepodataState> parse_repodata_state(std::string_view text) {
    const auto malformed = [] { return make_error(ErrorCode::parse, "The repodata state is no JSON object"); };
    const simdjson::padded_string padded(text);
    simdjson::ondemand::parser parser;
    simdjson::ondemand::document document;
    simdjson::ondemand::object object;
    if (parser.iterate(padded).get(document) != simdjson::SUCCESS ||
        document.get_object().get(object) != simdjson::SUCCESS)
        return malformed();
    RepodataState state;
    for (auto field : object) {
        std::string_view key;
        simdjson::ondemand::value value;
        if (field.unescaped_key().get(key) != simdjson::SUCCESS || field.value().get(value) != simdjson::SUCCESS)
            return malformed();
        read_field(std::string(key), value, state);
    }
    if (document.current_location().error() == simdjson::SUCCESS) return malformed();
    return state;
}

std::string format_repodata_state(const RepodataState& state) {
    JsonWriter json;
    json.begin_object();
    json.member("url", state.url).member("etag", state.etag).member("mod", state.mod);
    json.member("cache_control", state.cache_control);
    json.member("mtime_ns", state.mtime_ns).member("size", state.size).member("refresh_ns", state.refresh_ns);
    write_answer(json, "has_zst", state.has_zst);
    write_answer(json, "has_shards", state.has_shards);
    json.end_object();
    return json.take();
}

std::optional<RepodataState> load_repodata_state(const RepodataCachePaths& paths) {
    const auto json = stat_json(paths.json);
    if (!json) return std::nullopt;
    RepodataState state;
    if (const auto text = read_file(paths.state, largest_state_file))
        if (auto parsed = parse_repodata_state(*text)) state = std::move(*parsed);
    if (state.mtime_ns != json->mtime_ns || state.size != json->size) {
        state.etag.clear();
        state.mod.clear();
        state.cache_control.clear();
        state.refresh_ns = 0;
        state.mtime_ns = json->mtime_ns;
        state.size = json->size;
    }
    return state;
}

Result<void> save_repodata_state(const RepodataCachePaths& paths, RepodataState& state) {
    const auto json = stat_json(paths.json);
    if (!json) return system_error(errno, "cannot stat", paths.json);
    state.mtime_ns = json->mtime_ns;
    state.size = json->size;
    return write_file_atomic(paths.state, format_repodata_state(state));
}

std::int64_t max_age_seconds(std::string_view cache_control) {
    std::int64_t age = 0;
    while (!cache_control.empty()) {
        const auto comma = cache_control.find(',');
        auto part = cache_control.substr(0, comma);
        cache_control.remove_prefix(comma == std::string_view::npos ? cache_control.size() : comma + 1);
        while (!part.empty() && (part.front() == ' ' || part.front() == '\t')) part.remove_prefix(1);
        while (!part.empty() && (part.back() == ' ' || part.back() == '\t')) part.remove_suffix(1);
        const std::string directive = lower_case(part);
        if (directive == "no-cache" || directive == "no-store") return 0;
        constexpr std::string_view prefix = "max-age=";
        if (!directive.starts_with(prefix)) continue;
        std::string_view digits = std::string_view(directive).substr(prefix.size());
        if (digits.starts_with('"')) digits.remove_prefix(1);
        std::int64_t seconds = 0;
        if (std::from_chars(digits.data(), digits.data() + digits.size(), seconds).ec == std::errc() && seconds > 0)
            age = seconds;
    }
    return age;
}

bool is_fresh(const RepodataState& state, std::int64_t ttl, std::int64_t now_ns) {
    if (state.refresh_ns <= 0 || state.url.starts_with("file://") || ttl <= 0) return false;
    constexpr std::int64_t longest = 10 * 365 * 86'400LL; // keeps the product below within 64 bits
    const std::int64_t seconds = std::min(ttl == 1 ? max_age_seconds(state.cache_control) : ttl, longest);
    // A clock that went back makes the age negative: then the server is asked.
    const std::int64_t age = now_ns - state.refresh_ns;
    return age >= 0 && age < seconds * second_ns;
}

bool still_holds(const std::optional<RememberedAnswer>& answer, std::int64_t now_ns) {
    if (!answer) return false;
    const auto checked = parse_utc_timestamp(answer->last_checked);
    return checked && *checked <= now_ns && now_ns - *checked < remembered_answer_days * day_ns;
}

std::string format_utc_timestamp(std::int64_t now_ns) {
    const auto seconds = static_cast<std::time_t>(now_ns / second_ns);
    std::tm parts{};
    if (gmtime_r(&seconds, &parts) == nullptr) return {};
    std::array<char, 40> text{};
    const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    std::array<char, 16> fraction{};
    constexpr std::int64_t microsecond_ns = 1000;
    std::snprintf(fraction.data(), fraction.size(), ".%06dZ", static_cast<int>(now_ns % second_ns / microsecond_ns));
    return std::string(text.data(), length) + fraction.data();
}

Result<RepodataLock> RepodataLock::acquire(const RepodataCachePaths& paths, double timeout_seconds) {
    constexpr off_t lock_byte = 21; // conda's
    constexpr auto pause = std::chrono::milliseconds(50);
    UniqueFd fd(::open(paths.state.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
    if (!fd) return system_error(errno, "cannot open", paths.state);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::duration<double>(timeout_seconds);
    struct flock range {};
    range.l_type = F_WRLCK;
    range.l_whence = SEEK_SET;
    range.l_start = lock_byte;
    range.l_len = 1;
    while (::fcntl(fd.get(), F_OFD_SETLK, &range) != 0) {
        if (errno == ENOLCK || errno == ENOSYS || errno == EOPNOTSUPP || errno == EINVAL) break;
        if (errno != EACCES && errno != EAGAIN && errno != EINTR)
            return system_error(errno, "cannot lock", paths.state);
        if (std::chrono::steady_clock::now() >= deadline)
            return make_error(ErrorCode::locked, "Another process holds the lock on " + paths.state +
                                                     "; wait for it to end, or try again");
        std::this_thread::sleep_for(pause);
    }
    return RepodataLock(std::move(fd));
}

} // namespace taipan
