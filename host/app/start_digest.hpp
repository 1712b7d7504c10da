// Of what a process is started with: equal for two configurations between which no restart is needed.
#pragma once

#include <cstdint>

#include "integration/host_config.hpp"
#include "runtime/process_config.hpp"

namespace tenon::app {

inline constexpr std::uint8_t kStartDigestVersion = 2;

// Covers all that a running process cannot be told any more: command, directory, environment, user, mask, priority,
// privileges, limits, channel, how it says that it is ready, and the delivery mode, for which books are kept from start
// to exit. Not the rest: policy, checks, stop, logs, subscriptions, mailbox, dependencies.
// The first octet is kStartDigestVersion, which changes with what is covered and how: see runtime::are_comparable.
std::uint64_t start_digest(const runtime::ProcessConfig& process, const integration::WorkerConfig& worker);

}  // namespace tenon::app
