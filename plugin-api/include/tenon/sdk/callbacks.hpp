// What stands between the host's function pointers and an author's std::function: callbacks, calls under way, and the
// instance that owns both. For the SDK's own headers.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "../host.h"
#include "error.hpp"

#pragma GCC visibility push(hidden)

namespace tenon::sdk::detail {

inline void log_thrown(const tenon_host* host) noexcept {
  try {
    throw;
  } catch (const std::exception& e) {
    guarded_void(
        [&] { host->log(host->context, TENON_LOG_ERROR, to_abi(std::string("callback failed: ") + e.what())); });
  } catch (...) {
    host->log(host->context, TENON_LOG_ERROR, to_abi("callback failed with an exception of unknown type"));
  }
}

// A callback that the host calls by function pointer. What it throws is logged.
struct Callback {
  const tenon_host* host;
  std::function<void()> run;
  static void call(void* argument) noexcept {
    auto* self = static_cast<Callback*>(argument);
    const tenon_host* host = self->host;
    try {
      auto run = self->run;  // a callback may cancel, and so destroy, itself
      run();
    } catch (...) {
      log_thrown(host);
    }
  }
};

// One call with a callback (run_on_worker, run_command, …) that the host has not answered yet.
struct PendingCall {
  const tenon_host* host = nullptr;
  virtual ~PendingCall() = default;
};

// The calls under way of all instances of this plugin, by number. The host gets the number as its `argument`, never an
// address: an answer that comes late, twice, or after its instance was destroyed finds nothing, and a call that is
// never answered is freed with its instance. [any]
class PendingCalls {
 public:
  static PendingCalls& all() {
    static auto* calls = new PendingCalls;  // never destroyed: a written-off worker thread may outlive main()
    return *calls;
  }
  void* add(std::shared_ptr<PendingCall> call) {
    const std::lock_guard hold(lock_);
    calls_.emplace(++last_, std::move(call));
    return reinterpret_cast<void*>(last_);
  }
  std::shared_ptr<PendingCall> find(void* argument) {
    const std::lock_guard hold(lock_);
    const auto found = calls_.find(reinterpret_cast<std::uintptr_t>(argument));
    return found == calls_.end() ? nullptr : found->second;
  }
  std::shared_ptr<PendingCall> take(void* argument) {
    const std::lock_guard hold(lock_);
    auto node = calls_.extract(reinterpret_cast<std::uintptr_t>(argument));
    return node.empty() ? nullptr : std::move(node.mapped());
  }
  void forget(const tenon_host* host) {
    std::vector<std::shared_ptr<PendingCall>> forgotten;  // destroyed without the lock: captures may do anything
    const std::lock_guard hold(lock_);
    for (auto at = calls_.begin(); at != calls_.end();) {
      if (at->second->host != host) ++at;
      else forgotten.push_back(std::move(at->second)), at = calls_.erase(at);
    }
  }

 private:
  std::mutex lock_;
  std::uintptr_t last_ = 0;
  std::unordered_map<std::uintptr_t, std::shared_ptr<PendingCall>> calls_;
};

// A call whose answer goes to an author's function. What that throws is logged.
template <class... Answer>
struct AnsweredCall : PendingCall {
  std::function<void(Answer...)> done;
  // What the host calls; `argument` is the call's number.
  static void answer(void* argument, Answer... how) noexcept {
    const auto taken = PendingCalls::all().take(argument);
    if (taken == nullptr) return;
    try {
      static_cast<AnsweredCall*>(taken.get())->done(how...);
    } catch (...) {
      log_thrown(taken->host);
    }
  }
};

// Frees what the host will never answer when its instance goes, also when its constructor throws.
struct ForgetCalls {
  const tenon_host* host;
  explicit ForgetCalls(const tenon_host* owner) noexcept : host(owner) {}
  ForgetCalls(const ForgetCalls&) = delete;
  ForgetCalls& operator=(const ForgetCalls&) = delete;
  ~ForgetCalls() { PendingCalls::all().forget(host); }
};

// What a kind's table makes of an author's class: the object, and after it whatever it left under way.
template <class Object>
struct Instance {
  ForgetCalls forget;
  Object object;
  template <class... Arguments>
  explicit Instance(const tenon_host* host, Arguments&&... arguments)
      : forget(host), object(std::forward<Arguments>(arguments)...) {}
};

}  // namespace tenon::sdk::detail

#pragma GCC visibility pop
