#include "app/config_environment.hpp"

#include "common/text.hpp"
#include "keeper/spawn_spec.hpp"

namespace tenon::app {

namespace {

constexpr std::size_t kMaxVariables = 4096;
constexpr std::size_t kMaxVariable = 128 * 1024 - 1;  // the kernel's MAX_ARG_STRLEN, "NAME=value" and a NUL
constexpr std::string_view kDefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// What is wrong with a variable, as a sentence without its value; empty: nothing.
std::string wrong_with(std::string_view name, std::string_view value) {
  if (name.empty()) return "a variable needs a name; write NAME=value";
  if (name.find_first_of("= \t") != name.npos) {
    return "the name " + quote_for_message(name) + " holds '=' or white space; rename the variable";
  }
  const bool by_sd_notify = name == "NOTIFY_SOCKET" || name == "WATCHDOG_USEC" || name == "WATCHDOG_PID";
  if (by_sd_notify || (name.starts_with("TENON_") && name != "TENON_SOCKET")) {
    return quote_for_message(name) + " is set by the host alone; rename the variable";
  }
  if (name.size() + 1 + value.size() >= kMaxVariable) {
    return quote_for_message(name) + " is longer than 128 KiB, which the kernel does not take; put it into a file";
  }
  return "";
}

void read_line(ConfigReader& reader, const std::string& file, std::uint32_t number, std::string_view line,
               Environment& out) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  const std::string_view text = trim(line);
  if (text.empty() || text.starts_with('#')) return;
  const std::size_t equals = line.find('=');
  const std::string_view name = trim(line.substr(0, equals));
  const std::string_view value = equals == line.npos ? std::string_view() : line.substr(equals + 1);
  std::string wrong = wrong_with(name, value);
  if (equals == line.npos) wrong = "the line is neither NAME=value nor a # comment; mend it";
  if (value.find('\0') != value.npos) wrong = "a value cannot hold a NUL character; remove it";
  if (wrong.empty()) {
    out[std::string(name)] = value;
  } else {
    reader.add({.file = file, .line = number, .column = 1, .sentence = std::move(wrong)});
  }
}

void read_env_file(ConfigReader& reader, const JsonValue& at, Environment& out) {
  std::string path;
  if (!reader.path(at, path)) return;
  const auto text = reader.machine().env_file(path);
  if (!text) {
    reader.refuse(at, text.error().message);
    return;
  }
  std::uint32_t number = 0;
  for (const std::string_view line : split(*text, '\n')) read_line(reader, path, ++number, line, out);
}

}  // namespace

void read_env(ConfigReader& reader, const JsonValue& at, Environment& out) {
  if (!at.is_object()) {
    reader.wrong(at, "an object such as {\"MODE\": \"fast\"}");
    return;
  }
  if (at.size() > kMaxVariables) {
    reader.wrong(at, "at most " + std::to_string(kMaxVariables) + " variables");
    return;
  }
  for (const JsonMember member : at.members()) {
    std::string value;
    if (!member.value.is_string()) {
      // Not mismatch: it would quote the value.
      reader.refuse(member.value, "found " + std::string(to_string(member.value.kind())) +
                                      ", expected a string; put it in quotes");
      continue;
    }
    if (!reader.text(member.value, value)) continue;
    const std::string wrong = wrong_with(member.key, value);
    if (wrong.empty()) {
      out[std::string(member.key)] = std::move(value);
    } else {
      reader.refuse_key(member.value, wrong);
    }
  }
}

Environment compose_environment(ConfigReader& reader, const EnvironmentDraft& draft,
                                const integration::ChannelConfig& channel, std::size_t passed_sockets,
                                const std::string& node) {
  ConfigMachine& machine = reader.machine();
  Environment environment;
  for (const char* name : {"PATH", "HOME", "USER", "LANG"}) {
    if (auto value = machine.variable(name)) environment[name] = *std::move(value);
  }
  if (draft.inherit) {
    for (const std::string& entry : machine.inherited()) {
      const std::size_t equals = entry.find('=');
      environment[entry.substr(0, equals)] = entry.substr(equals + 1);
    }
  }
  if (environment["PATH"].empty()) environment["PATH"] = kDefaultPath;
  if (draft.user != nullptr) {
    environment["HOME"] = draft.user->home;
    environment["USER"] = draft.user->name;
    if (const auto login = environment.find("LOGNAME"); login != environment.end()) login->second = draft.user->name;
  }
  if (draft.file) read_env_file(reader, *draft.file, environment);
  for (const auto& [name, value] : draft.own) environment[name] = value;
  environment["TENON_NODE"] = node;
  if (channel.kind != runtime::ChannelKind::none)
    environment["TENON_CONTENT_TYPE"] = content_type_of(channel.serializer);
  if (channel.kind == runtime::ChannelKind::socket) {
    environment["TENON_CHANNEL_FD"] = std::to_string(keeper::channel_descriptor(passed_sockets));
  }
  return environment;
}

std::vector<std::string> as_list(const Environment& environment) {
  std::vector<std::string> list;
  list.reserve(environment.size());
  for (const auto& [name, value] : environment) list.push_back(name + "=" + value);
  return list;
}

std::string content_type_of(const std::string& serializer) { return "application/" + serializer; }

}  // namespace tenon::app
