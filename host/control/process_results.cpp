#include "control/process_results.hpp"

#include <optional>
#include <utility>

#include "common/json_document.hpp"
#include "control/problem.hpp"

namespace tenon::control {

namespace {

std::string text_of(const JsonValue& entry, std::string_view key, std::string_view otherwise) {
  const auto found = entry.find(key);
  const auto text = found ? found->as_string() : std::nullopt;
  return std::string(text.value_or(otherwise));
}

bool is_ok(const JsonValue& entry) {
  const auto ok = entry.find("ok");
  return ok && ok->as_bool() == true;
}

// What stands in `results` as a problem; empty if all are ok.
std::optional<std::string> failures_in(const JsonValue& results) {
  std::size_t failed = 0;
  std::string first;
  for (const JsonValue entry : results.elements()) {
    if (is_ok(entry) || failed++ > 0) continue;
    first = text_of(entry, "id", "?") + ": " + text_of(entry, "error", "refused without a reason");
  }
  if (failed == 0) return std::nullopt;
  if (results.size() > 1)
    first += " (" + std::to_string(failed) + " of " + std::to_string(results.size()) + " processes failed)";
  return first;
}

HttpResponse unreadable(const Error& why) {
  return problem(500, "the host's list of results is not JSON: " + why.message + "; report this");
}

}  // namespace

HttpResponse answer_verb(std::string results) {
  const auto document = JsonDocument::parse(results, "results");
  if (!document) return unreadable(document.error());
  if (const auto failures = failures_in(document->root())) return problem(409, *failures, results);
  return {.body = std::move(results)};
}

HttpResponse answer_change(std::string change) {
  const auto document = JsonDocument::parse(change, "change", {.max_bytes = 256 << 20});
  if (!document) return unreadable(document.error());
  const auto results = document->root().find("results");
  const auto failures = results ? failures_in(*results) : std::nullopt;
  if (!failures) return {.body = std::move(change)};
  const auto changes = document->root().find("changes");
  return problem(409, *failures, results->to_json(), changes ? changes->to_json() : std::string());
}

}  // namespace tenon::control
