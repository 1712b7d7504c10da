#include "keeper/listeners.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/system.hpp"
#include "keeper/socket_address.hpp"

namespace tenon::keeper {
namespace {

constexpr int kLockAttempts = 16;

bool same_file(const struct stat& a, const struct stat& b) { return a.st_dev == b.st_dev && a.st_ino == b.st_ino; }

// For the time of a bind: the socket file is never there with more rights than it shall have.
class MaskScope {
 public:
  explicit MaskScope(mode_t wanted_mode) : before_(::umask(~wanted_mode & 0777)) {}
  ~MaskScope() { ::umask(before_); }
  MaskScope(const MaskScope&) = delete;

 private:
  mode_t before_;
};

}  // namespace

Result<std::unique_ptr<Listener>> Listener::open(const ListenSpec& spec, const InheritedSockets& inherited) {
  std::unique_ptr<Listener> listener(new Listener(spec));
  listener->socket_ = inherited.find(spec);
  if (!listener->socket_ && !spec.inherit.empty()) {
    return Error(errc::not_found,
                 "no socket of the name " + spec.inherit + " was passed to the host (LISTEN_FDNAMES; passed were: " +
                     (inherited.empty() ? "none" : inherited.describe()) + "); choose another " + spec.setting +
                     ", or start the host by a socket unit with FileDescriptorName=" + spec.inherit,
                 fault::caller);
  }
  if (!listener->socket_) {
    Status bound = is_unix(spec.family) ? listener->bind_unix() : listener->bind_ip();
    if (!bound.ok() && bound.error().code == errc::already_exists && !inherited.empty()) {
      Error error = std::move(bound).error();
      error.message += "; the host was passed " + inherited.describe() + ": write that address, or inherit it by name";
      return error;
    }
    TENON_TRY(std::move(bound));
  }
  TENON_TRY(listener->set_mode_of_waiting());
  return listener;
}

Listener::~Listener() {
  struct stat now {};
  if (inode_ != 0 && ::lstat(spec_.address.c_str(), &now) == 0 && now.st_dev == device_ && now.st_ino == inode_) {
    ::unlink(spec_.address.c_str());
  }
  // Under the lock, so that nobody who waits for this very file can have it: see lock_path.
  if (lock_) ::unlink((spec_.address + ".lock").c_str());
}

// By errno.
Error Listener::path_error(const std::string& what, const std::string& path) const {
  Error error = Error::from_errno(errno, what + " " + path);
  error.message += "; choose another " + spec_.setting;
  return error;
}

Error Listener::taken(int lock) const {
  char text[32] = {};
  const ssize_t size = ::pread(lock, text, sizeof text - 1, 0);
  std::string holder(text, static_cast<std::size_t>(size > 0 ? size : 0));
  while (!holder.empty() && holder.back() == '\n') holder.pop_back();
  const std::string who = holder.empty() ? "" : " (pid " + holder + ")";
  return Error(errc::already_exists,
               "another host is running on " + spec_.address + who + "; stop it or choose another " + spec_.setting,
               fault::caller);
}

// A holder unlinks its lock file at the end, so a lock just won may be on a file that has no name any more: then again.
Status Listener::lock_path() {
  const std::string path = spec_.address + ".lock";
  for (int attempt = 0; attempt < kLockAttempts; ++attempt) {
    unique_fd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!lock) return path_error("open the lock file", path);
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
      return errno == EWOULDBLOCK ? taken(lock.get()) : path_error("lock", path);
    }
    struct stat locked {}, named {};
    if (::fstat(lock.get(), &locked) != 0 || ::stat(path.c_str(), &named) != 0 || !same_file(locked, named)) continue;
    lock_ = std::move(lock);
    if (::ftruncate(lock_.get(), 0) != 0) return path_error("truncate", path);
    return write_all(lock_.get(), std::to_string(::getpid()) + "\n", path);
  }
  return taken(-1);
}

Status Listener::remove_stale_socket() {
  struct stat info {};
  if (::lstat(spec_.address.c_str(), &info) != 0) return {};
  if (!S_ISSOCK(info.st_mode)) {
    return Error(errc::already_exists,
                 spec_.address + " exists and is not a socket; remove it or choose another " + spec_.setting,
                 fault::caller);
  }
  if (::unlink(spec_.address.c_str()) != 0) return path_error("remove the stale socket", spec_.address);
  return {};
}

Status Listener::bind_unix() {
  const auto address = address_of(spec_);
  if (!address) return address.error();
  const std::string& path = spec_.address;
  const std::string parent = parent_of(path);
  // Who may write to the socket must get to it.
  const mode_t mode = (spec_.mode & 077) == 0 ? 0700 : 0755;
  if (::mkdir(parent.c_str(), mode) != 0 && errno != EEXIST) return path_error("make the directory", parent);
  TENON_TRY(lock_path());
  TENON_TRY(remove_stale_socket());

  const bool stream = is_stream(spec_.family);
  socket_.reset(::socket(AF_UNIX, (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket_) return Error::from_errno(errno, "make a unix socket");
  {
    MaskScope mask(spec_.mode);
    if (::bind(socket_.get(), address->get(), address->size) != 0) return path_error("bind", path);
  }
  struct stat made {};
  if (::lstat(path.c_str(), &made) == 0) device_ = made.st_dev, inode_ = made.st_ino;
  TENON_TRY(give_file());
  if (stream && ::listen(socket_.get(), spec_.backlog) != 0) return path_error("listen on", path);
  return {};
}

Status Listener::bind_ip() {
  auto address = address_of(spec_);
  if (!address) return std::move(address).error();
  const bool stream = is_stream(spec_.family);
  const int type = (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK;
  socket_.reset(::socket(address->storage.ss_family, type, 0));
  if (!socket_) return Error::from_errno(errno, "make a socket");
  const int on = 1;
  if (stream) (void)::setsockopt(socket_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(socket_.get(), address->get(), address->size) == 0 &&
      (!stream || ::listen(socket_.get(), spec_.backlog) == 0)) {
    return {};
  }
  const std::string shown = to_string(*address);
  if (errno == EADDRINUSE) {
    return Error(errc::already_exists,
                 "another program listens on " + shown + "; stop it or choose another port (`ss -" +
                     (stream ? "ltnp" : "lunp") + "` names it)",
                 fault::caller);
  }
  Error error = Error::from_errno(errno, "listen on " + shown);
  error.message += "; choose another " + spec_.setting;
  return error;
}

// What programs expect of a socket that they are passed, and whoever passed it to us may have set it otherwise.
Status Listener::set_mode_of_waiting() {
  TENON_TRY(set_nonblocking(socket_.get(), !spec_.blocking));
  const auto bound = address_of(socket_.get());
  if (bound.ok()) port_ = bound->port();
  return {};
}

bool Listener::is_at(const ListenSpec& spec) const {
  return spec_.family == spec.family && spec_.address == spec.address && spec_.port == spec.port &&
         spec_.inherit == spec.inherit && (spec.port != 0 || is_unix(spec.family) || spec_.name == spec.name);
}

// To terms that differ in anything but the place.
Status Listener::adapt(const ListenSpec& spec) {
  spec_ = spec;
  if (is_stream(spec_.family) && spec_.inherit.empty() && ::listen(socket_.get(), spec_.backlog) != 0)
    return path_error("listen on", spec_.address);
  return inode_ != 0 ? give_file() : Status();
}

// Of a unix socket of our own: to whom and for whom the operator wants it.
Status Listener::give_file() const {
  const std::string& path = spec_.address;
  if (::chmod(path.c_str(), spec_.mode) != 0) return path_error("set the mode of", path);
  if (!spec_.uid && !spec_.gid) return {};
  constexpr auto kSame = static_cast<std::uint32_t>(-1);
  if (::lchown(path.c_str(), spec_.uid.value_or(kSame), spec_.gid.value_or(kSame)) != 0)
    return path_error("give away", path);
  return {};
}

Result<const Listener*> Listeners::open(const ListenSpec& spec) {
  if (const Listener* known = find(spec.name)) {
    if (known->spec() == spec) return known;
    return Error(errc::already_exists,
                 "a listener named " + spec.name + " is open with other settings; close it first");
  }
  if (listeners_.size() >= kMaxListeners) {
    return Error(errc::exhausted, std::to_string(kMaxListeners) + " listeners are open already; close one first");
  }
  auto opened = Listener::open(spec, inherited_);
  if (!opened) return std::move(opened).error();
  return listeners_.emplace(spec.name, std::move(*opened)).first->second.get();
}

Result<const Listener*> Listeners::reopen(const ListenSpec& spec) {
  const auto named = listeners_.find(spec.name);
  auto there = named;
  if (there == listeners_.end() || !there->second->is_at(spec)) {
    there = std::find_if(listeners_.begin(), listeners_.end(), [&](const auto& one) { return one.second->is_at(spec); });
  }
  if (there != listeners_.end()) {
    TENON_TRY(there->second->adapt(spec));
    auto kept = listeners_.extract(there);
    listeners_.erase(spec.name);  // of that name, at another place
    kept.key() = spec.name;
    return listeners_.insert(std::move(kept)).position->second.get();
  }
  if (named == listeners_.end()) return open(spec);
  auto opened = Listener::open(spec, inherited_);
  if (!opened) return std::move(opened).error();
  named->second = std::move(*opened);
  return named->second.get();
}

const Listener* Listeners::find(const std::string& name) const {
  const auto found = listeners_.find(name);
  return found == listeners_.end() ? nullptr : found->second.get();
}

std::vector<std::string> Listeners::names() const {
  std::vector<std::string> names;
  for (const auto& [name, listener] : listeners_) names.push_back(name);
  return names;
}

}  // namespace tenon::keeper
