#include "app/config_reader.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <tuple>

#include "common/expand.hpp"
#include "common/json_writer.hpp"
#include "common/text.hpp"
#include "common/units.hpp"

namespace tenon::app {

namespace {

std::string spelled(double value) {
  char text[32];
  const auto [end, failed] = std::to_chars(text, text + sizeof text, value);
  return failed == std::errc() ? std::string(text, end) : "?";
}

std::string range_text(std::string_view things, const std::string& least, const std::string& most) {
  return std::string(things) + " from " + least + " to " + most;
}

std::string bytes_to_config(std::uint64_t bytes) {
  std::string text = format_bytes(bytes);
  text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
  return text;
}

}  // namespace

std::string suggestion(std::string_view name, const std::vector<std::string_view>& names) {
  const auto near = nearest_name(name, names);
  return near ? "; did you mean " + quote_for_message(*near) + "?" : "";
}

const std::string& ConfigReader::directory_of(const JsonValue& value) const {
  static const std::string here = ".";
  const auto found = directories_.find(std::string(value.file_name()));
  return found == directories_.end() ? here : found->second;
}

bool ConfigReader::add(ConfigProblem problem) {
  if (problems_.size() < kMaxProblems) {
    problems_.push_back(std::move(problem));
  } else if (problems_.size() == kMaxProblems) {
    problems_.push_back({.file = problem.file, .sentence = "there is more; mend these errors and check again"});
  }
  return false;
}

void ConfigReader::doubt(const JsonValue& at, std::string sentence, std::string expected) {
  if (!forgiving_) refuse(at, std::move(sentence), std::move(expected));
  else warn(at, std::move(sentence));
}

void ConfigReader::warn(const JsonValue& at, std::string sentence) {
  if (warnings_.size() < kMaxProblems) warnings_.push_back(problem_at(at, std::move(sentence)));
}

std::vector<ConfigProblem> ConfigReader::sorted(std::vector<ConfigProblem> problems) {
  std::vector<std::string> files;
  for (const auto& problem : problems) {
    if (std::find(files.begin(), files.end(), problem.file) == files.end()) files.push_back(problem.file);
  }
  const auto rank = [&](const ConfigProblem& problem) {
    return std::tuple(std::find(files.begin(), files.end(), problem.file) - files.begin(), problem.line,
                      problem.column);
  };
  std::stable_sort(problems.begin(), problems.end(), [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  problems.erase(std::unique(problems.begin(), problems.end()), problems.end());
  return problems;
}

bool ConfigReader::boolean(const JsonValue& at, bool& out) {
  const auto value = at.as_bool();
  return value ? (out = *value, true) : wrong(at, "true or false");
}

bool ConfigReader::expand(const JsonValue& at, std::string_view written, std::string& out) {
  if (written.find('\0') != std::string_view::npos) return wrong(at, "a string without the character \\u0000");
  if (written.find('$') == std::string_view::npos) return out = written, true;
  auto value = expand_variables(written, [this](std::string_view name) { return machine_.variable(name); });
  if (!value) return refuse(at, value.error().message);
  return out = std::move(value).value(), true;
}

bool ConfigReader::text(const JsonValue& at, std::string& out, std::string_view expected) {
  const auto value = at.as_string();
  return value ? expand(at, *value, out) : wrong(at, std::string(expected));
}

bool ConfigReader::nonempty(const JsonValue& at, std::string& out, std::string_view expected) {
  std::string value;
  if (!text(at, value, expected)) return false;
  if (value.empty()) return wrong(at, std::string(expected));
  return out = std::move(value), true;
}

bool ConfigReader::path(const JsonValue& at, std::string& out) {
  std::string value;
  if (!nonempty(at, value, "a path")) return false;
  out = (std::filesystem::path(directory_of(at)) / value).lexically_normal().string();
  if (out.size() > 1 && out.ends_with('/')) out.pop_back();
  return true;
}

bool ConfigReader::duration(const JsonValue& at, Duration& out, Duration least, Duration most) {
  const auto expected = [&] {
    return range_text("a duration such as \"250ms\", \"5s\" or \"2m\",", duration_to_config(least),
                      duration_to_config(most));
  };
  std::string written;
  if (!text(at, written, expected())) return false;
  const auto value = parse_duration(written);
  if (!value || *value < least || *value > most) return wrong(at, expected());
  return out = *value, true;
}

bool ConfigReader::number(const JsonValue& at, double& out, double least, double most, bool without_least) {
  const auto value = at.as_double();
  if (!value || !(*value >= least && *value <= most) || (without_least && *value == least)) {
    return wrong(at, without_least ? "a number above " + spelled(least) + ", at most " + spelled(most)
                                   : range_text("a number", spelled(least), spelled(most)));
  }
  return out = *value, true;
}

bool ConfigReader::whole_i64(const JsonValue& at, std::int64_t& out, std::int64_t least, std::int64_t most) {
  const auto value = at.as_i64();
  if (!value || *value < least || *value > most) {
    return wrong(at, range_text("a whole number", std::to_string(least), std::to_string(most)));
  }
  return out = *value, true;
}

bool ConfigReader::size_u64(const JsonValue& at, std::uint64_t& out, std::uint64_t least, std::uint64_t most) {
  const auto expected = [&] {
    return range_text("a size such as \"64KiB\" or \"256MiB\",", bytes_to_config(least), bytes_to_config(most));
  };
  std::string written;
  if (!text(at, written, expected())) return false;
  const auto value = parse_bytes(written);
  if (!value || *value < least || *value > most) return wrong(at, expected());
  return out = *value, true;
}

bool ConfigReader::identifier(const JsonValue& at, std::string& out, std::size_t limit) {
  std::string value;
  const auto expected = [&] { return "1 to " + std::to_string(limit) + " of the characters A-Z a-z 0-9 _ -"; };
  if (!text(at, value, expected())) return false;
  const bool legal = !value.empty() && value.size() <= limit && std::all_of(value.begin(), value.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
  return legal ? (out = std::move(value), true) : wrong(at, expected());
}

bool ConfigReader::check_array(const JsonValue& at, std::size_t most, std::string_view things) {
  if (!at.is_array()) return wrong(at, "an array of " + std::string(things));
  if (at.size() > most) return wrong(at, "at most " + std::to_string(most) + " " + std::string(things));
  return true;
}

bool ConfigReader::wrong_name(const JsonValue& at, std::string_view what, const std::vector<std::string_view>& names) {
  std::string expected(what);
  const char* before = " ";
  for (const std::string_view name : names) expected += before + quote_for_message(name), before = ", ";
  return wrong(at, expected + suggestion(at.as_string().value_or(""), names));
}

std::string ConfigReader::expanded_json(const JsonValue& at) {
  if (at.raw().find('$') == std::string_view::npos) return at.to_json();
  std::string out;
  append_expanded(at, out);
  return out;
}

// Recursion is bounded by JsonOptions::max_depth, with which every config file was parsed.
void ConfigReader::append_expanded(const JsonValue& at, std::string& out) {
  const bool object = at.is_object();
  if (const auto written = at.as_string()) {
    std::string value;
    expand(at, *written, value);
    append_json_string(out, value);
  } else if (!object && !at.is_array()) {
    out += at.raw();
  } else {
    out += object ? '{' : '[';
    for (std::size_t i = 0; i < at.size(); ++i) {
      if (i > 0) out += ',';
      if (object) append_json_string(out, at.at(i).key()), out += ':';
      append_expanded(at.at(i), out);
    }
    out += object ? '}' : ']';
  }
}

const JsonValue* ConfigReader::given_before(const JsonValue& at) {
  const auto [first, fresh] = given_.emplace(at.path(), at);
  return fresh ? nullptr : &first->second;
}

}  // namespace tenon::app
