// How SDK code fails: it throws tenon::sdk::Error; the trampolines turn it (and anything else thrown) into a status
// code and a tenon_error, so that no exception ever leaves a plugin.
#pragma once

#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "../types.h"

#pragma GCC visibility push(hidden)

// Hidden, as all of the SDK: what is inline or static in here must be this file's own. Were it visible, the dynamic
// linker would give a second version of a plugin the tables and state of the first, and the host would refuse it.
namespace tenon::sdk {

inline tenon_str to_abi(std::string_view text) noexcept { return {text.data(), text.size()}; }
inline std::string_view from_abi(tenon_str text) noexcept { return {text.data == nullptr ? "" : text.data, text.size}; }

// The most octets of the text, at most `limit`, that end between two characters of UTF-8.
inline std::size_t whole_characters(std::string_view text, std::size_t limit) noexcept {
  if (text.size() <= limit) return text.size();
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0u) == 0x80u) --limit;
  return limit;
}

class Error : public std::runtime_error {
 public:
  // `code`: TENON_ERR_…; `text`: one line that says what to do; `fault`: TENON_FAULT_….
  Error(tenon_status code, const std::string& text, std::uint32_t fault = TENON_FAULT_PLUGIN, bool retryable = false)
      : std::runtime_error(text), code_(code), fault_(fault), retryable_(retryable) {}
  tenon_status code() const noexcept { return code_; }
  std::uint32_t fault() const noexcept { return fault_; }
  bool retryable() const noexcept { return retryable_; }

 private:
  tenon_status code_;
  std::uint32_t fault_;
  bool retryable_;
};

// Malformed input that somebody else sent.
inline Error bad_data(const std::string& text) { return {TENON_ERR_BAD_DATA, text, TENON_FAULT_CALLER}; }
// A remote that cannot be reached now.
inline Error unavailable(const std::string& text) { return {TENON_ERR_UNAVAILABLE, text, TENON_FAULT_REMOTE, true}; }

inline void fill(tenon_error& out, tenon_status code, std::string_view text, std::uint32_t fault,
                 bool retryable) noexcept {
  tenon_fail(&out, code, fault, retryable ? 1 : 0, to_abi(text));
}

// Runs `body` and returns TENON_OK, or what it threw as status and error. Every trampoline goes through here.
template <class Body>
tenon_status guarded(tenon_error* error, Body&& body) noexcept {
  try {
    std::forward<Body>(body)();
    return TENON_OK;
  } catch (const Error& e) {
    return tenon_fail(error, e.code(), e.fault(), e.retryable() ? 1 : 0, to_abi(e.what()));
  } catch (const std::bad_alloc&) {
    return tenon_fail(error, TENON_ERR_EXHAUSTED, TENON_FAULT_HOST, 1, to_abi("out of memory"));
  } catch (const std::exception& e) {
    return tenon_fail(error, TENON_ERR_INTERNAL, TENON_FAULT_PLUGIN, 0, to_abi(e.what()));
  } catch (...) {
    return tenon_fail(error, TENON_ERR_INTERNAL, TENON_FAULT_PLUGIN, 0, to_abi("an exception of unknown type"));
  }
}

// The same for functions without a status: what is thrown is dropped.
template <class Body>
void guarded_void(Body&& body) noexcept {
  try {
    std::forward<Body>(body)();
  } catch (...) {
  }
}

}  // namespace tenon::sdk

#pragma GCC visibility pop
