// What a host's keeper does for plugins that listen (host.h, `listen`), for tests: sockets that outlive the engine.
//
// The model. KeptSockets is the keeper; KeptSocketsService is what one engine's instance sees of it. An engine that
// dies releases nothing: engine_dies() first, then destroy the instance. Answers come in a later turn of the fake
// host's loop. One keeper, one lock: PATH.lock is held as the real keeper holds it.
#pragma once

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <tenon/host.h>
#include <unistd.h>

#include <map>
#include <string>
#include <string_view>

#include "common/unique_fd.hpp"

namespace tenon::test_support {

class KeptSockets {
 public:
  // A duplicate of the socket that listens at the path; none if the lock is not to be had.
  unique_fd open(const std::string& path) {
    Kept& kept = kept_[path];
    if (!kept.socket) {
      kept.lock.reset(::open((path + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
      if (::flock(kept.lock.get(), LOCK_EX | LOCK_NB) != 0) {
        kept_.erase(path);
        return {};
      }
      kept.socket.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      sockaddr_un address{};
      address.sun_family = AF_UNIX;
      path.copy(address.sun_path, sizeof address.sun_path - 1);
      ::unlink(path.c_str());
      ::bind(kept.socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
      ::listen(kept.socket.get(), 16);
    }
    return kept.socket.duplicate();
  }
  void close(const std::string& path) {
    if (kept_.erase(path) != 0) ::unlink(path.c_str());
  }
  bool holds(const std::string& path) const { return kept_.contains(path); }

 private:
  struct Kept {
    unique_fd lock, socket;
  };
  std::map<std::string, Kept> kept_;
};

class KeptSocketsService {
 public:
  // Takes its place in the table of one instance's host, which must outlive it.
  KeptSocketsService(KeptSockets& keeper, tenon_host& table) : keeper_(keeper), host_(table) {
    services()[table.context] = this;
    table.listen = listen;
    table.listen_release = release;
  }
  ~KeptSocketsService() { services().erase(host_.context); }
  KeptSocketsService(const KeptSocketsService&) = delete;
  KeptSocketsService& operator=(const KeptSocketsService&) = delete;

  void engine_dies() { dead_ = true; }
  std::size_t listeners() const { return listeners_.size(); }
  tenon_status refusal = TENON_OK;  // of the next requests, at once
  tenon_status failure = TENON_OK;  // of the next requests, as the answer

 private:
  struct Listener {
    KeptSocketsService* service;
    std::uint64_t id;
    std::string path;
    tenon_listen_callback callback;
    void* argument;
    unique_fd socket;
  };
  static std::map<void*, KeptSocketsService*>& services() {
    static std::map<void*, KeptSocketsService*> services;
    return services;
  }
  static tenon_status listen(void* context, tenon_str address, tenon_listen_callback callback, void* argument,
                             std::uint64_t* out) {
    KeptSocketsService& me = *services()[context];
    constexpr std::string_view kScheme = "unix://";
    const std::string_view url(address.data, address.size);
    if (me.refusal != TENON_OK) return me.refusal;
    if (!url.starts_with(kScheme)) return TENON_ERR_INVALID_ARGUMENT;
    const std::uint64_t id = me.next_++;
    me.listeners_[id] = {&me, id, std::string(url.substr(kScheme.size())), callback, argument, {}};
    *out = id;
    return me.host_.post_to_loop(context, answer, &me.listeners_[id]);
  }
  static void answer(void* at) {
    auto* const listener = static_cast<Listener*>(at);
    KeptSocketsService& me = *listener->service;
    if (listener->callback == nullptr) {  // released meanwhile
      me.listeners_.erase(listener->id);
      return;
    }
    if (me.failure == TENON_OK) listener->socket = me.keeper_.open(listener->path);
    const tenon_listen_callback callback = std::exchange(listener->callback, nullptr);
    if (listener->socket) return callback(listener->argument, listener->socket.get(), nullptr);
    tenon_error error;
    TENON_INIT(&error);
    const bool taken = me.failure == TENON_OK;
    tenon_fail(&error, taken ? TENON_ERR_ALREADY_EXISTS : me.failure, TENON_FAULT_REMOTE, taken ? 1 : 0,
               text("the keeper says no; do something"));
    void* const argument = listener->argument;
    me.listeners_.erase(listener->id);
    callback(argument, -1, &error);
  }
  static void release(void* context, std::uint64_t id) {
    KeptSocketsService& me = *services()[context];
    const auto at = me.listeners_.find(id);
    if (at == me.listeners_.end()) return;
    if (std::exchange(at->second.callback, nullptr) != nullptr) return;  // its answer comes and finds this
    const std::string path = at->second.path;
    me.listeners_.erase(at);
    if (!me.dead_) me.keeper_.close(path);
  }
  static tenon_str text(std::string_view words) { return {words.data(), words.size()}; }

  KeptSockets& keeper_;
  tenon_host& host_;
  std::map<std::uint64_t, Listener> listeners_;
  std::uint64_t next_ = 1;
  bool dead_ = false;
};

}  // namespace tenon::test_support
