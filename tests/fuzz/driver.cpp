// Runs a fuzz target without libFuzzer: first the target's own seeds and the files given, then random mutations of
// them. The same arguments give the same inputs, so a failure repeats.
//
//     <target> [-runs=N] [-seed=N] [-save=FILE] [-write-seeds=DIRECTORY] [FILE|DIRECTORY]...
//
// -save keeps each mutation in FILE before it runs: after a crash, give that file as the argument. -write-seeds only
// writes the seeds, as a corpus for libFuzzer (clang++ -fsanitize=fuzzer,address with the target's sources).

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string_view>

#include "fuzz_target.hpp"

namespace fs = std::filesystem;

namespace {

using Random = std::minstd_rand;

struct Options {
    std::size_t runs = 1000;
    std::uint32_t seed = 1;
    std::string save, write_seeds;
    std::vector<fs::path> inputs;
};

Options parse(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        const auto value = std::string(word.substr(std::min(word.find('=') + 1, word.size())));
        if (word.starts_with("-runs="))
            options.runs = std::stoul(value);
        else if (word.starts_with("-seed="))
            options.seed = static_cast<std::uint32_t>(std::stoul(value));
        else if (word.starts_with("-save="))
            options.save = value;
        else if (word.starts_with("-write-seeds="))
            options.write_seeds = value;
        else
            options.inputs.emplace_back(word);
    }
    return options;
}

std::string read_whole(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

void write_whole(const fs::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

void run(const std::string& input) {
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

std::size_t below(Random& random, std::size_t limit) { return limit == 0 ? 0 : random() % limit; }

/// One small change somewhere.
void mutate_once(std::string& input, const std::vector<std::string>& corpus, Random& random) {
    const auto at = below(random, input.size());
    const auto length = std::min(input.size() - at, 1 + below(random, 16));
    switch (random() % 8) {
    case 0:
        if (!input.empty()) input[at] = static_cast<char>(input[at] ^ (1 << (random() % 8)));
        break;
    case 1:
        if (!input.empty()) input[at] = static_cast<char>(random());
        break;
    case 2: input.erase(at, length); break;
    case 3: input.insert(at, length, static_cast<char>(random())); break;
    case 4: input.insert(at, input.substr(below(random, input.size()), length)); break;
    case 5:
        std::fill_n(input.begin() + static_cast<std::ptrdiff_t>(at), length, random() % 2 == 0 ? '\xff' : '\0');
        break;
    case 6:
        if (random() % 8 == 0)
            input.resize(at);
        else
            std::fill_n(input.begin() + static_cast<std::ptrdiff_t>(at), length,
                        static_cast<char>('0' + random() % 10));
        break;
    default: { // a part of another input, at the same place as there
        const auto& other = corpus[below(random, corpus.size())];
        const auto from = below(random, other.size());
        const auto part = other.substr(from, 1 + below(random, 600));
        if (from + part.size() <= input.size()) input.replace(from, part.size(), part);
    }
    }
}

} // namespace

int main(int argc, char** argv) {
    const auto options = parse(argc, argv);
    auto corpus = fuzz_seeds();
    if (!options.write_seeds.empty()) {
        fs::create_directories(options.write_seeds);
        for (std::size_t i = 0; i < corpus.size(); ++i) {
            write_whole(fs::path(options.write_seeds) / ("seed-" + std::to_string(i)), corpus[i]);
        }
        return 0;
    }
    for (const auto& input : options.inputs) {
        if (!fs::is_directory(input))
            corpus.push_back(read_whole(input));
        else
            for (const auto& file : fs::directory_iterator(input)) corpus.push_back(read_whole(file.path()));
    }
    for (const auto& input : corpus) run(input);
    if (corpus.empty()) return 1;

    Random random(options.seed);
    for (std::size_t i = 0; i < options.runs; ++i) {
        auto input = corpus[below(random, corpus.size())];
        for (auto changes = 1 + random() % 6; changes > 0; --changes) mutate_once(input, corpus, random);
        if (!options.save.empty()) write_whole(options.save, input);
        run(input);
    }
    std::printf("%zu inputs and %zu mutations of them\n", corpus.size(), options.runs);
    return 0;
}
