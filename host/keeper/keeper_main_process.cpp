// MAINPID (sd_notify(3)): when the process that the keeper started ends, another one of its family may go on as it.
//
// The model. A process names a descendant; while it lives itself nothing changes but that signals reach both. When it
// ends and the descendant is a child of the keeper's by then (its ancestors are gone, as a daemon's are), the descendant is
// the process: its end is the process's end, its status the status. The ancestors may be about to end too, so the
// keeper waits a little for that. If the parent lives on, only that parent will learn how its child ends: then it is
// not followed, and ends with the one that named it.
#include <cerrno>
#include <csignal>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/logging.hpp"
#include "keeper/keeper_core.hpp"
#include "keeper/notify_socket.hpp"
#include "keeper/orphans.hpp"

namespace tenon::keeper {
namespace {

unique_fd open_pid(pid_t pid) { return unique_fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0u))); }

// And no zombie.
bool is_alive(const unique_fd& pidfd) {
  pollfd one{pidfd.get(), POLLIN, 0};
  return pidfd.valid() && ::poll(&one, 1, 0) == 0;
}

// Of the keeper's; a zombie, too.
bool is_child(const unique_fd& pidfd) {
  siginfo_t info{};
  return pidfd.valid() && ::waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

// For an ancestor that has no more to do than to end.
constexpr Duration kReparentPatience = std::chrono::milliseconds(200);
constexpr int kMostAncestors = 64;

bool descends_from(pid_t pid, pid_t ancestor) {
  for (int i = 0; i < kMostAncestors && pid > 1; ++i) {
    if (pid == ancestor) return true;
    pid = parent_pid(pid);
  }
  return false;
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
  child.named = pid;
  child.successor = -1;
  child.successor_fd.reset();
  if (pid == child.pid) return {};
  unique_fd pidfd = open_pid(pid);  // first: whatever is found out now is about the process that it stands for
  if (!pidfd.valid()) {
    if (errno == ESRCH) return "there is no such process";
    return Error::from_errno(errno, "keep hold of it (pidfd_open)").message;
  }
  const bool descends = child.contained ? cgroups_.holds(child.key.id, pid)
                                        : owner_of(pid, run_) == child.key || descends_from(pid, child.pid);
  // Of an orphan that is ending already nothing more can be found out than that it was left to us.
  const bool was_ours = is_child(pidfd) && has_no_environment(pid);
  if (!(descends || was_ours) || holdings_.children.find_running(pid)) return "it is none of its descendants";
  child.successor = pid;
  child.successor_fd = std::move(pidfd);
  return {};
}

// What it said last is either still in its socket or on the way from the engine, which passes it on before it takes it out.
// Where both look at the same time, one look may miss it; the next does not.
void KeeperCore::hear_of_successor(Child& child) {
  if (!child.ends.notify.valid()) return;
  for (int look = 0; look < 2 && child.successor <= 0; ++look) {
    const auto named = waiting_main_pid(child.ends.notify.get(), child.pid, child.user);
    if (named && *named != child.pid) (void)name_successor(child, *named);
    if (engine_ && engine_->wants_read()) read_requests(kAllRequests);
  }
}

// Of a child that is a zombie: whether another one goes on as it. Open: that is not known yet, and it stays a zombie.
KeeperCore::Succession KeeperCore::succession(Child& child) {
  hear_of_successor(child);
  if (child.successor <= 0 && child.named > 0) (void)name_successor(child, child.named);  // more can be told by now
  if (child.successor <= 0) return Succession::none;
  if (is_child(child.successor_fd)) return Succession::settled;
  if (!is_alive(child.successor_fd)) return Succession::none;
  if (!child.succession_until) child.succession_until = now_ + kReparentPatience;
  if (now_ >= *child.succession_until) return Succession::none;
  succession_open_ = true;
  return Succession::open;
}

void KeeperCore::hand_over(Child& child) {
  const pid_t before = child.pid;
  holdings_.children.hand_over(child);
  plan_.note_successor(before, child.pid);
  log::info("keeper", "a process goes on as another that it named (MAINPID)",
            {{"process", to_string(child.key)}, {"was", before}, {"pid", child.pid}});
  if (engine_) engine_->tell_pid(child, now_);
  reap_at_ = now_;  // it may have ended already
}

// errno; 0: it was sent.
int KeeperCore::signal_main_process(Child& child, int signal_number) {
  const unique_fd& main = is_alive(child.successor_fd) ? child.successor_fd : child.main_fd;
  const bool sent = main.valid() ? ::syscall(SYS_pidfd_send_signal, main.get(), signal_number, nullptr, 0u) == 0
                                 : ::kill(child.pid, signal_number) == 0;
  return sent ? 0 : errno;
}

// Its process group, and what is in another one: the successor that it named, or it itself if it is one. It is our child
// and not reaped, so its group's number is nobody else's.
void KeeperCore::signal_members(const Child& child, int signal_number) {
  const pid_t group = child.main_fd.valid() ? ::getpgid(child.pid) : child.pid;
  if (group > 0) ::kill(-group, signal_number);
  if (child.successor > 0 && ::getpgid(child.successor) != group)
    (void)::syscall(SYS_pidfd_send_signal, child.successor_fd.get(), signal_number, nullptr, 0u);
}

}  // namespace tenon::keeper
