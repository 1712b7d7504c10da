#include "cli/top_view.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/display_width.hpp"
#include "cli/top_columns.hpp"
#include "cli/values.hpp"
#include "common/units.hpp"

namespace tenon::cli {

namespace {

using Parts = std::vector<Cell>;

// The parts of a screen, from the top. Few rows: facts shrink to one line, then the hints go, then the headings.
struct Layout {
  std::size_t facts, banner, headings, room, hints;
};

Layout layout_of(ScreenSize size) noexcept {
  if (size.rows >= 10) return {3, 1, 1, size.rows - 6, 1};
  if (size.rows >= 5) return {1, 0, 1, size.rows - 3, 1};
  if (size.rows >= 3) return {1, 0, 1, size.rows - 2, 0};
  return {0, 0, 0, std::max<std::size_t>(size.rows, 1), 0};
}

void add(Parts& parts, std::string text, Colour colour = Colour::none) { parts.push_back({std::move(text), colour}); }

std::string seconds_text(Duration duration) {
  return format_duration(std::chrono::floor<std::chrono::seconds>(std::max(duration, Duration(0))));
}

Parts host_facts(const TopSnapshot& snapshot) {
  Parts parts{Cell(snapshot.node, Colour::bold), Cell("  tenon " + snapshot.version)};
  if (snapshot.uptime) add(parts, "  up " + seconds_text(*snapshot.uptime));
  add(parts, "  engine restarts ");
  add(parts, std::to_string(snapshot.engine_restarts),
                     snapshot.engine_restarts > 0 ? Colour::yellow : Colour::none);
  return parts;
}

Parts count_facts(const TopSnapshot& snapshot) {
  std::map<std::string_view, std::size_t> by_status;
  std::size_t troubled = 0, unhealthy = 0;
  for (const TopProcess& process : snapshot.processes) {
    ++by_status[process.status];
    if (process.troubled()) ++troubled;
    if (process.health == "unhealthy") ++unhealthy;
  }
  const std::size_t all = snapshot.processes.size();
  Parts parts{Cell(std::to_string(all) + (all == 1 ? " process" : " processes"))};
  if (troubled > 0) add(parts, ", "), add(parts, std::to_string(troubled) + " in trouble (e)", Colour::yellow);
  add(parts, ":");
  const auto add_count = [&parts](std::size_t count, std::string_view what, Colour colour) {
    add(parts, "  ");
    add(parts, std::to_string(count) + " " + std::string(what), colour);
  };
  for (const auto& [status, count] : by_status) add_count(count, status, colour_of_state(status));
  if (unhealthy > 0) add_count(unhealthy, "unhealthy", Colour::red);
  return parts;
}

Parts use_facts(const TopSnapshot& snapshot) {
  double share = 0;
  bool known = false;
  std::uint64_t memory = 0, waiting = 0, dropped = 0;
  for (const TopProcess& process : snapshot.processes) {
    known = known || process.cpu_share.has_value();
    share += process.cpu_share.value_or(0);
    memory += process.memory.value_or(0);
    waiting += process.waiting;
    dropped += process.dropped;
  }
  Parts parts{Cell("cpu " + (known ? percent_text(share) + " %" : std::string(kNothing)) + "  memory " +
                   format_bytes(memory) + "  events ")};
  const auto rate = snapshot.delivered_per_second;
  add(parts, rate ? std::to_string(static_cast<std::uint64_t>(*rate + 0.5)) + "/s" : std::string(kNothing));
  add(parts, "  waiting " + std::to_string(waiting) + " (" + format_bytes(snapshot.event_bytes) + ")  dropped ");
  add(parts, std::to_string(dropped), dropped > 0 ? Colour::yellow : Colour::none);
  return parts;
}

std::string trouble_text(const TopPicture& picture) {
  const Duration age = picture.now - picture.snapshot.taken;
  return picture.trouble + "; this is " + seconds_text(age) + " old";
}

Parts hints(const TopState& state, std::size_t first, const TopExtent& extent, std::size_t all) {
  if (state.typing) return {Cell("filter: ", Colour::bold), Cell(printable(state.filter) + "_"),
                            Cell("   Enter keeps it, Esc clears it", Colour::dim)};
  Parts parts;
  const std::size_t last = std::min(extent.rows, first + extent.room);
  std::string place = extent.rows == 0 ? "nothing" : std::to_string(first + 1) + "-" + std::to_string(last);
  place += " of " + std::to_string(extent.rows);
  add(parts, place + (extent.rows == all || state.tree ? "" : ", " + std::to_string(all) + " in all"));
  add(parts, "  by " + std::string(to_string(state.sort)) + (state.reversed ? ", reversed" : ""));
  if (state.troubled_only) add(parts, "  in trouble only (e)", Colour::yellow);
  if (!state.filter.empty()) add(parts, "  filter: " + printable(state.filter) + " (Esc)", Colour::yellow);
  add(parts, "  / filter  e trouble  t tree  h help  q quit", Colour::dim);
  return parts;
}

constexpr std::pair<std::string_view, std::string_view> kHelp[] = {
    {"c m r i s u", "sort by cpu, memory, restarts, id, status (worst first), uptime"},
    {"R", "reverse the order"},
    {"/", "filter by id, status, health, reason or supervisor; Esc clears it"},
    {"e", "only trouble: error, unhealthy, degraded, restarting, waiting"},
    {"t", "below their supervisors, or as a list"},
    {"arrows j k", "one row down or up; also Page Up and Down, Home and End, g and G"},
    {"space", "refresh now"},
    {"Ctrl-L", "draw everything again"},
    {"q Ctrl-C", "quit; Ctrl-Z suspends"},
    {"", ""},
    {"CPU%", "of one processor, since the last refresh, with descendants"},
    {"MEMORY", "resident, with descendants; what they share counts for each"},
    {"WAITING", "events in the mailbox; DROPPED: those that it did not keep"},
    {"events", "those that processes got in a second"},
};

// The lines below the banner but for the hints.
void add_help(Screen& screen, std::size_t rows, std::size_t columns, const Style& style) {
  for (std::size_t i = 0; i < rows; ++i) {
    const auto [key, meaning] = i < std::size(kHelp) ? kHelp[i] : std::pair<std::string_view, std::string_view>();
    screen.push_back(
        make_line({Cell(fit_to_width(key, 12), Colour::bold), Cell(std::string(meaning))}, columns, style));
  }
}

void add_table(Screen& screen, const TopPicture& picture, const Layout& layout, std::size_t first,
               const std::vector<TopRow>& rows, std::size_t columns, const Style& style) {
  // From all rows: a filter moves no column.
  TopState everything = picture.state;
  everything.filter.clear();
  everything.troubled_only = false;
  const bool is_all = everything == picture.state;
  const TopColumns table(is_all ? rows : arrange(picture.snapshot, everything), picture.state, columns);
  if (layout.headings > 0)
    screen.push_back(make_line({Cell(fit_to_width(table.headings(), columns), Colour::reverse)}, columns, style));
  for (std::size_t i = 0; i < layout.room; ++i)
    screen.push_back(first + i < rows.size() ? make_line(table.cells(rows[first + i]), columns, style) : ScreenLine{});
}

std::string print_line(const ScreenLine& line) {
  return line.text.substr(0, line.text.find_last_not_of(' ') + 1) + "\n";
}

}  // namespace

std::size_t top_room(ScreenSize size) noexcept { return layout_of(size).room; }

Screen draw_top(const TopPicture& picture, ScreenSize size, const Style& style) {
  const TopSnapshot& snapshot = picture.snapshot;
  const Layout layout = layout_of(size);
  Screen screen;
  const auto add_line = [&](const Parts& parts, const Cell& right = {""}) {
    screen.push_back(make_line(parts, size.columns, style, right));
  };
  const Parts trouble = picture.trouble.empty() ? Parts{} : Parts{Cell(trouble_text(picture), Colour::red)};
  const Cell every("every " + format_duration(picture.interval), Colour::dim);
  if (layout.facts == 1 && !trouble.empty()) add_line(trouble);
  else if (layout.facts > 0) add_line(host_facts(snapshot), every);
  if (layout.facts > 1) add_line(count_facts(snapshot)), add_line(use_facts(snapshot));
  if (layout.banner > 0) add_line(trouble);

  const std::vector<TopRow> rows = arrange(snapshot, picture.state);
  const TopExtent extent{rows.size(), layout.room};
  const std::size_t first = first_row(picture.state, extent);
  if (picture.state.page == TopState::Page::help) {
    add_help(screen, layout.headings + layout.room, size.columns, style);
    if (layout.hints > 0) add_line({Cell("any key goes back", Colour::dim)});
  } else {
    add_table(screen, picture, layout, first, rows, size.columns, style);
    if (layout.hints > 0) add_line(hints(picture.state, first, extent, snapshot.processes.size()));
  }
  screen.resize(size.rows);
  return screen;
}

std::string print_top(const TopPicture& picture, const Style& style) {
  const TopSnapshot& snapshot = picture.snapshot;
  std::string out;
  for (const Parts& parts : {host_facts(snapshot), count_facts(snapshot), use_facts(snapshot)})
    out += print_line(make_line(parts, style.columns, style));
  const std::vector<TopRow> rows = arrange(snapshot, picture.state);
  const TopColumns table(rows, picture.state, style.columns);
  out += print_line(make_line({Cell(table.headings(), Colour::bold)}, style.columns, style));
  for (const TopRow& row : rows) out += print_line(make_line(table.cells(row), style.columns, style));
  return out;
}

}  // namespace tenon::cli
