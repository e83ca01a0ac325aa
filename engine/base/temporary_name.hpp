#pragma once

#include <string>
#include <string_view>

namespace taipan {

/// The number of this process in the names of its temporary files: chosen at random, since processes in two containers
/// or on two machines that share a directory may have one process number. 1 to 2^40.
[[nodiscard]] long run_number();

/// `<before>-<run number>-<counter>`, another one with each call; thread-safe.
[[nodiscard]] std::string temporary_name(std::string_view before);

/// The run number in such a name; 0 when it is none of ours, which all have `.taipan-` in them.
[[nodiscard]] long run_of_temporary(std::string_view name);

} // namespace taipan
