// render_details, render_process, render_event and render_log_line of views.hpp.
#include <algorithm>
#include <functional>

#include "cli/display_width.hpp"
#include "cli/values.hpp"
#include "cli/views.hpp"
#include "common/rfc3339.hpp"
#include "common/text.hpp"
#include "common/units.hpp"

namespace tenon::cli {

namespace {

bool is_table(const JsonValue& value) {
  return value.is_array() && value.size() > 0 && value.at(0).is_object();
}

std::string label_of(std::string_view key) {
  std::string label = printable(key);
  // The value shows its unit. "_bytes" stays, or "event_bytes" would read "event".
  for (const std::string_view unit : {"_ms", "_seconds"}) {
    if (label.ends_with(unit)) label.erase(label.size() - unit.size());
  }
  for (char& c : label) {
    if (c == '_') c = ' ';
  }
  return label;
}

std::string indented(const std::string& text, std::size_t depth) {
  std::string out;
  for (const std::string_view line : split(text, '\n')) {
    if (!line.empty()) out += std::string(depth, ' ') + std::string(line) + '\n';
  }
  return out;
}

// `depth` counts how far objects are nested; beyond kDeepest they are shown as JSON, so recursion is bounded.
constexpr std::size_t kDeepest = 4;

using RenderTable = std::function<std::string(std::string_view key, const JsonValue& rows, const Style& style)>;

// A value behind `indent` columns, further lines below it; as it is where there is hardly any room.
std::string value_lines(const std::string& text, std::size_t indent, const Style& style) {
  constexpr std::size_t kLeastRoom = 16;
  const std::size_t room = style.within(indent).columns;
  const Colour colour = colour_of_state(text);
  if (room < kLeastRoom) return paint(text, colour, style) + "\n";
  std::string out;
  for (const std::string& line : wrap_to_width(text, room))
    out += (out.empty() ? "" : std::string(indent, ' ')) + paint(line, colour, style) + "\n";
  return out;
}

void append_details(std::string& out, const JsonValue& object, std::size_t depth, const RenderTable& table,
                    const Style& style) {
  std::size_t width = 0;
  for (const JsonMember member : object.members()) width = std::max(width, display_width(label_of(member.key)));
  const std::string margin(depth * 2, ' ');
  for (const JsonMember member : object.members()) {
    const std::string label = label_of(member.key);
    out += margin + paint(label, Colour::dim, style);
    if (is_table(member.value)) {
      out += "\n" + indented(table(member.key, member.value, style.within(depth * 2 + 2)), depth * 2 + 2);
    } else if (member.value.is_object() && member.value.size() > 0 && depth < kDeepest) {
      out += "\n";
      append_details(out, member.value, depth + 1, table, style);
    } else {
      std::string text = member.value.size() == 0 && (member.value.is_object() || member.value.is_array())
                             ? std::string(kNothing)
                             : value_text(member.key, member.value);
      if (text.empty()) text = kNothing;
      out += std::string(width - display_width(label) + 2, ' ');
      out += value_lines(text, margin.size() + width + 2, style);
    }
  }
}

}  // namespace

std::string render_details(const JsonValue& object, const Style& style) {
  std::string out;
  const auto list = [](std::string_view, const JsonValue& rows, const Style& inner) {
    return render_list(rows, "", inner);
  };
  append_details(out, object, 0, list, style);
  return out;
}

namespace {

std::string age_text(const JsonValue& result, WallTime now) {
  const auto at = result.find("at");
  const auto when = at ? at->as_string() : std::nullopt;
  const auto time = when ? parse_rfc3339(*when) : Result<WallTime>(Error());
  if (!time.ok()) return member_text(result, "at");
  return format_duration(std::max<Duration>(now - *time, Duration(0)));
}

std::string render_checks(const JsonValue& checks, WallTime now, const Style& style) {
  TextTable table({{"CHECK"}, {"ROLE"}, {"STATE"}, {"LAST RESULT"}, {"AGE", true}, {"LATENCY", true},
                   {"TIMEOUTS", true}, {"REASON"}});
  for (const JsonValue check : checks.elements()) {
    const std::string state = member_text(check, "state");
    std::string last(kNothing), age(kNothing), latency(kNothing), reason = member_text(check, "reason", "");
    if (const auto results = check.find("results"); results && results->size() > 0) {
      const JsonValue result = results->at(results->size() - 1);
      last = member_text(result, "state");
      age = age_text(result, now);
      latency = member_text(result, "latency_ms");
      if (reason.empty()) reason = member_text(result, "reason", "");
    }
    const Colour last_colour = colour_of_state(last);
    table.add_row({member_text(check, "check"), member_text(check, "role"), Cell(state, colour_of_state(state)),
                   Cell(last, last_colour), age, latency, member_text(check, "timeouts"), reason});
  }
  return table.render(style);
}

}  // namespace

std::string render_process(const JsonValue& process, WallTime now, const Style& style) {
  std::string out;
  const auto table = [&](std::string_view key, const JsonValue& rows, const Style& inner) {
    return key == "checks" ? render_checks(rows, now, inner) : render_list(rows, "", inner);
  };
  append_details(out, process, 0, table, style);
  return out;
}

std::string render_event(std::string_view json, const Style& style) {
  const auto document = JsonDocument::parse(std::string(json), "event", {.max_depth = 10'000, .max_bytes = 64 << 20});
  if (!document) return printable(json) + "\n";  // deeper or odder than we read; shown all the same
  const JsonValue event = document->root();
  std::string line = paint(member_text(event, "time"), Colour::dim, style);
  line += "  " + paint(member_text(event, "topic", member_text(event, "type")), Colour::bold, style);
  line += "  " + member_text(event, "id") + "  " + member_text(event, "source");
  if (const auto target = event.find("target")) line += "  → " + value_text("target", *target);
  if (const auto data = event.find("data")) {
    line += "  " + printable(data->to_json());
  } else if (const auto bytes = event.find("data_base64")) {
    line += "  base64:" + value_text("", *bytes);
  }
  return line + "\n";
}

std::string render_log_line(std::string_view json, const Style& style) {
  const auto document = JsonDocument::parse(std::string(json), "line", {.max_bytes = 64 << 20});
  if (!document) return printable(json) + "\n";
  const JsonValue line = document->root();
  const auto member = line.find("text");
  std::string text(member ? member->as_string().value_or("") : "");
  if (style.colour)
    text = printable(text);  // on a terminal, a process's escape sequences could forge what other lines say
  const std::string id = member_text(line, "id", "");  // where the lines of several are mixed
  if (!id.empty()) text.insert(0, id + "  ");
  if (const auto cut = line.find("cut"); cut && cut->as_bool() == true) text += " …";
  const auto stream = line.find("stream");
  if (stream && stream->as_string() == "host") return paint("-- " + text + " --", Colour::yellow, style) + "\n";
  return text + "\n";
}

}  // namespace tenon::cli
