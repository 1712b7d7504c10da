#include "control/index_page.hpp"

#include <array>

#include "common/json_document.hpp"
#include "common/units.hpp"

namespace tenon::control {

namespace {

void append_html(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
}

std::string cell(const JsonValue& process, std::string_view key) {
  const auto value = process.find(key);
  if (!value || value->is_null()) return "–";
  if (const auto text = value->as_string()) return std::string(*text);
  if (key.ends_with("_ms")) {
    if (const auto ms = value->as_i64()) return format_duration(std::chrono::milliseconds(*ms));
  }
  if (key.ends_with("_bytes")) {
    if (const auto bytes = value->as_u64()) return format_bytes(*bytes);
  }
  return value->to_json();
}

struct Column {
  std::string_view title;
  std::string_view key;
};
constexpr std::array kColumns{Column{"Process", "id"},     Column{"Status", "status"},     Column{"PID", "pid"},
                              Column{"Up", "uptime_ms"},   Column{"Restarts", "restarts"}, Column{"Health", "health"},
                              Column{"Memory", "memory_bytes"}, Column{"Reason", "reason"}};

void append_table(std::string& page, const JsonValue& processes) {
  page += "<table><thead><tr>";
  for (const Column& column : kColumns) page.append("<th>").append(column.title).append("</th>");
  page += "</tr></thead><tbody>\n";
  for (const JsonValue process : processes.elements()) {
    page += "<tr>";
    for (const Column& column : kColumns) {
      page += "<td>";
      append_html(page, cell(process, column.key));
      page += "</td>";
    }
    page += "</tr>\n";
  }
  page += "</tbody></table>\n";
}

constexpr std::string_view kHead =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"5\">"
    "<meta name=\"viewport\" content=\"width=device-width\"><title>Tenon</title><style>"
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem;color-scheme:light dark}"
    "table{border-collapse:collapse}th,td{text-align:left;padding:.25rem 1rem .25rem 0;border-bottom:1px solid #8884}"
    "</style></head><body>\n";

}  // namespace

std::string render_index_page(std::string_view info, std::string_view processes) {
  std::string page(kHead);
  const auto host = JsonDocument::parse(std::string(info), "info");
  page += "<h1>Tenon";
  if (host && host->root().find("node")) {
    page += " on ";
    append_html(page, cell(host->root(), "node"));
  }
  page += "</h1>\n";
  const auto list = JsonDocument::parse(std::string(processes), "processes", {.max_bytes = 256 << 20});
  if (!list) {
    page += "<p>The list of processes cannot be shown: ";
    append_html(page, list.error().message);
    page += "</p>\n";
  } else if (list->root().size() == 0) {
    page += "<p>No processes. Add them under <code>supervision.children</code> in the config.</p>\n";
  } else {
    append_table(page, list->root());
  }
  page += "<p>As data: <a href=\"/v1/processes\">processes</a>, <a href=\"/v1/tree\">tree</a>, "
          "<a href=\"/v1/health\">health</a>, <a href=\"/metrics\">metrics</a>.</p>\n</body></html>\n";
  return page;
}

}  // namespace tenon::control
