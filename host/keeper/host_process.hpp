// What the keeper makes of its own process before it does anything else.
#pragma once

#include "common/result.hpp"
#include "common/unique_fd.hpp"
#include "keeper/inherited_sockets.hpp"
#include "keeper/spawner.hpp"

namespace tenon::keeper {

struct HostProcess {
  unique_fd binary;         // this program, to be executed as the engine whatever happens to the file on disk
  unique_fd signals;        // signalfd of SIGCHLD, SIGTERM, SIGINT, SIGHUP and SIGQUIT, which are blocked
  OriginalLimits original;  // what children get back
  InheritedSockets sockets;
};

// Takes the sockets that it was passed, opens 0, 1 and 2 on /dev/null where they are closed, marks all other inherited
// descriptors close-on-exec, raises the limit on open files as far as it may, lowers the OOM score where that is
// permitted, makes the signals harmless that it does not act on and could do without, and becomes a child subreaper.
// Lasts for the life of the process.
Result<HostProcess> prepare_host_process();

}  // namespace tenon::keeper
