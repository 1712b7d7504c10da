// A plugin file, opened and checked once; everything else reads this descriptor, so what was checked is what is loaded.
#pragma once

#include <cstdint>
#include <string>

#include "common/result.hpp"
#include "common/unique_fd.hpp"
#include "loader/plugin_identity.hpp"

namespace tenon::loader {

inline constexpr std::uint64_t kMaxPluginFile = 256ull << 20;

// Tells whether a file was touched since. The change time cannot be set back, so a rewrite that keeps size and
// modification time shows as well.
struct FileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;  // since 1970
  std::int64_t changed_ns = 0;
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

class PluginFile {
 public:
  // Opens a regular file of at most kMaxPluginFile octets that no other user can write, following symbolic links (the
  // file that they lead to, and all above it, is what is checked). Nothing blocks, not even on a FIFO.
  static Result<PluginFile> open(const std::string& path);
  // The same for reading the note only: whoever can write the file, nothing of it will run.
  static Result<PluginFile> open_for_inspection(const std::string& path);

  // A file that is open already, under the name that it had; what it holds was checked before it was kept.
  static Result<PluginFile> adopt(const std::string& path, unique_fd fd);

  const std::string& path() const noexcept { return path_; }  // as given
  int fd() const noexcept { return fd_.get(); }
  const FileStamp& stamp() const noexcept { return stamp_; }  // when it was opened
  // What fstat says now; differs from stamp() if somebody writes to the file.
  Result<FileStamp> stamp_now() const;

  // Reads the note. Runs nothing of the file.
  Result<PluginIdentity> identity() const;

 private:
  PluginFile(std::string path, unique_fd fd, FileStamp stamp)
      : path_(std::move(path)), fd_(std::move(fd)), stamp_(stamp) {}
  std::string path_;
  unique_fd fd_;
  FileStamp stamp_;
};

// The stamp of the file that a path leads to, without opening it.
Result<FileStamp> stamp_of(const std::string& path);

}  // namespace tenon::loader
