// Result<T> and Status: a value or an Error. (GCC 12 has no std::expected in C++20.)
//
// A Result holds exactly one of the two. Reading the value of a failed Result is a bug and ends the program, in
// release builds too. Steady state does not throw: functions that can fail return one of these, and ignoring it
// does not compile quietly.
#pragma once

#include <cstdlib>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "common/error.hpp"

namespace tenon {

template <class T>
class [[nodiscard]] Result {
  static_assert(!std::is_reference_v<T> && !std::is_void_v<T>, "use Status for void, a pointer for references");

 public:
  using value_type = T;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}
  template <class U, class = std::enable_if_t<std::is_constructible_v<T, U&&> && !std::is_same_v<std::decay_t<U>, Result> &&
                                              !std::is_same_v<std::decay_t<U>, Error>>>
  Result(U&& value) : state_(std::in_place_index<0>, std::forward<U>(value)) {}

  bool ok() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  T& value() & { return must_hold_value(), *std::get_if<0>(&state_); }
  const T& value() const& { return must_hold_value(), *std::get_if<0>(&state_); }
  T&& value() && { return must_hold_value(), std::move(*std::get_if<0>(&state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const& { return must_hold_error(), *std::get_if<1>(&state_); }
  Error&& error() && { return must_hold_error(), std::move(*std::get_if<1>(&state_)); }

 private:
  void must_hold_value() const noexcept {
    if (!ok()) std::abort();
  }
  void must_hold_error() const noexcept {
    if (ok()) std::abort();
  }
  std::variant<T, Error> state_;
};

class [[nodiscard]] Status {
 public:
  Status() = default;  // done
  Status(Error error) : error_(std::move(error)) {}

  bool ok() const noexcept { return !error_.has_value(); }
  explicit operator bool() const noexcept { return ok(); }
  const Error& error() const& { return error_.has_value() ? *error_ : (std::abort(), *error_); }
  Error&& error() && { return error_.has_value() ? std::move(*error_) : (std::abort(), std::move(*error_)); }

 private:
  std::optional<Error> error_;
};

}  // namespace tenon

// Returns the error of a failed Status or Result from the enclosing function.
#define TENON_TRY(expression)                                          \
  do {                                                                 \
    if (auto tenon_try_status = (expression); !tenon_try_status.ok()) \
      return std::move(tenon_try_status).error();                      \
  } while (false)
