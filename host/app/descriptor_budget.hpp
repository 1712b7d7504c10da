// Whether the limit on open descriptors suffices for a config, and what the host does where it does not.
//
// A process costs the host its pipes, in the keeper and in the engine alike. Where that is more than the limit, what a
// process without a channel writes to stdout and stderr comes by one pipe instead of two, and stands in its log as
// stdout. Where not even that suffices, the processes that get none wait for descriptors.
#pragma once

#include <cstdint>
#include <string>

#include "integration/host_config.hpp"

namespace tenon::app {

enum class Outputs : std::uint8_t { apart, shared };

// How many the keeper or the engine may need for it, at most.
std::uint64_t descriptors_needed(const integration::HostConfig& config, Outputs outputs);
// How the processes of this config are started, given the limit of this process. Apart where the limit is unknown.
Outputs outputs_for(const integration::HostConfig& config);
// What an operator should know before it runs; empty if nothing. Never a problem of the config.
std::string descriptor_warning(const integration::HostConfig& config);
// The same for `check`, which is another process than the host: a clause for any config.
std::string descriptor_sentence(const integration::HostConfig& config);

}  // namespace tenon::app
