// Counters, gauges and histograms, rendered as Prometheus text (exposition format 0.0.4).
//
// The model. A Registry holds families (a name, a help text, label names); a family holds one series for each set of
// label values. `with()` finds or makes a series and returns a handle: do that once, keep the handle, count through it.
// A handle shares ownership of its number, so one that outlives the series (removed because its process is gone) or the
// registry counts harmlessly into nothing. A default-constructed handle does the same.
//
// Families are bounded: beyond max_series, with() returns one shared series whose label values are all "other", and the
// refusal is counted in tenon_metrics_series_overflow_total{family}. Labels that a peer can choose cannot eat the
// memory.
//
// Threads: registering, with(), remove() are [any]. Counter, RealCounter, Gauge and Histogram handles count without synchronisation
// and belong to one thread, the one that also calls render(); AtomicCounter counts from [any].
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.hpp"

namespace tenon::metrics {

namespace detail {
struct Family;
struct RealCell {
  double value = 0;
};
struct HistogramCell {
  std::shared_ptr<const std::vector<double>> bounds;
  std::vector<std::uint64_t> counts;  // one a bound, and the last for +Inf; not cumulative
  double sum = 0;
};
}  // namespace detail

class Counter {
 public:
  Counter() = default;
  void add(std::uint64_t n = 1) noexcept {
    if (cell_) *cell_ += n;
  }
  // Takes over what is counted elsewhere, such as in a module that knows no registry. A smaller value than before tells
  // a scraper that counting began anew.
  void set_total(std::uint64_t total) noexcept {
    if (cell_) *cell_ = total;
  }
  std::uint64_t value() const noexcept { return cell_ ? *cell_ : 0; }

 private:
  template <class>
  friend class FamilyOf;
  explicit Counter(std::shared_ptr<std::uint64_t> cell) noexcept : cell_(std::move(cell)) {}
  std::shared_ptr<std::uint64_t> cell_;
};

class AtomicCounter {
 public:
  AtomicCounter() = default;
  void add(std::uint64_t n = 1) noexcept {
    if (cell_) cell_->fetch_add(n, std::memory_order_relaxed);
  }
  std::uint64_t value() const noexcept { return cell_ ? cell_->load(std::memory_order_relaxed) : 0; }

 private:
  template <class>
  friend class FamilyOf;
  explicit AtomicCounter(std::shared_ptr<std::atomic<std::uint64_t>> cell) noexcept : cell_(std::move(cell)) {}
  std::shared_ptr<std::atomic<std::uint64_t>> cell_;
};

// Counts in fractions, as plugins do (seconds, bytes of a rate).
class RealCounter {
 public:
  RealCounter() = default;
  // Ignored unless finite and not negative: a counter never falls.
  void add(double v) noexcept;
  double value() const noexcept { return cell_ ? cell_->value : 0; }

 private:
  template <class>
  friend class FamilyOf;
  explicit RealCounter(std::shared_ptr<detail::RealCell> cell) noexcept : cell_(std::move(cell)) {}
  std::shared_ptr<detail::RealCell> cell_;
};

class Gauge {
 public:
  Gauge() = default;
  void set(double v) noexcept {
    if (cell_) *cell_ = v;
  }
  void add(double v) noexcept {
    if (cell_) *cell_ += v;
  }
  double value() const noexcept { return cell_ ? *cell_ : 0; }

 private:
  template <class>
  friend class FamilyOf;
  explicit Gauge(std::shared_ptr<double> cell) noexcept : cell_(std::move(cell)) {}
  std::shared_ptr<double> cell_;
};

class Histogram {
 public:
  Histogram() = default;
  void observe(double v) noexcept;
  std::uint64_t count() const noexcept;
  double sum() const noexcept { return cell_ ? cell_->sum : 0; }

 private:
  template <class>
  friend class FamilyOf;
  explicit Histogram(std::shared_ptr<detail::HistogramCell> cell) noexcept : cell_(std::move(cell)) {}
  std::shared_ptr<detail::HistogramCell> cell_;
};

using LabelValues = std::initializer_list<std::string_view>;

// A cheap copyable reference to a family; outlives nothing, may outlive its registry.
template <class Handle>
class FamilyOf {
 public:
  FamilyOf() = default;  // with() gives handles that count into nothing
  // As many values as the family has label names (asserted), in their order.
  Handle with(LabelValues values = {}) const { return with(values.begin(), values.size()); }
  Handle with(const std::string_view* values, std::size_t count) const;
  // Takes the series out of the rendering; true if there was one. Making it again starts at 0.
  bool remove(LabelValues values) const { return remove(values.begin(), values.size()); }
  bool remove(const std::string_view* values, std::size_t count) const;
  // Removes every series whose `label` is `value`: the process, plugin or transport is gone. Returns how many.
  std::size_t remove_where(std::string_view label, std::string_view value) const;
  std::size_t size() const noexcept;

 private:
  friend class Registry;
  explicit FamilyOf(std::shared_ptr<detail::Family> family) noexcept : family_(std::move(family)) {}
  std::shared_ptr<detail::Family> family_;
};

using CounterFamily = FamilyOf<Counter>;
using AtomicCounterFamily = FamilyOf<AtomicCounter>;
using RealCounterFamily = FamilyOf<RealCounter>;
using GaugeFamily = FamilyOf<Gauge>;
using HistogramFamily = FamilyOf<Histogram>;

struct FamilyOptions {
  std::string name;                 // [a-zA-Z_:][a-zA-Z0-9_:]*; counters end in _total by convention
  std::string help;                 // one sentence
  std::vector<std::string> labels;  // [a-zA-Z_][a-zA-Z0-9_]*, not starting with __; not "le" for histograms
  std::size_t max_series = 10'000;
};

// 1 µs … 10 s in steps of about 3: for latencies in seconds.
std::vector<double> latency_bounds();

class Registry {
 public:
  static constexpr std::size_t kMaxFamilies = 4'096;

  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // Makes a family, or returns the one that is there under the same name, kind and labels. errc::invalid_argument for
  // an illegal name, errc::already_exists when kind or labels differ, errc::exhausted beyond kMaxFamilies.
  Result<CounterFamily> counters(FamilyOptions options);
  Result<AtomicCounterFamily> atomic_counters(FamilyOptions options);
  Result<RealCounterFamily> real_counters(FamilyOptions options);
  Result<GaugeFamily> gauges(FamilyOptions options);
  // `bounds`: finite upper bounds, strictly ascending, 1 to 64 of them; +Inf is added.
  Result<HistogramFamily> histograms(FamilyOptions options, std::vector<double> bounds);

  // Runs before every rendering, in order of registration, to set gauges that are cheaper to compute than to keep. It
  // may use this registry. The returned token's destruction removes it.
  [[nodiscard]] std::shared_ptr<void> before_render(std::function<void()> collect);

  // All families that have a series, sorted by name; content type "text/plain; version=0.0.4; charset=utf-8".
  std::string render();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

extern template class FamilyOf<Counter>;
extern template class FamilyOf<AtomicCounter>;
extern template class FamilyOf<RealCounter>;
extern template class FamilyOf<Gauge>;
extern template class FamilyOf<Histogram>;

}  // namespace tenon::metrics
