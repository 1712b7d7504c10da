// The listening sockets of plugins, which the keeper makes and holds.
//
// The model. A listener is asked for → granted → released, or refused. One instance at a time has an address. The
// keeper knows each by the name kPrefix + path and answers in the order of the requests, so an answer to a request that
// was withdrawn meanwhile is told apart from that to a later one for the same path.
//
// After a restart of the engine the keeper still holds what its predecessor had. Such a socket is unclaimed until an
// instance asks for its path again and gets the very same one, with the clients that queue there. What nobody asks for
// is dropped in the end: a client must not wait for ever at a door that nobody opens.
//
// All [loop].
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "common/result.hpp"
#include "common/unique_fd.hpp"
#include "keeper/messages.hpp"

namespace tenon::integration {

// Who asks the keeper; keeper_bridge.hpp.
class ListenerKeeper {
 public:
  virtual ~ListenerKeeper() = default;
  virtual Status keep_listening(keeper::ListenSpec spec) = 0;
  virtual Status stop_listening(std::string name) = 0;
};

class PluginListeners {
 public:
  static constexpr std::size_t kMaxListeners = 48;  // the keeper holds 64, those of the control API among them
  static constexpr std::string_view kPrefix = "plugin/";
  using Done = std::function<void(Result<int> fd)>;

  explicit PluginListeners(ListenerKeeper& keeper) : keeper_(keeper) {}

  // For an absolute path. errc::already_exists: an instance of this host has it; errc::exhausted: too many. `done`
  // exactly once unless released first, never from within. The descriptor stays ours, until release().
  Result<std::uint64_t> open(const std::string& path, Done done);
  // Nobody may watch its descriptor any more. Unknown ones are ignored.
  void release(std::uint64_t listener);

  // From the keeper: what it still held when this engine came, and its answers.
  static bool owns(std::string_view name) noexcept { return name.starts_with(kPrefix); }
  void adopt(const keeper::ListenSpec& held);
  void drop_unclaimed();
  void on_listening(keeper::Listening listening);
  void on_listen_failed(const keeper::ListenFailed& failure);

 private:
  struct Listener {
    std::string path;
    Done done;  // null once called
    unique_fd socket;
  };
  static keeper::ListenSpec spec_of(const std::string& path);
  // The request that the answer belongs to; 0 if it was withdrawn.
  std::uint64_t take_asked(const std::string& name);
  void stop_listening(const std::string& name);

  ListenerKeeper& keeper_;
  std::map<std::uint64_t, Listener> listeners_;
  std::map<std::string, std::uint64_t> holders_;             // by path
  std::map<std::string, std::deque<std::uint64_t>> asked_;   // by name: requests that the keeper has not answered
  std::set<std::string> unclaimed_;                          // names
  std::uint64_t next_ = 1;
};

}  // namespace tenon::integration
