// What processes say of themselves by sd_notify(3), and whom it concerns: readiness, reload, end and time limits the
// runtime; the watchdog its health check; a status whoever asks for it.
//
// The model. A process that has a notify socket has it for one incarnation. The keeper holds the socket, so what is
// sent while no engine lives waits in it (at most net.unix.max_dgram_qlen messages, 10 by default; then the sender
// blocks). What a process has said before its end is read before its end is told.
//
// Heard is the process itself, and who runs as its user, as root or as the host's own user, whatever its pid:
// systemd-notify(1) and other helpers are gone before their message is read. Descriptors that come along are closed at
// once: none is kept for a process, and sd_notify_barrier(3) waits for just that.
//
// [loop]
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include <sys/socket.h>
#include <sys/types.h>

#include "common/result.hpp"
#include "common/unique_fd.hpp"
#include "event/loop.hpp"
#include "integration/notify_message.hpp"

namespace tenon::runtime {
class ProcessManager;
}

namespace tenon::integration {

class WorkerHub;

class NotifyHub {
 public:
  // The control messages that stand for a watchdog's signs, for health checks (last_control_message).
  static constexpr std::string_view kWatchdog = "tenon.watchdog";                 // WATCHDOG=1, and READY=1
  static constexpr std::string_view kWatchdogTrigger = "tenon.watchdog.trigger";  // WATCHDOG=trigger

  // A process named another as its main process (MAINPID).
  using MainProcess = std::function<void(const std::string& id, std::uint64_t generation, pid_t pid)>;

  // All outlive the hub.
  NotifyHub(event::Loop& loop, runtime::ProcessManager& manager, WorkerHub& workers, MainProcess main_process);
  NotifyHub(const NotifyHub&) = delete;
  ~NotifyHub();

  // From now on the incarnation is heard. `pid`: its own, heard whoever it has become; `user`: whom it was started as.
  Status attach(const std::string& id, std::uint64_t generation, unique_fd socket, pid_t pid, uid_t user);
  // It goes on as another process.
  void note_main_process(const std::string& id, std::uint64_t generation, pid_t pid);
  // It has ended: hears what it said last, then closes the socket.
  void detach(const std::string& id, std::uint64_t generation);

 private:
  struct Source;
  static bool is_heard(const Source& source, const ucred& sender);
  bool hear_one(Source& source);  // false: nothing is there
  void heard(Source& source, const NotifyMessage& message);
  void refuse(Source& source, uid_t user);

  event::Loop& loop_;
  runtime::ProcessManager& manager_;
  WorkerHub& workers_;
  MainProcess main_process_;
  std::unordered_map<std::string, std::unique_ptr<Source>> sources_;
};

}  // namespace tenon::integration
