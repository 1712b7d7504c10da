// Any bytes as a plugin file: the reader must neither crash nor read beyond them nor believe a size that they claim.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "loader/note_reader.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tenon::loader;
  const MemorySource file(std::as_bytes(std::span(data, size)));
  const auto text = read_note_text(file);
  if (!text) {
    if (text.error().message.empty()) std::abort();
    return 0;
  }
  if (text->size() > kMaxNoteText || text->size() > size) std::abort();
  const auto identity = read_identity(file);
  if (!identity) {
    if (identity.error().message.empty()) std::abort();
    return 0;
  }
  for (const ComponentIdentity& part : identity->components) {
    if (!is_component_name(part.kind) || !is_component_name(part.name)) std::abort();
  }
  return 0;
}
