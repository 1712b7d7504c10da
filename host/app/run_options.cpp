#include "app/run_options.hpp"

#include "common/json_document.hpp"
#include "common/json_writer.hpp"

namespace tenon::app {

std::string RunOptions::encode() const {
  JsonWriter json;
  json.begin_object().member("config", config).member("socket", socket).member("until_idle", until_idle);
  if (end_at) json.member("end_at_ns", end_at->time_since_epoch().count());
  return json.end_object().take();
}

Result<RunOptions> RunOptions::decode(std::string_view text) {
  auto document = JsonDocument::parse(std::string(text), "host parameters");
  if (!document.ok()) return std::move(document).error();
  const JsonValue root = document->root();
  RunOptions options;
  if (const auto v = root.find("config")) options.config = v->as_string().value_or("");
  if (const auto v = root.find("socket")) options.socket = v->as_string().value_or("");
  if (const auto v = root.find("until_idle")) options.until_idle = v->as_bool().value_or(false);
  if (const auto v = root.find("end_at_ns"))
    if (const auto ns = v->as_i64()) options.end_at = MonotonicTime{Duration(*ns)};
  if (options.config.empty()) return Error(errc::bad_data, "the keeper's parameters name no config");
  return options;
}

}  // namespace tenon::app
