// The one file that includes CLI11.
#include "cli/command_line.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <algorithm>
#include <charconv>
#include <map>

#include "cli/cli.hpp"
#include "common/exit_status.hpp"
#include "common/text.hpp"
#include "common/units.hpp"
#include "control/protocol.hpp"

namespace tenon::cli {

namespace {

// A text that CLI11 filled, turned into a value after parsing: so that our own units and messages apply.
struct RawOptions {
  std::optional<std::string> name, count, timeout, run_for, interval, sort;
  std::string input;
};

class Parser {
 public:
  explicit Parser(const std::string& version);
  Parsed parse(int argc, const char* const* argv);

 private:
  CLI::App* add(const VerbEntry& entry);
  void add_arguments(const VerbEntry& entry, CLI::App& verb);
  void add_event(CLI::App& verb);
  void add_processes(CLI::App& verb);
  void add_ids(CLI::App& verb);
  void add_no_wait(CLI::App& verb, const char* meaning);
  void add_count(CLI::App& verb, const char* meaning);
  void add_top(CLI::App& verb);
  std::string check();
  std::string check_limits() const;
  std::string complain(const std::string& problem, const std::string& verb_name) const;

  CLI::App app_;
  Arguments arguments_;
  RawOptions raw_;
  std::map<std::string, CLI::App*> groups_;
  std::vector<std::pair<const VerbEntry*, CLI::App*>> verbs_;
};

// For options whose absence means something else than an empty text.
std::string not_empty(const std::string& text) {
  return text.empty() ? "an empty text names nothing; leave the option out" : std::string();
}

std::string flattened(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  }
  return std::string(trim(text));
}

Parser::Parser(const std::string& version)
    : app_("Tenon keeps processes alive and lets them exchange events.", "tenon") {
  app_.set_version_flag("--version", "tenon " + version, "print the version");
  app_.set_help_flag("-h,--help", "print this help");
  app_.add_option("--socket", arguments_.socket,
                  "the host's control socket; else $TENON_SOCKET, else (run) the config's, else the user's runtime directory")
      ->check(not_empty);
  app_.footer("Each verb has its own help with an example: tenon VERB --help\n"
              "Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 the host is not running.");
  app_.require_subcommand(1);
  for (const VerbEntry& entry : verb_table()) verbs_.emplace_back(&entry, add(entry));
}

CLI::App* Parser::add(const VerbEntry& entry) {
  const std::size_t space = entry.name.find(' ');
  CLI::App* parent = &app_;
  if (space != entry.name.npos) {
    const std::string group(entry.name.substr(0, space));
    CLI::App*& known = groups_[group];
    if (known == nullptr) {
      known = app_.add_subcommand(group, group == "plugin" ? "look at plugins" : "look at undelivered events");
      known->require_subcommand(1);
    }
    parent = known;
  }
  const std::string name(space == entry.name.npos ? entry.name : entry.name.substr(space + 1));
  CLI::App* verb = parent->add_subcommand(name, std::string(entry.summary));
  verb->add_option("--socket", arguments_.socket, "the host's control socket")->check(not_empty);
  verb->footer("Example:\n  " + std::string(entry.example));
  add_arguments(entry, *verb);
  return verb;
}

void Parser::add_event(CLI::App& verb) {
  verb.add_option("TOPIC", raw_.name, "where to")->required();
  verb.add_option("input", raw_.input, "- : read the data from stdin")->check([](const std::string& text) {
    return text == "-" ? std::string()
                       : "unexpected " + quote_for_message(text) + "; give data with --data, --file or -";
  });
  auto* data = verb.add_option("--data", arguments_.data, "the event's data, as JSON");
  verb.add_option("--file", arguments_.file, "a file that holds the data, as JSON")->excludes(data)->check(not_empty);
  verb.add_option("--type", arguments_.type, "the event's type; else the topic")->check(not_empty);
}

void Parser::add_processes(CLI::App& verb) {
  add_ids(verb);
  add_no_wait(verb, "do not wait for the result");
}

void Parser::add_ids(CLI::App& verb) {
  verb.add_option("ID", arguments_.names, "processes, globs or supervisors")->required();
}

// Not as a negated flag, which the help would show as "--no-wait{false}".
void Parser::add_no_wait(CLI::App& verb, const char* meaning) {
  verb.add_flag_callback("--no-wait", [this] { arguments_.wait = false; }, meaning);
}

void Parser::add_count(CLI::App& verb, const char* meaning) {
  verb.add_option("-n", raw_.count, meaning);
}

void Parser::add_top(CLI::App& verb) {
  verb.add_option("--interval", raw_.interval,
                  "between two refreshes: 100ms to 1h, 1s if not given; a slow host is asked less often");
  verb.add_option("--sort", raw_.sort, "cpu, memory, restarts, id, status or uptime; cpu if not given");
  add_count(verb, "print so many snapshots instead, one array a line with --json; 1 where stdout is no terminal");
}

void Parser::add_arguments(const VerbEntry& entry, CLI::App& verb) {
  const auto one = [&](const char* name, const char* meaning) {
    verb.add_option(name, raw_.name, meaning)->required();
  };
  if (entry.verb != Verb::run && entry.verb != Verb::shutdown) {
    verb.add_flag("--json", arguments_.json, "print JSON instead of a table");
  }
  switch (entry.verb) {
    case Verb::run:
      one("CONFIG", "the config file");
      verb.add_option("--for", raw_.run_for, "stop after this time, such as 30s");
      verb.add_flag("--until-idle", arguments_.until_idle, "stop when there is nothing left to do");
      break;
    case Verb::check: one("CONFIG", "the config file"); break;
    case Verb::plugin_info: one("FILE", "a plugin file"); break;
    case Verb::top: add_top(verb); break;
    case Verb::status: add_ids(verb); break;
    case Verb::kill:
      add_processes(verb);
      verb.add_option("-s,--signal", arguments_.signal, "the signal, TERM if not given");
      break;
    case Verb::start:
    case Verb::stop:
    case Verb::restart:
    case Verb::pause:
    case Verb::resume: add_processes(verb); break;
    case Verb::logs:
      add_ids(verb);
      verb.add_flag("-f,--follow", arguments_.follow, "go on with what it says from now on");
      add_count(verb, "how many of the last lines, 100 if not given");
      break;
    case Verb::send: add_event(verb); break;
    case Verb::request:
      add_event(verb);
      verb.add_option("--timeout", raw_.timeout, "how long to wait for the reply, 30s if not given, at most 5m");
      break;
    case Verb::tail:
      one("PATTERN", "topics, such as 'task.>'");
      add_count(verb, "end after so many events");
      break;
    case Verb::reload: add_no_wait(verb, "do not wait until everything has stopped or started"); break;
    case Verb::diff: one("CONFIG", "a config file"); break;
    case Verb::scale:
      one("ID", "the child, without a replica's number");
      verb.add_option("N", raw_.count, "how many replicas")->required();
      add_no_wait(verb, "do not wait until everything has stopped or started");
      break;
    case Verb::shutdown: add_no_wait(verb, "do not wait until the host has ended"); break;
    case Verb::dead_letters_list: add_count(verb, "how many of the last, 100 if not given"); break;
    default: break;
  }
}

// Both return what is wrong; empty: nothing.
std::string read_duration(const char* option, const std::optional<std::string>& text, std::optional<Duration>& into) {
  if (!text) return {};
  const auto value = parse_duration(*text);
  if (!value) return std::string(option) + ": " + value.error().message;
  into = *value;
  return {};
}

std::string read_count(const char* option, const std::optional<std::string>& text,
                       std::optional<std::uint64_t>& into) {
  if (!text) return {};
  std::uint64_t count = 0;
  const char* end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, count);
  if (error != std::errc() || stop != end)
    return std::string(option) + ": found " + quote_for_message(*text) + ", expected a whole number";
  into = count;
  return {};
}

constexpr Duration kMinInterval = std::chrono::milliseconds(100);
constexpr Duration kMaxInterval = std::chrono::hours(1);

// The host would refuse the same, by the names of its own parameters.
std::string Parser::check_limits() const {
  if (arguments_.timeout && (*arguments_.timeout == Duration(0) || *arguments_.timeout > control::kMaxRequestTimeout))
    return "--timeout: found " + quote_for_message(*raw_.timeout) + ", expected more than 0 and at most " +
           duration_to_config(control::kMaxRequestTimeout);
  if (arguments_.interval && (*arguments_.interval < kMinInterval || *arguments_.interval > kMaxInterval))
    return "--interval: found " + quote_for_message(*raw_.interval) + ", expected 100ms to 1h";
  std::uint64_t most = UINT64_MAX;
  if (arguments_.verb == Verb::logs) most = control::kMaxLogLines;
  if (arguments_.verb == Verb::dead_letters_list) most = control::kMaxListedLetters;
  if (arguments_.count.value_or(0) <= most) return {};
  return "-n: found " + quote_for_message(*raw_.count) + ", expected at most " + std::to_string(most);
}

// What CLI11 cannot know. Empty: all is well.
std::string Parser::check() {
  if (auto problem = read_duration("--for", raw_.run_for, arguments_.run_for); !problem.empty()) return problem;
  if (auto problem = read_duration("--timeout", raw_.timeout, arguments_.timeout); !problem.empty()) return problem;
  const char* const count = arguments_.verb == Verb::scale ? "N" : "-n";
  if (auto problem = read_count(count, raw_.count, arguments_.count); !problem.empty()) return problem;
  if (auto problem = read_duration("--interval", raw_.interval, arguments_.interval); !problem.empty()) return problem;
  if (raw_.sort) arguments_.sort = parse_sort_key(*raw_.sort);
  if (raw_.sort && !arguments_.sort)
    return "--sort: found " + quote_for_message(*raw_.sort) +
           ", expected cpu, memory, restarts, id, status or uptime";
  if (auto problem = check_limits(); !problem.empty()) return problem;
  if (raw_.name) arguments_.names.push_back(*raw_.name);
  for (const std::string& name : arguments_.names) {
    if (name.empty()) return "an empty text names nothing";
  }
  arguments_.from_input = raw_.input == "-";
  if (arguments_.from_input && (arguments_.data || arguments_.file)) return "give data once: with --data, --file or -";
  if (arguments_.signal && !parse_signal(*arguments_.signal)) {
    return "there is no signal " + quote_for_message(*arguments_.signal) + "; use a name such as TERM, HUP or KILL";
  }
  return {};
}

std::string Parser::complain(const std::string& problem, const std::string& verb_name) const {
  return flattened(problem) + "; see tenon " + verb_name + (verb_name.empty() ? "" : " ") + "--help";
}

Parsed Parser::parse(int argc, const char* const* argv) {
  std::string verb_name;
  const auto find_verb = [&]() -> const VerbEntry* {
    for (const auto& [entry, app] : verbs_) {
      if (app->parsed()) return entry;
    }
    return nullptr;
  };
  try {
    app_.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return {.out = app_.help()};
  } catch (const CLI::CallForVersion& version) {
    return {.out = std::string(version.what()) + "\n"};
  } catch (const CLI::Error& error) {
    const VerbEntry* entry = find_verb();
    return {.exit_code = kWrongUsage, .error = complain(error.what(), entry ? std::string(entry->name) : "")};
  }
  const VerbEntry* entry = find_verb();
  arguments_.verb = entry->verb;
  if (const std::string problem = check(); !problem.empty()) {
    return {.exit_code = kWrongUsage, .error = complain(problem, std::string(entry->name))};
  }
  return {.arguments = std::move(arguments_)};
}

// The first two words that are neither options nor the value of --socket.
std::vector<std::string_view> leading_words(int argc, const char* const* argv) {
  std::vector<std::string_view> words;
  for (int i = 1; i < argc && words.size() < 2; ++i) {
    const std::string_view word = argv[i];
    if (word == "--socket") ++i;
    else if (!word.starts_with('-')) words.push_back(word);
  }
  return words;
}

// `help`, `help VERB` and `help GROUP VERB` are what people type who do not know us yet.
Parsed help(int argc, const char* const* argv, const std::string& version) {
  std::vector<const char*> words(argv, argv + argc);
  const auto is_help = [](const char* word) { return std::string_view(word) == "help"; };
  words.erase(std::find_if(words.begin() + 1, words.end(), is_help));
  words.push_back("--help");
  return parse_command_line(static_cast<int>(words.size()), words.data(), version);
}

}  // namespace

Parsed parse_command_line(int argc, const char* const* argv, const std::string& version) {
  const std::vector<std::string_view> words = leading_words(argc, argv);
  if (!words.empty() && words.front() == "help") return help(argc, argv, version);
  // CLI11 would only say that it did not expect the word.
  if (const std::string problem = wrong_with_verb(words); !problem.empty())
    return {.exit_code = kWrongUsage, .error = problem + (problem.ends_with('?') ? " See" : "; see") + " tenon --help"};
  // CLI11 would take the next word for the value.
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--") break;
    if (word.starts_with("--") && word.find('=') == word.size() - 1)
      return {.exit_code = kWrongUsage,
              .error = quote_for_message(word) + " gives no value; write one behind it, or leave the option out; see "
                                                 "tenon --help"};
  }
  return Parser(version).parse(argc, argv);
}

}  // namespace tenon::cli
