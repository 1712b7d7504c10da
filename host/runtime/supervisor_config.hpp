// A supervisor and what stands under it: the supervision tree as plain values.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "common/clock.hpp"
#include "runtime/process_config.hpp"

namespace tenon::runtime {

// Who is restarted when a child failed, with OTP's meaning: the child alone; the child and those after it in the list;
// all children.
enum class Strategy : std::uint8_t { one_for_one, rest_for_one, one_for_all };

// More than `restarts` within `period` is too much. 0 restarts: the first failure is.
struct Intensity {
  std::uint32_t restarts = 5;
  Duration period = std::chrono::seconds(10);
};

// What too much means. fail_child: each child has a budget of its own, and the one that spent it becomes `error` while
// the rest live on, so two hundred unrelated deaths at once fail nobody. escalate (OTP): all children share one
// budget; when it is spent the supervisor stops them all and counts as one failure at its parent.
enum class OnLimit : std::uint8_t { fail_child, escalate };

// When a supervisor stops by itself, with OTP's meaning: once any of its significant children, or the last of them, has
// ended for good by itself, be it on purpose or in error. What an operator stops does not count.
enum class AutoShutdown : std::uint8_t { never, any_significant, all_significant };

struct SupervisorConfig;
using ChildConfig = std::variant<std::shared_ptr<const ProcessConfig>, std::shared_ptr<const SupervisorConfig>>;

struct SupervisorConfig {
  std::string id;  // unique among supervisors and processes; "root" for the root
  Strategy strategy = Strategy::one_for_one;
  Intensity intensity;
  OnLimit on_limit = OnLimit::escalate;  // the app gives the root fail_child unless the config says otherwise
  AutoShutdown auto_shutdown = AutoShutdown::never;
  bool significant = false;              // to its own supervisor's auto_shutdown
  std::vector<std::string> depends_on;   // as a process's, for all that stands under this supervisor
  std::vector<ChildConfig> children;     // never null; list order is start order but for one_for_one
};

// Every process under it, in list order.
void for_each_process(const SupervisorConfig& root,
                      const std::function<void(const std::shared_ptr<const ProcessConfig>&)>& visit);
std::string_view to_string(Strategy strategy) noexcept;
std::string_view to_string(OnLimit on_limit) noexcept;
std::string_view to_string(AutoShutdown rule) noexcept;

}  // namespace tenon::runtime
