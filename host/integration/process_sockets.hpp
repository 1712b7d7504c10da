// The listening sockets that processes are passed, and when they are closed.
//
// The model. The keeper opens a socket at the first start that asks for it and holds it from then on, through restarts
// of the process, of its replicas and of the engine: clients queue meanwhile. Here is known who still wants it: a
// socket that no process wants which runs or is to run again is closed, at the end of the turn, so that a process
// which changes places with its successor keeps its clients.
//
// All [loop].
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "event/loop.hpp"
#include "keeper/spawn_spec.hpp"
#include "runtime/process_manager.hpp"

namespace tenon::integration {

class ProcessSockets {
 public:
  using Close = std::function<void(std::string name)>;
  ProcessSockets(event::Loop& loop, Close close) : loop_(loop), close_(std::move(close)) {}
  ProcessSockets(const ProcessSockets&) = delete;
  // Before anything else; outlives the sockets.
  void connect(const runtime::ProcessManager& manager) { manager_ = &manager; }

  // Those of a process that is about to be started.
  std::vector<keeper::PassedSocket> give(const runtime::ProcessConfig& config);
  // Whether a listener of this name is one of a process.
  static bool owns(std::string_view listener) { return listener.starts_with(kPrefix); }
  // One that an earlier engine had the keeper open.
  void adopt(std::string listener);
  // A process ended, or is no more.
  void look_soon();

 private:
  static constexpr std::string_view kPrefix = "process/";
  static std::string name_of(const runtime::ProcessConfig& config, const runtime::SocketConfig& socket);
  bool is_alone(const runtime::ProcessConfig& config) const;
  static void keep_all_of(const runtime::ProcessConfig& config, std::set<std::string>& unwanted);
  void close_unwanted();

  event::Loop& loop_;
  Close close_;
  const runtime::ProcessManager* manager_ = nullptr;
  std::set<std::string> open_;  // names of listeners
  event::Handle look_;
};

}  // namespace tenon::integration
