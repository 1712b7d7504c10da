// The lines that a process's log files hold, read back: for whoever goes on where an engine that died left off.
//
// The model. A line begins with its time, and no two lines have the same; so the time of the last line that somebody
// has seen says where to go on, in whichever file that is by now. Lines that begin otherwise (the rest of one that was
// torn, somebody else's) are passed over. The times of a file ascend: where to begin is found by bisection, so that a page
// costs little more than its own octets, however long the files are. Reads the disk. [loop]
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/clock.hpp"
#include "runtime/log_line.hpp"

namespace tenon::runtime {

// A file as it was at some moment; inode 0: none.
struct LogPlace {
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
};

class LogHistory {
 public:
  // `keep`: former files, path.1 (the newest) … path.N.
  LogHistory(std::string path, std::uint32_t keep) : path_(std::move(path)), keep_(keep) {}

  struct Page {
    std::string text;   // whole lines as they stand in the files, oldest first
    bool whole = true;  // false: lines behind that time may have been in a file that is gone
    bool more = false;  // further lines follow: `most` was reached
  };
  // The lines after that time, in at most `most` octets, but for a first line that is longer.
  Page after(WallTime time, std::size_t most) const;
  // What was written after that, at most `most` octets. Empty if that file is not there any more.
  std::string since(const LogPlace& place, std::size_t most) const;

  // A line of a file; empty: it is none of ours. Valid as long as `text`.
  static std::optional<LogLine> parse(std::string_view text);
  // As it stands in a file, with its line feed.
  static void append(std::string& out, const LogLine& line);

 private:
  std::string path_;
  std::uint32_t keep_;
};

}  // namespace tenon::runtime
