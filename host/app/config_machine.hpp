// What a config asks of the machine on which it runs: variables, users, files that must exist.
//
// The model. Answers that become part of the config (values, numbers, names) are recorded, and a machine made from
// complete records gives the recorded ones. Answers that only judge it (does this command exist?) are not: a recording
// machine that replays finds nothing wrong, because the config was accepted when it was live, and an engine that takes
// over must accept it again. Every judgement is cached, so ten thousand equal children cost one look.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "app/config_source.hpp"
#include "keeper/cgroup_layout.hpp"

namespace tenon::app {

class ConfigMachine {
 public:
  // `records` must outlive the machine, which completes them unless `replay`.
  ConfigMachine(ConfigRecords& records, bool replay);

  bool replay() const noexcept { return replay_; }

  // --- recorded ---
  std::optional<std::string> variable(std::string_view name) const;
  // The host's environment without what is the host's alone: TENON_* (but TENON_SOCKET) and what systemd told the host.
  const std::vector<std::string>& inherited() const noexcept { return inherited_; }
  Result<std::string_view> env_file(const std::string& path);
  // By name, else by number. errc::not_found with what to do.
  Result<const ConfigUser*> user(const std::string& name);
  std::string hostname();
  // user_runtime_directory().
  Result<std::string> runtime_directory();
  // Where the host's own plugins lie: <directory of the binary>/../lib/tenon/plugins, else ../plugins; empty if neither
  // exists.
  std::string own_plugin_directory();
  // Something else to be remembered, by a name of the asker's. `look` is called for what is not recorded yet, but never
  // in replay: what is not recorded then is empty.
  std::string fact(const std::string& name, const std::function<std::string()>& look);

  // --- judged: what is wrong, as a sentence; empty if nothing is, and in replay ---
  std::string wrong_with_directory(const std::string& path);
  // Where the output of a process is to be kept; see runtime::check_log_path.
  std::string wrong_with_log_file(const std::string& path);
  // A program with a '/' in it, else one that is looked up in `search_path`. Execution is judged as the host's user. Of
  // a script, its interpreter too.
  std::string wrong_with_command(const std::string& program, const std::string& search_path);
  // A path where the host is to make a unix socket; the directory that it is in may be missing, the one above not.
  std::string wrong_with_socket(const std::string& path);
  // A secret that the host alone may read: owned by this user or root, nothing for group and others.
  std::string wrong_with_secret(const std::string& path);
  // A limit for all that a process starts together: whether the machine has a control group for it.
  std::string wrong_with_group_limit(keeper::CgroupController controller);
  // Whether this process may start others as `user`.
  std::string wrong_with_switching_to(const ConfigUser& user) const;
  // Whether a process can be given less than the host has; empty: it can, else what to do.
  std::string wrong_with_confining() const;
  // True if processes run as the user are what this process is anyway: nothing is to be switched.
  static bool is_own(const ConfigUser& user);

 private:
  ConfigRecords& records_;
  bool replay_;
  std::unordered_map<std::string_view, std::string_view> variables_;  // views into records_.environment
  std::vector<std::string> inherited_;
  std::map<std::string, std::string> judged_;  // by what was asked
};

}  // namespace tenon::app
