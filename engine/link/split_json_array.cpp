#include "link/split_json_array.hpp"

namespace taipan {

namespace {

/// The quote that ends the string whose first one is at `open`, or npos.
std::size_t string_end(std::string_view text, std::size_t open) {
    std::size_t at = text.find_first_of("\"\\", open + 1);
    while (at != std::string_view::npos && text[at] == '\\') at = text.find_first_of("\"\\", at + 2);
    return at;
}

/// Walks over a text bracket by bracket.
class Splitter {
public:
    Splitter(std::string_view text, std::string_view key, std::size_t piece_size)
        : text_(text), key_(key), piece_size_(piece_size) {}

    std::optional<SplitJsonArray> run() {
        for (std::size_t at = 0; at < text_.size(); ++at) {
            switch (text_[at]) {
            case '"': {
                const std::size_t end = string_end(text_, at);
                if (end == std::string_view::npos) return std::nullopt;
                if (depth_ == 1) last_string_ = text_.substr(at + 1, end - at - 1);
                at = end;
                break;
            }
            case '[':
                if (depth_ == 0) return std::nullopt;
                [[fallthrough]];
            case '{': enter(at); break;
            case ',':
                if (inside_ && depth_ == 2 && at - piece_ >= piece_size_) cut(at);
                break;
            case ']':
            case '}':
                if (inside_ && depth_ == 2) return finish(at);
                if (--depth_ < 0) return std::nullopt;
                break;
            default: break;
            }
        }
        return std::nullopt;
    }

private:
    void enter(std::size_t at) {
        // At depth 1 the last string before an array is its key.
        if (++depth_ != 2 || text_[at] != '[' || last_string_ != key_) return;
        inside_ = true;
        begin_ = piece_ = at + 1;
    }
    void cut(std::size_t at) {
        split_.pieces.push_back(text_.substr(piece_, at - piece_));
        piece_ = at + 1;
    }
    SplitJsonArray finish(std::size_t at) {
        cut(at);
        split_.rest.append(text_.substr(0, begin_)).append(text_.substr(at));
        return std::move(split_);
    }

    std::string_view text_, key_;
    std::size_t piece_size_;
    int depth_ = 0;
    bool inside_ = false;
    std::string_view last_string_;
    std::size_t begin_ = 0, piece_ = 0;
    SplitJsonArray split_;
};

} // namespace

std::optional<SplitJsonArray> split_json_array(std::string_view text, std::string_view key, std::size_t piece_size) {
    return Splitter(text, key, piece_size).run();
}

} // namespace taipan
