// What an instance asks of its host for a while: timers, watched descriptors, commands. Each is an object that ends
// what it stands for when it goes; none must outlive its instance. Made by sdk::Host.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "callbacks.hpp"

#pragma GCC visibility push(hidden)

namespace tenon::sdk {

class Host;

// Cancels its timer when destroyed.
class Timer {
 public:
  Timer() = default;
  Timer(Timer&&) noexcept = default;
  Timer& operator=(Timer&& other) noexcept {
    cancel();
    host_ = other.host_, id_ = other.id_, callback_ = std::move(other.callback_);
    return *this;
  }
  ~Timer() { cancel(); }
  void cancel() noexcept {
    if (callback_ == nullptr) return;
    host_->timer_cancel(host_->context, id_);
    callback_.reset();
  }

 private:
  friend class Host;
  const tenon_host* host_ = nullptr;
  std::uint64_t id_ = 0;
  std::unique_ptr<detail::Callback> callback_;
};

// Stops watching when destroyed; the descriptor stays the plugin's.
class FdWatch {
 public:
  FdWatch() = default;
  FdWatch(FdWatch&&) noexcept = default;
  FdWatch& operator=(FdWatch&& other) noexcept {
    stop();
    host_ = other.host_, id_ = other.id_, callback_ = std::move(other.callback_);
    return *this;
  }
  ~FdWatch() { stop(); }
  void stop() noexcept {
    if (callback_ == nullptr) return;
    host_->fd_unwatch(host_->context, id_);
    callback_.reset();
  }
  void set_interest(std::uint32_t interest) {
    if (callback_ != nullptr) host_->fd_interest(host_->context, id_, interest);
  }

 private:
  friend class Host;
  struct State {
    const tenon_host* host;
    std::function<void(std::uint32_t)> run;
    static void call(void* argument, std::uint32_t ready) noexcept {
      auto* self = static_cast<State*>(argument);
      const tenon_host* host = self->host;
      try {
        auto run = self->run;
        run(ready);
      } catch (...) {
        detail::log_thrown(host);
      }
    }
  };
  const tenon_host* host_ = nullptr;
  std::uint64_t id_ = 0;
  std::unique_ptr<State> callback_;
};

// A command under way. Kills it when cancelled or destroyed: its `done` does not run then. Nothing once it has ended.
class Command {
 public:
  Command() = default;
  Command(Command&& other) noexcept
      : host_(other.host_), id_(other.id_), pending_(std::exchange(other.pending_, nullptr)) {}
  Command& operator=(Command&& other) noexcept {
    if (this == &other) return *this;
    cancel();
    host_ = other.host_, id_ = other.id_, pending_ = std::exchange(other.pending_, nullptr);
    return *this;
  }
  ~Command() { cancel(); }
  void cancel() noexcept {
    if (pending_ == nullptr) return;
    // Who has taken the call away has answered it; the host knows the command no more.
    const auto taken = detail::PendingCalls::all().take(std::exchange(pending_, nullptr));
    if (taken != nullptr) host_->command_cancel(host_->context, id_);
  }

 private:
  friend class Host;
  const tenon_host* host_ = nullptr;
  std::uint64_t id_ = 0;
  void* pending_ = nullptr;  // its number in PendingCalls; nullptr: no command
};

struct CommandResult {
  std::uint32_t ended;  // TENON_EXIT_…
  std::int32_t value;
  std::string output;
  bool output_truncated;
  std::uint64_t duration_ns;
};

}  // namespace tenon::sdk

#pragma GCC visibility pop
