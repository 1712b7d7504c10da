#include "loader/note_reader.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <elf.h>
#include <tenon/plugin.h>

#include "loader/elf_reader.hpp"

namespace tenon::loader {
namespace {

Error malformed(std::string sentence) { return Error(errc::bad_data, std::move(sentence), fault::plugin); }

std::uint64_t align_up(std::uint64_t value, std::uint64_t alignment) {
  return (value + alignment - 1) & ~(alignment - 1);
}

struct Note {
  std::string_view owner;  // without the terminating NUL
  std::uint32_t type = 0;
  std::string_view text;
};

// The note at the front of `rest`, which then begins behind it. Empty at the end and for what is no whole note: other
// tools' notes may be anything, they only must not lead us out of the segment.
std::optional<Note> take_note(std::string_view& rest, std::uint64_t alignment) {
  Elf64_Nhdr header;
  if (rest.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, rest.data(), sizeof header);
  // 64-bit sums of 32-bit sizes cannot overflow.
  const std::uint64_t owner_end = sizeof header + std::uint64_t{header.n_namesz};
  const std::uint64_t text_begin = align_up(owner_end, alignment);
  const std::uint64_t text_end = text_begin + header.n_descsz;
  if (text_end > rest.size()) return std::nullopt;

  Note note;
  note.owner = rest.substr(sizeof header, header.n_namesz);
  if (note.owner.ends_with('\0')) note.owner.remove_suffix(1);
  note.type = header.n_type;
  note.text = rest.substr(text_begin, header.n_descsz);
  rest.remove_prefix(std::min<std::uint64_t>(align_up(text_end, alignment), rest.size()));
  return note;
}

// Looks through one segment; keeps what it finds in `found`.
Status search(std::string_view segment, std::uint64_t alignment, std::optional<std::string>& found) {
  while (auto note = take_note(segment, alignment)) {
    if (note->owner != TENON_NOTE_OWNER || note->type != TENON_NOTE_TYPE) continue;
    if (found) return malformed("the file has more than one Tenon note: use TENON_PLUGIN_NOTE once a plugin");
    // The macro stores a C string, others may pad: zeros at the end belong to the note but not to the text.
    while (note->text.ends_with('\0')) note->text.remove_suffix(1);
    if (note->text.size() > kMaxNoteText) {
      return malformed("the Tenon note has " + std::to_string(note->text.size()) + " octets, the limit is " +
                       std::to_string(kMaxNoteText) + ": shorten the config schemas");
    }
    found = std::string(note->text);
  }
  return {};
}

}  // namespace

Result<std::string> read_note_text(const ByteSource& file) {
  auto segments = read_segments(file);
  if (!segments) return std::move(segments).error();

  std::optional<std::string> found;
  bool oversized = false;
  bool program = false;
  std::string bytes;
  for (const Segment& segment : *segments) {
    program = program || segment.type == PT_INTERP;
    if (segment.type != PT_NOTE) continue;
    if (segment.size > kMaxNoteSegment) {
      oversized = true;
      continue;
    }
    bytes.resize(segment.size);
    TENON_TRY(file.read(segment.offset, std::as_writable_bytes(std::span(bytes))));
    TENON_TRY(search(bytes, segment.align == 8 ? 8 : 4, found));
  }
  if (found) return std::move(*found);
  if (oversized) {
    return malformed("a note segment is larger than " + std::to_string(kMaxNoteSegment) +
                     " octets and was not read: shorten the config schemas, or link without such notes");
  }
  if (program) return malformed("this is a program, not a plugin: link it with -shared and add TENON_PLUGIN_NOTE");
  return malformed(
      "the file has no Tenon note, so it is no Tenon plugin: add TENON_PLUGIN_NOTE to its source, or put "
      "libraries that are no plugins into another directory");
}

Result<PluginIdentity> read_identity(const ByteSource& file) {
  auto text = read_note_text(file);
  if (!text) return std::move(text).error();
  return parse_identity(std::move(text).value());
}

}  // namespace tenon::loader
