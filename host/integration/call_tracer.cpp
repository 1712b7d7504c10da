#include "integration/call_tracer.hpp"

#include <algorithm>

namespace tenon::integration {

std::uint32_t CallTracer::take_place(std::string_view file, std::string_view component) {
  if (page_ == nullptr) return 0;
  std::string key = std::string(file) + '\n' + std::string(component);
  if (const auto known = places_.find(key); known != places_.end()) {
    ++table_[known->second].users;
    return known->second;
  }
  std::uint32_t number = 0;
  if (table_.size() < keeper::BreadcrumbPage::kPlaces) {
    number = keeper::register_place(*page_, file, component);
    table_.resize(std::max<std::size_t>(table_.size(), number + 1));
  } else if (const auto unused = place_to_reuse()) {
    number = *unused;
    places_.erase(table_[number].key);
    keeper::rename_place(*page_, number, file, component);
  } else {
    number = keeper::BreadcrumbPage::kPlaces - 1;
    places_.erase(table_[number].key);
    keeper::rename_place(*page_, number, "(others)", "(others)");
    table_[number].key.clear();
    ++table_[number].users;
    return number;
  }
  table_[number].key = key;
  ++table_[number].users;
  return places_[std::move(key)] = number;
}

void CallTracer::give_back(std::uint32_t place) noexcept {
  if (place >= table_.size() || table_[place].users == 0 || --table_[place].users != 0) return;
  table_[place].given_back = ++give_backs_;
}

// Work on a thread may outlive the instance that asked for it.
bool CallTracer::in_a_call(std::uint32_t place) const noexcept {
  return std::any_of(std::begin(page_->lanes), std::end(page_->lanes), [&](const keeper::BreadcrumbPage::Lane& lane) {
    return (lane.word.load(std::memory_order_relaxed) & 0xffffffff) == std::uint64_t{place} + 1;
  });
}

std::optional<std::uint32_t> CallTracer::place_to_reuse() const noexcept {
  std::optional<std::uint32_t> oldest;
  for (std::uint32_t i = 0; i < table_.size(); ++i) {
    if (table_[i].users != 0 || in_a_call(i)) continue;
    if (!oldest || table_[i].given_back < table_[*oldest].given_back) oldest = i;
  }
  return oldest;
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
  const std::uint32_t place = take_place(file, component);
  open_.emplace_back(lane_, place, call(call_name));
}

void CallTracer::leave() noexcept {
  const std::uint32_t place = open_.back().place;
  open_.pop_back();
  give_back(place);
}

}  // namespace tenon::integration
