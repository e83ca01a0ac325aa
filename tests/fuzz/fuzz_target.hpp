#pragma once

// What a fuzz target defines. libFuzzer knows the first function; our own driver (driver.cpp), with which every build
// runs the targets for a moment, asks the second one for inputs to start from.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

/// One input. Returns 0; whatever must not happen ends the process.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

/// Good inputs, made when they are needed so that no binary files lie in the repository.
std::vector<std::string> fuzz_seeds();
