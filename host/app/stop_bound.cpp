#include "app/stop_bound.hpp"

#include <algorithm>
#include <memory>
#include <variant>

namespace tenon::app {

namespace {

struct Times {
  Duration longest{0};   // of those that stop together
  Duration in_order{0};  // of those that stop one after another, added up
};

void add(const runtime::SupervisorConfig& supervisor, Times& times) {
  const bool ordered = supervisor.strategy != runtime::Strategy::one_for_one;
  for (const runtime::ChildConfig& child : supervisor.children) {
    if (const auto* nested = std::get_if<std::shared_ptr<const runtime::SupervisorConfig>>(&child)) {
      add(**nested, times);
      continue;
    }
    const runtime::ProcessConfig& process = *std::get<std::shared_ptr<const runtime::ProcessConfig>>(child);
    const Duration takes = process.stop.drain + process.stop.grace;
    times.longest = std::max(times.longest, takes);
    if (ordered || !process.depends_on.empty()) times.in_order += takes;
  }
}

}  // namespace

Duration stop_bound(const runtime::SupervisorConfig& root) {
  Times times;
  add(root, times);
  return std::chrono::seconds(5) + times.longest + times.in_order;
}

}  // namespace tenon::app
