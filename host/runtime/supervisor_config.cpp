#include "runtime/supervisor_config.hpp"

namespace tenon::runtime {

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

}  // namespace tenon::runtime
