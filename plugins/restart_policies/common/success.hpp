// Which ends of a process are a success: exit codes and signals from the config. Shared by on_failure and never.
#pragma once

#include <tenon/sdk/restart_policy.hpp>

#include <csignal>
#include <cstring>
#include <set>
#include <string>

namespace tenon::restart {

// Members of a JSON Schema's "properties" for what read_success reads.
#define TENON_RESTART_SUCCESS_PROPERTIES                                                                               \
  TENON_JSON("success_codes" : {                                                                                       \
    "type" : "array", "items" : {"type" : "integer", "minimum" : 0, "maximum" : 255}, "uniqueItems" : true,            \
    "default" : [0], "description" : "Exit codes that end the process on purpose."                                     \
  }, "success_signals" : {                                                                                             \
    "type" : "array", "items" : {"type" : "string", "pattern" : "^(SIG)?[A-Z][A-Z0-9]*$"}, "uniqueItems" : true,       \
    "default" : [], "description" : "Signals, such as TERM, that end the process on purpose."                          \
  })

struct Success {
  std::set<int> codes = {0}, signals;

  bool contains(const tenon_exit& exit) const {
    if (exit.ended == TENON_ENDED_CODE) return codes.contains(exit.value);
    return exit.ended == TENON_ENDED_SIGNAL && signals.contains(exit.value);
  }
};

// "TERM" and "SIGTERM" alike; 0 for a name that no signal has.
inline int signal_number(std::string_view name) noexcept {
  if (name.starts_with("SIG")) name.remove_prefix(3);
  for (int number = 1; number < NSIG; ++number) {
    const char* known = ::sigabbrev_np(number);
    if (known != nullptr && name == known) return number;
  }
  return 0;
}

// The success set of an instance's config. Throws sdk::Error for a signal that does not exist.
inline Success read_success(const sdk::Host& host) {
  Success success;
  std::size_t count = 0;
  const tenon_host* raw = host.raw();
  // Asked directly, because an empty list differs from none: it leaves no code that is a success.
  if (raw->config_count(raw->context, sdk::to_abi("/success_codes"), &count) == TENON_OK) success.codes.clear();
  for (std::size_t i = 0; i < count; ++i)
    success.codes.insert(static_cast<int>(host.config_integer("/success_codes/" + std::to_string(i), 0)));
  for (std::size_t i = 0; i < host.config_count("/success_signals"); ++i) {
    const std::string name = host.config_string("/success_signals/" + std::to_string(i));
    const int number = signal_number(name);
    if (number == 0)
      throw sdk::Error(TENON_ERR_INVALID_ARGUMENT,
                       "success_signals: no signal is called " + name + "; use a name that `kill -l` prints",
                       TENON_FAULT_CALLER);
    success.signals.insert(number);
  }
  return success;
}

}  // namespace tenon::restart
