// Reads values out of config files, and collects everything that is wrong with them.
//
// Every reading function leaves `out` untouched, notes one problem and returns false when the value will not do:
// reading goes on, and all problems come out at once. A string is expanded (${NAME}) and never holds NUL.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "app/config_machine.hpp"
#include "app/config_problem.hpp"
#include "common/clock.hpp"
#include "common/json_document.hpp"

namespace tenon::app {

template <class E>
struct Choice {
  std::string_view name;
  E value;
};

class ConfigReader {
 public:
  static constexpr std::size_t kMaxProblems = 1000;

  // `machine` must outlive the reader.
  // With `forgiving`, doubts become warnings.
  explicit ConfigReader(ConfigMachine& machine, bool forgiving = false) : machine_(machine), forgiving_(forgiving) {}

  ConfigMachine& machine() noexcept { return machine_; }

  // Relative paths that stand in the file of this name begin at `directory`.
  void add_file(std::string name, std::string directory) { directories_[std::move(name)] = std::move(directory); }
  const std::string& directory_of(const JsonValue& value) const;

  // --- complaints; false, so that a reading function may return them ---
  bool wrong(const JsonValue& at, std::string expected) { return add(mismatch_at(at, std::move(expected))); }
  // `expected`: see problem_at(); never for values that nobody may see.
  bool refuse(const JsonValue& at, std::string sentence, std::string expected = {}) {
    return add(problem_at(at, std::move(sentence), std::move(expected)));
  }
  bool refuse_key(const JsonValue& at, std::string sentence, std::string expected = {}) {
    return add(problem_at_key(at, std::move(sentence), std::move(expected)));
  }
  // What the machine lacks for one process alone, and may have by the time that it starts.
  void doubt(const JsonValue& at, std::string sentence, std::string expected = {});
  bool add(ConfigProblem problem);
  void warn(const JsonValue& at, std::string sentence);
  std::size_t problem_count() const noexcept { return problems_.size(); }
  // All of them, by file in the order in which they were added, then by place.
  std::vector<ConfigProblem> take_problems() { return sorted(std::move(problems_)); }
  std::vector<ConfigProblem> take_warnings() { return sorted(std::move(warnings_)); }

  // --- values ---
  bool boolean(const JsonValue& at, bool& out);
  bool text(const JsonValue& at, std::string& out, std::string_view expected = "a string");
  bool nonempty(const JsonValue& at, std::string& out, std::string_view expected = "a string that is not empty");
  // Absolute, without "." and "..": those of symbolic links mean what they look like.
  bool path(const JsonValue& at, std::string& out);
  bool duration(const JsonValue& at, Duration& out, Duration least, Duration most);
  bool number(const JsonValue& at, double& out, double least, double most, bool without_least = false);
  template <std::integral T>
  bool whole(const JsonValue& at, T& out, std::int64_t least, std::int64_t most) {
    std::int64_t value = 0;
    if (!whole_i64(at, value, least, most)) return false;
    return out = static_cast<T>(value), true;
  }
  template <std::unsigned_integral T>
  bool size(const JsonValue& at, T& out, std::uint64_t least, std::uint64_t most) {
    std::uint64_t value = 0;
    if (!size_u64(at, value, least, most)) return false;
    return out = static_cast<T>(value), true;
  }
  // [A-Za-z0-9_-]{1,limit}.
  bool identifier(const JsonValue& at, std::string& out, std::size_t limit = 128);
  template <class E>
  bool choice(const JsonValue& at, E& out, std::span<const Choice<E>> choices) {
    std::vector<std::string_view> names;
    for (const auto& one : choices) {
      if (at.as_string() == one.name) return out = one.value, true;
      names.push_back(one.name);
    }
    return wrong_name(at, "one of", names);
  }
  // Calls `each` for every element; false with a problem if it is no array or has more than `most` elements.
  template <class F>
  bool array(const JsonValue& at, std::size_t most, std::string_view things, F&& each) {
    if (!check_array(at, most, things)) return false;
    for (const JsonValue element : at.elements()) each(element);
    return true;
  }
  // found …, expected <what> "a", "b"; did you mean "a"?
  bool wrong_name(const JsonValue& at, std::string_view what, const std::vector<std::string_view>& names);

  // The strings inside expanded; everything else as it is written. For what a plugin gets.
  std::string expanded_json(const JsonValue& at);

  // The value that was given first for this path, in any file; null if `at` is the first.
  const JsonValue* given_before(const JsonValue& at);

 private:
  static std::vector<ConfigProblem> sorted(std::vector<ConfigProblem> problems);
  bool whole_i64(const JsonValue& at, std::int64_t& out, std::int64_t least, std::int64_t most);
  bool size_u64(const JsonValue& at, std::uint64_t& out, std::uint64_t least, std::uint64_t most);
  bool check_array(const JsonValue& at, std::size_t most, std::string_view things);
  bool expand(const JsonValue& at, std::string_view written, std::string& out);
  void append_expanded(const JsonValue& at, std::string& out);

  ConfigMachine& machine_;
  const bool forgiving_;
  std::unordered_map<std::string, std::string> directories_;
  std::vector<ConfigProblem> problems_;
  std::vector<ConfigProblem> warnings_;
  std::map<std::string, JsonValue> given_;
};

// " (did you mean …?)" or nothing, to end a sentence.
std::string suggestion(std::string_view name, const std::vector<std::string_view>& names);

}  // namespace tenon::app
