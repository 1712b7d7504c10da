#include "common/metrics.hpp"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cmath>
#include <functional>
#include <map>
#include <mutex>
#include <variant>

namespace tenon::metrics {

namespace detail {

using CounterCell = std::shared_ptr<std::uint64_t>;
using AtomicCell = std::shared_ptr<std::atomic<std::uint64_t>>;
using GaugeCell = std::shared_ptr<double>;
using HistogramCellPtr = std::shared_ptr<HistogramCell>;
using RealCellPtr = std::shared_ptr<RealCell>;
using Cell = std::variant<CounterCell, AtomicCell, GaugeCell, HistogramCellPtr, RealCellPtr>;
constexpr std::size_t kHistogramIndex = 3;

struct Series {
  std::vector<std::string> values;
  Cell cell;
};

struct Family {
  FamilyOptions options;
  Cell prototype;  // an empty pointer of the family's kind
  std::shared_ptr<const std::vector<double>> bounds;
  mutable std::mutex mutex;              // guards what follows
  std::map<std::string, Series> series;  // by the labels as they are rendered, so that output is sorted and stable
  std::uint64_t overflows = 0;
};

namespace {

void append_number(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value > 0 ? "+Inf" : "-Inf";
  } else {
    char buffer[32];
    out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
  }
}

void append_label(std::string& out, std::string_view name, std::string_view value) {
  if (!out.empty()) out += ',';
  out.append(name).append("=\"");
  for (char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  out += '"';
}

std::string labels_text(const Family& family, const std::string_view* values) {
  std::string text;
  const auto& labels = family.options.labels;
  for (std::size_t i = 0; i < labels.size(); ++i) append_label(text, labels[i], values[i]);
  return text;
}

Cell make_cell(const Family& family) {
  switch (family.prototype.index()) {
    case 0: return std::make_shared<std::uint64_t>(0);
    case 1: return std::make_shared<std::atomic<std::uint64_t>>(0);
    case 2: return std::make_shared<double>(0.0);
    case 4: return std::make_shared<RealCell>();
    default: {
      auto cell = std::make_shared<HistogramCell>();
      cell->bounds = family.bounds;
      cell->counts.resize(family.bounds->size() + 1);
      return cell;
    }
  }
}

// Finds or makes the series. Requires the family's mutex.
Cell& series_of(Family& family, const std::string_view* values) {
  std::string key = labels_text(family, values);
  if (auto found = family.series.find(key); found != family.series.end()) return found->second.cell;
  std::vector<std::string> owned(values, values + family.options.labels.size());
  if (family.series.size() >= family.options.max_series && !owned.empty()) {
    ++family.overflows;
    std::fill(owned.begin(), owned.end(), "other");
    const std::vector<std::string_view> other(owned.begin(), owned.end());
    key = labels_text(family, other.data());
  }
  auto [place, inserted] = family.series.try_emplace(std::move(key));
  if (inserted) place->second = Series{std::move(owned), make_cell(family)};
  return place->second.cell;
}

void append_sample(std::string& out, std::string_view name, std::string_view labels) {
  out += name;
  if (!labels.empty()) out.append("{").append(labels).append("}");
  out += ' ';
}

void render_histogram(std::string& out, const std::string& name, const std::string& labels, const HistogramCell& cell) {
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < cell.counts.size(); ++i) {
    cumulative += cell.counts[i];
    std::string bound;
    append_number(bound, i < cell.bounds->size() ? (*cell.bounds)[i] : INFINITY);
    std::string with_bound = labels;
    append_label(with_bound, "le", bound);
    append_sample(out, name + "_bucket", with_bound);
    out += std::to_string(cumulative) + '\n';
  }
  append_sample(out, name + "_sum", labels);
  append_number(out, cell.sum);
  out += '\n';
  append_sample(out, name + "_count", labels);
  out += std::to_string(cumulative) + '\n';
}

void render_series(std::string& out, const std::string& name, const std::string& labels, const Cell& cell) {
  if (const auto* histogram = std::get_if<HistogramCellPtr>(&cell)) {
    render_histogram(out, name, labels, **histogram);
    return;
  }
  append_sample(out, name, labels);
  if (const auto* counter = std::get_if<CounterCell>(&cell)) out += std::to_string(**counter);
  if (const auto* atomic = std::get_if<AtomicCell>(&cell)) out += std::to_string((*atomic)->load());
  if (const auto* gauge = std::get_if<GaugeCell>(&cell)) append_number(out, **gauge);
  if (const auto* real = std::get_if<RealCellPtr>(&cell)) append_number(out, (*real)->value);
  out += '\n';
}

void append_heading(std::string& out, const std::string& name, std::string_view help, std::string_view type) {
  out.append("# HELP ").append(name).append(" ");
  for (char c : help) {
    if (c == '\\') out += '\\';
    out += c == '\n' ? "\\n" : std::string(1, c);
  }
  out.append("\n# TYPE ").append(name).append(" ").append(type).append("\n");
}

std::string_view type_name(const Cell& cell) noexcept {
  constexpr std::string_view kNames[] = {"counter", "counter", "gauge", "histogram", "counter"};
  return kNames[cell.index()];
}

// A family without labels always exists as one series, so that it shows as 0 before anything happened.
void render_family(std::string& out, Family& family) {
  const std::lock_guard lock(family.mutex);
  if (family.options.labels.empty()) series_of(family, nullptr);
  if (family.series.empty()) return;
  append_heading(out, family.options.name, family.options.help, type_name(family.prototype));
  for (const auto& [labels, series] : family.series) render_series(out, family.options.name, labels, series.cell);
}

bool is_name(std::string_view name, bool colon_allowed) noexcept {
  if (name.empty() || name.size() > 200 || (name[0] >= '0' && name[0] <= '9')) return false;
  return std::all_of(name.begin(), name.end(), [colon_allowed](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (c == ':' && colon_allowed);
  });
}

Status check_options(const FamilyOptions& options, bool histogram) {
  const auto refuse = [](std::string message) {
    return Error(errc::invalid_argument, std::move(message), fault::caller);
  };
  if (!is_name(options.name, true)) {
    return refuse("the metric name '" + options.name +
                  "' must be at most 200 letters, digits, '_' and ':', not starting with a digit");
  }
  if (options.labels.size() > 16) return refuse("the metric " + options.name + " has more than 16 labels; use fewer");
  for (std::size_t i = 0; i < options.labels.size(); ++i) {
    const std::string& label = options.labels[i];
    if (!is_name(label, false) || label.starts_with("__") || (histogram && label == "le")) {
      return refuse("the label '" + label + "' of " + options.name +
                    " must be letters, digits and '_', not start with '__', and not be 'le' in a histogram");
    }
    if (std::count(options.labels.begin(), options.labels.end(), label) > 1) {
      return refuse("the metric " + options.name + " names the label '" + label + "' twice; name it once");
    }
  }
  return {};
}

Status check_bounds(const std::string& name, const std::vector<double>& bounds) {
  const bool finite = std::all_of(bounds.begin(), bounds.end(), [](double b) { return std::isfinite(b); });
  const bool ascending = std::adjacent_find(bounds.begin(), bounds.end(), std::greater_equal<>()) == bounds.end();
  if (bounds.empty() || bounds.size() > 64 || !finite || !ascending) {
    return Error(errc::invalid_argument, "the histogram " + name + " needs 1 to 64 finite, strictly ascending bounds",
                 fault::caller);
  }
  return {};
}

template <class Handle>
struct CellOf;
template <>
struct CellOf<Counter> { using type = CounterCell; };
template <>
struct CellOf<AtomicCounter> { using type = AtomicCell; };
template <>
struct CellOf<RealCounter> { using type = RealCellPtr; };
template <>
struct CellOf<Gauge> { using type = GaugeCell; };
template <>
struct CellOf<Histogram> { using type = HistogramCellPtr; };

}  // namespace
}  // namespace detail

void RealCounter::add(double v) noexcept {
  if (cell_ && std::isfinite(v) && v >= 0) cell_->value += v;
}

void Histogram::observe(double v) noexcept {
  if (!cell_) return;
  const auto& bounds = *cell_->bounds;
  const auto place = std::lower_bound(bounds.begin(), bounds.end(), v);
  // NaN compares false with everything and lands in the first bucket; +Inf is where it says least.
  const std::size_t i = std::isnan(v) ? bounds.size() : static_cast<std::size_t>(place - bounds.begin());
  ++cell_->counts[i];
  cell_->sum += v;
}

std::uint64_t Histogram::count() const noexcept {
  std::uint64_t total = 0;
  if (cell_) {
    for (std::uint64_t n : cell_->counts) total += n;
  }
  return total;
}

template <class Handle>
Handle FamilyOf<Handle>::with(const std::string_view* values, std::size_t count) const {
  if (!family_) return Handle();
  assert(count == family_->options.labels.size() && "one value for each label");
  if (count != family_->options.labels.size()) return Handle();
  const std::lock_guard lock(family_->mutex);
  return Handle(std::get<typename detail::CellOf<Handle>::type>(detail::series_of(*family_, values)));
}

template <class Handle>
bool FamilyOf<Handle>::remove(const std::string_view* values, std::size_t count) const {
  if (!family_ || count != family_->options.labels.size()) return false;
  const std::lock_guard lock(family_->mutex);
  return family_->series.erase(detail::labels_text(*family_, values)) != 0;
}

template <class Handle>
std::size_t FamilyOf<Handle>::remove_where(std::string_view label, std::string_view value) const {
  if (!family_) return 0;
  const auto& labels = family_->options.labels;
  const auto place = static_cast<std::size_t>(std::find(labels.begin(), labels.end(), label) - labels.begin());
  if (place == labels.size()) return 0;
  const std::lock_guard lock(family_->mutex);
  return std::erase_if(family_->series, [&](const auto& entry) { return entry.second.values[place] == value; });
}

template <class Handle>
std::size_t FamilyOf<Handle>::size() const noexcept {
  if (!family_) return 0;
  const std::lock_guard lock(family_->mutex);
  return family_->series.size();
}

template class FamilyOf<Counter>;
template class FamilyOf<AtomicCounter>;
template class FamilyOf<RealCounter>;
template class FamilyOf<Gauge>;
template class FamilyOf<Histogram>;

std::vector<double> latency_bounds() {
  return {1e-6, 3e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0, 10.0};
}

struct Registry::State {
  std::mutex mutex;  // guards what follows; never held while a hook or a family's mutex is
  std::map<std::string, std::shared_ptr<detail::Family>> families;
  std::map<std::uint64_t, std::shared_ptr<const std::function<void()>>> hooks;
  std::uint64_t next_hook = 0;

  Result<std::shared_ptr<detail::Family>> add(FamilyOptions options, detail::Cell prototype,
                                              std::vector<double> bounds);
};

Registry::Registry() : state_(std::make_shared<State>()) {}
Registry::~Registry() = default;

Result<std::shared_ptr<detail::Family>> Registry::State::add(FamilyOptions options, detail::Cell prototype,
                                                             std::vector<double> bounds) {
  TENON_TRY(detail::check_options(options, prototype.index() == detail::kHistogramIndex));
  const std::lock_guard lock(mutex);
  if (auto found = families.find(options.name); found != families.end()) {
    const detail::Family& family = *found->second;
    const bool same = family.prototype.index() == prototype.index() && family.options.labels == options.labels &&
                      (!family.bounds || *family.bounds == bounds);
    if (same) return found->second;
    return Error(errc::already_exists,
                 "the metric " + options.name + " exists with another kind, labels or bounds; choose another name",
                 fault::caller);
  }
  if (families.size() >= kMaxFamilies) {
    return Error(errc::exhausted,
                 "there are " + std::to_string(kMaxFamilies) + " metrics already; use labels instead of names",
                 fault::caller);
  }
  auto family = std::make_shared<detail::Family>();
  family->prototype = std::move(prototype);
  if (!bounds.empty()) family->bounds = std::make_shared<const std::vector<double>>(std::move(bounds));
  family->options = std::move(options);
  families.emplace(family->options.name, family);
  return family;
}

Result<CounterFamily> Registry::counters(FamilyOptions options) {
  auto family = state_->add(std::move(options), detail::CounterCell(), {});
  if (!family) return std::move(family).error();
  return CounterFamily(*std::move(family));
}

Result<AtomicCounterFamily> Registry::atomic_counters(FamilyOptions options) {
  auto family = state_->add(std::move(options), detail::AtomicCell(), {});
  if (!family) return std::move(family).error();
  return AtomicCounterFamily(*std::move(family));
}

Result<RealCounterFamily> Registry::real_counters(FamilyOptions options) {
  auto family = state_->add(std::move(options), detail::RealCellPtr(), {});
  if (!family) return std::move(family).error();
  return RealCounterFamily(*std::move(family));
}

Result<GaugeFamily> Registry::gauges(FamilyOptions options) {
  auto family = state_->add(std::move(options), detail::GaugeCell(), {});
  if (!family) return std::move(family).error();
  return GaugeFamily(*std::move(family));
}

Result<HistogramFamily> Registry::histograms(FamilyOptions options, std::vector<double> bounds) {
  TENON_TRY(detail::check_bounds(options.name, bounds));
  auto family = state_->add(std::move(options), detail::HistogramCellPtr(), std::move(bounds));
  if (!family) return std::move(family).error();
  return HistogramFamily(*std::move(family));
}

std::shared_ptr<void> Registry::before_render(std::function<void()> collect) {
  const std::lock_guard lock(state_->mutex);
  const std::uint64_t id = state_->next_hook++;
  state_->hooks.emplace(id, std::make_shared<const std::function<void()>>(std::move(collect)));
  return std::shared_ptr<void>(nullptr, [weak = std::weak_ptr<State>(state_), id](void*) {
    if (auto state = weak.lock()) {
      const std::lock_guard hook_lock(state->mutex);
      state->hooks.erase(id);
    }
  });
}

std::string Registry::render() {
  std::vector<std::weak_ptr<const std::function<void()>>> hooks;
  {
    const std::lock_guard lock(state_->mutex);
    for (const auto& [id, hook] : state_->hooks) hooks.emplace_back(hook);
  }
  for (const auto& weak : hooks) {
    // A hook may remove another one, which then must not run.
    if (const auto hook = weak.lock()) (*hook)();
  }
  std::vector<std::shared_ptr<detail::Family>> families;
  {
    const std::lock_guard lock(state_->mutex);
    for (const auto& [name, family] : state_->families) families.push_back(family);
  }
  std::string out, overflow;
  for (const auto& family : families) {
    detail::render_family(out, *family);
    const std::lock_guard lock(family->mutex);
    if (family->overflows == 0) continue;
    std::string label;
    detail::append_label(label, "family", family->options.name);
    detail::append_sample(overflow, "tenon_metrics_series_overflow_total", label);
    overflow += std::to_string(family->overflows) + '\n';
  }
  if (!overflow.empty()) {
    detail::append_heading(out, "tenon_metrics_series_overflow_total",
                           "Label sets refused because their family was full; they count as \"other\".", "counter");
    out += overflow;
  }
  return out;
}

}  // namespace tenon::metrics
