// The same packages, the same tree, bit for bit: on any machine, at any time, with any number of cores, cached or
// direct. Most of it is so anyway, since nothing depends on who comes first. What is left are traces of the run itself:
// its time, its command line, where its cache lies, its umask. Records and history are written without them; times and
// modes are set here, when all is done. Rewritten files keep the time of the package's file, which is also in the
// bytecode made of them.

#include "flow/reproducible.hpp"

#include <algorithm>
#include <array>
#include <ctime>

#include "base/filesystem.hpp"
#include "prefix/prefix_data.hpp"
#include "prefix/settle_tree.hpp"

namespace taipan {

namespace {

constexpr std::int64_t first_of_1980 = 315532800;
constexpr std::int64_t largest_seconds = 253402300799; ///< the end of 9999; larger timestamps count milliseconds

} // namespace

std::int64_t moment_of(const Config& config, const std::vector<PackageRecord>& packages) {
    if (config.source_date_epoch) return *config.source_date_epoch;
    std::int64_t newest = first_of_1980;
    for (const PackageRecord& package : packages) {
        const std::int64_t timestamp = package.timestamp.value_or(0);
        newest = std::max(newest, timestamp > largest_seconds ? timestamp / 1000 : timestamp);
    }
    return newest;
}

std::string utc_time(std::int64_t seconds) {
    const auto moment = static_cast<std::time_t>(seconds);
    std::tm parts{};
    ::gmtime_r(&moment, &parts);
    std::array<char, 32> text{};
    const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &parts);
    return {text.data(), length};
}

std::string neutral_command(Action action) {
    switch (action) {
    case Action::create: return "taipan create";
    case Action::install: return "taipan install";
    case Action::update: return "taipan update";
    case Action::remove: return "taipan remove";
    }
    return "taipan";
}

Result<void> settle_environment(Session& session, const std::string& prefix, bool made_now) {
    const auto& slim = session.config().slim;
    const bool without_records = std::find(slim.begin(), slim.end(), "conda-meta") != slim.end();
    if (!session.config().reproducible) {
        return without_records ? remove_tree(prefix + "/conda-meta") : Result<void>();
    }
    TAIPAN_TRY(const PrefixData data, load_prefix(prefix, RecordDetail::full, session.config().channel_settings));
    TreeRules rules;
    rules.moment = moment_of(session.config(), data.packages());
    rules.others = made_now;
    for (const PrefixRecord& record : data.records) {
        for (const InstalledPath& path : record.paths) {
            const PathType type = path.entry.type;
            const bool shipped = type != PathType::pyc_file && type != PathType::unix_python_entry_point;
            rules.known.insert_or_assign(path.entry.path, shipped ? TreeFile::shipped : TreeFile::made);
        }
    }
    if (without_records) {
        TAIPAN_CHECK(remove_tree(prefix + "/conda-meta"));
    } else if (made_now) {
        TAIPAN_CHECK(write_file_atomic(prefix + "/conda-meta/created_at", std::to_string(rules.moment) + ".000000"));
    }
    return settle_tree(prefix, rules);
}

} // namespace taipan
