// From a request to libsolv's jobs: conda's table of what becomes of each name (conda-spec 11.1).
//
// Requested names are installed or updated; pins and python's minor version limit; what was requested earlier is asked
// for again; everything else stays exactly as it is on the first attempt of an install, and floats when it turns out to
// be in the way. The order of the jobs decides between good answers, and is conda's: first what is not there yet or was
// requested earlier, then what is to be updated, each sorted by name. So a request of earlier that still holds is kept,
// rather than moved for an update. What only the old version of an updated package needed goes with it, unless it is
// wanted by somebody; libsolv knows from the `wanted` jobs.
#include "solve/jobs.hpp"

#include <algorithm>
#include <utility>

#include "solve/remove.hpp"

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
        for (auto* jobs : {&installs_, &updates_, &keeps_}) {
            std::stable_sort(jobs->begin(), jobs->end(),
                             [](const auto& a, const auto& b) { return a.first < b.first; });
            for (const auto& [name, job] : *jobs) plan_.jobs.push_back(job);
        }
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

    [[nodiscard]] Job install(const MatchSpec& spec) const {
        return {.kind = Job::Kind::install, .dependency = catalog_.dependency(spec), .entry = 0};
    }

    void plan_requested(const std::string& name, const std::vector<const MatchSpec*>& specs) {
        const auto installed = installed_.find(name);
        if (installed == installed_.end()) {
            for (const MatchSpec* spec : specs) installs_.emplace_back(name, install(*spec));
            return;
        }
        const bool matches = std::all_of(specs.begin(), specs.end(), [&](const MatchSpec* spec) {
            return catalog_.matches(*spec, installed->second);
        });
        if (!matches) plan_.limits.may_downgrade.insert(name);
        if (locked_.contains(name))
            keep(name, installed->second);
        else
            updates_.emplace_back(name, Job{.kind = Job::Kind::update, .dependency = 0, .entry = installed->second});
        const auto pin = pinned_.find(name);
        for (const MatchSpec* spec : specs) {
            if (!spec->is_name_only())
                updates_.emplace_back(name, install(*spec));
            else if (pin != pinned_.end())
                updates_.emplace_back(name, install(*pin->second));
            else if (freedom_.insist.contains(name))
                updates_.emplace_back(name, install(*spec));
        }
        want(name, installed->second);
    }

    void keep(const std::string& name, EntryId entry) {
        plan_.limits.frozen.emplace(name, true);
        keeps_.emplace_back(name, Job{.kind = Job::Kind::keep_entry, .dependency = 0, .entry = entry});
    }

    void want(const std::string& name, EntryId entry) {
        keeps_.emplace_back(name, Job{.kind = Job::Kind::wanted, .dependency = 0, .entry = entry});
    }

    /// Whether the package is there for its own sake. What is in the way is not held for it.
    [[nodiscard]] bool is_wanted(const std::string& name) const {
        return !freedom_.may_move(name) &&
               (request_.history.contains(name) || always_updated_.contains(name) || locked_.contains(name) ||
                pinned_.contains(name) || protected_names().contains(name));
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
            installs_.emplace_back(name,
                                   install(pin->second.spec)); // what is installed goes, but not without a successor
            return;
        }
        const auto history = request_.history.find(name);
        const bool in_history = history != request_.history.end();
        const bool move_with_python = python_moves_ && depends_on_python(entry);
        const bool updates = request_.update_all || freedom_.update.contains(name) || always_updated_.contains(name);
        // What is updated is not held to the version it was once requested in, as with conda and mamba. To ask for its
        // mere name once more would let it choose before others; see Freedom::insist.
        if (in_history && !updates)
            installs_.emplace_back(name, install(effective_history(catalog_, history->second, entry, freedom_)));
        else if (in_history && freedom_.insist.contains(name))
            installs_.emplace_back(name, install(name_of(history->second)));
        if (is_wanted(name)) want(name, entry);
        if (locked_.contains(name) || (request_.freeze_installed && !move_with_python)) {
            keep(name, entry);
        } else if (updates) {
            updates_.emplace_back(name, Job{.kind = Job::Kind::update, .dependency = 0, .entry = entry});
        } else if (!in_history && !updating_ && !move_with_python && !freedom_.may_move(name) &&
                   !pinned_.contains(name) && name != "python") {
            keep(name, entry);
        } else {
            keeps_.emplace_back(name, Job{.kind = Job::Kind::allow, .dependency = 0, .entry = entry});
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
    std::vector<std::pair<std::string, Job>> installs_, updates_, keeps_; ///< by name
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
