// How the engine's process takes signals: what it dies of, it says so first; what is the keeper's business, it ignores.
#pragma once

#include "keeper/breadcrumb.hpp"

namespace tenon::app {

// Once, on the loop thread, before anything else. SIGSEGV and its like write the dying thread into the breadcrumb
// page, also from an overflowed stack, and then end the process as they would have; so does exit(). SIGTERM, SIGINT,
// SIGHUP, SIGQUIT and the user signals do nothing: whoever means the host (a service manager that signals a whole
// cgroup, pkill) reaches the keeper, which decides.
void take_engine_signals();

// Where it is written. Null before the page goes.
void set_crash_page(keeper::BreadcrumbPage* page) noexcept;

// Ends the process without destructors (plugins may hold threads), and says that no plugin did it. On the loop thread.
[[noreturn]] void leave_at_once(int exit_code) noexcept;

// Ends the process when everything of ours is destroyed, without the destructors of statics and what libraries
// registered for exit(): a thread of a plugin, or one that hung in a job and was written off, may still run in what they
// take down.
[[noreturn]] void leave_when_destroyed(int exit_code) noexcept;

}  // namespace tenon::app
