// How long an orderly stop of a tree may take.
#pragma once

#include "common/clock.hpp"
#include "runtime/supervisor_config.hpp"

namespace tenon::app {

// Longer than any orderly stop of this tree takes: what stops one after another is counted one by one.
Duration stop_bound(const runtime::SupervisorConfig& root);

}  // namespace tenon::app
