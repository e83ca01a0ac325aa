#include "screen/explicit_list.hpp"

#include "solve/topological.hpp"

namespace taipan::cli {

std::string list_header(const std::string& subdir) {
    return "# This file may be used to create an environment using:\n"
           "# $ conda create --name <env> --file <this file>\n"
           "# platform: " +
           subdir + "\n# created-by: taipan " TAIPAN_VERSION "\n";
}

std::string explicit_list(const PrefixData& data, const std::string& subdir, ListHash hash) {
    std::string text = list_header(subdir) + "@EXPLICIT\n";
    for (const auto& record : topological_sort(data.packages())) {
        if (record.url.empty()) {
            text += "# no URL for: " + record.fn + '\n';
            continue;
        }
        const auto digest = hash == ListHash::sha256 ? record.sha256
                            : hash == ListHash::md5  ? record.md5
                                                     : std::string();
        text += record.url + (digest.empty() ? "" : '#' + digest) + '\n';
    }
    return text;
}

} // namespace taipan::cli
