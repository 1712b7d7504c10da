// An error as a value: what kind, whose fault, worth a retry or not, and a sentence that says what to do next.
//
// The numbers of errc are those of the plugin ABI's status codes (plugin-api/include/tenon/types.h); a test holds the
// two against each other, so an error crosses the ABI as a cast.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace tenon {

enum class errc : std::int32_t {
  ok = 0,
  cancelled = 1,         // the caller, or a shutdown, withdrew the operation
  internal = 2,          // a bug of the host or of a plugin
  invalid_argument = 3,  // the caller passed something that can never work
  timeout = 4,           // the deadline passed; the operation may still happen at a remote
  not_found = 5,
  already_exists = 6,
  permission = 7,
  exhausted = 8,    // a limit was reached: memory, descriptors, queue, frame size
  wrong_state = 9,  // right call, wrong time
  unsupported = 10,
  unavailable = 11,     // the other side cannot be reached now
  bad_data = 12,        // malformed bytes
  io = 13,              // the kernel refused; the message carries its reason
  untranslatable = 14,  // well-formed, but the receiver's format cannot express it
};

// Stable lower-case name, as used in events and metrics ("not_found").
std::string_view to_string(errc code) noexcept;

enum class fault : std::uint8_t { host = 0, caller = 1, plugin = 2, remote = 3 };
std::string_view to_string(fault whose) noexcept;

struct [[nodiscard]] Error {
  errc code = errc::internal;
  std::string message;  // one line for a person; says what to do next; never empty
  fault whose = fault::host;
  bool retryable = false;

  Error() = default;
  Error(errc c, std::string text, fault f = fault::host, bool retry = false)
      : code(c), message(std::move(text)), whose(f), retryable(retry) {}

  // An errc::io (or a closer code: ENOENT → not_found, EACCES → permission, …) from a saved errno value. `what` names
  // the operation and its object, for instance "open /run/x.sock".
  static Error from_errno(int saved_errno, std::string_view what);

  // The same error with "what: " put before its message, for callers that know more than the callee.
  Error with_context(std::string_view what) &&;
};

}  // namespace tenon
