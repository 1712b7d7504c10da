// Writes the breadcrumb of every call into a plugin: which file, component and call, about which event.
//
// Over keeper/breadcrumb.hpp, whose page outlives the engine. Calls are registered once; a traced call costs a few
// stores. A place (file and component) belongs to those who took it and keeps its number until nobody does and the
// page is full: then a new place gets the number of the one that was given back first, so that many versions of a
// file, one after another, each have a name. The loop thread has its lane here; worker threads bring their own
// (worker_lane).
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "keeper/breadcrumb.hpp"
#include "loader/call_trace.hpp"

namespace tenon::integration {

class CallTracer final : public loader::CallTrace {
 public:
  // Without a page (tests, `tenon check`) everything is a no-op. Made on the loop thread.
  explicit CallTracer(keeper::BreadcrumbPage* page) : page_(page), lane_(page) {}

  // [loop] Numbers for the hot calls. `file` is the library's trace name. Each place taken is given back once.
  std::uint32_t take_place(std::string_view file, std::string_view component);
  void give_back(std::uint32_t place) noexcept;
  std::uint32_t call(std::string_view name);
  keeper::BreadcrumbLane& lane() noexcept { return lane_; }
  // [worker] The lane of the calling thread, made on first use and given back when the thread ends.
  keeper::BreadcrumbLane& worker_lane();

  void enter(std::string_view file, std::string_view component, std::string_view call) noexcept override;
  void leave() noexcept override;

 private:
  keeper::BreadcrumbPage* page_;
  keeper::BreadcrumbLane lane_;
  struct Place {
    std::string key;             // file and component; empty: shared by all that found no place
    std::size_t users = 0;
    std::uint64_t given_back = 0;  // when the last user went, counted in give-backs
  };
  struct Open {
    Open(keeper::BreadcrumbLane& lane, std::uint32_t at, std::uint32_t call) : place(at), scope(lane, at, call) {}
    std::uint32_t place;
    keeper::BreadcrumbScope scope;
  };
  bool in_a_call(std::uint32_t place) const noexcept;
  std::optional<std::uint32_t> place_to_reuse() const noexcept;

  std::vector<Place> table_;  // by number, as far as the page is used
  std::map<std::string, std::uint32_t, std::less<>> places_, calls_;
  std::uint64_t give_backs_ = 0;
  std::deque<Open> open_;  // of enter() not yet left; a deque because scopes must not move
};

}  // namespace tenon::integration
