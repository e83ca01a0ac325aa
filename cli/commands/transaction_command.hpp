#pragma once

#include <string>
#include <vector>

#include "config/environment_file.hpp"
#include "program/command.hpp"
#include "program/common_options.hpp"
#include "requests/request_files.hpp"
#include "requests/target_prefix.hpp"
#include "transaction/transaction.hpp"

namespace taipan::cli {

/// What create, install, update and remove share: options, reading of files, resolving of names, and the run.
/// A derived command says which options it has and fills in what is its own.
class TransactionCommand : public Command {
public:
    [[nodiscard]] std::string usage_error() const override;
    [[nodiscard]] bool wants_json() const override { return json_; }
    [[nodiscard]] std::string_view error_name(ErrorCode code) const override;
    Result<int> run(Invocation& invocation) override;

protected:
    /// The request before it is complete; derived commands may look and change.
    struct Draft {
        Invocation& invocation;
        Config config;
        TransactionRequest request;
        std::vector<RequestFile> files;
    };

    [[nodiscard]] virtual Action action() const = 0;
    [[nodiscard]] virtual WithoutTarget without_target(Role /*role*/) const { return WithoutTarget::active_or_root; }
    /// Called when files are read, before the target is resolved.
    virtual Result<void> prepare(Draft&) { return {}; }
    /// Called when the request is complete, before the run. False ends the command with success.
    virtual Result<bool> accept(Draft&) { return true; }

    [[nodiscard]] Options base_options();   ///< environment, configuration, output, consent, channels
    [[nodiscard]] Options file_options();   ///< -f and what is chosen of files
    [[nodiscard]] Options solve_options();  ///< --no-deps, --freeze-installed, ...
    [[nodiscard]] Options update_options(); ///< --freeze-installed, --update-deps, ...
    [[nodiscard]] Options link_options();   ///< --copy, --no-pyc, --download-only
    [[nodiscard]] Options spec_argument(std::string help);

    CommonOptions common_;
    RecordingOptions recording_;
    std::vector<std::string> specs_;
    RequestFileOptions files_;
    bool no_deps_ = false, only_deps_ = false, freeze_installed_ = false, force_reinstall_ = false, no_pin_ = false;
    bool no_default_packages_ = false, prune_ = false, update_all_ = false, download_only_ = false;
    bool use_uv_ = false;
    bool reproducible_ = false;
    bool update_deps_ = false, update_specs_ = false, skip_if_satisfied_ = false;
    std::optional<std::string> revision_;
    std::optional<bool> copy_, pyc_, skip_link_scripts_, direct_, allow_softlinks_, always_softlink_,
        extra_safety_checks_;
    std::optional<std::string> safety_checks_;
    bool clobber_ = false;
    std::string slim_;
    std::vector<std::string> slim_exclude_, slim_keep_;
    bool json_ = false, print_config_ = false;

private:
    /// The root prefix becomes an environment as soon as something is to go into it: images begin with an empty one.
    /// To mamba any directory with a conda-meta is one.
    Result<void> open_base(Draft& draft) const;
    /// mamba's --print-config-only.
    Result<int> show_understood(Draft& draft);
    void take_file(Draft& draft, RequestFile& file, std::vector<std::string>& channels);
    void add_pip_package(Draft& draft) const;
    Result<void> fill_request(Draft& draft);
    Result<void> apply_to_config(const Invocation& invocation, Config& config) const;

    bool pip_failed_ = false;
};

} // namespace taipan::cli
