#include "loader/private_copy.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <span>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/encoding.hpp"
#include "common/ids.hpp"
#include "common/system.hpp"
#include "loader/byte_source.hpp"
#include "loader/note_reader.hpp"
#include "loader/open_directory.hpp"

namespace tenon::loader {
namespace {

constexpr std::string_view kPrefix = "plugins-";
constexpr std::size_t kChunk = 256 * 1024;

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  const OpenDirectory open = open_directory(directory);
  if (!open) return names;
  while (const dirent* entry = ::readdir(open.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  return names;
}

// Our directories hold plain files only, so one level is all there is to remove.
void remove_directory(const std::string& directory) {
  for (const std::string& name : names_in(directory)) ::unlink((directory + "/" + name).c_str());
  ::rmdir(directory.c_str());
}

unique_fd lock_directory(const std::string& directory) {
  unique_fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (fd && ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) fd.reset();
  return fd;
}

bool still_at(const std::string& path, int fd) {
  struct stat by_path {
  }, by_fd{};
  return ::stat(path.c_str(), &by_path) == 0 && ::fstat(fd, &by_fd) == 0 && by_path.st_ino == by_fd.st_ino &&
         by_path.st_dev == by_fd.st_dev;
}

void remove_those_of_the_dead(const std::string& base) {
  for (const std::string& name : names_in(base)) {
    if (!name.starts_with(kPrefix)) continue;
    const std::string directory = base + "/" + name;
    if (const unique_fd lock = lock_directory(directory)) remove_directory(directory);
  }
}

// A random name keeps two hosts of one user, and a new one and what a dead one left, apart.
std::string fresh_name() {
  std::array<std::byte, 12> bytes;
  random_bytes(bytes);
  return std::string(kPrefix) + hex_encode(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

// The last part of the original's name, so that a backtrace or /proc/PID/maps says which plugin it was.
std::string readable_name(std::string_view path) {
  std::string name(path.substr(path.rfind('/') + 1));
  if (name.size() > 100) name.erase(0, name.size() - 100);
  std::replace_if(
      name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, '_');
  return name;
}

Result<Digest> copy_octets(const PluginFile& from, int to, const std::string& to_path) {
  const auto chunk = std::make_unique<std::array<std::byte, kChunk>>();
  const FileSource source(from.fd(), from.stamp().size);
  ContentHash hash;
  for (std::uint64_t offset = 0; offset < source.size();) {
    const auto part = std::span(*chunk).first(std::min<std::uint64_t>(kChunk, source.size() - offset));
    TENON_TRY(source.read(offset, part));
    TENON_TRY(write_all(to, std::string_view(reinterpret_cast<const char*>(part.data()), part.size()), to_path));
    hash.update(part);
    offset += part.size();
  }
  return hash.digest();
}

}  // namespace

PrivateCopy::PrivateCopy(PrivateCopy&& other) noexcept
    : path_(std::exchange(other.path_, {})), fd_(std::move(other.fd_)), content_(other.content_) {}

PrivateCopy::~PrivateCopy() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

Result<PluginIdentity> PrivateCopy::identity() const {
  const off_t size = ::lseek(fd_.get(), 0, SEEK_END);
  if (size < 0) return Error::from_errno(errno, "lseek " + path_);
  return read_identity(FileSource(fd_.get(), static_cast<std::uint64_t>(size)));
}

PrivateCopies::PrivateCopies(PrivateCopies&& other) noexcept
    : bases_(std::move(other.bases_)), places_(std::exchange(other.places_, {})), next_(other.next_) {}

PrivateCopies::~PrivateCopies() {
  for (const Place& place : places_) remove_directory(place.directory);
}

std::vector<std::string> PrivateCopies::default_bases() {
  std::vector<std::string> bases;
  if (auto runtime = user_runtime_directory()) bases.push_back(std::move(runtime).value());
  const std::string mine = "/tenon-" + std::to_string(::geteuid());
  for (const char* parent : {"/tmp", "/var/tmp", "/dev/shm"}) bases.push_back(parent + mine);
  return bases;
}

Result<PrivateCopies::Place> PrivateCopies::open_in(const std::string& base) {
  TENON_TRY(make_private_directory(base));
  struct statvfs file_system {};
  if (::statvfs(base.c_str(), &file_system) != 0) return Error::from_errno(errno, "statvfs " + base);
  if ((file_system.f_flag & ST_NOEXEC) != 0) {
    return Error(errc::unavailable, base + " lies on a file system mounted noexec");
  }
  remove_those_of_the_dead(base);
  // A host that starts at the same time may take our directory for a dead one's between mkdir and lock: then it is
  // gone, and the next name is tried.
  for (int attempt = 0; attempt < 8; ++attempt) {
    std::string directory = base + "/" + fresh_name();
    TENON_TRY(make_private_directory(directory));
    unique_fd lock = lock_directory(directory);
    if (lock && still_at(directory, lock.get())) return Place{std::move(directory), std::move(lock)};
    ::rmdir(directory.c_str());
  }
  return Error(errc::unavailable, "another host keeps removing new directories in " + base);
}

Result<PrivateCopies> PrivateCopies::open(const std::vector<std::string>& bases) {
  PrivateCopies copies(bases);
  TENON_TRY(copies.open_next());
  return copies;
}

Status PrivateCopies::open_next() {
  std::string reasons;
  while (!bases_.empty()) {
    auto opened = open_in(bases_.front());
    bases_.erase(bases_.begin());
    if (opened) return places_.push_back(std::move(opened).value()), Status();
    reasons += (reasons.empty() ? "" : "; ") + opened.error().message;
  }
  return Error(errc::unavailable, "no directory for private copies of plugins: " + reasons +
                                      "; set XDG_RUNTIME_DIR to a directory of your own from which programs may run");
}

// A successor must be able to load what its engine had loaded, though the disk is full meanwhile.
Result<PrivateCopy> PrivateCopies::copy(const PluginFile& file) {
  while (true) {
    auto made = copy_here(file);
    if (made.ok() || made.error().code != errc::exhausted || !open_next().ok()) return made;
  }
}

Result<PrivateCopy> PrivateCopies::copy_here(const PluginFile& file) {
  PrivateCopy copy(directory() + "/" + std::to_string(next_++) + "-" + readable_name(file.path()));
  unique_fd writer(::open(copy.path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0500));
  if (!writer) return Error::from_errno(errno, "create " + copy.path_);
  auto content = copy_octets(file, writer.get(), copy.path_);
  if (!content) return std::move(content).error();
  copy.content_ = *content;
  copy.fd_ = unique_fd(::open(copy.path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!copy.fd_) return Error::from_errno(errno, "open " + copy.path_);

  const auto now = file.stamp_now();
  if (!now) return now.error();
  if (*now != file.stamp()) {
    return Error(errc::unavailable,
                 "the file was being written while it was read; it is read again when it is complete", fault::plugin,
                 true);
  }
  return copy;
}

}  // namespace tenon::loader
