// Writes the breadcrumb of every call into a plugin: which file, component and call, about which event.
//
// Over keeper/breadcrumb.hpp, whose page outlives the engine. Places and calls are registered once; a traced call costs a few
// stores. The loop thread has its lane here; worker threads bring their own (worker_lane).
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>

#include "keeper/breadcrumb.hpp"
#include "loader/call_trace.hpp"

namespace tenon::integration {

class CallTracer final : public loader::CallTrace {
 public:
  // Without a page (tests, `tenon check`) everything is a no-op. Made on the loop thread.
  explicit CallTracer(keeper::BreadcrumbPage* page) : page_(page), lane_(page) {}

  // [loop] Numbers for the hot calls. `file` is the library's trace name.
  std::uint32_t place(std::string_view file, std::string_view component);
  std::uint32_t call(std::string_view name);
  keeper::BreadcrumbLane& lane() noexcept { return lane_; }
  // [worker] The lane of the calling thread, made on first use and given back when the thread ends.
  keeper::BreadcrumbLane& worker_lane();

  void enter(std::string_view file, std::string_view component, std::string_view call) noexcept override;
  void leave() noexcept override;

 private:
  keeper::BreadcrumbPage* page_;
  keeper::BreadcrumbLane lane_;
  std::map<std::string, std::uint32_t, std::less<>> places_, calls_;
  std::deque<keeper::BreadcrumbScope> open_;  // of enter() not yet left; a deque because scopes must not move
};

}  // namespace tenon::integration
