# Puts the text of a file into a program: `extern const char* const SYMBOL;` in namespace taipan::cli is its content.
function(taipan_embed_text target file symbol)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${file}")
  file(READ "${file}" text)
  set(source "${CMAKE_CURRENT_BINARY_DIR}/${symbol}.cpp")
  # Written only when it differs, so that an unchanged text is not compiled again.
  file(CONFIGURE OUTPUT "${source}" @ONLY CONTENT [[
// Made from @file@.
namespace taipan::cli {
extern const char* const @symbol@;
const char* const @symbol@ = R"TEXT(@text@)TEXT";
} // namespace taipan::cli
]])
  target_sources(${target} PRIVATE "${source}")
endfunction()
