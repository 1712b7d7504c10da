// MAINPID (sd_notify(3)): when the process that the keeper started ends, another one of its family may go on as it.
//
// The model. A process names a descendant; while it lives itself nothing changes but that signals reach both. When it ends
// and the descendant is a child of the keeper's by then (its ancestors are gone, as a daemon's are), the descendant is
// the process: its end is the process's end, its status the status. If its parent still lives, only that parent will
// learn how it ended: then it is not followed, and ends with the one that named it.
#include <cerrno>
#include <csignal>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/logging.hpp"
#include "keeper/keeper_core.hpp"
#include "keeper/notify_socket.hpp"
#include "keeper/orphans.hpp"

namespace tenon::keeper {
namespace {

unique_fd open_pid(pid_t pid) { return unique_fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0u))); }

bool is_alive(const unique_fd& pidfd) {
  pollfd one{pidfd.get(), POLLIN, 0};
  return pidfd.valid() && ::poll(&one, 1, 0) == 0;
}

}  // namespace

void KeeperCore::handle_main_process(const MainProcess& named) {
  Child* child = holdings_.children.find(named.key);
  if (!child || !child->runs()) return;
  const std::string why = name_successor(*child, named.pid);
  if (!why.empty()) tell(MainProcessRefused{named.key, named.pid, why});
}

// Empty, or why it is not followed.
std::string KeeperCore::name_successor(Child& child, pid_t pid) {
  if (pid == child.successor && is_alive(child.successor_fd)) return {};
  child.successor = -1;
  child.successor_fd.reset();
  if (pid == child.pid) return {};
  unique_fd pidfd = open_pid(pid);  // first: whatever is found out now is about the process that it stands for
  if (!pidfd.valid()) return errno == ESRCH ? "there is no such process" : "the kernel has no pidfds";
  const bool descends = child.contained ? cgroups_.holds(child.key.id, pid) : owner_of(pid, run_) == child.key;
  if (!descends || holdings_.children.find_running(pid)) return "it is none of its descendants";
  child.successor = pid;
  child.successor_fd = std::move(pidfd);
  return {};
}

// Of a child that is a zombie: whether another one goes on as it. What it said about that last may not have been read.
bool KeeperCore::is_succeeded(Child& child) {
  if (child.ends.notify.valid()) {
    const auto named = waiting_main_pid(child.ends.notify.get(), child.pid, child.user);
    if (named && *named != child.pid) (void)name_successor(child, *named);
  }
  return child.successor > 0 && parent_pid(child.successor) == ::getpid() && is_alive(child.successor_fd);
}

void KeeperCore::hand_over(Child& child) {
  const pid_t before = child.pid;
  const pid_t group = ::getpgid(child.successor);
  holdings_.children.hand_over(child, group > 0 ? group : child.successor);
  plan_.note_successor(before, child.pid);
  log::info("keeper", "a process goes on as another that it named (MAINPID)",
            {{"process", to_string(child.key)}, {"was", before}, {"pid", child.pid}});
  tell(HandedOver{child.key, child.pid, child.group});
}

// What concerns the main process reaches it in whatever group or session it is.
void KeeperCore::signal_successor(const Child& child, int signal_number) {
  if (child.successor <= 0 || ::getpgid(child.successor) == child.group) return;
  (void)::syscall(SYS_pidfd_send_signal, child.successor_fd.get(), signal_number, nullptr, 0u);
}

}  // namespace tenon::keeper
