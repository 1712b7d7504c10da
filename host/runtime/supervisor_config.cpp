#include "runtime/supervisor_config.hpp"

namespace tenon::runtime {

void for_each_process(const SupervisorConfig& root,
                      const std::function<void(const std::shared_ptr<const ProcessConfig>&)>& visit) {
  for (const ChildConfig& child : root.children) {
    if (const auto* nested = std::get_if<std::shared_ptr<const SupervisorConfig>>(&child)) {
      for_each_process(**nested, visit);
    } else {
      visit(std::get<std::shared_ptr<const ProcessConfig>>(child));
    }
  }
}

std::string_view to_string(Strategy strategy) noexcept {
  switch (strategy) {
    case Strategy::one_for_one: return "one_for_one";
    case Strategy::rest_for_one: return "rest_for_one";
    case Strategy::one_for_all: return "one_for_all";
  }
  return "unknown";
}

std::string_view to_string(OnLimit on_limit) noexcept {
  return on_limit == OnLimit::fail_child ? "fail_child" : "escalate";
}

std::string_view to_string(AutoShutdown rule) noexcept {
  switch (rule) {
    case AutoShutdown::never: return "never";
    case AutoShutdown::any_significant: return "any_significant";
    case AutoShutdown::all_significant: return "all_significant";
  }
  return "unknown";
}

}  // namespace tenon::runtime
