// The host's own metrics, collected when somebody asks. Names are contract: host/control/README.md.
#pragma once

#include <cstdint>
#include <memory>

#include "app/host.hpp"

namespace tenon::app {

// The token's destruction ends the collecting; the host must outlive it.
[[nodiscard]] std::shared_ptr<void> register_host_metrics(Host& host, std::uint64_t engine_restarts);

}  // namespace tenon::app
