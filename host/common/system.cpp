#include "common/system.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <optional>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/text.hpp"

namespace tenon {

namespace {

Error last_error(std::string_view what) { return Error::from_errno(errno, what); }

Status change_flag(int fd, int get, int set, int flag, bool on, std::string_view what) {
  const int flags = ::fcntl(fd, get);
  if (flags < 0) return last_error(what);
  const int wanted = on ? flags | flag : flags & ~flag;
  if (wanted != flags && ::fcntl(fd, set, wanted) < 0) return last_error(what);
  return {};
}

Status sync_directory(const std::string& directory) {
  const unique_fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return last_error("open " + directory);
  // Some file systems cannot sync a directory and say EINVAL; there the rename is as durable as it gets.
  if (::fsync(fd.get()) < 0 && errno != EINVAL) return last_error("fsync " + directory);
  return {};
}

Status fill_and_rename(int fd, const std::string& temporary, const std::string& path, std::string_view bytes,
                       mode_t mode) {
  TENON_TRY(write_all(fd, bytes, temporary));
  if (::fchmod(fd, mode) < 0) return last_error("chmod " + temporary);
  if (::fsync(fd) < 0) return last_error("fsync " + temporary);
  if (::rename(temporary.c_str(), path.c_str()) < 0) return last_error("rename " + temporary + " to " + path);
  return {};
}

std::optional<std::string> usable_xdg_directory() {
  const char* directory = std::getenv("XDG_RUNTIME_DIR");
  if (directory == nullptr || directory[0] != '/') return std::nullopt;
  struct stat info;
  // After sudo or su the variable may still name the other user's directory: leave that alone.
  if (::stat(directory, &info) < 0 || !S_ISDIR(info.st_mode) || info.st_uid != ::geteuid()) return std::nullopt;
  return std::string(directory);
}

}  // namespace

Result<std::string> read_all(int fd, std::size_t limit, std::string_view name_for_messages) {
  std::string content;
  struct stat info;
  // /proc files say 0, so the size is only a hint.
  std::size_t room = 4096;
  if (::fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0) {
    room = std::min(static_cast<std::size_t>(info.st_size), limit) + 1;
  }
  std::size_t size = 0;
  for (;;) {
    content.resize(std::max(content.size(), size + room));
    const ssize_t got = ::read(fd, content.data() + size, content.size() - size);
    if (got < 0) {
      if (errno == EINTR) continue;
      return last_error("read " + std::string(name_for_messages));
    }
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
    if (size > limit) {
      return Error(errc::exhausted, std::string(name_for_messages) + " is longer than " + std::to_string(limit) +
                                        " bytes; shorten it or split it", fault::caller);
    }
    if (size == content.size()) room = size;
  }
  content.resize(size);
  return content;
}

Result<std::string> read_file(const std::string& path, std::size_t limit) {
  const unique_fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!fd) return last_error("open " + path);
  return read_all(fd.get(), limit, path);
}

Status write_all(int fd, std::string_view bytes, std::string_view name_for_messages) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return last_error("write " + std::string(name_for_messages));
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status write_file_atomically(const std::string& path, std::string_view bytes, mode_t mode) {
  std::string temporary = path + ".tmp-XXXXXX";
  const unique_fd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd) return last_error("create a file beside " + path);
  if (Status done = fill_and_rename(fd.get(), temporary, path, bytes, mode); !done) {
    ::unlink(temporary.c_str());
    return done;
  }
  return sync_directory(parent_of(path));
}

Status set_nonblocking(int fd, bool on) {
  return change_flag(fd, F_GETFL, F_SETFL, O_NONBLOCK, on, "change O_NONBLOCK of a descriptor");
}

Status set_close_on_exec(int fd, bool on) {
  return change_flag(fd, F_GETFD, F_SETFD, FD_CLOEXEC, on, "change close-on-exec of a descriptor");
}

Result<Pipe> make_pipe(bool nonblocking) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | (nonblocking ? O_NONBLOCK : 0)) < 0) return last_error("make a pipe");
  return Pipe{unique_fd(ends[0]), unique_fd(ends[1])};
}

std::string hostname() {
  char buffer[256] = {};
  if (::gethostname(buffer, sizeof buffer - 1) < 0 || buffer[0] == '\0') return "localhost";
  return buffer;
}

Result<std::string> executable_path() {
  char buffer[4096];
  const ssize_t size = ::readlink("/proc/self/exe", buffer, sizeof buffer);
  if (size < 0) return last_error("read /proc/self/exe; mount /proc");
  std::string_view path(buffer, static_cast<std::size_t>(size));
  constexpr std::string_view kDeleted = " (deleted)";  // what the kernel adds after the binary was replaced
  if (path.ends_with(kDeleted)) path.remove_suffix(kDeleted.size());
  return std::string(path);
}

Status make_private_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) < 0 && errno != EEXIST) return last_error("make the directory " + path);
  struct stat info;
  // lstat: in a directory that all may write, a link could lead anywhere.
  if (::lstat(path.c_str(), &info) < 0) return last_error("look at the directory " + path);
  const auto refuse = [&path](std::string_view why) {
    return Error(errc::permission, path + " " + std::string(why), fault::caller);
  };
  if (!S_ISDIR(info.st_mode)) return refuse("is not a directory; remove it or name another place");
  if (info.st_uid != ::geteuid()) {
    return refuse("belongs to user " + std::to_string(info.st_uid) + ", not to user " + std::to_string(::geteuid()) +
                  "; remove it or name another place");
  }
  if ((info.st_mode & 022) != 0) return refuse("can be written by others; run: chmod 700 " + path);
  return {};
}

Result<std::string> user_runtime_directory() {
  std::string path;
  if (const auto xdg = usable_xdg_directory()) {
    path = *xdg + "/tenon";
  } else if (::geteuid() == 0 && make_private_directory("/run/tenon").ok()) {
    return std::string("/run/tenon");
  } else {
    path = "/tmp/tenon-" + std::to_string(::geteuid());
  }
  TENON_TRY(make_private_directory(path));
  return path;
}

Result<DescriptorLimit> descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) < 0) return last_error("read the descriptor limit");
  DescriptorLimit found{limit.rlim_cur, limit.rlim_max};
  const auto text = read_file("/proc/sys/fs/nr_open", 64);
  const std::uint64_t ceiling = text.ok() ? std::strtoull(text->c_str(), nullptr, 10) : 0;
  if (ceiling <= limit.rlim_max) return found;
  // Whoever may raise the hard limit may lower it again.
  const rlimit higher{limit.rlim_cur, ceiling};
  if (::setrlimit(RLIMIT_NOFILE, &higher) == 0) {
    found.maximum = ceiling;
    if (::setrlimit(RLIMIT_NOFILE, &limit) < 0) return last_error("set the descriptor limit back");
  }
  return found;
}

Status raise_descriptor_limit() {
  const auto limit = descriptor_limit();
  if (!limit.ok()) return limit.error();
  const rlimit higher{limit->maximum, limit->maximum};
  if (::setrlimit(RLIMIT_NOFILE, &higher) < 0) return last_error("raise the descriptor limit");
  return {};
}

}  // namespace tenon
