// The octets of the one read of processes' output that is under way, in memory that outlives the engine.
//
// The model. What a process wrote is in its pipe, then in an engine, then in a log file. An engine that dies between
// the two would lose it; so it reads into this memory, which the keeper holds as well, and says before how many octets
// it is about to read (as many as are there) and how long the log file is. A successor finds them here, sees in the
// file which of their lines had been written, and goes on with the rest. Whether the read took place shows in a mark
// that it would have overwritten.
//
// One for all processes, because the loop reads one after the other. [loop]
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/clock.hpp"
#include "common/result.hpp"
#include "common/unique_fd.hpp"
#include "runtime/log_history.hpp"
#include "runtime/log_line.hpp"

namespace tenon::runtime {

class LogJournal {
 public:
  static constexpr std::size_t kCapacity = 64 * 1024;  // of one read
  static constexpr std::size_t kMaxId = 512;           // those of longer ids are not kept

  // Errors of the system, for want of memory or descriptors.
  static Result<LogJournal> make();
  // What an earlier engine left; errc::bad_data if it was laid out by another version.
  static Result<LogJournal> adopt(unique_fd memory);
  LogJournal(LogJournal&&) noexcept;
  LogJournal& operator=(LogJournal&&) noexcept;
  ~LogJournal();

  // For the keeper.
  int fd() const noexcept { return memory_.get(); }

  struct Unfinished {
    std::string id;
    LogStream stream = LogStream::standard_output;
    std::string bytes;
    LogPlace place;  // of the log file before any of it was written
  };
  // What the former engine had read and not done with; empty: nothing.
  std::optional<Unfinished> unfinished() const;

  // Before a read of exactly `size` octets (1 … kCapacity) into what it returns.
  char* begin(std::string_view id, LogStream stream, std::size_t size, const LogPlace& place);
  void end() noexcept;  // all of it is where it belongs, or there was nothing

  // The time of the newest line, of whatever engine.
  WallTime newest() const noexcept;
  void set_newest(WallTime time) noexcept;

 private:
  struct Header;
  explicit LogJournal(unique_fd memory) : memory_(std::move(memory)) {}
  Status map();
  char* data() const noexcept;

  unique_fd memory_;
  Header* header_ = nullptr;  // the mapping begins with it
};

}  // namespace tenon::runtime
