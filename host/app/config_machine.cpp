#include "app/config_machine.hpp"

#include <cerrno>
#include <charconv>
#include <filesystem>

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/script_interpreter.hpp"
#include "common/system.hpp"
#include "common/text.hpp"
#include "keeper/cgroups.hpp"
#include "runtime/log_file.hpp"

namespace tenon::app {

namespace {

constexpr std::size_t kMaxEnvFile = 1u << 20;
constexpr std::size_t kMaxGroups = 65'536;  // NGROUPS_MAX of Linux

// What only the host may know, or what was meant for the host itself by whoever started it.
bool is_hosts_own(std::string_view name) {
  if (name.starts_with("TENON_")) return name != "TENON_SOCKET";
  for (const char* own : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID",
                          "LISTEN_FDNAMES", "LISTEN_PIDFDID", "JOURNAL_STREAM", "INVOCATION_ID", "MAINPID"}) {
    if (name == own) return true;
  }
  return false;
}

std::vector<std::uint32_t> groups_of(const passwd& entry) {
  int count = 64;
  std::vector<gid_t> groups(64);
  while (::getgrouplist(entry.pw_name, entry.pw_gid, groups.data(), &count) < 0 && groups.size() < kMaxGroups) {
    groups.resize(std::max<std::size_t>(groups.size() * 2, static_cast<std::size_t>(std::max(count, 0))));
    count = static_cast<int>(groups.size());
  }
  groups.resize(std::min<std::size_t>(groups.size(), static_cast<std::size_t>(std::max(count, 0))));
  return {groups.begin(), groups.end()};
}

Result<ConfigUser> look_up_user(const std::string& name) {
  passwd entry{};
  passwd* found = nullptr;
  std::vector<char> buffer(4096);
  std::uint32_t number = 0;
  const auto [end, failed] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool numeric = failed == std::errc() && end == name.data() + name.size();
  for (;;) {
    int result = ::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
    if (result == 0 && found == nullptr && numeric) {
      result = ::getpwuid_r(number, &entry, buffer.data(), buffer.size(), &found);
    }
    if (result != ERANGE || buffer.size() > (1u << 20)) break;
    buffer.resize(buffer.size() * 2);
  }
  if (found == nullptr) {
    return Error(errc::not_found, "there is no user " + quote_for_message(name) + " on this machine; create it or name "
                                  "another one", fault::caller);
  }
  return ConfigUser{entry.pw_name, entry.pw_dir, entry.pw_uid, entry.pw_gid, groups_of(entry)};
}

// Why stat() failed, for a person.
std::string unreachable(int error, const std::string& thing, const std::string& path) {
  const std::string name = "the " + thing + " " + quote_for_message(path, 256);
  if (error == ENOENT || error == ENOTDIR) return name + " does not exist; create it or name another one";
  return Error::from_errno(error, "look at " + name).message + "; make it reachable for the host's user";
}

std::string judge_directory(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return unreachable(errno, "directory", path);
  if (!S_ISDIR(info.st_mode)) return quote_for_message(path, 256) + " is not a directory; name one";
  if (::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) != 0) return unreachable(errno, "directory", path);
  return "";
}

std::string judge_command(const std::string& program, const std::string& search_path) {
  if (program.find('/') != std::string::npos) {
    switch (look_for_program(program)) {
      case Found::program: return wrong_with_interpreter(program, search_path);
      case Found::not_executable:
        return "the file is not an executable program; mend it with chmod +x, or name another";
      case Found::nothing: return "no such program; a path with a / is relative to the config file";
    }
  }
  bool seen = false;
  for (const std::string_view directory : split(search_path, ':')) {
    const std::string path = std::string(directory.empty() ? "." : directory) + "/" + program;
    const Found found = look_for_program(path);
    if (found == Found::program) return wrong_with_interpreter(path, search_path);
    seen |= found == Found::not_executable;
  }
  if (seen) return "what the child's PATH has of this name is not executable; mend it with chmod +x";
  return "no such program in the child's PATH; install it, or write a path with a / in it";
}

std::string judge_socket(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) == 0 && !S_ISSOCK(info.st_mode))
    return quote_for_message(path, 256) + " exists and is not a socket; remove it or choose another path";
  const std::string parent = std::filesystem::path(path).parent_path().string();
  if (::stat(parent.c_str(), &info) == 0) {
    const std::string name = quote_for_message(parent, 256);
    if (!S_ISDIR(info.st_mode)) return name + " is not a directory; choose another path";
    if (::faccessat(AT_FDCWD, parent.c_str(), W_OK | X_OK, AT_EACCESS) == 0) return "";
    return "the host's user may not make a socket in " + name + "; choose another path or change its rights";
  }
  // The host makes this one directory, none above it.
  const std::string above = std::filesystem::path(parent).parent_path().string();
  if (std::string wrong = judge_directory(above); !wrong.empty()) return wrong;
  if (::faccessat(AT_FDCWD, above.c_str(), W_OK, AT_EACCESS) == 0) return "";
  return "the directory " + quote_for_message(parent, 256) + " does not exist, and the host's user may not make it; " +
         "make it or choose another path";
}

std::string judge_secret(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return unreachable(errno, "file", path);
  const std::string name = quote_for_message(path, 256);
  if (!S_ISREG(info.st_mode)) return name + " is not a regular file; name one";
  if (info.st_uid != ::geteuid() && info.st_uid != 0) {
    return name + " belongs to another user; give it to the host's user";
  }
  if ((info.st_mode & 077) != 0) return "others than the host's user may read " + name + "; run chmod 600 on it";
  return "";
}

}  // namespace

ConfigMachine::ConfigMachine(ConfigRecords& records, bool replay) : records_(records), replay_(replay) {
  for (const std::string& entry : records_.environment) {
    const std::string_view text = entry;
    const std::size_t equals = text.find('=');
    const std::string_view name = text.substr(0, equals);
    if (equals == std::string_view::npos || !variables_.emplace(name, text.substr(equals + 1)).second) continue;
    if (!name.empty() && !is_hosts_own(name)) inherited_.push_back(entry);
  }
}

std::optional<std::string> ConfigMachine::variable(std::string_view name) const {
  const auto found = variables_.find(name);
  if (found == variables_.end()) return std::nullopt;
  return std::string(found->second);
}

Result<std::string_view> ConfigMachine::env_file(const std::string& path) {
  auto found = records_.env_files.find(path);
  if (found == records_.env_files.end()) {
    if (replay_) {
      return Error(errc::not_found, "the kept config lacks the file " + quote_for_message(path, 256) +
                                        "; run tenon reload");
    }
    auto text = read_file(path, kMaxEnvFile);
    if (!text) return std::move(text).error();
    found = records_.env_files.emplace(path, std::move(text).value()).first;
  }
  return std::string_view(found->second);
}

Result<const ConfigUser*> ConfigMachine::user(const std::string& name) {
  auto found = records_.users.find(name);
  if (found == records_.users.end()) {
    auto user = look_up_user(name);
    if (!user) return std::move(user).error();
    found = records_.users.emplace(name, std::move(user).value()).first;
  }
  return static_cast<const ConfigUser*>(&found->second);
}

std::string ConfigMachine::hostname() {
  std::string& name = records_.facts["hostname"];
  if (name.empty()) name = tenon::hostname();
  return name;
}

Result<std::string> ConfigMachine::runtime_directory() {
  std::string& known = records_.facts["runtime_directory"];
  if (known.empty()) {
    auto directory = user_runtime_directory();
    if (!directory) return std::move(directory).error();
    known = std::move(directory).value();
  }
  return known;
}

std::string ConfigMachine::own_plugin_directory() {
  const auto [known, fresh] = records_.facts.try_emplace("own_plugin_directory");
  if (!fresh || replay_) return known->second;
  const auto program = executable_path();
  if (!program) return "";
  const auto beside = std::filesystem::path(*program).parent_path().parent_path();
  for (const char* place : {"lib/tenon/plugins", "plugins"}) {
    const std::string directory = (beside / place).string();
    if (!judge_directory(directory).empty()) continue;
    known->second = directory;
    break;
  }
  return known->second;
}

std::string ConfigMachine::fact(const std::string& name, const std::function<std::string()>& look) {
  const auto [known, fresh] = records_.facts.try_emplace(name);
  if (fresh && !replay_) known->second = look();
  return known->second;
}

std::string ConfigMachine::wrong_with_directory(const std::string& path) {
  if (replay_) return "";
  const auto [answer, fresh] = judged_.try_emplace("directory\n" + path);
  if (fresh) answer->second = judge_directory(path);
  return answer->second;
}

std::string ConfigMachine::wrong_with_log_file(const std::string& path) {
  if (replay_) return "";
  if (std::string wrong = wrong_with_directory(std::filesystem::path(path).parent_path().string()); !wrong.empty()) {
    return wrong;
  }
  const Status safe = runtime::check_log_path(path);
  return safe ? "" : safe.error().message;
}

std::string ConfigMachine::wrong_with_command(const std::string& program, const std::string& search_path) {
  if (replay_) return "";
  const auto [answer, fresh] = judged_.try_emplace("command\n" + program + "\n" + search_path);
  if (fresh) answer->second = judge_command(program, search_path);
  return answer->second;
}

std::string ConfigMachine::wrong_with_socket(const std::string& path) { return replay_ ? "" : judge_socket(path); }

std::string ConfigMachine::wrong_with_secret(const std::string& path) { return replay_ ? "" : judge_secret(path); }

std::string ConfigMachine::wrong_with_group_limit(keeper::CgroupController controller) {
  if (replay_) return "";
  const auto [answer, fresh] = judged_.try_emplace("cgroup\n" + std::string(to_string(controller)));
  if (fresh) answer->second = keeper::wrong_with_cgroup_limit(controller);
  return answer->second;
}

bool ConfigMachine::is_own(const ConfigUser& user) { return ::geteuid() != 0 && user.uid == ::geteuid(); }

std::string ConfigMachine::wrong_with_switching_to(const ConfigUser& user) const {
  if (replay_ || ::geteuid() == 0 || is_own(user)) return "";
  return "only a host that runs as root starts processes as another user; leave \"user\" out, or run it as root";
}

std::string ConfigMachine::wrong_with_confining() const {
  return replay_ || ::geteuid() == 0 ? "" : "leave this out, or run the host as root";
}

}  // namespace tenon::app
