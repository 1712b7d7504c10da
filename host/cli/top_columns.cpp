#include "cli/top_columns.hpp"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <string_view>

#include "cli/display_width.hpp"
#include "cli/values.hpp"
#include "common/units.hpp"

namespace tenon::cli {

namespace {

struct Column {
  std::string_view heading;
  bool right;
  std::size_t least;  // width, so that what changes often moves no other column
  int rank;           // the lowest goes first where room is short; kAlways never
  std::optional<SortKey> key;
  Cell (*of)(const TopRow& row);
};

constexpr int kAlways = 100;
// For the reason, at least: more where trouble is looked at, for it tells what the trouble is.
constexpr std::size_t kReasonRoom = 16, kTroubleRoom = 32;

std::string or_nothing(std::string text) { return text.empty() ? std::string(kNothing) : text; }

Cell count_cell(std::uint64_t count, Colour colour_of_some = Colour::none) {
  return {std::to_string(count), count > 0 ? colour_of_some : Colour::none};
}

Cell state_cell(const std::string& state) { return {or_nothing(state), colour_of_state(state)}; }

Cell name_of(const TopRow& row) {
  const std::string indent(row.depth * 2, ' ');
  if (row.supervisor != nullptr) return {indent + row.supervisor->id, Colour::bold};
  return {indent + row.process->id};
}

Cell status_of(const TopRow& row) {
  return state_cell(row.supervisor != nullptr ? row.supervisor->state : row.process->status);
}

Cell restarts_of(const TopRow& row) {
  return count_cell(row.supervisor != nullptr ? row.supervisor->restarts : row.process->restarts);
}

Cell reason_of(const TopRow& row) {
  if (row.supervisor == nullptr) return {row.process->reason};
  const TopSupervisor& supervisor = *row.supervisor;
  return {supervisor.reason.empty() ? supervisor.strategy : supervisor.strategy + "; " + supervisor.reason};
}

// The rest is of processes alone.
template <Cell (*of)(const TopProcess&)>
Cell of_process(const TopRow& row) {
  return row.process == nullptr ? Cell("") : of(*row.process);
}

Cell pid_of(const TopProcess& p) { return {p.pid ? std::to_string(*p.pid) : std::string(kNothing)}; }
Cell cpu_of(const TopProcess& p) { return {p.cpu_share ? percent_text(*p.cpu_share) : std::string(kNothing)}; }
Cell memory_of(const TopProcess& p) { return {p.memory ? format_bytes(*p.memory) : std::string(kNothing)}; }
Cell health_of(const TopProcess& p) { return state_cell(p.health); }
Cell waiting_of(const TopProcess& p) { return count_cell(p.waiting); }
Cell dropped_of(const TopProcess& p) { return count_cell(p.dropped, Colour::yellow); }
Cell uptime_of(const TopProcess& p) {
  if (!p.uptime) return {std::string(kNothing)};
  return {format_duration(std::chrono::floor<std::chrono::seconds>(*p.uptime))};
}

constexpr Column kColumns[] = {
    {"PROCESS", false, 7, kAlways, SortKey::id, name_of},
    {"STATUS", false, 12, kAlways, SortKey::status, status_of},
    {"PID", true, 5, 3, std::nullopt, of_process<pid_of>},
    {"CPU%", true, 5, 9, SortKey::cpu, of_process<cpu_of>},
    {"MEMORY", true, 8, 8, SortKey::memory, of_process<memory_of>},
    {"RESTARTS", true, 8, 6, SortKey::restarts, restarts_of},
    {"UPTIME", true, 7, 4, SortKey::uptime, of_process<uptime_of>},
    {"HEALTH", false, 7, 5, std::nullopt, of_process<health_of>},
    {"WAITING", true, 7, 2, std::nullopt, of_process<waiting_of>},
    {"DROPPED", true, 7, 1, std::nullopt, of_process<dropped_of>},
    {"REASON", false, kReasonRoom, 7, std::nullopt, reason_of},
};
constexpr std::size_t kName = 0, kCpu = 3, kMemory = 4, kHealth = 7, kReason = std::size(kColumns) - 1;
static_assert(kColumns[kCpu].heading == "CPU%" && kColumns[kMemory].heading == "MEMORY" &&
              kColumns[kHealth].heading == "HEALTH");

}  // namespace

std::string percent_text(double share) {
  char text[64];
  std::snprintf(text, sizeof text, share < 9.995 ? "%.1f" : "%.0f", share * 100);
  return text;
}

TopColumns::TopColumns(const std::vector<TopRow>& rows, const TopState& state, std::size_t columns)
    : sort_(state.sort), reversed_(state.reversed) {
  const bool checked = std::any_of(rows.begin(), rows.end(), [](const TopRow& row) {
    return row.process != nullptr && !row.process->health.empty();
  });
  for (std::size_t i = 0; i < std::size(kColumns); ++i) {
    if (i == kHealth && !checked) continue;
    std::size_t width = std::max(kColumns[i].least, display_width(heading(i)));
    if (i == kReason && state.troubled_only) width = kTroubleRoom;
    if (i != kReason)  // which takes what is left
      for (const TopRow& row : rows) width = std::max(width, display_width(kColumns[i].of(row).text));
    if (i == kName) width = std::min(width, std::max<std::size_t>(columns / 3, 12));
    shown_.push_back({i, width});
  }
  drop_what_does_not_fit(columns, state.troubled_only);
}

std::size_t TopColumns::width_with(std::size_t gap) const noexcept {
  std::size_t width = 0;
  for (const Shown& shown : shown_) width += shown.width + (width == 0 ? 0 : gap);
  return width;
}

void TopColumns::drop_what_does_not_fit(std::size_t columns, bool troubled_only) {
  // Wide gaps only where they do not cost the reason its room.
  if (width_with(2) + kTroubleRoom - kReasonRoom <= columns) return;
  gap_ = 1;
  const auto rank = [&](const Shown& shown) {
    const Column& column = kColumns[shown.index];
    if (column.key == sort_) return kAlways;
    // Who looks at trouble asks for health and restarts more than for what is used.
    return troubled_only && (shown.index == kCpu || shown.index == kMemory) ? 0 : column.rank;
  };
  while (width_with(1) > columns) {
    const auto least = std::min_element(shown_.begin(), shown_.end(),
                                        [&](const Shown& a, const Shown& b) { return rank(a) < rank(b); });
    if (rank(*least) == kAlways) return;
    shown_.erase(least);
  }
}

std::string TopColumns::heading(std::size_t index) const {
  const Column& column = kColumns[index];
  std::string text(column.heading);
  if (column.key == sort_) text += reversed_ ? "↑" : "↓";
  return text;
}

std::vector<Cell> TopColumns::cells(const TopRow& row) const {
  std::vector<Cell> parts;
  for (const Shown& shown : shown_) {
    const Column& column = kColumns[shown.index];
    Cell cell = column.of(row);
    if (shown.index != kReason) cell.text = cut_to_width(cell.text, shown.width);
    const std::size_t own = display_width(cell.text);
    const std::string space(shown.width - std::min(own, shown.width), ' ');
    if (!parts.empty()) parts.emplace_back(std::string(gap_, ' '));
    if (column.right) parts.emplace_back(space);
    parts.push_back(std::move(cell));
    if (!column.right && &shown != &shown_.back()) parts.emplace_back(space);
  }
  return parts;
}

std::string TopColumns::headings() const {
  std::string line;
  for (const Shown& shown : shown_) {
    if (!line.empty()) line.append(gap_, ' ');
    line += fit_to_width(heading(shown.index), shown.width, kColumns[shown.index].right);
  }
  return line;
}

}  // namespace tenon::cli
