#include "runtime/log_history.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "common/rfc3339.hpp"
#include "common/unique_fd.hpp"

namespace tenon::runtime {
namespace {

constexpr std::size_t kBlock = 64 * 1024;
constexpr std::size_t kProbe = 4096;  // a look at what lines are there
constexpr std::size_t kLongestTime = 40;
constexpr std::string_view kCut = " […cut]";

struct OpenFile {
  unique_fd descriptor;
  std::uint64_t inode = 0, size = 0;

  static std::optional<OpenFile> open(const std::string& path) {
    OpenFile file{unique_fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)), 0, 0};
    struct stat info = {};
    if (!file.descriptor || ::fstat(file.descriptor.get(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
    file.inode = info.st_ino, file.size = static_cast<std::uint64_t>(info.st_size);
    return file;
  }
  // Less at the end of the file, and where it cannot be read.
  std::string read(std::uint64_t from, std::size_t most) const {
    std::string text(most, '\0');
    std::size_t filled = 0;
    while (filled < most) {
      const ssize_t got =
          ::pread(descriptor.get(), text.data() + filled, most - filled, static_cast<off_t>(from + filled));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) break;
      filled += static_cast<std::size_t>(got);
    }
    text.resize(filled);
    return text;
  }
};

std::optional<WallTime> time_of(std::string_view line) {
  const std::string_view head = line.substr(0, kLongestTime);
  const auto time = parse_rfc3339(head.substr(0, head.find(' ')));
  return time ? std::optional(*time) : std::nullopt;
}

// Where the first line after `time` begins, and whether one that is not after it stands before.
struct Start {
  std::uint64_t at = 0;
  bool older = false;
};

struct Stamped {
  std::uint64_t at = 0;
  WallTime time;
};

// The first line with a time that begins at `from` or behind it, before `to`.
std::optional<Stamped> first_stamped(const OpenFile& file, std::uint64_t from, std::uint64_t to) {
  bool begins = from == 0;
  for (std::uint64_t at = begins ? 0 : from - 1; at < to;) {
    const std::string text = file.read(at, kProbe);
    std::size_t line = 0;
    while (line < text.size()) {
      if (begins && at + line >= to) return std::nullopt;
      if (begins && line > 0 && line + kLongestTime > text.size() && text.size() == kProbe) break;  // cut: read again
      if (begins)
        if (const auto time = time_of(std::string_view(text).substr(line))) return Stamped{at + line, *time};
      const std::size_t feed = text.find('\n', line);
      begins = feed != std::string::npos;
      line = begins ? feed + 1 : text.size();
    }
    if (text.size() < kProbe) break;
    at += line;
  }
  return std::nullopt;
}

// By bisection: the times of a file ascend.
Start start_after(const OpenFile& file, WallTime time) {
  const auto first = first_stamped(file, 0, file.size);
  if (!first || first->time > time) return {0, false};
  Start start{file.size, true};
  std::uint64_t low = first->at + 1;  // what begins before is not after it
  for (std::uint64_t high = file.size; low < high;) {
    const std::uint64_t middle = low + (high - low) / 2;
    const auto line = first_stamped(file, middle, high);
    if (line && line->time <= time) {
      low = line->at + 1;
    } else {
      high = middle;
      if (line) start.at = line->at;
    }
  }
  return start;
}

// Newest first; those that are missing in between end it.
std::vector<OpenFile> open_all(const std::string& path, std::uint32_t keep) {
  std::vector<OpenFile> files;
  for (std::uint32_t i = 0; i <= keep; ++i) {
    auto file = OpenFile::open(i == 0 ? path : path + "." + std::to_string(i));
    if (!file && i > 0) break;
    if (file) files.push_back(std::move(*file));
  }
  return files;
}

}  // namespace

LogHistory::Page LogHistory::after(WallTime time, std::size_t most) const {
  const std::vector<OpenFile> files = open_all(path_, keep_);
  Page page;
  Start start;
  std::size_t oldest = 0;
  for (std::size_t i = 0; i < files.size() && !start.older; ++i) start = start_after(files[i], time), oldest = i;
  page.whole = start.older || files.size() <= keep_;
  for (std::size_t i = files.empty() ? 0 : oldest + 1; i-- > 0;) {
    const std::uint64_t from = i == oldest ? start.at : 0;
    const std::uint64_t there = files[i].size > from ? files[i].size - from : 0;
    const std::size_t room = most > page.text.size() ? most - page.text.size() : 0;
    page.text += files[i].read(from, static_cast<std::size_t>(std::min<std::uint64_t>(there, room + kBlock)));
    if (page.text.size() <= most) continue;
    page.more = true;
    const std::size_t last = page.text.rfind('\n', most - 1);
    const std::size_t end = last == std::string::npos ? page.text.find('\n') : last;
    page.text.resize(std::min(end, page.text.size() - 1) + 1);
    break;
  }
  return page;
}

std::string LogHistory::since(const LogPlace& place, std::size_t most) const {
  const std::vector<OpenFile> files = open_all(path_, keep_);
  const auto found =
      std::find_if(files.begin(), files.end(), [&](const OpenFile& file) { return file.inode == place.inode; });
  std::string text;
  if (place.inode == 0 || found == files.end()) return text;
  for (auto index = found - files.begin() + 1; index-- > 0;) {
    const OpenFile& file = files[static_cast<std::size_t>(index)];
    const std::uint64_t from = file.inode == place.inode ? place.size : 0;
    const std::uint64_t there = file.size > from ? file.size - from : 0;
    text += file.read(from, static_cast<std::size_t>(std::min<std::uint64_t>(there, most - text.size())));
  }
  return text;
}

std::optional<LogLine> LogHistory::parse(std::string_view text) {
  const std::size_t time_end = text.find(' ');
  if (time_end == std::string_view::npos) return std::nullopt;
  const std::size_t stream_end = text.find(' ', time_end + 1);
  if (stream_end == std::string_view::npos) return std::nullopt;
  const auto at = parse_rfc3339(text.substr(0, time_end));
  if (!at) return std::nullopt;
  LogLine line;
  line.at = *at;
  const std::string_view stream = text.substr(time_end + 1, stream_end - time_end - 1);
  for (const LogStream each : {LogStream::standard_output, LogStream::standard_error, LogStream::host}) {
    if (stream != to_string(each)) continue;
    line.stream = each;
    line.text = text.substr(stream_end + 1);
    line.cut = line.text.ends_with(kCut);
    if (line.cut) line.text.remove_suffix(kCut.size());
    return line;
  }
  return std::nullopt;
}

void LogHistory::append(std::string& out, const LogLine& line) {
  out += format_rfc3339(line.at, Rfc3339Precision::nanoseconds);
  out += ' ';
  out += to_string(line.stream);
  out += ' ';
  out += line.text;
  if (line.cut) out += kCut;
  out += '\n';
}

}  // namespace tenon::runtime
