// One node of the supervision tree: its rules, its children, and how often they failed. Owned by the SupervisionTree.
//
// A supervisor is *running*; *restarting* (a group restart under way: it waits until those to be stopped are gone and
// the delay is over); *escalating* (it gave up and stops its children, to count as one failure at its parent);
// *failed* (the parent gave it up too, or it is the root); *stopped* (by its auto_shutdown, until the operator starts
// one of its children; or as part of the host's stop).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "event/loop.hpp"
#include "runtime/process_config.hpp"
#include "runtime/restart_window.hpp"
#include "runtime/stop_sequence.hpp"
#include "runtime/strategy.hpp"

namespace tenon::runtime {

enum class SupervisorState : std::uint8_t { running, restarting, escalating, failed, stopped };
std::string_view to_string(SupervisorState state) noexcept;

struct Supervisor {
  struct Child {
    ProcessId process;                       // empty for a nested supervisor
    std::unique_ptr<Supervisor> supervisor;  // null for a process
    RestartWindow window;                    // its own failures
    bool significant = false;                // to the supervisor's auto_shutdown
    bool is_process() const noexcept { return supervisor == nullptr; }
    const std::string& id() const noexcept { return supervisor ? supervisor->id : process; }
  };

  std::string id;
  Supervisor* parent = nullptr;  // null: the root
  std::uint32_t index = 0;       // in the parent's list
  SupervisorRules rules;
  std::vector<Child> children;
  SupervisorState state = SupervisorState::running;
  std::string reason;            // why it is in this state; may be empty
  RestartWindow window;          // shared by the children, where the rules say so
  std::uint32_t restarts = 0;    // how often it was restarted as a whole

  // A group restart or escalation under way.
  std::optional<StopSequence> stops;         // those that have to go first; empty: none, or all are gone
  std::vector<DependencyGraph::Node> to_hold;  // whose turn to be stopped has come
  bool holding = false;                      // to_hold is being worked off
  std::vector<ProcessId> to_start;           // in list order, once all are gone and the delay is over
  MonotonicTime due{};                       // not before; epoch: at once
  event::Handle timer;
};

}  // namespace tenon::runtime
