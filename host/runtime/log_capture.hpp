// The captured output of all processes: the last lines in memory, all of them in a file where asked for, followers.
//
// The model. Per process a ring of bytes that holds whole lines with stream and time, and two line splitters. Lines
// come from descriptors that are attached (stdout where it is no channel, stderr) or one by one from whoever reads the
// channel. Nothing is allocated for a process before its first output. A log outlives the incarnations of its process:
// it stays until it is removed.
//
// What a process can cost: a read takes at most kReadBytes a turn of the loop, a stream that delivered kSlotBytes
// within kSlot is not read for the rest of it (the writer then waits in its own write), and of what was read only
// LogConfig::rate_bytes per second are kept; the rest is dropped and counted, and a line of the host in the log says
// so.
//
// Positions count bytes of the ring from the process's first line; a follower that asks for what was overwritten is
// told by a line of the host how much it missed.
//
// The time of a line is when the host read it, or the nanosecond after the line before if that is later: no two lines
// have the same, whosesoever they are, and within a process they ascend (but where the clock was set back by over a
// second). So a time says where to go on, in memory or in the log files, with this engine or the next.
//
// An engine that dies loses its memory of lines; the files and what waits in the pipes stay. What it had read and not
// yet written is in the journal (log_journal.hpp). The beginning of a line of which the end had not come is lost, but for
// that of the read under way; the next output of a process begins with a line of the host that says so. All [loop].
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/result.hpp"
#include "common/unique_fd.hpp"
#include "event/loop.hpp"
#include "runtime/log_journal.hpp"
#include "runtime/log_line.hpp"
#include "runtime/process_config.hpp"

namespace tenon::runtime {

class LogCapture {
 public:
  static constexpr std::size_t kMaxLine = 64 * 1024;  // also at most half of the ring
  static constexpr std::size_t kReadBytes = 64 * 1024;
  static constexpr std::size_t kSlotBytes = 1024 * 1024;
  static constexpr Duration kSlot = std::chrono::milliseconds(20);
  static constexpr std::size_t kMaxFollowers = 64;  // of one process

  using LineCallback = std::function<void(const LogLine&)>;
  // The stream ended (the last writer closed it), and its descriptor was closed.
  using Closed = std::function<void(const ProcessId&, LogStream)>;
  // Something about a process's log file that an operator must know; once a failure, once a recovery.
  using Problem = std::function<void(const ProcessId&, const Error&)>;

  struct Counters {
    std::uint64_t lines = 0, bytes = 0;
    std::uint64_t dropped_lines = 0, dropped_bytes = 0;  // over the rate
  };

  // Ends its subscription when destroyed; may outlive the capture.
  class [[nodiscard]] Follower {
   public:
    Follower() = default;
    explicit Follower(std::shared_ptr<void> subscription) noexcept : subscription_(std::move(subscription)) {}
    bool active() const noexcept { return subscription_ != nullptr; }
    void reset() noexcept { subscription_.reset(); }

   private:
    std::shared_ptr<void> subscription_;
  };

  LogCapture(event::Loop& loop, Problem on_problem, Closed on_closed = {});
  LogCapture(const LogCapture&) = delete;
  ~LogCapture();

  // Adds a process, or changes the limits of one that is known (the ring keeps its lines if its size is the same).
  void configure(const ProcessId& id, const LogConfig& config);
  void remove(std::string_view id);  // followers get no more lines

  // Reads the descriptor until its end. Replaces one that is attached for the same stream (that of a former
  // incarnation): what can still be read from it without waiting is read first, within kSlotBytes. The process must be
  // configured.
  Status attach(std::string_view id, LogStream stream, unique_fd descriptor);
  // Reads what is there without waiting, within kSlotBytes, and closes. After an exit, where descendants may hold the
  // other end open.
  void detach(std::string_view id, LogStream stream);
  // One line that came another way. Ignored for a process that is not configured.
  void append_line(std::string_view id, LogStream stream, std::string_view text);

  // The last `count` lines, oldest first.
  void last_lines(std::string_view id, std::size_t count, const LineCallback& visit) const;
  // Where the next line will stand.
  std::uint64_t end_position(std::string_view id) const;
  // First, within this call, the lines held since `from`, then each new one as it comes. The callback must not change
  // this capture; it may reset its follower. errc::not_found for an unknown process, exhausted over kMaxFollowers.
  Result<Follower> follow(std::string_view id, std::uint64_t from, LineCallback on_line);

  struct Page {
    // From when on nothing is missing; before, lines may be that neither memory nor a file has. Not after the time asked
    // for: nothing is.
    WallTime whole_from = WallTime::min();
    bool more = false;  // further lines follow
  };
  // The lines after that time, from the log files and from memory, oldest first, about `most` octets of them.
  Page lines_after(std::string_view id, WallTime time, std::size_t most, const LineCallback& visit) const;

  // ---- taking over ----
  // Reads are noted there from now on. What a former engine left in it is taken up first: its process must be
  // configured, and not attached yet.
  void use_journal(LogJournal journal);
  // A process whose output a former engine read is about to be attached.
  void taken_over(std::string_view id);
  Counters counters(std::string_view id) const;

 private:
  struct Subscription;
  struct Stream;
  class ProcessLog;
  struct IdHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view id) const noexcept { return std::hash<std::string_view>{}(id); }
  };
  ProcessLog* get(std::string_view id) const;
  WallTime stamp();

  event::Loop& loop_;
  Problem on_problem_;
  Closed on_closed_;
  std::unordered_map<std::string, std::unique_ptr<ProcessLog>, IdHash, std::equal_to<>> logs_;
  WallTime last_stamp_{};
  const WallTime began_;  // of what memory holds: what was read before, a former engine did
  std::optional<LogJournal> journal_;
};

}  // namespace tenon::runtime
