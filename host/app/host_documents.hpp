// JSON documents about parts of the host, as the control API and `--json` show them.
#pragma once

#include <string>

#include "app/host.hpp"
#include "common/json_writer.hpp"

namespace tenon::app {

// One element of `ps --json`; with `detail`, everything that `tenon status` shows.
void write_process(JsonWriter& json, Host& host, const runtime::ProcessHandle& process, bool detail);
// What became of several processes: an array of {"id", "ok", "error"?, "status"}.
void write_outcomes(JsonWriter& json, Host& host, const std::vector<runtime::VerbOutcome>& outcomes);
void write_tree(JsonWriter& json, Host& host, const runtime::Supervisor& supervisor);
// An array of {process, check, state, reason, timeouts, results}; of all processes, or of one.
// Why it is as it is: what was done with it, else what its checks complain of, else what it says of itself.
std::string_view reason_of(const runtime::ProcessHandle& process) noexcept;
void write_health(JsonWriter& json, Host& host, const runtime::ProcessHandle& process);
void write_plugins(JsonWriter& json, const loader::PluginRegistry& registry);
void write_routes(JsonWriter& json, Host& host);
void write_dead_letters(JsonWriter& json, Host& host, std::size_t limit);

}  // namespace tenon::app
