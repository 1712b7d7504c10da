#include "runtime/restart_policy.hpp"

namespace tenon::runtime {

std::string reason_of(const ExitRecord& exit, const RestartDecision& decision) {
  const std::string ended = to_string(exit);
  return decision.text.empty() ? ended : ended + "; " + decision.text;
}

}  // namespace tenon::runtime
