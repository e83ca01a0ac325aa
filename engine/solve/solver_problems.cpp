#include "solve/solver_problems.hpp"

#include <algorithm>

namespace taipan::solve_detail {
namespace {

std::string package_text(const Entry& entry) {
    return entry.record.name + '-' + entry.record.version + '-' + entry.record.build;
}

class Problem {
public:
    Problem(const Catalog& catalog, const AttemptPlan& plan, const std::vector<Reason>& reasons)
        : catalog_(catalog), plan_(plan), reasons_(reasons) {}

    /// What is most telling: something that does not exist, then packages that exclude each other, then the rest.
    [[nodiscard]] std::string text() const {
        for (const auto kind :
             {Reason::Kind::no_provider, Reason::Kind::job_no_provider, Reason::Kind::constrains,
              Reason::Kind::same_name, Reason::Kind::requires_, Reason::Kind::job, Reason::Kind::keeps}) {
            for (const Reason& reason : reasons_) {
                if (reason.kind != kind) continue;
                if (auto told = sentence(reason); !told.empty()) return told;
            }
        }
        return "conflicting requests";
    }

private:
    [[nodiscard]] std::string sentence(const Reason& reason) const {
        const std::string source = reason.source ? package_text(catalog_.entry(*reason.source)) : std::string();
        const std::string target = reason.target ? package_text(catalog_.entry(*reason.target)) : std::string();
        const std::string needed = reason.dependency ? catalog_.dependency(*reason.dependency).text : std::string();
        switch (reason.kind) {
        case Reason::Kind::no_provider:
            if (!reason.dependency || source.empty()) return {};
            return unfulfilled(*reason.dependency, needed + " needed by " + source);
        case Reason::Kind::job_no_provider: return requested(reason, true);
        case Reason::Kind::constrains:
            if (source.empty() || target.empty()) return {};
            return "package " + source + " has constraint " + needed + " conflicting with " + target;
        case Reason::Kind::same_name: return rivals(reason);
        case Reason::Kind::requires_:
            if (source.empty() || needed.empty()) return {};
            return "package " + source + " requires " + needed + ", but none of the providers can be installed";
        case Reason::Kind::job: return requested(reason, false);
        case Reason::Kind::keeps: return source.empty() ? source : "problem with installed package " + source;
        case Reason::Kind::other: break;
        }
        return {};
    }

    /// Of a name with many builds the rule names one package only; its rival is in another rule of the problem.
    [[nodiscard]] std::string rivals(const Reason& reason) const {
        if (!reason.source) return {};
        const Entry& one = catalog_.entry(*reason.source);
        std::optional<EntryId> other = reason.target;
        for (const Reason& rule : reasons_) {
            if (other) break;
            if (rule.kind == Reason::Kind::same_name && rule.source && *rule.source != *reason.source &&
                catalog_.entry(*rule.source).name == one.name)
                other = rule.source;
        }
        if (!other) return {};
        return "cannot install both " + package_text(one) + " and " + package_text(catalog_.entry(*other));
    }

    /// A wish that nothing fulfils; with `missing` false: none of what would.
    [[nodiscard]] std::string requested(const Reason& reason, bool missing) const {
        if (!reason.job || *reason.job >= plan_.jobs.size()) return {};
        const Job& job = plan_.jobs[*reason.job];
        if (job.kind != Job::Kind::install) return {};
        const std::string spec = catalog_.dependency(job.dependency).text;
        return missing ? unfulfilled(job.dependency, "requested " + spec) : std::string("conflicting requests");
    }

    /// Packages that the machine rules out are not known to libsolv here; mamba's libsolv names what the machine lacks.
    [[nodiscard]] std::string unfulfilled(DependencyId id, const std::string& otherwise) const {
        const auto& matches = catalog_.dependency(id).matches;
        const auto ruled_out = std::find_if(matches.begin(), matches.end(), [&](EntryId entry) {
            return catalog_.entry(entry).impossible.has_value();
        });
        if (ruled_out == matches.end()) return "nothing provides " + otherwise;
        const Entry& entry = catalog_.entry(*ruled_out);
        return "nothing provides " + catalog_.dependency(*entry.impossible).text + " needed by " + package_text(entry);
    }

    const Catalog& catalog_;
    const AttemptPlan& plan_;
    const std::vector<Reason>& reasons_;
};

} // namespace

std::vector<std::string> solver_problems(const Catalog& catalog, const AttemptPlan& plan, const Answer& answer) {
    std::vector<std::string> texts;
    for (const auto& reasons : answer.problems) {
        auto text = Problem(catalog, plan, reasons).text();
        if (std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(std::move(text));
    }
    return texts;
}

} // namespace taipan::solve_detail
