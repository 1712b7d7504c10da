#include "integration/call_tracer.hpp"

namespace tenon::integration {

std::uint32_t CallTracer::place(std::string_view file, std::string_view component) {
  if (page_ == nullptr) return 0;
  const std::string key = std::string(file) + '\n' + std::string(component);
  const auto known = places_.find(key);
  if (known != places_.end()) return known->second;
  return places_[key] = keeper::register_place(*page_, file, component);
}

std::uint32_t CallTracer::call(std::string_view name) {
  if (page_ == nullptr) return 0;
  const auto known = calls_.find(name);
  if (known != calls_.end()) return known->second;
  return calls_[std::string(name)] = keeper::register_call(*page_, name);
}

keeper::BreadcrumbLane& CallTracer::worker_lane() {
  thread_local keeper::BreadcrumbLane lane(page_);
  return lane;
}

void CallTracer::enter(std::string_view file, std::string_view component, std::string_view call_name) noexcept {
  open_.emplace_back(lane_, place(file, component), call(call_name));
}

void CallTracer::leave() noexcept { open_.pop_back(); }

}  // namespace tenon::integration
