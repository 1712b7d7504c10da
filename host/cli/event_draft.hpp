// The event that `send` and `request` publish. Pure.
#pragma once

#include <string>
#include <string_view>

#include "common/result.hpp"

namespace tenon::cli {

// {"type": TYPE or TOPIC, "topic": TOPIC, "data": DATA}. `data` is JSON, or empty for an event without data; it is
// passed on as it is spelt. errc::invalid_argument names `data_name`, where it is broken and what was expected.
Result<std::string> draft_event(std::string_view topic, std::string_view type, std::string_view data,
                                std::string_view data_name);

}  // namespace tenon::cli
