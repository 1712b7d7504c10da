// What must hold for any octets whatever that a serializer is given.
//
// - It says yes, or no with a text; it never touches more than the padding behind the input (the sanitizer's part).
// - What read_event accepts, write_event writes, and read_event reads back to the same event.
// - What it accepts, splice can put an attribute in front of, and the result is the same event with that attribute.
// - A value that it accepts is, once written, a value with the same stream of calls.
#pragma once

#include "fuzz/must.hpp"
#include "plugins/serializer_rig.hpp"

namespace tenon::fuzz {

namespace rig = test_support;

// A refusal has a code that a reader may give, and a text.
inline void check_refusal(const rig::Outcome& outcome) {
  must(outcome.status == TENON_ERR_BAD_DATA || outcome.status == TENON_ERR_UNTRANSLATABLE, "only bad data is refused",
       outcome.text);
  must(!outcome.text.empty(), "a refusal says why");
}

inline void check_splice(rig::Instance& serializer, const rig::Input& input, const tenon_event& event) {
  constexpr std::string_view kName = "splicedinfront";
  for (std::uint32_t i = 0; i < event.extension_count; ++i) {
    if (rig::view(event.extensions[i].name) == kName) return;
  }
  if (event.extension_count == TENON_EXTENSIONS_MAX) return;
  const std::string before = rig::dump(event);
  std::string whole;
  const rig::Outcome spliced =
      serializer.splice(input, {rig::attribute(kName, "yes", TENON_ATTRIBUTE_STRING)}, whole);
  must(spliced.ok(), "what can be read can be spliced", spliced.text);
  const rig::Input again(whole);
  tenon_event seen;
  TENON_INIT(&seen);
  const rig::Outcome outcome = serializer.read_event(again, seen);
  must(outcome.ok(), "what was spliced can be read", outcome.text);
  const std::string line = std::string(kName) + ":0=yes\n";
  std::string after = rig::dump(seen);
  const std::size_t at = after.find(line);
  must(at != std::string::npos, "splice adds the attribute", after);
  must(after.erase(at, line.size()) == before, "splice changes nothing else", before + "---\n" + after);
}

// Returns whether the input was an event.
inline bool check_event(rig::Instance& serializer, std::string_view octets) {
  const rig::Input input(octets);
  tenon_event event;
  TENON_INIT(&event);
  const rig::Outcome read = serializer.read_event(input, event);
  if (!read.ok()) {
    check_refusal(read);
    must(event.id.data == nullptr && event.data_kind == TENON_DATA_NONE, "a refusal leaves the event untouched");
    return false;
  }
  const std::string before = rig::dump(event);
  rig::Buffer out;
  const rig::Outcome written = serializer.write_event(event, out);
  must(written.ok(), "what was read can be written", written.text);
  check_splice(serializer, input, event);
  const rig::Input again(out.view());
  const rig::Outcome reread = serializer.read_event(again, event);
  must(reread.ok(), "what was written can be read", reread.text);
  // Text under a binary content type is written as base64; so are the two compared in the second generation.
  rig::Buffer second;
  must(serializer.write_event(event, second).ok(), "what was read can be written");
  must(second.view() == out.view(), "writing is stable", out.text() + "\n---\n" + second.text());
  return true;
}

// Returns whether the input was a value that the serializer can stream.
inline bool check_value(rig::Instance& reader, rig::Instance& writer, std::string_view octets) {
  const rig::Input input(octets);
  rig::Record record;
  const rig::Outcome read = reader.read_value(input, record.sink());
  if (!read.ok()) {
    check_refusal(read);
    return false;
  }
  rig::Buffer out;
  const rig::Outcome transcoded = rig::transcode(reader, input, writer, out);
  must(transcoded.ok(), "a value that was read can be written in its own format", transcoded.text);
  rig::Record again;
  const rig::Outcome reread = reader.read_value(rig::Input(out.view()), again.sink());
  must(reread.ok(), "a value that was written can be read", reread.text);
  must(again.text() == record.text(), "the stream stays the same", record.text() + "\n---\n" + again.text());
  return true;
}

}  // namespace tenon::fuzz
