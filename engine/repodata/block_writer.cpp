#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

#include "model/dependency_name.hpp"
#include "model/version_key.hpp"
#include "repodata/hex_digits.hpp"
#include "repodata/name_block.hpp"

namespace taipan::repodata {
namespace {

/// Whether `fn` is `<name>-<version>-<build><extension>`.
bool is_standard(const RecordView& record, std::string_view extension) {
    std::string_view rest = record.fn;
    const auto take = [&](std::string_view part) {
        if (!rest.starts_with(part)) return false;
        rest.remove_prefix(part.size());
        return true;
    };
    return take(record.name) && take("-") && take(record.version) && take("-") && take(record.build) &&
           rest == extension;
}

std::uint32_t flags_of(const RecordView& record) {
    auto flags = static_cast<std::uint32_t>(record.noarch);
    if (record.size) flags |= has_size;
    if (record.timestamp) flags |= has_timestamp;
    if (is_standard(record, ".conda")) flags |= is_conda;
    if (is_standard(record, ".tar.bz2")) flags |= is_tar_bz2;
    return flags;
}

template <class T> void append(std::string& out, const std::vector<T>& items) {
    if (!items.empty()) out.append(reinterpret_cast<const char*>(items.data()), items.size() * sizeof(T));
}

std::uint32_t count(std::size_t items) { return static_cast<std::uint32_t>(items); }

} // namespace

std::uint32_t BlockWriter::version_id(std::string_view text) {
    const std::uint32_t id = texts_.id(text);
    if (version_of_text_.size() <= id) version_of_text_.resize(id + 1, 0);
    if (version_of_text_[id] == 0) {
        const auto before = count(keys_.size());
        if (!version_key::append(text, keys_)) keys_.resize(before);
        versions_.push_back({id, before, count(keys_.size()) - before});
        version_of_text_[id] = count(versions_.size());
    }
    return version_of_text_[id] - 1;
}

std::uint32_t BlockWriter::dependency_id(std::string_view text) {
    const std::uint32_t id = texts_.id(text);
    if (dependency_of_text_.size() <= id) dependency_of_text_.resize(id + 1, 0);
    if (dependency_of_text_[id] == 0) {
        dependencies_.push_back({id, texts_.id(dependency_name(text))});
        needed_.push_back(0);
        dependency_of_text_[id] = count(dependencies_.size());
    }
    return dependency_of_text_[id] - 1;
}

std::uint32_t BlockWriter::list_of_items() {
    if (items_.empty()) return 0;
    const std::uint32_t id =
        lists_.id({reinterpret_cast<const char*>(items_.data()), items_.size() * sizeof(items_[0])});
    if (id == list_places_.size()) {
        list_places_.push_back(count(words_.size()));
        words_.push_back(count(items_.size()));
        words_.insert(words_.end(), items_.begin(), items_.end());
    }
    return list_places_[id];
}

std::uint32_t BlockWriter::text_id(Before& before, std::string_view text) {
    if (text.empty()) return 0;
    if (text != before.text) before = {text, {}, texts_.id(text)};
    return before.id;
}

std::uint32_t BlockWriter::dependency_list(Before& before, std::span<const std::string_view> texts, bool needed) {
    if (texts.empty()) return 0;
    if (texts.data() == before.list.data() && texts.size() == before.list.size()) return before.id;
    items_.clear();
    for (const auto text : texts) items_.push_back(dependency_id(text));
    if (needed)
        for (const std::uint32_t dependency : items_) needed_[dependency] = 1;
    before = {{}, texts, list_of_items()};
    return before.id;
}

std::uint32_t BlockWriter::rare_list(const RecordView& record, std::uint32_t flags) {
    items_.clear();
    const auto add = [&](RareField field, std::string_view text) {
        if (text.empty()) return;
        items_.push_back(static_cast<std::uint32_t>(field));
        items_.push_back(texts_.id(text));
    };
    if ((flags & (is_conda | is_tar_bz2)) == 0) add(RareField::fn, record.fn);
    if ((flags & has_md5) == 0) add(RareField::md5, record.md5);
    if ((flags & has_sha256) == 0) add(RareField::sha256, record.sha256);
    add(RareField::legacy_bz2_md5, record.legacy_bz2_md5);
    if (record.legacy_bz2_size) add(RareField::legacy_bz2_size, std::to_string(*record.legacy_bz2_size));
    add(RareField::track_features, record.track_features);
    add(RareField::features, record.features);
    add(RareField::python_site_packages_path, record.python_site_packages_path);
    add(RareField::arch, record.arch);
    add(RareField::platform, record.platform);
    add(RareField::date, record.date);
    return list_of_items();
}

void BlockWriter::add(const RecordView& record) {
    if (records_.empty()) {
        texts_.id("");
        words_.push_back(0);
    }
    BlockRecord stored{};
    std::uint32_t flags = flags_of(record);
    if (from_hex(record.sha256, stored.sha256)) flags |= has_sha256;
    if (from_hex(record.md5, stored.md5)) flags |= has_md5;
    if ((flags & has_sha256) == 0) stored.sha256 = {};
    if ((flags & has_md5) == 0) stored.md5 = {};
    stored.size = record.size.value_or(0);
    stored.timestamp = record.timestamp.value_or(0);
    stored.build_number = record.build_number;
    stored.flags = flags;
    if (record.version != version_before_.text) version_before_ = {record.version, {}, version_id(record.version)};
    stored.version = version_before_.id;
    stored.build = texts_.id(record.build);
    stored.subdir = text_id(subdir_before_, record.subdir);
    stored.license = text_id(license_before_, record.license);
    stored.license_family = text_id(family_before_, record.license_family);
    stored.depends = dependency_list(depends_before_, record.depends, true);
    stored.constrains = dependency_list(constrains_before_, record.constrains, false);
    stored.rare = rare_list(record, flags);
    records_.push_back(stored);
}

std::uint32_t BlockWriter::needed_names() {
    items_.clear();
    for (std::size_t i = 0; i < dependencies_.size(); ++i)
        if (needed_[i] != 0 && dependencies_[i].name != 0) items_.push_back(dependencies_[i].name);
    std::sort(items_.begin(), items_.end());
    items_.erase(std::unique(items_.begin(), items_.end()), items_.end());
    return list_of_items();
}

void BlockWriter::finish(std::string& out) {
    BlockHead head{};
    head.needed_names = needed_names();
    head.records = count(records_.size());
    head.key_words = count(keys_.size());
    head.versions = count(versions_.size());
    head.dependencies = count(dependencies_.size());
    head.list_words = count(words_.size());
    head.texts = texts_.size();
    head.text_size = count(texts_.bytes().size());
    out.append(reinterpret_cast<const char*>(&head), sizeof head);
    append(out, records_);
    append(out, keys_);
    append(out, versions_);
    append(out, dependencies_);
    append(out, words_);
    append(out, texts_.ends());
    out.append(texts_.bytes());
    out.append((block_alignment - out.size() % block_alignment) % block_alignment, '\0');
    clear();
}

void BlockWriter::clear() {
    records_.clear();
    keys_.clear();
    versions_.clear();
    dependencies_.clear();
    words_.clear();
    texts_.clear();
    lists_.clear();
    list_places_.clear();
    version_of_text_.clear();
    dependency_of_text_.clear();
    needed_.clear();
    version_before_ = subdir_before_ = license_before_ = family_before_ = depends_before_ = constrains_before_ = {};
}

} // namespace taipan::repodata
