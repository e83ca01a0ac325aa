// Extraction of hostile archives. An input that starts like a zip is taken as a .conda archive, one that starts like
// bzip2 as a .tar.bz2; anything else is a bare tar and becomes the payload of an otherwise good .conda archive, so that
// mutations reach the tar and path code instead of breaking a checksum. For the same reason the checksums of tar
// headers are put right first.
//
// What must never happen: a crash, a file outside the destination, or a success without info/index.json.

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>

#include <csignal>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/filesystem.hpp"
#include "extract/extract.hpp"
#include "fuzz/fuzz_target.hpp"
#include "unit/extract/archive_builder.hpp"
#include "unit/extract/helper_threads.hpp"

namespace fs = std::filesystem;
using namespace taipan;
using namespace taipan::test;

namespace {

/// The destination and a neighbour that must stay empty.
struct Sandbox {
    fs::path root;
    Sandbox() {
        const auto memory = fs::path("/dev/shm");
        auto pattern = ((fs::exists(memory) ? memory : fs::temp_directory_path()) / "taipan-fuzz-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) std::abort();
        root = pattern;
        fs::create_directory(root / "outside");
        const rlimit largest_file{64 << 20, 64 << 20};
        if (::setrlimit(RLIMIT_FSIZE, &largest_file) != 0) std::abort();
        std::signal(SIGXFSZ, SIG_IGN); // the write fails instead
    }
    Sandbox(const Sandbox&) = delete;
    Sandbox& operator=(const Sandbox&) = delete;
    ~Sandbox() {
        std::error_code ignored;
        fs::remove_all(root, ignored);
    }
    [[nodiscard]] bool is_clean() const {
        std::size_t names = 0;
        for ([[maybe_unused]] const auto& entry : fs::directory_iterator(root)) ++names;
        return names == 2 && fs::is_empty(root / "outside");
    }
};

void require(bool ok, const char* what) {
    if (ok) return;
    std::fprintf(stderr, "extract_fuzz: %s\n", what);
    std::abort();
}

/// Paths, types, sizes and targets.
std::set<std::string> listing(const fs::path& tree) {
    std::set<std::string> lines;
    for (const auto& entry : fs::recursive_directory_iterator(tree)) {
        auto line = entry.path().lexically_relative(tree).string() + ' ';
        if (entry.is_symlink()) {
            line += "-> " + fs::read_symlink(entry.path()).string();
        } else {
            line += entry.is_directory() ? "directory" : std::to_string(entry.file_size());
        }
        lines.insert(line);
    }
    return lines;
}

void repair_checksums(std::string& tar) {
    for (std::size_t block = 0; block + 512 <= tar.size(); block += 512) {
        if (tar.compare(block + 257, 5, "ustar") != 0) continue;
        tar.replace(block + 148, 8, 8, ' ');
        unsigned sum = 0;
        for (std::size_t i = 0; i < 512; ++i) sum += static_cast<unsigned char>(tar[block + i]);
        std::array<char, 8> text{};
        std::snprintf(text.data(), text.size(), "%06o", sum & 0777777U);
        tar.replace(block + 148, 7, text.data(), 7);
    }
}

TarBuilder payload(TarBuilder::Format format) {
    TarBuilder tar(format);
    tar.directory("lib/d").file("lib/d/f", "text", 0755).symlink("lib/l", "d").hardlink("lib/h", "lib/d/f");
    tar.file("lib/l/through", "x").symlink("out", "../outside").file("lib/" + std::string(90, 'n') + "/f", "y");
    tar.file("info/has_prefix", "h").file("lib/d/f", "again").fifo("lib/p");
    if (format != TarBuilder::Format::ustar) tar.file("lib/" + std::string(300, 'n'), std::string(3000, 'z'));
    if (format == TarBuilder::Format::pax) tar.sparse("lib/s", 8192, "middle");
    return tar;
}

} // namespace

std::vector<std::string> fuzz_seeds() {
    std::vector<std::string> seeds;
    for (const auto format : {TarBuilder::Format::ustar, TarBuilder::Format::gnu, TarBuilder::Format::pax}) {
        seeds.push_back(payload(format).build());
    }
    const auto info = TarBuilder().index().build();
    seeds.push_back(conda_of(seeds[2], info));
    seeds.push_back(zip_of({{"info-a-1-0.tar.zst", zstd_of(info), true},
                            {"pkg-a-1-0.tar.zst", zstd_of(seeds[1]), true},
                            {"metadata.json", R"({"conda_pkg_format_version": 2})", true}},
                           true, "comment"));
    seeds.push_back(bzip2_of(payload(TarBuilder::Format::pax).index().build()));
    return seeds;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Sandbox sandbox;
    static ExtractContext context(4);
    static const std::string info = TarBuilder().index().build();
    std::string archive(reinterpret_cast<const char*>(data), size);
    auto format = ArchiveFormat::conda;
    if (archive.starts_with("BZh")) {
        format = ArchiveFormat::tar_bz2;
    } else if (!archive.starts_with("PK")) {
        repair_checksums(archive);
        archive = conda_of(archive, info);
    }
    const auto tree = sandbox.root / "tree";
    fs::create_directory(tree);
    {
        const UniqueFd fd(::open(tree.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        const std::atomic<bool> cancelled{false};
        MemoryInput input(archive);
        const auto result = extract_package(context, input, format, fd.get(), cancelled);
        if (result)
            require(!result->info.index_json.empty(), "a package without info/index.json was accepted");
        else
            require(result.error().code != ErrorCode::internal, result.error().describe().c_str());
        const auto second = sandbox.root / "arriving";
        fs::create_directory(second);
        {
            const UniqueFd other(::open(second.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
            const auto arriving =
                extract_package(context, input, format, other.get(), cancelled, {.still_arriving = true});
            require(!arriving || result, "an archive was accepted only while it arrived");
        }
        fs::remove_all(second);
        fs::create_directory(second);
        {
            static HelperThreads helpers(2);
            const UniqueFd other(::open(second.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
            const auto shared =
                extract_package(context, input, format, other.get(), cancelled, {.helpers = &helpers, .share_from = 0});
            require(static_cast<bool>(shared) == static_cast<bool>(result), "helpers changed the result");
            if (shared) {
                require(shared->contained == result->contained, "helpers changed whether the tree is contained");
                require(listing(second) == listing(tree), "helpers changed the tree");
            }
        }
        fs::remove_all(second);
    }
    require(sandbox.is_clean(), "something was written outside the tree");
    fs::remove_all(tree);
    return 0;
}
