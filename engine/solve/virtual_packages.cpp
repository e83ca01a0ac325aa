// Packages that stand for the machine: kernel, C library, processor, graphics driver (conda-spec 8).
//
// Two parts: asking the machine (detect_host_facts), and the rules of which packages a target platform has, with
// conda's override variables (virtual_packages_for), which is pure. The rules follow the target, not the host, so that
// environments for another platform can be solved.
#include "solve/virtual_packages.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <optional>

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/filesystem.hpp"
#include "model/channel.hpp"
#include "model/version.hpp"

namespace taipan {
namespace {

/// What is assumed of a Linux that is not this machine (CEP 30).
constexpr std::string_view oldest_common_glibc = "2.17";

bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

/// The leading `N.N[.N[.N]]` of a text; empty when there are not two numbers.
std::string leading_version(std::string_view text, int most) {
    std::size_t end = 0;
    int numbers = 0;
    while (numbers < most) {
        std::size_t at = numbers == 0 ? 0 : end + 1;
        if (numbers > 0 && (end >= text.size() || text[end] != '.')) break;
        const std::size_t start = at;
        while (at < text.size() && is_digit(text[at])) ++at;
        if (at == start) break;
        end = at;
        ++numbers;
    }
    return numbers < 2 ? std::string() : std::string(text.substr(0, end));
}

std::string detect_archspec() {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("x86-64-v4")) return "x86_64_v4";
    if (__builtin_cpu_supports("x86-64-v3")) return "x86_64_v3";
    if (__builtin_cpu_supports("x86-64-v2")) return "x86_64_v2";
    return "x86_64";
#elif defined(__aarch64__)
    return "aarch64";
#else
    return {};
#endif
}

#ifdef TAIPAN_STATIC_GLIBC
/// The C library of the machine, by what it says of itself; a program that has one in it learns nothing from its own.
/// What is assumed where there is none at all, as in an empty image: the environment will run elsewhere.
std::string detect_glibc() {
    constexpr std::string_view mark = "stable release version ";
    constexpr std::uint64_t largest = std::uint64_t{64} << 20U;
    for (const char* const directory : {"/lib64", "/usr/lib64", "/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu",
                                        "/lib/aarch64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/lib", "/usr/lib"}) {
        const auto library = read_file(std::string(directory) + "/libc.so.6", largest);
        if (!library) continue;
        const std::size_t at = library->find(mark);
        if (at != std::string::npos) return leading_version(std::string_view(*library).substr(at + mark.size()), 2);
    }
    for (const char* const musl : {"/lib/ld-musl-x86_64.so.1", "/lib/ld-musl-aarch64.so.1"}) {
        if (exists(musl)) return {};
    }
    return std::string(oldest_common_glibc);
}
#else
std::string detect_glibc() {
#if defined(_CS_GNU_LIBC_VERSION)
    std::array<char, 64> text{};
    const std::size_t size = confstr(_CS_GNU_LIBC_VERSION, text.data(), text.size());
    const std::string_view value(text.data());
    constexpr std::string_view prefix = "glibc ";
    if (size == 0 || !value.starts_with(prefix)) return {};
    return leading_version(value.substr(prefix.size()), 2);
#else
    return {};
#endif
}
#endif

/// What the driver tells, through a pipe.
struct CudaAnswer {
    std::int32_t version = 0;    ///< 12040: 12.4
    std::int32_t capability = 0; ///< lowest of all devices, 86: 8.6; 0 unknown
};

template <class Function> Function find_symbol(void* library, const char* name) {
    return reinterpret_cast<Function>(dlsym(library, name)); // NOLINT: the way dlsym is used
}

/// Asks the driver. Runs in a child process that ends right after.
CudaAnswer ask_cuda_driver() {
    constexpr int major_attribute = 75, minor_attribute = 76;
    unsetenv("CUDA_VISIBLE_DEVICES");
    void* library = nullptr;
    for (const char* path :
         {"libcuda.so.1", "libcuda.so", "/usr/lib64/nvidia/libcuda.so.1", "/usr/lib64/nvidia/libcuda.so",
          "/usr/lib/wsl/lib/libcuda.so.1", "/usr/lib/wsl/lib/libcuda.so"})
        if (library == nullptr) library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    CudaAnswer answer;
    if (library == nullptr) return answer;
    const auto init = find_symbol<int (*)(unsigned)>(library, "cuInit");
    const auto get_version = find_symbol<int (*)(int*)>(library, "cuDriverGetVersion");
    const auto get_count = find_symbol<int (*)(int*)>(library, "cuDeviceGetCount");
    const auto get_device = find_symbol<int (*)(int*, int)>(library, "cuDeviceGet");
    const auto get_attribute = find_symbol<int (*)(int*, int, int)>(library, "cuDeviceGetAttribute");
    int version = 0;
    if (init == nullptr || get_version == nullptr || init(0) != 0 || get_version(&version) != 0) return answer;
    answer.version = version;
    int count = 0;
    if (get_count == nullptr || get_device == nullptr || get_attribute == nullptr || get_count(&count) != 0)
        return answer;
    for (int i = 0; i < count; ++i) {
        int device = 0, major = 0, minor = 0;
        if (get_device(&device, i) != 0 || get_attribute(&major, major_attribute, device) != 0 ||
            get_attribute(&minor, minor_attribute, device) != 0)
            continue;
        const int capability = major * 10 + minor;
        if (answer.capability == 0 || capability < answer.capability) answer.capability = capability;
    }
    return answer;
}

/// Cheap test before a process is started: without a device file there is no driver to ask.
bool may_have_cuda() {
    for (const char* path :
         {"/dev/nvidiactl", "/proc/driver/nvidia/version", "/dev/dxg", "/dev/nvhost-ctrl-gpu", "/dev/nvmap"})
        if (exists(path)) return true;
    return false;
}

/// The driver's answer, or zeros when it does not come within the time.
CudaAnswer detect_cuda() {
    constexpr int patience_ms = 10000;
    CudaAnswer answer;
    std::array<int, 2> ends{};
    if (!may_have_cuda() || pipe2(ends.data(), O_CLOEXEC) != 0) return answer;
    UniqueFd reader(ends[0]), writer(ends[1]);
    const pid_t child = fork();
    if (child < 0) return answer;
    if (child == 0) {
        const CudaAnswer found = ask_cuda_driver();
        const auto written = write(writer.get(), &found, sizeof found);
        _exit(written == static_cast<ssize_t>(sizeof found) ? 0 : 1);
    }
    writer.reset();
    pollfd waiting{reader.get(), POLLIN, 0};
    CudaAnswer received;
    if (poll(&waiting, 1, patience_ms) == 1 &&
        read(reader.get(), &received, sizeof received) == static_cast<ssize_t>(sizeof received))
        answer = received;
    kill(child, SIGKILL);
    while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
    }
    return answer;
}

/// Makes the list of one target platform.
class Maker {
public:
    Maker(std::string_view target, const HostFacts& host, const std::map<std::string, std::string>& environment)
        : target_(target),
          host_(host),
          environment_(environment),
          family_(target.substr(0, target.find('-'))),
          on_own_family_(family_ == std::string_view(host.subdir).substr(0, host.subdir.find('-'))) {}

    std::vector<PackageRecord> make() {
        add_archspec();
        add_cuda();
        if (family_ == "linux") {
            add_overridable("__glibc", "CONDA_OVERRIDE_GLIBC", host_.glibc_version, oldest_common_glibc);
            add_linux();
        }
        if (family_ == "osx") add_overridable("__osx", "CONDA_OVERRIDE_OSX", host_.macos_version, "0");
        if (family_ == "linux" || family_ == "osx" || family_ == "freebsd" || family_ == "emscripten")
            add("__unix", "0");
        if (family_ == "win") add_overridable("__win", "CONDA_OVERRIDE_WIN", {}, "0");
        return std::move(records_);
    }

private:
    [[nodiscard]] std::optional<std::string> override_of(const char* variable) const {
        const auto found = environment_.find(variable);
        if (found == environment_.end()) return std::nullopt;
        return found->second;
    }

    void add(std::string name, std::string version, std::string build = "0") {
        PackageRecord record;
        record.name = std::move(name);
        record.version = std::move(version);
        record.build = std::move(build);
        record.channel = record.channel_name = "@";
        record.subdir = std::string(target_);
        record.fn = record.name;
        records_.push_back(std::move(record));
    }

    /// Set: that version, empty: absent; else what was detected; on a foreign host the given default.
    void add_overridable(const char* name, const char* variable, const std::string& detected,
                         std::string_view foreign) {
        const auto forced = override_of(variable);
        const std::string version = forced ? *forced : on_own_family_ ? detected : std::string(foreign);
        if (!version.empty()) add(name, version);
    }

    void add_linux() {
        const auto forced = override_of("CONDA_OVERRIDE_LINUX");
        const std::string source = forced ? *forced : on_own_family_ ? host_.kernel_release : std::string();
        const std::string version = leading_version(source, 4);
        add("__linux", version.empty() ? "0" : version);
    }

    void add_cuda() {
        const auto forced = override_of("CONDA_OVERRIDE_CUDA");
        const std::string version = forced ? *forced : on_own_family_ ? host_.cuda_version : std::string();
        if (version.empty()) return;
        add("__cuda", version);
        const auto forced_arch = override_of("CONDA_OVERRIDE_CUDA_ARCH");
        const std::string arch = forced_arch ? *forced_arch : on_own_family_ ? host_.cuda_arch : std::string();
        if (!arch.empty()) add("__cuda_arch", arch);
    }

    void add_archspec() {
        const auto forced = override_of("CONDA_OVERRIDE_ARCHSPEC");
        std::string build;
        if (forced)
            build = *forced;
        else if (target_ == host_.subdir)
            build = host_.archspec;
        else if (target_.ends_with("-64"))
            build = "x86_64";
        else if (target_.ends_with("-32"))
            build = "x86";
        else if (const auto dash = target_.find('-'); dash != std::string_view::npos)
            build = target_.substr(dash + 1);
        if (!build.empty()) add("__archspec", "1", std::move(build));
    }

    std::string_view target_;
    const HostFacts& host_;
    const std::map<std::string, std::string>& environment_;
    std::string_view family_;
    bool on_own_family_;
    std::vector<PackageRecord> records_;
};

} // namespace

HostFacts detect_host_facts() {
    HostFacts facts;
    facts.subdir = native_subdir();
    utsname name{};
    if (uname(&name) == 0) facts.kernel_release = name.release;
    facts.glibc_version = detect_glibc();
    facts.archspec = detect_archspec();
    if (const CudaAnswer cuda = detect_cuda(); cuda.version > 0) {
        facts.cuda_version = std::to_string(cuda.version / 1000) + '.' + std::to_string(cuda.version % 1000 / 10);
        if (cuda.capability > 0)
            facts.cuda_arch = std::to_string(cuda.capability / 10) + '.' + std::to_string(cuda.capability % 10);
    }
    return facts;
}

std::vector<PackageRecord> virtual_packages_for(std::string_view target_subdir, const HostFacts& host,
                                                const std::map<std::string, std::string>& environment) {
    return Maker(target_subdir, host, environment).make();
}

std::vector<PackageRecord> detect_virtual_packages(std::string_view target_subdir,
                                                   const std::map<std::string, std::string>& environment) {
    return virtual_packages_for(target_subdir, detect_host_facts(), environment);
}

} // namespace taipan
