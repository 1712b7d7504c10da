// One log entry as one line, without its line feed: a pure function, so that its rules are tested without a stderr.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "common/clock.hpp"
#include "common/logging.hpp"

namespace tenon::log {

struct Entry {
  WallTime time;
  Level level;
  std::string_view part;
  std::string_view message;
  const Field* fields;
  std::size_t field_count;
};

// At most `limit` bytes (at least 256): long texts are cut at a character, fields that find no room are left out, and
// either leaves `truncated=true`. JSON stays well-formed. `colour` only matters to text.
std::string format_entry(const Entry& entry, Format format, bool colour, std::size_t limit = kMaxLine - 1);

}  // namespace tenon::log
