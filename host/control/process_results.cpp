#include "control/process_results.hpp"

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

}  // namespace

HttpResponse answer_verb(std::string results) {
  const auto document = JsonDocument::parse(results, "results");
  if (!document)
    return problem(500, "the host's list of results is not JSON: " + document.error().message + "; report this");
  std::size_t failed = 0;
  std::string first;
  for (const JsonValue entry : document->root().elements()) {
    if (is_ok(entry) || failed++ > 0) continue;
    first = text_of(entry, "id", "?") + ": " + text_of(entry, "error", "refused without a reason");
  }
  if (failed == 0) return {.body = std::move(results)};
  const std::size_t all = document->root().size();
  if (all > 1) first += " (" + std::to_string(failed) + " of " + std::to_string(all) + " processes failed)";
  return problem(409, first, results);
}

}  // namespace tenon::control
