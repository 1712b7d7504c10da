#include "loader/plugin_file.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>

#include "common/secure_path.hpp"
#include "common/units.hpp"
#include "loader/byte_source.hpp"
#include "loader/note_reader.hpp"

namespace tenon::loader {
namespace {

std::int64_t nanoseconds(const timespec& time) { return time.tv_sec * 1'000'000'000 + time.tv_nsec; }

FileStamp to_stamp(const struct stat& status) {
  return {status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size), nanoseconds(status.st_mtim),
          nanoseconds(status.st_ctim)};
}

}  // namespace

Result<PluginFile> PluginFile::open(const std::string& path) {
  auto file = open_for_inspection(path);
  if (file) TENON_TRY(check_secure_file(file->fd(), path));
  return file;
}

Result<PluginFile> PluginFile::open_for_inspection(const std::string& path) {
  // O_NONBLOCK: opening a FIFO for reading would otherwise wait for a writer.
  unique_fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd) return Error::from_errno(errno, "open " + path);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return Error::from_errno(errno, "fstat " + path);
  if (!S_ISREG(status.st_mode)) {
    return Error(errc::bad_data, path + " is not a regular file: put only plugin files into a plugin directory",
                 fault::caller);
  }
  const FileStamp stamp = to_stamp(status);
  if (stamp.size > kMaxPluginFile) {
    return Error(errc::exhausted, path + " has " + format_bytes(stamp.size) + ", the limit for a plugin is " +
                                      format_bytes(kMaxPluginFile) + ": strip it of debug information",
                 fault::plugin);
  }
  return PluginFile(path, std::move(fd), stamp);
}

Result<PluginFile> PluginFile::adopt(const std::string& path, unique_fd fd) {
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return Error::from_errno(errno, "fstat the kept copy of " + path);
  const FileStamp stamp = to_stamp(status);
  return PluginFile(path, std::move(fd), stamp);
}

Result<FileStamp> PluginFile::stamp_now() const {
  struct stat status {};
  if (::fstat(fd_.get(), &status) != 0) return Error::from_errno(errno, "fstat " + path_);
  return to_stamp(status);
}

Result<PluginIdentity> PluginFile::identity() const { return read_identity(FileSource(fd_.get(), stamp_.size)); }

Result<FileStamp> stamp_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return Error::from_errno(errno, "stat " + path);
  return to_stamp(status);
}

}  // namespace tenon::loader
