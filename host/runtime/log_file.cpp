#include "runtime/log_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "common/rfc3339.hpp"
#include "common/secure_path.hpp"
#include "common/system.hpp"

namespace tenon::runtime {

namespace {

constexpr std::size_t kLongestTime = 48;  // of a line, with what follows it

Error no_regular_file(const std::string& path) {
  return Error(errc::invalid_argument,
               "the log file " + path + " is a symbolic link or no regular file; name the file itself, or remove what is "
                                        "in its place",
               fault::caller);
}

}  // namespace

Status check_log_path(const std::string& path) {
  if (Status secure = check_secure_directory(parent_of(path)); !secure) {
    return std::move(secure).error().with_context("the log file " + path + " could be replaced by another user");
  }
  struct stat info = {};
  if (::lstat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) return no_regular_file(path);
  return {};
}

LogFile::LogFile(std::string path, Limits limits, Report report)
    : path_(std::move(path)), limits_(limits), report_(std::move(report)) {}

Status LogFile::open() {
  TENON_TRY(check_log_path(path_));
  // O_NONBLOCK: a path that is a FIFO without a reader must not hang the loop; it means nothing for a regular file.
  constexpr int kFlags = O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK;
  unique_fd opened(::open(path_.c_str(), kFlags, 0640));
  if (!opened) return Error::from_errno(errno, "open the log file " + path_);
  struct stat info = {};
  if (::fstat(opened.get(), &info) != 0) return Error::from_errno(errno, "look at the log file " + path_);
  if (!S_ISREG(info.st_mode)) return no_regular_file(path_);
  file_ = std::move(opened);
  inode_ = info.st_ino;
  size_ = static_cast<std::uint64_t>(info.st_size);
  begun_ = now_ - age_of_content();
  return {};
}

Duration LogFile::age_of_content() const {
  char first[kLongestTime];
  const ssize_t size = ::pread(file_.get(), first, sizeof first, 0);
  const std::string_view text(first, size > 0 ? static_cast<std::size_t>(size) : 0);
  const auto written = parse_rfc3339(text.substr(0, text.find(' ')));
  if (!written) return Duration(0);
  // A clock that was set back meanwhile makes it young, not old.
  return std::max(std::chrono::duration_cast<Duration>(wall_ - *written), Duration(0));
}

bool LogFile::too_old() const noexcept {
  return limits_.max_age > Duration(0) && size_ > 0 && now_ - begun_ >= limits_.max_age;
}

Status LogFile::rotate() {
  if (limits_.keep == 0) {
    if (::ftruncate(file_.get(), 0) != 0) return Error::from_errno(errno, "empty the log file " + path_);
    size_ = 0;
    begun_ = now_;
    torn_ = false;
    return {};
  }
  for (std::uint32_t i = limits_.keep; i > 1; --i) {
    // A missing former file is no failure: there may have been fewer rotations than files to keep.
    (void)std::rename((path_ + "." + std::to_string(i - 1)).c_str(), (path_ + "." + std::to_string(i)).c_str());
  }
  if (std::rename(path_.c_str(), (path_ + ".1").c_str()) != 0 && errno != ENOENT) {
    return Error::from_errno(errno, "rotate the log file " + path_);
  }
  file_.reset();
  torn_ = false;
  TENON_TRY(open());
  if (size_ == 0) return {};
  return Error(errc::io, "the log file " + path_ + " is still there after it was renamed; is " + path_ +
                             ".1 a hard link of it? remove that");
}

Status LogFile::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Error::from_errno(errno, "write the log file " + path_);
    bytes.remove_prefix(static_cast<std::size_t>(written));
    size_ += static_cast<std::uint64_t>(written);
    torn_ = !bytes.empty();
  }
  return {};
}

void LogFile::failed(Error error, std::uint64_t line_count, MonotonicTime now) {
  lost_ += line_count, unsaid_ += line_count;
  retry_at_ = now + kRetryAfter;
  file_.reset();  // opened anew with the next attempt: the directory may have been mended or replaced
  if (std::exchange(failing_, true)) return;
  error.message += "; lines go to memory only until it works again: make room, or mend the path or its permissions";
  report_(error, false);
}

// Whole lines that fit into the file as it is; a line longer than a whole file gets one of its own.
std::size_t LogFile::fitting(std::string_view lines) const noexcept {
  const std::uint64_t room = limits_.max_bytes > size_ ? limits_.max_bytes - size_ : 0;
  if (lines.size() <= room) return lines.size();
  const std::size_t last = lines.substr(0, room).rfind('\n');
  if (last != std::string_view::npos) return last + 1;
  return size_ > 0 ? 0 : std::min(lines.find('\n'), lines.size() - 1) + 1;
}

Status LogFile::write_some(std::string_view& lines) {
  if (!file_) TENON_TRY(open());
  if (too_old()) return rotate();
  const std::size_t count = fitting(lines);
  if (count == 0) return rotate();
  if (torn_) TENON_TRY(append("\n"));
  TENON_TRY(append(lines.substr(0, count)));
  lines.remove_prefix(count);
  return {};
}

LogPlace LogFile::place(MonotonicTime now, WallTime wall) {
  now_ = now, wall_ = wall;
  if (failing_ || (!file_ && !open())) return {};
  return {inode_, size_};
}

void LogFile::write(std::string_view lines, MonotonicTime now, WallTime wall) {
  if (lines.empty()) return;
  now_ = now, wall_ = wall;
  const auto lines_in = [](std::string_view text) {
    return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
  };
  if (failing_ && now < retry_at_) {
    lost_ += lines_in(lines), unsaid_ += lines_in(lines);
    return;
  }
  if (unsaid_ > 0) {
    std::string note;
    const std::string text = std::to_string(unsaid_) + " lines are missing here: the file could not be written";
    LogHistory::append(note, {LogStream::host, wall, false, text});
    std::string_view rest = note;
    while (!rest.empty())
      if (Status said = write_some(rest); !said) return failed(std::move(said).error(), lines_in(lines), now);
    unsaid_ = 0;
  }
  while (!lines.empty())
    if (Status written = write_some(lines); !written) return failed(std::move(written).error(), lines_in(lines), now);
  if (!std::exchange(failing_, false)) return;
  const std::uint64_t lost = std::exchange(lost_, 0);
  report_(Error(errc::io, "the log file " + path_ + " can be written again; " + std::to_string(lost) +
                              " lines are missing from it"), true);
}

}  // namespace tenon::runtime
