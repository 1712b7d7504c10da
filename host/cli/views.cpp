#include "cli/views.hpp"

#include <algorithm>
#include <map>
#include <vector>

#include "cli/natural_order.hpp"
#include "cli/screen.hpp"
#include "cli/values.hpp"
#include "common/text.hpp"

namespace tenon::cli {

namespace {

constexpr std::size_t kMany = 20;  // processes, from which on a list is summed up

std::string mailbox_text(const JsonValue& process) {
  const auto mailbox = process.find("mailbox");
  if (!mailbox || member_number(*mailbox, "capacity").value_or(0) == 0) return std::string(kNothing);
  std::string text = member_text(*mailbox, "depth") + "/" + member_text(*mailbox, "capacity");
  if (const auto dropped = member_number(*mailbox, "dropped"); dropped.value_or(0) > 0) {
    text += " (" + std::to_string(*dropped) + " dropped)";
  }
  return text;
}

Cell state_cell(const JsonValue& object, std::string_view key) {
  std::string text = member_text(object, key);
  const Colour colour = colour_of_state(text);
  return {std::move(text), colour};
}

// The elements by the member that names them.
std::vector<JsonValue> in_natural_order(const JsonValue& array, std::string_view key) {
  std::vector<std::pair<std::string, JsonValue>> named;
  for (const JsonValue element : array.elements()) named.emplace_back(member_text(element, key), element);
  std::stable_sort(named.begin(), named.end(),
                   [](const auto& a, const auto& b) { return natural_less(a.first, b.first); });
  std::vector<JsonValue> elements;
  for (const auto& [name, element] : named) elements.push_back(element);
  return elements;
}

// "1002 processes: 1 error, 1001 idle".
std::string count_by_status(const JsonValue& processes) {
  std::map<std::string, std::size_t> counts;
  for (const JsonValue p : processes.elements()) ++counts[member_text(p, "status")];
  std::string text;
  for (const auto& [status, count] : counts) text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + status;
  return std::to_string(processes.size()) + " processes: " + text;
}

std::string plural(std::size_t count, std::string_view noun) {
  return std::to_string(count) + ' ' + std::string(noun) + (count == 1 ? "" : "s");
}

}  // namespace

std::string render_processes(const JsonValue& processes, const Style& style) {
  if (processes.size() == 0) return "no processes; add them under supervision.children in the config\n";
  TextTable table({{"PROCESS"}, {"STATUS"}, {"PID", true, 4}, {"UPTIME", true, 5}, {"RESTARTS", true, 6},
                   {"HEALTH", false, 7}, {"MAILBOX", true, 2}, {"MEMORY", true, 3}, {"CPU", true, 1}, {"REASON"}},
                  TextTable::Overflow::cut);  // `status` has it in full
  for (const JsonValue p : in_natural_order(processes, "id")) {
    table.add_row({member_text(p, "id"), state_cell(p, "status"), member_text(p, "pid"), member_text(p, "uptime_ms"),
                   member_text(p, "restarts"), state_cell(p, "health"), mailbox_text(p), member_text(p, "memory_bytes"),
                   member_text(p, "cpu_seconds"), process_reason(p)});
  }
  std::string out = table.render(style);
  if (style.columns == Style::kAnyWidth) return out;
  const auto add_note = [&](const std::string& text) {
    out += make_line({Cell(text, Colour::dim)}, style.columns, style).text + "\n";
  };
  // For a person, where the first rows have scrolled away.
  if (processes.size() >= kMany) add_note(count_by_status(processes));
  const std::vector<std::string> left_out = table.left_out(style);
  if (!left_out.empty()) add_note("a wider terminal also shows " + join(left_out, ", "));
  return out;
}

namespace {

// A member of the tree is a process, or a supervisor: itself, or wrapped as {"supervisor": {…}}.
JsonValue unwrapped(const JsonValue& node) { return node.find("supervisor").value_or(node); }

// Cut where the terminal ends: `status` has the reason in full.
std::string tree_line(const std::string& indent, const JsonValue& node, const Style& style) {
  std::vector<Cell> label{Cell(indent), Cell(member_text(node, "id"), Colour::bold)};
  const auto add = [&label](const std::string& text, Colour colour = Colour::none) {
    label.emplace_back("  ");
    label.emplace_back(text, colour);
  };
  const bool supervisor = node.find("children").has_value();
  const std::string state = member_text(node, supervisor ? "state" : "status");
  if (supervisor) add(member_text(node, "strategy", "supervisor"));
  add(state, colour_of_state(state));
  if (const auto pid = member_number(node, "pid")) add("pid " + std::to_string(*pid));
  if (const auto restarts = member_number(node, "restarts").value_or(0); restarts > 0)
    add(plural(static_cast<std::size_t>(restarts), "restart"));
  if (const std::string reason = member_text(node, "reason", ""); !reason.empty()) add(reason);
  return make_line(label, style.columns, style).text + "\n";
}

}  // namespace

std::string render_tree(const JsonValue& root, const Style& style) {
  struct Level {
    JsonValue node;
    std::size_t next = 0;
    std::string indent;  // of its children
  };
  // An explicit stack: the host decides how deep the tree is.
  const JsonValue top = unwrapped(root);
  std::string out = tree_line("", top, style);
  std::vector<Level> levels{{top, 0, ""}};
  while (!levels.empty()) {
    Level& level = levels.back();
    const auto children = level.node.find("children");
    if (!children || level.next >= children->size()) {
      levels.pop_back();
      continue;
    }
    const JsonValue child = unwrapped(children->at(level.next++));
    const bool last = level.next == children->size();
    out += tree_line(level.indent + (last ? "└─ " : "├─ "), child, style);
    levels.push_back({child, 0, level.indent + (last ? "   " : "│  ")});
  }
  return out;
}

std::string render_health(const JsonValue& checks, const Style& style) {
  if (checks.size() == 0) return "no health checks; add them under health in a process's config\n";
  TextTable table({{"PROCESS"}, {"CHECK"}, {"ROLE"}, {"STATE"}, {"LAST", true}, {"LATENCY", true}, {"RESULTS"}, {"REASON"}});
  for (const JsonValue check : in_natural_order(checks, "process")) {
    std::string at(kNothing), latency(kNothing), trail, reason = member_text(check, "reason", "");
    if (const auto results = check.find("results"); results && results->size() > 0) {
      const JsonValue last = results->at(results->size() - 1);
      at = member_text(last, "at");
      latency = member_text(last, "latency_ms");
      if (reason.empty()) reason = member_text(last, "reason", "");
      // The last ten at a glance, the newest last.
      for (std::size_t i = results->size() > 10 ? results->size() - 10 : 0; i < results->size(); ++i) {
        const std::string state = member_text(results->at(i), "state");
        trail += state == "healthy" ? "+" : state == "degraded" ? "~" : state == "not_made" ? "?" : "x";
      }
    }
    table.add_row({member_text(check, "process"), member_text(check, "check"), member_text(check, "role"),
                   state_cell(check, "state"), at, latency, trail.empty() ? std::string(kNothing) : trail, reason});
  }
  return table.render(style);
}

std::string render_plugins(const JsonValue& plugins, const Style& style) {
  if (plugins.size() == 0) return "no plugins; put .so files into a directory of plugins.directories in the config\n";
  TextTable table({{"PLUGIN"}, {"VERSION"}, {"STATE"}, {"COMPONENTS"}, {"FILE"}, {"REASON"}});
  for (const JsonValue p : plugins.elements()) {
    table.add_row({member_text(p, "name"), member_text(p, "version"), state_cell(p, "state"),
                   member_text(p, "components"), member_text(p, "file"), member_text(p, "reason", "")});
  }
  return table.render(style);
}

std::string render_dead_letters(const JsonValue& letters, const Style& style) {
  if (letters.size() == 0) return "no dead letters: everything was delivered\n";
  TextTable table(
      {{"NUMBER", true}, {"TIME"}, {"REASON"}, {"TOPIC"}, {"ID"}, {"SENDER"}, {"RECEIVER"}, {"ATTEMPTS", true},
       {"DETAIL"}});
  for (const JsonValue l : letters.elements()) {
    table.add_row({member_text(l, "number"), member_text(l, "time"), Cell(member_text(l, "reason"), Colour::yellow),
                   member_text(l, "topic"), member_text(l, "id"), member_text(l, "sender"),
                   member_text(l, "receiver"), member_text(l, "attempts"), member_text(l, "detail", "")});
  }
  return table.render(style);
}

std::string render_list(const JsonValue& array, std::string_view empty, const Style& style) {
  if (array.size() == 0) return std::string(empty) + "\n";
  std::vector<std::string> keys;
  for (const JsonValue row : array.elements()) {
    for (const JsonMember member : row.members()) {
      if (std::find(keys.begin(), keys.end(), member.key) == keys.end()) keys.emplace_back(member.key);
    }
  }
  std::vector<TextTable::Column> columns;
  for (const std::string& key : keys) {
    std::string heading = printable(key);
    for (const std::string_view unit : {"_ms", "_bytes", "_seconds"}) {
      if (heading.ends_with(unit)) heading.erase(heading.size() - unit.size());
    }
    for (char& c : heading) c = c == '_' ? ' ' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    const auto is_number = [&key](const JsonValue& row) {
      const auto value = row.find(key);
      return !value || value->is_null() || value->as_double();
    };
    const auto rows = array.elements();
    bool right = true;
    for (const JsonValue row : rows) right = right && is_number(row);
    columns.push_back({std::move(heading), right});
  }
  TextTable table(std::move(columns));
  for (const JsonValue row : array.elements()) {
    std::vector<Cell> cells;
    for (const std::string& key : keys) cells.push_back(state_cell(row, key));
    table.add_row(std::move(cells));
  }
  return table.render(style);
}

}  // namespace tenon::cli
