// The API's documents as tables and trees for a person. Pure: JSON in, text out; what is missing shows as "-".
#pragma once

#include <string>
#include <string_view>

#include "cli/text_table.hpp"
#include "common/clock.hpp"
#include "common/json_document.hpp"

namespace tenon::cli {

std::string render_processes(const JsonValue& processes, const Style& style);
std::string render_tree(const JsonValue& root, const Style& style);
std::string render_health(const JsonValue& checks, const Style& style);
std::string render_plugins(const JsonValue& plugins, const Style& style);
// An array of {"section", "name", "effect", "keys"}. `to_do`: of what a reload would do.
std::string render_changes(const JsonValue& changes, bool to_do, const Style& style);
std::string render_dead_letters(const JsonValue& letters, const Style& style);

// An object as `key  value` lines; objects in it are indented, arrays of objects become tables.
std::string render_details(const JsonValue& object, const Style& style);
// A process in full: the same, with its health checks as a table of their last results, which are `now - at` old.
std::string render_process(const JsonValue& process, WallTime now, const Style& style);
// An array of objects as a table: a column for each key, in the order in which keys first appear. `empty`: what to
// say when there is nothing in it.
std::string render_list(const JsonValue& array, std::string_view empty, const Style& style);

// An event or a log line as one line.
std::string render_event(std::string_view json, const Style& style);
std::string render_log_line(std::string_view json, const Style& style);

}  // namespace tenon::cli
