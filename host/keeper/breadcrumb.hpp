// What the engine is doing inside a plugin, written where it survives the engine.
//
// The model. The page has lanes, one for each thread that calls plugins (lane 0 is the loop's), and a table of
// places: a place is a (plugin file, component) pair, written once when the component is registered. Before a call
// a thread writes the event id and then, as the last store, a word that names place and call; after the call it
// puts back the word of the call around this one, or 0. A death between two stores leaves the older, complete
// trail. Nothing is ever locked, nothing allocated, no clock read: entering and leaving cost some nanoseconds.
//
// Every store is to memory that the keeper holds. The next engine reads the lanes before it writes any. The dying
// thread says so itself where it can (note_crash, from a handler of SIGSEGV and its like, or on its way through
// exit), or that somebody else sent the signal (note_outside_signal). Who is to blame follows from both:
// crash_blame.hpp.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::keeper {

struct BreadcrumbPage {
  static constexpr std::size_t kPlaces = 256, kCalls = 128, kLanes = 128;
  static constexpr std::size_t kFileBytes = 512, kComponentBytes = 128, kCallBytes = 64, kEventBytes = 128;
  static constexpr std::size_t kSubjectBytes = 128;
  static constexpr std::int32_t kOutside = -1;

  struct Place {
    char file[kFileBytes];  // zero-terminated, cut where longer
    char component[kComponentBytes];
  };
  struct Lane {
    std::atomic<std::uint64_t> word;  // 0: not in a plugin; else (call + 1) << 32 | (place + 1)
    std::atomic<std::int32_t> thread; // kernel thread id of the owner; 0: free
    std::atomic<std::uint32_t> event_bytes, subject_bytes;
    char event[kEventBytes];
    char subject[kSubjectBytes];
  };

  std::atomic<std::int32_t> crashed_thread;  // set by note_crash; 0: nobody said anything; kOutside
  std::atomic<std::uint32_t> places_used, calls_used;
  char calls[kCalls][kCallBytes];
  Place places[kPlaces];
  Lane lanes[kLanes];
};

// What one lane said when the engine ended.
struct Breadcrumb {
  std::string file, component, call, event_id;
  std::string subject;         // for whom the call was made: an instance of the plugin, or an event's source
  std::size_t lane = 0;        // its number; 0 is the loop's
  std::int32_t thread = 0;
};

// What the page said when the engine ended.
struct CrashTrail {
  // The kernel thread that died, by its own word; empty: nobody could say.
  std::optional<std::int32_t> crashed_thread;
  bool from_outside = false;  // the signal was sent by another process
  std::vector<Breadcrumb> calls;  // those that were under way, the innermost of each thread
};

// Bounded, for a page that a crashed process left behind: no index or length in it is trusted.
CrashTrail read_breadcrumbs(const BreadcrumbPage& page);
// Forgets places, calls and lanes. By a new engine, after reading, before its first lane is taken.
void clear_breadcrumbs(BreadcrumbPage& page) noexcept;

// Numbers that calls use. [loop]. When the table is full, the last entry is overwritten with "(others)" and shared.
std::uint32_t register_place(BreadcrumbPage& page, std::string_view file, std::string_view component) noexcept;
std::uint32_t register_call(BreadcrumbPage& page, std::string_view name) noexcept;
// Gives a place a new meaning, for plugins that come and go. No lane may be in it.
void rename_place(BreadcrumbPage& page, std::uint32_t place, std::string_view file,
                  std::string_view component) noexcept;

// Says that the calling thread is dying, or that another process sent what the engine dies of. Async-signal-safe.
void note_crash(BreadcrumbPage& page) noexcept;
void note_outside_signal(BreadcrumbPage& page) noexcept;

class BreadcrumbScope;

// A thread's lane. Lives and dies on that thread.
class BreadcrumbLane {
 public:
  // Takes a free lane. Without a page, or when none is free, the lane is inert and its scopes cost two branches.
  explicit BreadcrumbLane(BreadcrumbPage* page) noexcept;
  ~BreadcrumbLane();
  BreadcrumbLane(const BreadcrumbLane&) = delete;
  bool inert() const noexcept { return lane_ == nullptr; }

 private:
  friend class BreadcrumbScope;
  BreadcrumbPage::Lane* lane_ = nullptr;
  const BreadcrumbScope* innermost_ = nullptr;
};

// Around one call into a plugin. Scopes of a lane nest. `event_id` (empty: no event) and `subject` must live as long
// as the scope.
class BreadcrumbScope {
 public:
  BreadcrumbScope(BreadcrumbLane& lane, std::uint32_t place, std::uint32_t call,
                  std::string_view event_id = {}, std::string_view subject = {}) noexcept
      : lane_(lane), outer_(lane.innermost_), event_id_(event_id), subject_(subject),
        word_(std::uint64_t{call + 1} << 32 | (std::uint64_t{place} + 1)) {
    lane_.innermost_ = this;
    if (lane_.lane_) publish(*lane_.lane_);
  }
  ~BreadcrumbScope() {
    lane_.innermost_ = outer_;
    if (!lane_.lane_) return;
    if (outer_) {
      outer_->publish(*lane_.lane_);
    } else {
      lane_.lane_->word.store(0, std::memory_order_release);
    }
  }
  BreadcrumbScope(const BreadcrumbScope&) = delete;

 private:
  void publish(BreadcrumbPage::Lane& lane) const noexcept {
    lane.event_bytes.store(copy(lane.event, event_id_), std::memory_order_relaxed);
    lane.subject_bytes.store(copy(lane.subject, subject_), std::memory_order_relaxed);
    lane.word.store(word_, std::memory_order_release);  // last: whoever reads the word finds what stands before it
  }

  template <std::size_t N>
  static std::uint32_t copy(char (&to)[N], std::string_view from) noexcept {
    const std::size_t size = std::min(from.size(), N);
    if (size != 0) std::memcpy(to, from.data(), size);
    return static_cast<std::uint32_t>(size);
  }

  BreadcrumbLane& lane_;
  const BreadcrumbScope* outer_;
  std::string_view event_id_, subject_;
  std::uint64_t word_;
};

}  // namespace tenon::keeper
