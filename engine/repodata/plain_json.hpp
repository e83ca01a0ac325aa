#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "repodata/record_fields.hpp"
#include "repodata/record_view.hpp"

namespace taipan::repodata {

/// Reads members of a section, `{"<file name>": {record}, ...}`, as long as they are written plainly: texts without
/// escapes, whole numbers, lists of texts, fields of the types they should have. That is nearly all there is in
/// channels, and it is read in one pass. What is not plain is told and left to a JSON library; so this accepts nothing
/// that is no JSON, and reads nothing in another way than the library's user does (RecordReader).
class PlainMembers {
public:
    enum class Step {
        record, ///< `file` and `record` are read
        other,  ///< a record that is not plain: `file` is read, `text` is all of it if it is JSON
        end,    ///< there is no further one
        odd,    ///< the text is not plain here: nothing further can be read
    };

    /// Lists and changed texts are kept in the arena, others go on pointing into what is read.
    explicit PlainMembers(Arena& arena) : arena_(arena) {}
    /// `text` is UTF-8; the padding behind it, which a JSON library would want too, is readable.
    void begin(std::string_view text);
    Step next();
    /// Everything but its `fn`.
    [[nodiscard]] RecordView& record() { return record_; }
    [[nodiscard]] std::string_view file() const { return file_; }
    [[nodiscard]] std::string_view text() const { return text_; }

private:
    /// A list as it was written, and what it says: the next package often has the same one, and then gets the same
    /// span.
    struct KnownList {
        std::string_view written;
        std::span<const std::string_view> items;
    };
    /// A key with its quotes and colon.
    struct KnownKey {
        std::string_view written;
        RecordKey key = RecordKey::other;
    };
    void skip_blanks();
    bool take(char wanted);
    bool take_word(std::string_view word);
    bool read_text(std::string_view& out);
    bool read_number(std::int64_t& out);
    bool read_list(KnownList& known, std::span<const std::string_view>& out);
    bool skip_value();
    bool read_key(std::size_t place, RecordKey& key);
    bool read_object();
    bool read_field(RecordKey key);
    bool read_text_field(RecordKey key);
    bool read_number_field(RecordKey key);
    bool read_features(std::string_view& out);
    bool skip_object();

    Arena& arena_;
    const char *at_ = nullptr, *end_ = nullptr;
    bool first_ = true;
    RecordView record_;
    std::string_view file_, text_;
    KnownList depends_, constrains_;
    std::vector<KnownKey> keys_;          ///< of the record before
    std::vector<std::string_view> items_; ///< of the list at hand
};

} // namespace taipan::repodata
