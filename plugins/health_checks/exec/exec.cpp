// health_check/exec: runs a command; its exit code is the answer and the last line of its output the reason.
//
// The host runs the command as the checked process runs, in a group of its own, and kills the group at the check's
// deadline. The instance holds the command under way; cancel and stop let go of it, which kills it, and nobody hears of
// it any more.
#include <tenon/sdk/health_check.hpp>
#include <tenon/sdk/plugin.hpp>

#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "../common/wording.hpp"

namespace {

constexpr std::uint32_t kOutputLimit = 4096;

class Exec {
 public:
  explicit Exec(tenon::sdk::Host host) : host_(host), directory_(host.config_string("/cwd")) {
    for (std::size_t i = 0; i < host.config_count("/command"); ++i)
      command_.push_back(host.config_string("/command/" + std::to_string(i)));
    if (command_.empty())
      throw tenon::sdk::Error(TENON_ERR_INVALID_ARGUMENT,
                              "command is missing; give the program and its arguments as a list", TENON_FAULT_CALLER);
    for (const std::string& name : host.config_keys("/env"))
      environment_.push_back(name + "=" + host.config_string("/env/" + host.pointer_token(name)));
    for (std::size_t i = 0; i < host.config_count("/degraded_codes"); ++i)
      degraded_codes_.insert(host.config_integer("/degraded_codes/" + std::to_string(i), 0));
  }

  void start(const tenon_health_target&) {}

  void check(std::uint64_t token, std::uint64_t deadline_ns) {
    running_.cancel();
    running_ = host_.run_command(command_, environment_, directory_, kOutputLimit, deadline_ns,
                                 [this, token](const tenon::sdk::CommandResult& result) { finish(token, result); });
  }

  void cancel() { running_.cancel(); }
  void stop() { running_.cancel(); }

 private:
  void finish(std::uint64_t token, const tenon::sdk::CommandResult& result) {
    if (result.ended == TENON_EXIT_CODE && result.value == 0)
      return host_.complete_check(token, TENON_HEALTHY, {}, result.duration_ns);
    const bool degraded = result.ended == TENON_EXIT_CODE && degraded_codes_.contains(result.value);
    std::string reason = describe(result);
    if (const std::string line = tenon::health::last_line(result.output); !line.empty()) reason += ": " + line;
    host_.complete_check(token, degraded ? TENON_DEGRADED : TENON_UNHEALTHY, reason, result.duration_ns);
  }

  std::string describe(const tenon::sdk::CommandResult& result) const {
    const std::string value = std::to_string(result.value);
    switch (result.ended) {
      case TENON_EXIT_CODE: return command_.front() + " ended with exit code " + value;
      case TENON_EXIT_SIGNAL: {
        const char* name = ::sigabbrev_np(result.value);
        const std::string shown = name == nullptr ? "" : std::string(" (") + name + ")";
        return command_.front() + " was ended by signal " + value + shown;
      }
      case TENON_EXIT_TIMEOUT: return command_.front() + " did not end in time and was killed";
      default: return "cannot start " + command_.front();
    }
  }

  tenon::sdk::Host host_;
  std::vector<std::string> command_, environment_;  // "NAME=value"
  std::string directory_;                           // empty: the process's
  std::set<std::int64_t> degraded_codes_;
  tenon::sdk::Command running_;  // of the check under way
};

}  // namespace

TENON_PLUGIN_NOTE(
    "exec", "1.0.0", "Tenon", "MIT",
    TENON_NOTE_COMPONENT(TENON_KIND_HEALTH_CHECK, "exec", TENON_JSON({
      "type" : "object", "additionalProperties" : false, "required" : ["command"], "properties" : {
        "command" : {
          "type" : "array", "items" : {"type" : "string"}, "minItems" : 1, "maxItems" : 1024,
          "x-tenon-path" : "program",
          "description" : "The program (in PATH, or relative to the config file) and its arguments; 0 is healthy."
        },
        "env" : {
          "type" : "object", "additionalProperties" : {"type" : "string"},
          "propertyNames" : {"pattern" : "^[^=]+$"},
          "description" : "Variables added to those of the process; one of the same name is replaced."
        },
        "cwd" : {
          "type" : "string", "minLength" : 1, "x-tenon-path" : "directory",
          "description" : "The directory to run in, relative to the config file; absent: the process's."
        },
        "degraded_codes" : {
          "type" : "array", "items" : {"type" : "integer", "minimum" : 1, "maximum" : 255}, "uniqueItems" : true,
          "default" : [], "description" : "Exit codes that mean degraded; every other one but 0 means unhealthy."
        }
      }
    })))
TENON_EXPORT_PLUGIN("exec", "1.0.0", {TENON_KIND_HEALTH_CHECK, "exec", tenon::sdk::health_check_table<Exec>()})
