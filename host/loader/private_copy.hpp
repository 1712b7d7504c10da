// Copies of plugin files under names that nobody has used before: what dlopen is given, always.
//
// The model. A mapped file must not change: `cp new x.so` truncates it in place and kills whoever has it mapped. And
// dlopen returns the old library for a path or inode that it knows. So each load is from a copy in a directory of this
// process alone (mode 0700, random name), under a number that only counts up. The copy is removed once it is mapped;
// the mapping keeps it. (A memfd would not do: dlopen of a reused /proc/self/fd/N returns the old library.)
//
// Where a disk is full the next base is used. Each directory is locked while its owner lives. Opening removes the
// directories of owners that died with copies in them; the lock decides, so a reused pid deceives nobody.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.hpp"
#include "common/unique_fd.hpp"
#include "loader/plugin_file.hpp"
#include "loader/content_digest.hpp"

namespace tenon::loader {

// One copy; removed with this object.
class PrivateCopy {
 public:
  PrivateCopy(PrivateCopy&& other) noexcept;
  PrivateCopy& operator=(PrivateCopy&&) = delete;
  ~PrivateCopy();

  const std::string& path() const noexcept { return path_; }
  const Digest& content() const noexcept { return content_; }
  int fd() const noexcept { return fd_.get(); }  // read-only
  // The note of the copy: what will be loaded, whatever happened to the original meanwhile.
  Result<PluginIdentity> identity() const;

 private:
  friend class PrivateCopies;
  explicit PrivateCopy(std::string path) : path_(std::move(path)) {}

  std::string path_;  // empty: moved from
  unique_fd fd_;      // read-only
  Digest content_{};
};

class PrivateCopies {
 public:
  // Makes the private directory in the first of `bases` that allows it: each is made if missing (its parent must
  // exist), must be this user's alone, and must not lie on a file system mounted noexec, from which nothing can be
  // loaded (Debian mounts /run so). errc::unavailable names every base and what was wrong with it.
  static Result<PrivateCopies> open(const std::vector<std::string>& bases);
  // The user's runtime directory, then /tmp, /var/tmp and /dev/shm, each with a directory for this user.
  static std::vector<std::string> default_bases();

  PrivateCopies(PrivateCopies&& other) noexcept;
  PrivateCopies& operator=(PrivateCopies&&) = delete;
  ~PrivateCopies();  // removes what it made

  // The one in use.
  const std::string& directory() const noexcept { return places_.back().directory; }

  // Copies the open file and hashes what it copies. errc::unavailable, retryable, if the file changed meanwhile;
  // errc::exhausted where no base has room for it.
  Result<PrivateCopy> copy(const PluginFile& file);

 private:
  struct Place {
    std::string directory;
    unique_fd lock;  // the directory itself, locked
  };
  explicit PrivateCopies(std::vector<std::string> bases) : bases_(std::move(bases)) {}
  static Result<Place> open_in(const std::string& base);
  Status open_next();
  Result<PrivateCopy> copy_here(const PluginFile& file);

  std::vector<std::string> bases_;  // not tried yet
  std::vector<Place> places_;       // empty: moved from
  std::uint64_t next_ = 1;
};

}  // namespace tenon::loader
