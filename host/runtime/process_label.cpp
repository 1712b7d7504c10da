#include "runtime/process_label.hpp"

#include <algorithm>
#include <cassert>
#include <type_traits>

#include "runtime/exit_record.hpp"

namespace tenon::runtime {
namespace {

constexpr std::uint8_t kVersion = 5;
constexpr std::uint8_t kProcessKind = 'P';
constexpr std::uint8_t kSupervisorKind = 'S';
constexpr std::size_t kMaxId = 512;

class Writer {
 public:
  template <class T>
  void number(T value) {
    auto bits = static_cast<std::uint64_t>(value);
    for (std::size_t i = 0; i < sizeof(T); ++i, bits >>= 8) out_.push_back(static_cast<char>(bits & 0xff));
  }
  void time(MonotonicTime value) { number(value.time_since_epoch().count()); }
  void text(std::string_view value) {
    number(static_cast<std::uint32_t>(value.size()));
    out_ += value;
  }
  void times(const std::vector<MonotonicTime>& values, std::size_t limit) {
    // The newest count: the oldest leave the window first.
    const std::size_t skip = values.size() > limit ? values.size() - limit : 0;
    number(static_cast<std::uint32_t>(values.size() - skip));
    for (std::size_t i = skip; i < values.size(); ++i) time(values[i]);
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

// Reads what Writer wrote. After the first thing that does not fit, everything reads as zero and ok() is false.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  template <class T>
  T number() {
    if (rest_.size() < sizeof(T)) return fail(), T{};
    std::uint64_t bits = 0;
    for (std::size_t i = sizeof(T); i-- > 0;) bits = bits << 8 | static_cast<unsigned char>(rest_[i]);
    rest_.remove_prefix(sizeof(T));
    return static_cast<T>(bits);
  }
  template <class E>
  E enumerator(std::uint8_t last) {
    const auto value = number<std::uint8_t>();
    if (value > last) fail();
    return static_cast<E>(value);
  }
  bool boolean() { return enumerator<std::uint8_t>(1) == 1; }
  Duration duration() { return Duration(number<std::int64_t>()); }
  MonotonicTime time() { return MonotonicTime(duration()); }
  std::string text(std::size_t limit) {
    const auto size = number<std::uint32_t>();
    if (size > limit || size > rest_.size()) return fail(), std::string();
    std::string value(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return value;
  }
  std::vector<MonotonicTime> times(std::size_t limit) {
    const auto count = number<std::uint32_t>();
    if (count > limit || count > rest_.size() / sizeof(std::int64_t)) return fail(), std::vector<MonotonicTime>();
    std::vector<MonotonicTime> values;
    values.reserve(count);
    for (std::uint32_t i = 0; i < count; ++i) values.push_back(time());
    return values;
  }
  void header(std::uint8_t kind) {
    if (number<std::uint8_t>() != kVersion || number<std::uint8_t>() != kind) fail();
  }
  bool complete() const noexcept { return ok_ && rest_.empty(); }

 private:
  void fail() noexcept { ok_ = false, rest_ = {}; }
  std::string_view rest_;
  bool ok_ = true;
};

Error unreadable(std::string_view what) {
  return Error(errc::bad_data, std::string(what) + " left by the former engine is malformed or of another version; it "
                               "is treated as if there were none: restart what it belongs to if it misbehaves");
}

}  // namespace

std::string_view to_string(Desired desired) noexcept {
  switch (desired) {
    case Desired::up: return "up";
    case Desired::down: return "down";
    case Desired::paused: return "paused";
  }
  return "unknown";
}

std::string ProcessLabel::encode() const {
  assert(extra.size() <= kMaxExtra);
  Writer out;
  out.number(kVersion), out.number(kProcessKind);
  out.text(std::string_view(id).substr(0, kMaxId));
  out.number(generation);
  out.number(static_cast<std::uint8_t>(desired)), out.number(static_cast<std::uint8_t>(phase));
  out.number(static_cast<std::uint8_t>(after_stop)), out.number(static_cast<std::uint8_t>(held));
  out.number(static_cast<std::uint8_t>(signal_unsent)), out.number(static_cast<std::uint8_t>(started_up));
  out.number(end_cause);
  out.text(std::string_view(reason).substr(0, kMaxReason));
  out.text(std::string_view(not_ready).substr(0, kMaxReason));
  out.time(spawned), out.time(ready), out.time(due);
  out.number(time_left.count());
  out.times(window, kMaxWindow);
  out.number(consecutive), out.number(total_restarts);
  out.number(previous_delay.count());
  for (const std::uint64_t word : memory) out.number(word);
  out.number(start_digest), out.number(passed_over);
  out.text(extra);
  return out.take();
}

Result<ProcessLabel> ProcessLabel::decode(std::string_view bytes) {
  if (bytes.size() > kMaxBytes) return unreadable("a process label");
  Reader in(bytes);
  ProcessLabel label;
  in.header(kProcessKind);
  label.id = in.text(kMaxId);
  label.generation = in.number<std::uint64_t>();
  label.desired = in.enumerator<Desired>(static_cast<std::uint8_t>(Desired::paused));
  label.phase = in.enumerator<ProcessPhase>(kLastPhase);
  label.after_stop = in.enumerator<AfterStop>(static_cast<std::uint8_t>(AfterStop::decide));
  label.held = in.boolean();
  label.signal_unsent = in.boolean();
  label.started_up = in.boolean();
  label.end_cause = in.enumerator<std::uint8_t>(kLastEndCause);
  label.reason = in.text(kMaxReason);
  label.not_ready = in.text(kMaxReason);
  label.spawned = in.time(), label.ready = in.time(), label.due = in.time();
  label.time_left = in.duration();
  label.window = in.times(kMaxWindow);
  label.consecutive = in.number<std::uint32_t>(), label.total_restarts = in.number<std::uint32_t>();
  label.previous_delay = in.duration();
  for (std::uint64_t& word : label.memory) word = in.number<std::uint64_t>();
  label.start_digest = in.number<std::uint64_t>(), label.passed_over = in.number<std::uint64_t>();
  label.extra = in.text(kMaxExtra);
  if (!in.complete() || label.id.empty()) return unreadable("a process label");
  return label;
}

std::string SupervisorLabel::encode() const {
  Writer out;
  out.number(kVersion), out.number(kSupervisorKind);
  out.text(std::string_view(id).substr(0, kMaxId));
  out.number(static_cast<std::uint8_t>(state));
  out.time(due);
  out.times(failures, kMaxFailures);
  out.text(std::string_view(reason).substr(0, ProcessLabel::kMaxReason));
  return out.take();
}

Result<SupervisorLabel> SupervisorLabel::decode(std::string_view bytes) {
  if (bytes.size() > ProcessLabel::kMaxBytes) return unreadable("a supervisor label");
  Reader in(bytes);
  SupervisorLabel label;
  in.header(kSupervisorKind);
  label.id = in.text(kMaxId);
  label.state = in.enumerator<State>(static_cast<std::uint8_t>(State::stopped));
  label.due = in.time();
  label.failures = in.times(kMaxFailures);
  label.reason = in.text(ProcessLabel::kMaxReason);
  if (!in.complete() || label.id.empty()) return unreadable("a supervisor label");
  return label;
}

}  // namespace tenon::runtime
