// The socket on which a process says how it is: the receiving end of sd_notify(3).
//
// It has a random name in the abstract namespace of the keeper's network namespace: no file to clean up, no directory
// that the process's user would have to be let into. Names there are public (/proc/net/unix), so a name is no secret:
// the receiver judges a message by the credentials that the kernel adds to it.
#pragma once

#include <string>

#include "common/result.hpp"
#include "common/unique_fd.hpp"

namespace tenon::keeper {

struct NotifySocket {
  unique_fd socket;  // non-blocking, close-on-exec, with SO_PASSCRED
  std::string name;  // as NOTIFY_SOCKET has it: "@tenon/notify/…"
};

// On failure errno says why too.
Result<NotifySocket> make_notify_socket();

}  // namespace tenon::keeper
