#include "app/config_problem.hpp"

#include <charconv>

#include "common/json_writer.hpp"
#include "common/text.hpp"

namespace tenon::app {

namespace {

ConfigProblem at_position(const JsonValue& value, JsonPosition position) {
  ConfigProblem problem;
  problem.file = value.file_name();
  problem.line = position.line;
  problem.column = position.column;
  problem.path = value.path();
  return problem;
}

std::string place(const ConfigProblem& problem) {
  std::string text = problem.file;
  if (problem.line > 0) text += ":" + std::to_string(problem.line) + ":" + std::to_string(problem.column);
  return text + ": ";
}

std::string counted(std::size_t count, const std::string& thing) {
  return std::to_string(count) + " " + thing + (count == 1 ? "" : "s");
}

void write_list(JsonWriter& writer, const char* name, const std::vector<ConfigProblem>& list) {
  writer.key(name).begin_array();
  for (const ConfigProblem& problem : list) {
    writer.begin_object().member("file", problem.file);
    if (problem.line > 0) writer.member("line", problem.line).member("column", problem.column);
    if (!problem.path.empty()) writer.member("path", problem.path);
    if (!problem.expected.empty()) writer.member("found", problem.found).member("expected", problem.expected);
    writer.member("message", reason(problem)).end_object();
  }
  writer.end_array();
}

// Takes ":12" off the front of `text`; 0 if there is none.
std::uint32_t take_number(std::string_view& text) {
  std::uint32_t number = 0;
  if (!text.starts_with(':')) return 0;
  const auto [end, failed] = std::from_chars(text.data() + 1, text.data() + text.size(), number);
  if (failed != std::errc()) return 0;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

}  // namespace

ConfigProblem problem_at(const JsonValue& value, std::string sentence, std::string expected) {
  ConfigProblem problem = at_position(value, value.position());
  if (!expected.empty()) problem.found = value.describe();
  problem.expected = std::move(expected);
  problem.sentence = std::move(sentence);
  return problem;
}

ConfigProblem problem_at_key(const JsonValue& value, std::string sentence, std::string expected) {
  ConfigProblem problem = at_position(value, value.key_position());
  if (!expected.empty()) problem.found = "the key " + quote_for_message(value.key());
  problem.expected = std::move(expected);
  problem.sentence = std::move(sentence);
  return problem;
}

ConfigProblem mismatch_at(const JsonValue& value, std::string expected) {
  ConfigProblem problem = at_position(value, value.position());
  problem.found = value.describe();
  problem.expected = std::move(expected);
  return problem;
}

ConfigProblem syntax_problem(const std::string& file, const Error& error) {
  ConfigProblem problem;
  problem.file = file;
  std::string_view text = error.message;
  if (text.starts_with(file)) {
    std::string_view rest = text.substr(file.size());
    problem.line = take_number(rest);
    problem.column = take_number(rest);
    if (rest.starts_with(": ")) text = rest.substr(2);
  }
  problem.sentence = text;
  return problem;
}

std::string reason(const ConfigProblem& problem) {
  if (!problem.sentence.empty()) return problem.sentence;
  return "found " + problem.found + ", expected " + problem.expected;
}

std::string to_string(const ConfigProblem& problem) {
  return place(problem) + (problem.path.empty() ? "" : problem.path + ": ") + reason(problem);
}

std::string format_problems(const std::vector<ConfigProblem>& problems, const std::vector<ConfigProblem>& warnings) {
  std::string text;
  for (const ConfigProblem& problem : problems) text += to_string(problem) + "\n";
  for (const ConfigProblem& warning : warnings) {
    text += place(warning) + "warning: " + (warning.path.empty() ? "" : warning.path + ": ") + reason(warning) + "\n";
  }
  text += problems.empty() ? "no errors" : counted(problems.size(), "error");
  if (!warnings.empty()) text += ", " + counted(warnings.size(), "warning");
  return text + "\n";
}

std::string problems_to_json(const std::vector<ConfigProblem>& problems, const std::vector<ConfigProblem>& warnings) {
  JsonWriter writer;
  writer.begin_object().member("ok", problems.empty());
  write_list(writer, "errors", problems);
  write_list(writer, "warnings", warnings);
  writer.end_object();
  return writer.take();
}

}  // namespace tenon::app
