// What is wrong with a config, with the place where it stands.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/json_document.hpp"

namespace tenon::app {

// `found` and `expected` are set, or `sentence` is, or all three; the sentence is then what people read. A value of the
// environment never stands in any of them: what was found is quoted as it is written, before ${NAME} is expanded.
struct ConfigProblem {
  std::string file;          // as the operator named it
  std::uint32_t line = 0;    // from 1; 0: the file as a whole
  std::uint32_t column = 0;  // from 1, in characters; 0 together with line
  std::string path;          // "$.supervision.children[2].command"; empty: the file as a whole
  std::string found;
  std::string expected;
  std::string sentence;
  bool operator==(const ConfigProblem&) const = default;
};

// At the value, and at its key. With `expected`, which the sentence says in other words, what was found is quoted.
ConfigProblem problem_at(const JsonValue& value, std::string sentence, std::string expected = {});
ConfigProblem problem_at_key(const JsonValue& value, std::string sentence, std::string expected = {});
// "found <what stands there>, expected <expected>".
ConfigProblem mismatch_at(const JsonValue& value, std::string expected);
// A text that is no JSON: the place and the reason out of JsonDocument's error, which begins with them.
ConfigProblem syntax_problem(const std::string& file, const Error& error);

// "found 5, expected a string", or the sentence.
std::string reason(const ConfigProblem& problem);
// "tenon.json:12:7: $.control.socket: found 5, expected a string"; no line feed.
std::string to_string(const ConfigProblem& problem);

// A line each, in the order of file and line, then a line that counts them: "2 errors, 1 warning". For `tenon check`.
std::string format_problems(const std::vector<ConfigProblem>& problems, const std::vector<ConfigProblem>& warnings);
// {"ok":false,"errors":[{"file":…,"line":…,"column":…,"path":…,"found":…,"expected":…,"message":…}],"warnings":[…]};
// members that do not apply are left out.
std::string problems_to_json(const std::vector<ConfigProblem>& problems, const std::vector<ConfigProblem>& warnings);

}  // namespace tenon::app
