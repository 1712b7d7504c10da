#include "keeper/breadcrumb.hpp"

#include <sys/syscall.h>
#include <unistd.h>

namespace tenon::keeper {
namespace {

std::int32_t this_thread() noexcept { return static_cast<std::int32_t>(::syscall(SYS_gettid)); }

template <std::size_t N>
void store_text(char (&target)[N], std::string_view text) noexcept {
  const std::size_t size = std::min(text.size(), N - 1);
  if (size != 0) std::memcpy(target, text.data(), size);
  target[size] = '\0';
}

template <std::size_t N>
std::string_view text_of(const char (&source)[N]) noexcept {
  return {source, ::strnlen(source, N)};
}

// As store_text would leave it, so that a name that was cut is found again.
template <std::size_t N>
bool holds(const char (&stored)[N], std::string_view text) noexcept {
  return text_of(stored) == text.substr(0, N - 1);
}

}  // namespace

CrashTrail read_breadcrumbs(const BreadcrumbPage& page) {
  CrashTrail trail;
  const std::int32_t crashed = page.crashed_thread.load(std::memory_order_acquire);
  if (crashed > 0) trail.crashed_thread = crashed;
  trail.from_outside = crashed == BreadcrumbPage::kOutside;
  for (std::size_t number = 0; number < BreadcrumbPage::kLanes; ++number) {
    const BreadcrumbPage::Lane& lane = page.lanes[number];
    const std::uint64_t word = lane.word.load(std::memory_order_acquire);
    if (word == 0) continue;
    Breadcrumb crumb;
    const std::uint64_t place = (word & 0xffffffff) - 1;
    const std::uint64_t call = (word >> 32) - 1;
    if (place < BreadcrumbPage::kPlaces) {
      crumb.file = text_of(page.places[place].file);
      crumb.component = text_of(page.places[place].component);
    }
    if (call < BreadcrumbPage::kCalls) crumb.call = text_of(page.calls[call]);
    const std::size_t event = lane.event_bytes.load(std::memory_order_relaxed);
    const std::size_t subject = lane.subject_bytes.load(std::memory_order_relaxed);
    crumb.event_id.assign(lane.event, std::min(event, BreadcrumbPage::kEventBytes));
    crumb.subject.assign(lane.subject, std::min(subject, BreadcrumbPage::kSubjectBytes));
    crumb.lane = number;
    crumb.thread = lane.thread.load(std::memory_order_relaxed);
    trail.calls.push_back(std::move(crumb));
  }
  return trail;
}

void clear_breadcrumbs(BreadcrumbPage& page) noexcept {
  for (auto& lane : page.lanes) {
    lane.word.store(0, std::memory_order_relaxed);
    lane.thread.store(0, std::memory_order_relaxed);
    lane.event_bytes.store(0, std::memory_order_relaxed);
    lane.subject_bytes.store(0, std::memory_order_relaxed);
  }
  page.places_used.store(0, std::memory_order_relaxed);
  page.calls_used.store(0, std::memory_order_relaxed);
  page.crashed_thread.store(0, std::memory_order_release);
}

std::uint32_t register_place(BreadcrumbPage& page, std::string_view file, std::string_view component) noexcept {
  const std::uint32_t used = std::min<std::uint32_t>(page.places_used.load(), BreadcrumbPage::kPlaces);
  for (std::uint32_t i = 0; i < used; ++i) {
    if (holds(page.places[i].file, file) && holds(page.places[i].component, component)) return i;
  }
  if (used == BreadcrumbPage::kPlaces) {
    rename_place(page, used - 1, "(others)", "(others)");
    return used - 1;
  }
  rename_place(page, used, file, component);
  page.places_used.store(used + 1, std::memory_order_release);
  return used;
}

std::uint32_t register_call(BreadcrumbPage& page, std::string_view name) noexcept {
  const std::uint32_t used = std::min<std::uint32_t>(page.calls_used.load(), BreadcrumbPage::kCalls);
  for (std::uint32_t i = 0; i < used; ++i) {
    if (holds(page.calls[i], name)) return i;
  }
  if (used == BreadcrumbPage::kCalls) {
    store_text(page.calls[used - 1], "(others)");
    return used - 1;
  }
  store_text(page.calls[used], name);
  page.calls_used.store(used + 1, std::memory_order_release);
  return used;
}

void rename_place(BreadcrumbPage& page, std::uint32_t place, std::string_view file,
                  std::string_view component) noexcept {
  if (place >= BreadcrumbPage::kPlaces) return;
  store_text(page.places[place].file, file);
  store_text(page.places[place].component, component);
}

void note_crash(BreadcrumbPage& page) noexcept { page.crashed_thread.store(this_thread(), std::memory_order_release); }

void note_outside_signal(BreadcrumbPage& page) noexcept {
  page.crashed_thread.store(BreadcrumbPage::kOutside, std::memory_order_release);
}

BreadcrumbLane::BreadcrumbLane(BreadcrumbPage* page) noexcept {
  if (!page) return;
  for (auto& lane : page->lanes) {
    std::int32_t free = 0;
    if (lane.thread.compare_exchange_strong(free, this_thread(), std::memory_order_acq_rel)) {
      lane_ = &lane;
      return;
    }
  }
}

BreadcrumbLane::~BreadcrumbLane() {
  if (!lane_) return;
  lane_->word.store(0, std::memory_order_relaxed);
  lane_->thread.store(0, std::memory_order_release);
}

}  // namespace tenon::keeper
