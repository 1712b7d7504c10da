// Signals as callbacks of the loop: a handler that adds one to an eventfd, and a watch on that eventfd.
//
// The model. A signal number has at most one subscription in the process. While it lasts, the handler (SA_RESTART, so
// that no blocking call of a plugin or worker fails with EINTR because of us) writes to the number's eventfd from
// whichever thread the kernel picked; ending it puts the former disposition back. The eventfds are never closed: a
// handler that is just running on another thread must never write into a descriptor that was reused.
//
// Why no signalfd: it needs the signal blocked in every thread, those of foreign libraries included, and a single
// thread that forgot lets the signal end the process. A handler works whatever the masks are, as long as one thread has
// the signal unblocked; subscribing unblocks it on the calling thread. exec resets a handler by itself, a mask it does
// not.
#pragma once

#include "common/result.hpp"
#include "event/loop.hpp"

namespace tenon::event {

// [loop] Runs the task once for each delivery (the kernel merges those of a signal that is already pending).
// errc::invalid_argument: SIGKILL, SIGSTOP, signals that report a fault of the running instruction, and no signals;
// errc::already_exists: the process has a subscription to this signal.
Result<Handle> subscribe_signal(Loop& loop, int signal_number, Loop::Task task);

}  // namespace tenon::event
