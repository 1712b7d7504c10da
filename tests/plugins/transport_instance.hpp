// One instance of a transport on a fake host of its own, called as the engine calls it, and a loop that runs all of
// them.
//
// The model. Every TransportInstance of a test is a node with its own name. run_until() turns the loops of all live
// ones, and moves their clocks by `time_per_turn` a turn, until a predicate holds; its bound of real time only keeps a
// broken test from hanging. Each call gets a token of its own; what was refused comes back with the error, the rest
// completes later.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "plugins/kept_sockets.hpp"
#include "support/fake_plugin_host.hpp"
#include "support/loaded_plugin.hpp"

namespace tenon::test_support {

struct Started {
  std::uint64_t token = 0;
  tenon_status status = TENON_OK;  // other than OK: refused, with `error`; no completion follows
  RecordedError error;
};

struct Outgoing {
  std::string topic = "task.result.1", encoded = R"({"type":"task.result"})", content_type = "application/json", origin;
  std::uint32_t hops = 0;
};

class TransportInstance {
 public:
  // With a keeper: its host holds listening sockets, as `kept` says; without, it is one that cannot.
  TransportInstance(const tenon_transport& table, std::string node, const std::string& url, std::string config = "{}",
                    KeptSockets* keeper = nullptr)
      : host(std::move(config), node + "/transport"), table_(table), own_(*host.get()) {
    if (keeper != nullptr) kept.emplace(*keeper, own_);
    names()[host.get()->context] = std::move(node);
    own_.node = [](void* context) -> tenon_str {
      const std::string& name = names()[context];
      return {name.data(), name.size()};
    };
    tenon_connection_config connection;
    TENON_INIT(&connection);
    connection.name = {"bus", 3};
    connection.url = {url.data(), url.size()};
    connection.timeout_ns = 1'000'000'000;
    tenon_error error = fresh_error();
    created.status = table_.create(&own_, &connection, &self_, &error);
    if (created.status != TENON_OK) created.error = record(error);
    live().push_back(this);
  }
  ~TransportInstance() {
    destroy();
    std::erase(live(), this);
    names().erase(host.get()->context);
  }
  TransportInstance(const TransportInstance&) = delete;
  TransportInstance& operator=(const TransportInstance&) = delete;

  void destroy() {
    if (self_ != nullptr) table_.destroy(std::exchange(self_, nullptr));
    host.retire();
  }

  Started connect(std::chrono::nanoseconds timeout = kLong) {
    return start(
        [&](auto token, auto* error) { return table_.connect(self_, token, host.deadline_in(timeout), error); });
  }
  Started disconnect(std::chrono::nanoseconds timeout = kLong) {
    return start(
        [&](auto token, auto* error) { return table_.disconnect(self_, token, host.deadline_in(timeout), error); });
  }
  Started send(const Outgoing& what, bool settle = false, std::chrono::nanoseconds timeout = kLong) {
    const tenon_message message = to_abi(what);
    return start([&](auto token, auto* error) {
      return table_.send(self_, &message, settle ? 1 : 0, token, host.deadline_in(timeout), error);
    });
  }
  Started request(const Outgoing& what, std::chrono::nanoseconds timeout = kLong) {
    const tenon_message message = to_abi(what);
    return start([&](auto token, auto* error) {
      return table_.request(self_, &message, token, host.deadline_in(timeout), error);
    });
  }
  Started reply(const std::string& to, const Outgoing& what) {
    const tenon_message message = to_abi(what);
    return start([&](auto token, auto* error) {
      return table_.reply(self_, {to.data(), to.size()}, &message, token, host.deadline_in(kLong), error);
    });
  }
  Started subscribe(std::uint64_t number, std::string_view pattern, std::string_view group = {}) {
    const tenon_str name = group.empty() ? tenon_str{nullptr, 0} : tenon_str{group.data(), group.size()};
    return start([&](auto token, auto* error) {
      return table_.subscribe(self_, number, {pattern.data(), pattern.size()}, name, token, host.deadline_in(kLong),
                              error);
    });
  }
  Started unsubscribe(std::uint64_t number) {
    return start([&](auto token, auto* error) {
      return table_.unsubscribe(self_, number, token, host.deadline_in(kLong), error);
    });
  }
  Started health_check(std::chrono::nanoseconds timeout = kLong) {
    return start(
        [&](auto token, auto* error) { return table_.health_check(self_, token, host.deadline_in(timeout), error); });
  }
  void resume() { table_.resume(self_); }
  tenon_transport_info describe() {
    tenon_transport_info info;
    TENON_INIT(&info);
    table_.describe(self_, &info);
    return info;
  }

  // The completion of a call, once it has come.
  std::optional<Completion> ended(const Started& call) const { return host.completion(call.token); }
  bool has_ended(const Started& call) const { return ended(call).has_value(); }
  bool succeeded(const Started& call) const {
    const auto completion = ended(call);
    return completion && !completion->error;
  }
  std::uint32_t state() const {
    const auto states = host.states();
    return states.empty() ? UINT32_MAX : states.back().state;
  }
  std::vector<std::string> topics(std::uint64_t subscription) const {
    std::vector<std::string> topics;
    for (const auto& message : host.incoming()) {
      if (message.subscription == subscription) topics.push_back(message.topic);
    }
    return topics;
  }
  bool logged(std::string_view text) const {
    for (const auto& line : host.logs()) {
      if (line.text.find(text) != std::string::npos) return true;
    }
    return false;
  }

  // One turn of every live instance's loop.
  static void turn() {
    for (TransportInstance* instance : std::vector(live())) {
      instance->host.pump_once();
      instance->host.advance(time_per_turn);
    }
  }

  static constexpr std::chrono::seconds kLong{30};
  // Zero where threads or other processes take part: turns are faster than they are, and deadlines would pass.
  inline static std::chrono::nanoseconds time_per_turn = std::chrono::milliseconds(1);
  Started created;
  FakePluginHost host;
  std::optional<KeptSocketsService> kept;

 private:
  static std::map<void*, std::string>& names() {
    static std::map<void*, std::string> names;
    return names;
  }
  static std::vector<TransportInstance*>& live() {
    static std::vector<TransportInstance*> live;
    return live;
  }
  static tenon_error fresh_error() {
    tenon_error error;
    TENON_INIT(&error);
    return error;
  }
  static tenon_message to_abi(const Outgoing& what) {
    tenon_message message;
    TENON_INIT(&message);
    message.hops = what.hops;
    message.topic = {what.topic.data(), what.topic.size()};
    message.encoded = {reinterpret_cast<const std::uint8_t*>(what.encoded.data()), what.encoded.size()};
    message.content_type = {what.content_type.data(), what.content_type.size()};
    if (!what.origin.empty()) message.origin = {what.origin.data(), what.origin.size()};
    return message;
  }
  template <class Call>
  Started start(Call&& call) {
    Started started;
    started.token = next_token_++;
    tenon_error error = fresh_error();
    started.status = call(started.token, &error);
    if (started.status != TENON_OK) started.error = record(error);
    return started;
  }

  const tenon_transport& table_;
  tenon_host own_;
  void* self_ = nullptr;
  std::uint64_t next_token_ = 1;
};

// Turns all loops until the predicate holds; false if it never does.
inline bool run_until(const std::function<bool()>& until, std::chrono::milliseconds bound = std::chrono::seconds(20)) {
  const auto give_up = std::chrono::steady_clock::now() + bound;
  while (!until()) {
    if (std::chrono::steady_clock::now() > give_up) return false;
    TransportInstance::turn();
    std::this_thread::yield();
  }
  return true;
}

// Enough turns for everything that can happen without the passing of time to have happened.
inline void settle_down(int turns = 50) {
  for (int i = 0; i < turns; ++i) TransportInstance::turn();
}

}  // namespace tenon::test_support
