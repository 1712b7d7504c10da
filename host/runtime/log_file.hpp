// A log file that does not grow over its limit, but for a single line that is longer, nor older than another. Rotated by
// size and age: path.1 is the newest former one, path.N the oldest.
//
// The model. The file is opened for appending when the first line comes. A line never spans two files. Its age is that of
// its first line, which begins with its time (RFC 3339), so that it counts through restarts; a file that begins otherwise
// is as old as its opening. The line that comes to a file that is too old begins the next one. When a write or
// open fails (disk full, permission), lines are dropped and counted, the failure is reported once, and it is tried
// again at most once a second; the first success after that is reported too, with the number of lines lost, and a line
// of the host says so in the file, where they are missing. A partial write (disk full in the middle) is completed by a
// line feed first when writing works again.
//
// The host may be root while the path leads to where its workers write. So the file must be a regular file in a
// directory that only root and the host's user can change (check_secure_directory), and a symbolic link is not followed:
// nobody else can make the host append to, rename or empty a file of their choice.
//
// Writes go to the page cache from the loop thread; a path on a hanging network file system hangs its callers. [loop]
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "common/clock.hpp"
#include "common/result.hpp"
#include "common/unique_fd.hpp"
#include "runtime/log_history.hpp"

namespace tenon::runtime {

// Whether the host may write its log there, as above; the file itself may be missing. The error says what to mend.
Status check_log_path(const std::string& path);

class LogFile {
 public:
  static constexpr Duration kRetryAfter = std::chrono::seconds(1);
  // A sentence for the operator: what failed and what to do, or that it works again and how much was lost.
  using Report = std::function<void(const Error& problem, bool recovered)>;

  struct Limits {
    std::uint64_t max_bytes = 0;
    std::uint32_t keep = 0;  // former files; 0: the file is emptied instead
    Duration max_age{0};     // 0: any age
    bool operator==(const Limits&) const = default;
  };

  LogFile(std::string path, Limits limits, Report report);

  // Appends whole lines, each with its line feed. No file grows beyond the limit, but for a single longer line.
  void write(std::string_view lines, MonotonicTime now, WallTime wall);
  // The file as the next write() finds it, opened if it was not; inode 0: it cannot be written now.
  LogPlace place(MonotonicTime now, WallTime wall);
  const std::string& path() const noexcept { return path_; }
  const Limits& limits() const noexcept { return limits_; }

 private:
  Status open();
  Duration age_of_content() const;
  bool too_old() const noexcept;
  Status rotate();
  Status append(std::string_view bytes);
  std::size_t fitting(std::string_view lines) const noexcept;
  Status write_some(std::string_view& lines);
  void failed(Error error, std::uint64_t line_count, MonotonicTime now);

  std::string path_;
  Limits limits_;
  Report report_;
  unique_fd file_;
  std::uint64_t inode_ = 0;
  std::uint64_t size_ = 0;
  MonotonicTime begun_{};  // when its first line came
  MonotonicTime now_{};    // of the write under way
  WallTime wall_{};
  bool torn_ = false;  // the file's last line lacks its end
  bool failing_ = false;
  MonotonicTime retry_at_{};
  std::uint64_t lost_ = 0;    // lines, since it began to fail
  std::uint64_t unsaid_ = 0;  // of these, those that the file does not tell of yet
};

}  // namespace tenon::runtime
