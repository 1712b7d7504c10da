// ${NAME} inside a string of the config.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "common/result.hpp"

namespace tenon {

// The value of a variable, or nothing when it is not set.
using VariableLookup = std::function<std::optional<std::string>(std::string_view name)>;

// The most that an expanded string may hold.
inline constexpr std::size_t kMaxExpandedBytes = 1 << 20;

// Replaces `${NAME}` by its value and `${NAME:-default}` by its value, or by the default when it is unset or empty.
// `$$` is a dollar; a `$` before anything else stands for itself. Names are [A-Za-z_][A-Za-z0-9_]*. A default is
// literal text up to the next `}`. Values are not expanded again. errc::not_found names the unset variable;
// errc::invalid_argument for a bad name, a missing `}` or `${` inside a default; errc::exhausted above
// kMaxExpandedBytes.
Result<std::string> expand_variables(std::string_view text, const VariableLookup& lookup);

// The lookup in this process's environment.
std::optional<std::string> environment_variable(std::string_view name);

}  // namespace tenon
