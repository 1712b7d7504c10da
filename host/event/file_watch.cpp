#include "event/file_watch.hpp"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

namespace tenon::event {
namespace {

constexpr std::uint32_t kMask =
    IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr std::size_t kBufferSize = 16 * 1024;  // one read a callback: about 400 changes

std::optional<FileChange> change_of(std::uint32_t mask) noexcept {
  if (mask & IN_Q_OVERFLOW) return FileChange::rescan;
  if (mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT)) return FileChange::directory_gone;
  if (mask & IN_ISDIR) return std::nullopt;
  if (mask & IN_CLOSE_WRITE) return FileChange::written;
  if (mask & IN_MOVED_TO) return FileChange::moved_in;
  if (mask & IN_MOVED_FROM) return FileChange::moved_out;
  if (mask & IN_DELETE) return FileChange::deleted;
  return std::nullopt;  // IN_IGNORED: the kernel dropped the watch, which another event has explained
}

Error cannot_watch(int reason, const std::string& directory) {
  const std::string what = "watch the directory " + directory;
  switch (reason) {
    case ENOTDIR: return Error(errc::invalid_argument, what + ": it is not a directory; name one", fault::caller);
    case ENOSPC:
      return Error(errc::exhausted,
                   what + ": the kernel's limit is reached; raise /proc/sys/fs/inotify/max_user_watches");
    case EMFILE:
      return Error(errc::exhausted, what + ": too many; raise /proc/sys/fs/inotify/max_user_instances or ulimit -n");
    default: return Error::from_errno(reason, what);
  }
}

}  // namespace

std::vector<FileReport> decode_inotify(std::span<const std::byte> bytes) {
  std::vector<FileReport> reports;
  while (bytes.size() >= sizeof(inotify_event)) {
    inotify_event event{};
    std::memcpy(&event, bytes.data(), sizeof event);
    bytes = bytes.subspan(sizeof event);
    if (event.len > bytes.size()) break;
    const auto* name = reinterpret_cast<const char*>(bytes.data());
    const std::size_t length = ::strnlen(name, event.len);  // the kernel pads names with NULs
    bytes = bytes.subspan(event.len);
    if (const auto change = change_of(event.mask)) reports.push_back({*change, std::string(name, length)});
  }
  return reports;
}

FileWatch::FileWatch(unique_fd inotify, Callback on_change)
    : inotify_(std::move(inotify)), on_change_(std::make_shared<Callback>(std::move(on_change))) {}

FileWatch::~FileWatch() {
  watch_.reset();       // out of the reactor before the descriptor closes
  on_change_.reset();   // read_events sees by this that it must stop
}

Result<std::unique_ptr<FileWatch>> FileWatch::open(Loop& loop, const std::string& directory, Callback on_change) {
  unique_fd inotify(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!inotify) return cannot_watch(errno, directory);
  const int fd = inotify.get();
  if (::inotify_add_watch(fd, directory.c_str(), kMask) < 0) return cannot_watch(errno, directory);
  std::unique_ptr<FileWatch> self(new FileWatch(std::move(inotify), std::move(on_change)));
  auto watch = loop.watch(fd, Interest::read, [raw = self.get()](Interest) { raw->read_events(); });
  if (!watch) return std::move(watch).error();
  self->watch_ = std::move(watch).value();
  return self;
}

void FileWatch::read_events() {
  alignas(inotify_event) std::array<std::byte, kBufferSize> buffer;
  const ssize_t got = ::read(inotify_.get(), buffer.data(), buffer.size());
  if (got <= 0) return;
  const std::weak_ptr<Callback> alive = on_change_;
  for (const FileReport& report : decode_inotify({buffer.data(), static_cast<std::size_t>(got)})) {
    const std::shared_ptr<Callback> callback = alive.lock();
    if (!callback) return;  // the last callback destroyed this FileWatch
    if (report.change == FileChange::directory_gone) {
      watch_.reset();
      (*callback)(report.change, {});
      return;
    }
    (*callback)(report.change, report.name);
  }
}

}  // namespace tenon::event
