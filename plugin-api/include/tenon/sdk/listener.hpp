// A listening socket that the host holds for an instance, so that its clients survive a restart of the engine.
//
// The model. none → asked → held → released; asked → refused. sdk::listen() asks; `done` runs once, in a later turn of
// the loop, with the descriptor or with why not. A Listener that is released or destroyed gives the socket back: its
// watches end, its file goes, and a `done` that has not run never will. What happens to the engine itself releases
// nothing: the next engine gets the same socket for the same address, with the clients that wait in its queue.
//
// Loop thread only. A Listener must not outlive its instance.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "host.hpp"

#pragma GCC visibility push(hidden)

namespace tenon::sdk {

class Listener {
 public:
  Listener() = default;
  Listener(Listener&& other) noexcept
      : host_(other.host_), id_(other.id_), pending_(other.pending_) {
    other.host_ = nullptr;
  }
  Listener& operator=(Listener&& other) noexcept {
    if (this == &other) return *this;
    release();
    host_ = std::exchange(other.host_, nullptr), id_ = other.id_, pending_ = other.pending_;
    return *this;
  }
  ~Listener() { release(); }
  // Stop watching and using the descriptor first.
  void release() noexcept {
    if (host_ == nullptr) return;
    const tenon_host* const host = std::exchange(host_, nullptr);
    detail::PendingCalls::all().take(pending_);
    host->listen_release(host->context, id_);  // of a request that was refused meanwhile: ignored
  }
  bool active() const noexcept { return host_ != nullptr; }

 private:
  friend Listener listen(const Host& host, std::string_view address, std::function<void(int, const Error*)> done);
  const tenon_host* host_ = nullptr;  // null: none
  std::uint64_t id_ = 0;
  void* pending_ = nullptr;  // the request's number in PendingCalls
};

// Whether the host is new enough to be asked.
inline bool can_listen(const Host& host) noexcept {
  const tenon_host* const raw = host.raw();
  return TENON_HAS(raw, tenon_host, listen_release) && raw->listen != nullptr && raw->listen_release != nullptr;
}

// Asks for a socket that listens at `address` (host.h, `listen`, says which). `done(fd, null)` or `done(-1, &why)`. The
// descriptor stays the host's. Throws Error with the status of a refusal: UNSUPPORTED also from a host that is too old.
[[nodiscard]] inline Listener listen(const Host& host, std::string_view address,
                                     std::function<void(int fd, const Error* why)> done) {
  struct Pending final : detail::PendingCall {
    std::function<void(int, const Error*)> done;
    static void call(void* argument, std::int32_t fd, const tenon_error* error) noexcept {
      const auto taken = detail::PendingCalls::all().take(argument);
      if (taken == nullptr) return;
      auto* self = static_cast<Pending*>(taken.get());
      try {
        if (error == nullptr) return self->done(fd, nullptr);
        const Error why(error->code, std::string(error->text, error->text_size), error->fault, error->retryable != 0);
        self->done(-1, &why);
      } catch (...) {
        detail::log_thrown(self->host);
      }
    }
  };
  if (!can_listen(host))
    throw Error(TENON_ERR_UNSUPPORTED, "this host keeps no listening sockets; update it", TENON_FAULT_HOST);
  const tenon_host* const raw = host.raw();
  auto pending = std::make_shared<Pending>();
  pending->host = raw;
  pending->done = std::move(done);
  Listener listener;
  listener.pending_ = detail::PendingCalls::all().add(std::move(pending));
  const tenon_status status =
      raw->listen(raw->context, to_abi(address), &Pending::call, listener.pending_, &listener.id_);
  if (status != TENON_OK) {
    detail::PendingCalls::all().take(listener.pending_);
    throw Error(status, "the host refused to listen at " + std::string(address), TENON_FAULT_HOST,
                status == TENON_ERR_ALREADY_EXISTS || status == TENON_ERR_EXHAUSTED);
  }
  listener.host_ = raw;
  return listener;
}

}  // namespace tenon::sdk

#pragma GCC visibility pop
