#include "fetch/certificates.hpp"

#include "base/filesystem.hpp"

#ifdef TAIPAN_BUNDLED_CERTIFICATES
// The file itself, between two symbols.
asm(".section .rodata\n"
    ".global taipan_certificates_begin\n"
    "taipan_certificates_begin:\n"
    ".incbin \"" TAIPAN_BUNDLED_CERTIFICATES "\"\n"
    ".global taipan_certificates_end\n"
    "taipan_certificates_end:\n"
    ".previous\n");
extern "C" const char taipan_certificates_begin[], taipan_certificates_end[]; // NOLINT(*-avoid-c-arrays)
#endif

namespace taipan {

std::string_view bundled_certificates() {
#ifdef TAIPAN_BUNDLED_CERTIFICATES
    return {taipan_certificates_begin, taipan_certificates_end};
#else
    return {};
#endif
}

std::string system_certificates() {
    // Debian and Alpine, Fedora, SUSE, older Fedora, Alpine and BSD.
    for (const char* const path :
         {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
          "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem"}) {
        if (exists(path)) return path;
    }
    return {};
}

} // namespace taipan
