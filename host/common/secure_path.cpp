#include "common/secure_path.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include <sys/stat.h>
#include <unistd.h>

namespace tenon {

namespace {

constexpr mode_t kOthersWrite = 022;

bool trusted_owner(const struct stat& info) noexcept { return info.st_uid == 0 || info.st_uid == ::geteuid(); }

bool is_sticky_of_root(const struct stat& info) noexcept { return info.st_uid == 0 && (info.st_mode & S_ISVTX) != 0; }

std::string owner_and_mode(const struct stat& info) {
  char text[64];
  std::snprintf(text, sizeof text, "owner %u, mode %04o", info.st_uid, info.st_mode & 07777u);
  return text;
}

Error refuse(const std::string& path, const struct stat& info, std::string_view why, const std::string& remedy) {
  return Error(errc::permission, path + " (" + owner_and_mode(info) + ") " + std::string(why) + "; run: " + remedy,
               fault::caller);
}

Status check_owner_and_mode(const std::string& path, const struct stat& info) {
  if (!trusted_owner(info)) {
    const std::string user = std::to_string(::geteuid());
    return refuse(path, info, "belongs to neither root nor user " + user, "chown " + user + " " + path);
  }
  if ((info.st_mode & kOthersWrite) != 0) {
    return refuse(path, info, "can be written by other users", "chmod go-w " + path);
  }
  return {};
}

Result<std::string> resolve(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
  if (!real) return Error::from_errno(errno, "resolve " + path);
  return std::string(real.get());
}

// The directory above a resolved path; empty above "/".
std::string above(const std::string& path) {
  if (path == "/") return {};
  const std::size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

// From `directory` upwards. `below_is_directory` says whether what was checked before is a directory, which a sticky
// directory above protects from being renamed away; a file directly in /tmp is not accepted.
Status check_upwards(std::string directory, bool below_is_directory) {
  for (; !directory.empty(); directory = above(directory)) {
    struct stat info;
    if (::lstat(directory.c_str(), &info) < 0) return Error::from_errno(errno, "look at " + directory);
    const bool sticky_shelter = below_is_directory && is_sticky_of_root(info);
    if (!sticky_shelter) TENON_TRY(check_owner_and_mode(directory, info));
    below_is_directory = true;
  }
  return {};
}

}  // namespace

Status check_secure_file(int fd, const std::string& path) {
  struct stat opened;
  if (::fstat(fd, &opened) < 0) return Error::from_errno(errno, "look at " + path);
  if (!S_ISREG(opened.st_mode)) return refuse(path, opened, "is not a regular file", "ls -l " + path);
  TENON_TRY(check_owner_and_mode(path, opened));
  const auto real = resolve(path);
  if (!real) return real.error();
  struct stat named;
  if (::lstat(real->c_str(), &named) < 0) return Error::from_errno(errno, "look at " + *real);
  if (named.st_dev != opened.st_dev || named.st_ino != opened.st_ino) {
    return Error(errc::wrong_state, path + " was replaced while it was checked; try again", fault::caller, true);
  }
  return check_upwards(above(*real), false);
}

Status check_secure_directory(const std::string& path) {
  const auto real = resolve(path);
  if (!real) return real.error();
  struct stat info;
  if (::lstat(real->c_str(), &info) < 0) return Error::from_errno(errno, "look at " + *real);
  if (!S_ISDIR(info.st_mode)) return refuse(path, info, "is not a directory", "ls -ld " + path);
  TENON_TRY(check_owner_and_mode(*real, info));
  return check_upwards(above(*real), true);
}

}  // namespace tenon
