// The socket on which a process says how it is: the receiving end of sd_notify(3).
//
// It has a random name in the abstract namespace of the keeper's network namespace: no file to clean up, no directory
// that the process's user would have to be let into. Names there are public (/proc/net/unix), so a name is no secret:
// the receiver judges a message by the credentials that the kernel adds to it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

#include "common/result.hpp"
#include "common/unique_fd.hpp"

namespace tenon::keeper {

struct NotifySocket {
  unique_fd socket;  // non-blocking, close-on-exec, with SO_PASSCRED
  std::string name;  // as NOTIFY_SOCKET has it: "@tenon/notify/…"
};

// On failure errno says why too.
Result<NotifySocket> make_notify_socket();

// The value of MAINPID: empty if it is none, or that of init.
std::optional<pid_t> parse_main_pid(std::string_view value);
// The last MAINPID among the messages that wait in the socket, and stay there. Heard is the process `pid`, and who runs as
// `user`, as root or as the caller.
std::optional<pid_t> waiting_main_pid(int socket, pid_t pid, uid_t user);

}  // namespace tenon::keeper
