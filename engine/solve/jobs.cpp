// From a request to libsolv's jobs: conda's table of what becomes of each name (conda-spec 11.1).
//
// Requested names are installed or updated; pins and python's minor version limit; what was requested earlier is asked
// for again; everything else stays exactly as it is on the first attempt of an install, and floats when it turns out to
// be in the way. The jobs are sorted by name, as mamba does: their order decides between equally good answers.
#include "solve/jobs.hpp"

#include <algorithm>

namespace taipan::solve_detail {
namespace {

MatchSpec name_of(const MatchSpec& spec) {
    auto name = MatchSpec::parse(spec.name());
    return name ? std::move(*name) : spec;
}

class Planner {
public:
    Planner(Catalog& catalog, const Freedom& freedom)
        : catalog_(catalog), request_(catalog.request()), freedom_(freedom) {
        for (const auto& spec : request_.install) requested_[spec.name()].push_back(&spec);
        for (const auto& spec : request_.update) requested_[spec.name()].push_back(&spec);
        updating_ = request_.update_all || !request_.update.empty();
        always_updated_.insert(request_.always_update.begin(), request_.always_update.end());
    }

    Result<AttemptPlan> plan() {
        for (const auto& record : request_.installed) TAIPAN_CHECK(add_installed_name(record));
        add_pins();
        find_moving_python();
        plan_.limits.no_downgrade = updating_;
        for (const auto& [name, specs] : requested_) plan_requested(name, specs);
        for (const auto& [name, entry] : installed_)
            if (!requested_.contains(name)) plan_installed(name, entry);
        plan_.jobs = std::move(installs_);
        plan_.jobs.insert(plan_.jobs.end(), updates_.begin(), updates_.end());
        plan_.jobs.insert(plan_.jobs.end(), keeps_.begin(), keeps_.end());
        return std::move(plan_);
    }

private:
    Result<void> add_installed_name(const PackageRecord& record) {
        TAIPAN_TRY(const NameId name, catalog_.load(record.name));
        if (const auto installed = catalog_.name(name).installed) installed_.emplace(record.name, *installed);
        return {};
    }

    void add_pins() {
        for (const auto& spec : request_.pins) {
            if (spec.is_name_only()) {
                locked_.insert(spec.name());
                continue;
            }
            pinned_.emplace(spec.name(), &spec);
            plan_.limits.pins.emplace(spec.name(), Limits::Pin{spec, Block::pin});
        }
        const auto python = installed_.find("python");
        if (python == installed_.end() || requested_.contains("python") || pinned_.contains("python")) return;
        plan_.limits.pins.emplace(
            "python", Limits::Pin{python_minor_spec(catalog_.entry(python->second).version), Block::python_minor});
    }

    /// When python itself is asked to become another one, what was compiled for the old one cannot be held.
    void find_moving_python() {
        const auto python = installed_.find("python");
        const auto specs = requested_.find("python");
        if (python == installed_.end() || specs == requested_.end()) return;
        python_moves_ = std::any_of(specs->second.begin(), specs->second.end(),
                                    [&](const MatchSpec* spec) { return !catalog_.matches(*spec, python->second); });
    }

    void install(const MatchSpec& spec) {
        installs_.push_back({.kind = Job::Kind::install, .dependency = catalog_.dependency(spec), .entry = 0});
    }

    void plan_requested(const std::string& name, const std::vector<const MatchSpec*>& specs) {
        for (const MatchSpec* spec : specs) install(*spec);
        const auto installed = installed_.find(name);
        if (installed == installed_.end()) return;
        const bool matches = std::all_of(specs.begin(), specs.end(), [&](const MatchSpec* spec) {
            return catalog_.matches(*spec, installed->second);
        });
        if (!matches) plan_.limits.may_downgrade.insert(name);
        if (locked_.contains(name))
            keep(name, installed->second);
        else
            updates_.push_back({.kind = Job::Kind::update, .dependency = 0, .entry = installed->second});
    }

    void keep(const std::string& name, EntryId entry) {
        plan_.limits.frozen.emplace(name, true);
        keeps_.push_back({.kind = Job::Kind::keep_entry, .dependency = 0, .entry = entry});
    }

    [[nodiscard]] bool depends_on_python(EntryId entry) const {
        const auto& record = catalog_.entry(entry).record;
        if (record.noarch != Noarch::none) return false;
        return std::any_of(record.depends.begin(), record.depends.end(), [](const std::string& text) {
            return text == "python" || text.starts_with("python ") || text == "python_abi" ||
                   text.starts_with("python_abi ");
        });
    }

    void plan_installed(const std::string& name, EntryId entry) {
        const auto [first, last] = plan_.limits.pins.equal_range(name);
        for (auto pin = first; pin != last; ++pin) {
            if (catalog_.matches(pin->second.spec, entry)) continue;
            install(pin->second.spec); // what is installed must go, but not without a successor
            return;
        }
        const auto history = request_.history.find(name);
        const bool in_history = history != request_.history.end();
        const bool move_with_python = python_moves_ && depends_on_python(entry);
        const bool updates = request_.update_all || freedom_.update.contains(name) || always_updated_.contains(name);
        // What is updated is not held to the version it was once requested in, as with conda and mamba. To ask for its
        // mere name once more would let it choose before others; see Freedom::insist.
        if (in_history && !updates)
            install(effective_history(catalog_, history->second, entry, freedom_));
        else if (in_history && freedom_.insist.contains(name))
            install(name_of(history->second));
        if (locked_.contains(name) || (request_.freeze_installed && !move_with_python)) {
            keep(name, entry);
        } else if (updates) {
            updates_.push_back({.kind = Job::Kind::update, .dependency = 0, .entry = entry});
        } else if (!in_history && !updating_ && !move_with_python && !freedom_.may_move(name) &&
                   !pinned_.contains(name) && name != "python") {
            keep(name, entry);
        } else {
            keeps_.push_back({.kind = Job::Kind::allow, .dependency = 0, .entry = entry});
        }
    }

    Catalog& catalog_;
    const SolveRequest& request_;
    const Freedom& freedom_;
    AttemptPlan plan_;
    std::map<std::string, std::vector<const MatchSpec*>> requested_;
    std::map<std::string, EntryId> installed_;
    std::multimap<std::string, const MatchSpec*> pinned_;
    std::set<std::string> locked_; ///< pinned by name only
    std::set<std::string> always_updated_;
    std::vector<Job> installs_, updates_, keeps_;
    bool updating_ = false, python_moves_ = false;
};

} // namespace

MatchSpec python_minor_spec(const Version& version) {
    auto spec = MatchSpec::parse("python " + version.major_minor() + ".*");
    return spec ? std::move(*spec) : std::move(*MatchSpec::parse("python"));
}

MatchSpec effective_history(const Catalog& catalog, const MatchSpec& spec, EntryId installed, const Freedom& freedom) {
    if (!catalog.matches(spec, installed)) return name_of(spec);
    if (!freedom.may_move(spec.name()) || !spec.version() || !spec.build()) return spec;
    auto relaxed = MatchSpec::parse(spec.name() + "[version='" + spec.version()->text() + "']");
    return relaxed ? std::move(*relaxed) : spec;
}

Result<AttemptPlan> plan_attempt(Catalog& catalog, const Freedom& freedom) { return Planner(catalog, freedom).plan(); }

} // namespace taipan::solve_detail
