// Who a plugin file says it is, without running any of its code.
//
// The model. A plugin carries one ELF note (owner "Tenon", type 1) with a JSON object; see plugin-api/include/tenon/
// plugin.h. The reader walks the PT_NOTE segments. It reads at most kMaxNoteSegment octets a segment, never allocates
// what a header merely claims, and takes at most one such note. The JSON is read as the note's own version of the ABI
// asks: of another major, only the ABI version, name and version are believed, which is what a refusal needs.
//
// Source of the container format: ELF gABI, "Note Section"; names and descriptions are padded to 4 octets, or to 8
// where the segment is aligned to 8.
#pragma once

#include <string>

#include "common/result.hpp"
#include "loader/byte_source.hpp"
#include "loader/plugin_identity.hpp"

namespace tenon::loader {

inline constexpr std::size_t kMaxNoteText = 256 * 1024;
inline constexpr std::size_t kMaxNoteSegment = kMaxNoteText + 64 * 1024;

// The note's JSON text. errc::bad_data or errc::unsupported, fault::plugin, with what to do.
Result<std::string> read_note_text(const ByteSource& file);

// The note's text as a checked identity.
Result<PluginIdentity> read_identity(const ByteSource& file);

}  // namespace tenon::loader
