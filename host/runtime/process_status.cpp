#include "runtime/process_status.hpp"

#include <array>

namespace tenon::runtime {
namespace {

constexpr std::size_t kPhases = kLastPhase + 1;
constexpr std::size_t kStatuses = 7;

// A row is where one comes from, a column where one goes. Phases: waiting, spawning, starting, running, draining,
// signalled, killed, terminated, error.
constexpr std::array<std::array<bool, kPhases>, kPhases> kPhaseTable = {{
    // wait   spawn  start  run    drain  signal killed term   error
    {false, true, false, false, false, false, false, true, true},    // waiting: begin; stop while waiting; given up
    {true, false, true, false, false, true, true, true, true},       // spawning: answered; stopped without drain
    {true, false, false, true, false, true, true, true, true},       // starting
    {true, false, false, false, true, true, true, true, true},       // running
    {true, false, false, false, false, true, true, true, true},      // draining: goes on, or exits by itself
    {true, false, false, false, false, false, true, true, true},     // signalled
    {true, false, false, false, false, false, false, true, true},    // killed
    {true, false, false, false, false, false, false, false, true},   // terminated: started again; its supervisor failed
    {true, false, false, false, false, false, false, true, false},   // error: started again, or stopped by the operator
}};

// initializing, idle, busy, paused, error, stopping, terminated.
constexpr std::array<std::array<bool, kStatuses>, kStatuses> kStatusTable = {{
    // init   idle   busy   paused error  stop   term
    {false, true, true, true, true, true, true},     // initializing
    {true, false, true, true, true, true, true},     // idle: an exit goes straight to its consequence; out of service
    {true, true, false, true, true, true, true},     // busy
    {true, true, true, false, true, true, true},     // paused
    {true, false, false, false, false, false, true}, // error
    {true, false, false, true, true, false, true},   // stopping: paused when a held restart is all that is left
    {true, false, false, false, true, false, false}, // terminated
}};

}  // namespace

std::string_view to_string(ProcessStatus status) noexcept {
  switch (status) {
    case ProcessStatus::initializing: return "initializing";
    case ProcessStatus::idle: return "idle";
    case ProcessStatus::busy: return "busy";
    case ProcessStatus::paused: return "paused";
    case ProcessStatus::error: return "error";
    case ProcessStatus::stopping: return "stopping";
    case ProcessStatus::terminated: return "terminated";
  }
  return "unknown";
}

std::string_view to_string(ProcessPhase phase) noexcept {
  switch (phase) {
    case ProcessPhase::waiting: return "waiting";
    case ProcessPhase::spawning: return "spawning";
    case ProcessPhase::starting: return "starting";
    case ProcessPhase::running: return "running";
    case ProcessPhase::draining: return "draining";
    case ProcessPhase::signalled: return "signalled";
    case ProcessPhase::killed: return "killed";
    case ProcessPhase::terminated: return "terminated";
    case ProcessPhase::error: return "error";
  }
  return "unknown";
}

ProcessStatus status_of(ProcessPhase phase, bool paused, bool in_service, std::uint32_t in_flight) noexcept {
  if (is_stopping(phase)) return ProcessStatus::stopping;
  if (phase == ProcessPhase::terminated) return ProcessStatus::terminated;
  if (phase == ProcessPhase::error) return ProcessStatus::error;
  if (paused) return ProcessStatus::paused;
  if (phase != ProcessPhase::running || !in_service) return ProcessStatus::initializing;
  return in_flight == 0 ? ProcessStatus::idle : ProcessStatus::busy;
}

bool may_follow(ProcessPhase from, ProcessPhase to) noexcept {
  return kPhaseTable[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)];
}

bool may_follow(ProcessStatus from, ProcessStatus to) noexcept {
  return kStatusTable[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)];
}

}  // namespace tenon::runtime
