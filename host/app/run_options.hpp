// What `tenon run` was told, on its way through the keeper to every engine.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/clock.hpp"
#include "common/result.hpp"

namespace tenon::app {

struct RunOptions {
  std::string config;                    // absolute path
  std::string socket;                    // absolute; empty: the config's, else the user's runtime directory
  std::optional<MonotonicTime> end_at;   // --for: counted from the start of the host, not of the engine
  bool until_idle = false;

  std::string encode() const;
  static Result<RunOptions> decode(std::string_view text);
};

}  // namespace tenon::app
