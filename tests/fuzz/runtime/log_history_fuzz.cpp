// Any text as a line of a log file that is read back. What is taken for one of ours stands in the file as it is read.
#include "runtime/log_history.hpp"

#include <cstdint>

#include "fuzz/must.hpp"

using tenon::fuzz::must;
using tenon::runtime::LogHistory;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto line = LogHistory::parse(text);
  if (!line) return 0;
  std::string written;
  LogHistory::append(written, *line);
  must(written.ends_with('\n'), "a line ends");
  written.pop_back();
  const auto again = LogHistory::parse(written);
  must(again && again->at == line->at && again->stream == line->stream, "time and stream are read back");
  must(again->text == line->text && again->cut == line->cut, "and so is the text");
  return 0;
}
