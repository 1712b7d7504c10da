#include "support/host_census.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include "common/text.hpp"

namespace tenon::test_support {

namespace {

std::string text_of(const JsonValue& object, std::string_view key) {
  const auto member = object.find(key);
  return std::string(member ? member->as_string().value_or("") : "");
}

std::int64_t number_of(const JsonValue& object, std::string_view key) {
  const auto member = object.find(key);
  return member ? member->as_i64().value_or(0) : 0;
}

std::string environment_of(pid_t pid) { return '\0' + read_text("/proc/" + std::to_string(pid) + "/environ"); }

bool has(const std::string& environment, const std::string& variable) {
  return environment.find('\0' + variable + '\0') != std::string::npos;
}

std::string value_in(const std::string& environment, const std::string& name) {
  const std::size_t at = environment.find('\0' + name + '=');
  return at == std::string::npos ? "" : environment.c_str() + at + name.size() + 2;
}

// Where the control groups of version 2 are; empty: nowhere.
std::string unified_mount() {
  const std::string mounts = read_text("/proc/self/mounts");  // "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0"
  for (const std::string_view line : split(mounts, '\n')) {
    const auto fields = split(line, ' ');
    if (fields.size() > 2 && fields[2] == "cgroup2") return std::string(fields[1]);
  }
  return {};
}

bool is_frozen(pid_t pid) {
  static const std::string mount = unified_mount();
  const std::string groups = '\n' + read_text("/proc/" + std::to_string(pid) + "/cgroup");
  const std::size_t at = groups.find("\n0::");
  if (mount.empty() || at == std::string::npos) return false;
  const std::string path = groups.substr(at + 4, groups.find('\n', at + 1) - at - 4);
  return read_text(mount + path + "/cgroup.events").find("frozen 1") != std::string::npos;
}

// "4711 (a) b) S 1 4711 …": the name may hold anything, a parenthesis too. False of a zombie.
bool read_stat(pid_t pid, FoundProcess& out) {
  const std::string stat = read_text("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t end = stat.rfind(')');
  if (end == std::string::npos) return false;
  const auto fields = split(std::string_view(stat).substr(end + 1), ' ');
  if (fields.size() < 4) return false;
  out.stopped = fields[1] == "T" || is_frozen(pid);
  out.group = static_cast<pid_t>(std::atoi(std::string(fields[3]).c_str()));
  return fields[1] != "Z";
}

}  // namespace

std::optional<std::map<std::string, ToldProcess>> told_processes(const HostProcess& host) {
  const std::string answer = host.http_answer("/v1/processes/*");
  const std::size_t body = answer.find("\r\n\r\n");
  if (!answer.starts_with("HTTP/1.1 200") || body == std::string::npos) return std::nullopt;
  const auto document = JsonDocument::parse(answer.substr(body + 4), "processes", {.max_bytes = 64 << 20});
  if (!document.ok() || !document->root().is_array()) return std::nullopt;
  std::map<std::string, ToldProcess> told;
  for (const JsonValue process : document->root().elements()) {
    ToldProcess& one = told[text_of(process, "id")];
    one.status = text_of(process, "status"), one.phase = text_of(process, "phase");
    one.desired = text_of(process, "desired"), one.reason = text_of(process, "reason");
    one.pid = static_cast<pid_t>(number_of(process, "pid"));
    one.restarts = number_of(process, "restarts");
    const auto outdated = process.find("outdated");
    one.outdated = outdated && outdated->as_bool().value_or(false);
  }
  return told;
}

std::vector<FoundProcess> found_processes(const std::string& variable) {
  std::vector<FoundProcess> all;
  for (const pid_t pid : processes_with_environment(variable)) {
    FoundProcess found;
    found.pid = pid;
    const std::string environment = environment_of(pid);
    found.id = value_in(environment, "TENON_ID"), found.mode = value_in(environment, "MODE");
    found.command = read_text("/proc/" + std::to_string(pid) + "/cmdline");
    for (char& c : found.command)
      if (c == '\0') c = ' ';
    if (read_stat(pid, found)) all.push_back(std::move(found));
  }
  return all;
}

bool signal_if_has(pid_t pid, const std::string& variable, int signal_number) {
  const unique_fd held(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!held.valid() || !has(environment_of(pid), variable)) return false;
  return ::syscall(SYS_pidfd_send_signal, held.get(), signal_number, nullptr, 0) == 0;
}

}  // namespace tenon::test_support
