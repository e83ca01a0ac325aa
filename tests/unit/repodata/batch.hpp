#pragma once

#include <cstring>
#include <string_view>

#include "repodata/splitter.hpp"

namespace taipan::repodata {

/// A piece of an index as the splitter hands it out; behind the text is what confuses a parser that reads on.
inline Batch batch_of(std::string_view text, Section section = Section::conda) {
    constexpr std::size_t padding = 128;
    Batch batch;
    batch.buffer = Buffer::of_size(text.size() + padding);
    std::memset(batch.buffer.bytes.get(), '"', batch.buffer.capacity);
    std::memcpy(batch.buffer.bytes.get(), text.data(), text.size());
    batch.size = text.size();
    batch.section = section;
    return batch;
}

} // namespace taipan::repodata
