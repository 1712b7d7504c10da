#include "app/descriptor_budget.hpp"

#include "common/system.hpp"
#include "keeper/spawner.hpp"
#include "runtime/supervisor_config.hpp"

namespace tenon::app {

namespace {

constexpr std::uint64_t kWithChannel = 4;  // its ends, standard error, and the channel's memory or standard output
constexpr const char* kAdvice = "raise it (ulimit -Hn, LimitNOFILE=)";

std::string amount(std::uint64_t number, const char* what) { return std::to_string(number) + " " + what; }

}  // namespace

std::uint64_t descriptors_needed(const integration::HostConfig& config, Outputs outputs) {
  std::uint64_t needed = keeper::kReservedDescriptors;
  runtime::for_each_process(*config.supervision, [&](const auto& process) {
    if (process->channel != runtime::ChannelKind::none) needed += kWithChannel;
    else needed += outputs == Outputs::apart ? 2 : 1;
    if (process->notify) ++needed;
    needed += 2 * process->sockets.size();  // with the lock of a path; those that replicas share counted for each
    if (process->log.file) ++needed;
  });
  return needed;
}

Outputs outputs_for(const integration::HostConfig& config) {
  const auto limit = descriptor_limit();
  const bool apart = !limit.ok() || descriptors_needed(config, Outputs::apart) <= limit->current;
  return apart ? Outputs::apart : Outputs::shared;
}

std::string descriptor_warning(const integration::HostConfig& config) {
  const auto limit = descriptor_limit();
  const std::uint64_t wanted = descriptors_needed(config, Outputs::apart);
  if (!limit.ok() || wanted <= limit->current) return {};
  std::string text = "the processes need up to " + amount(wanted, "descriptors, and the limit is ") +
                     std::to_string(limit->current) + ": ";
  if (descriptors_needed(config, Outputs::shared) <= limit->current)
    return text + "stdout and stderr of those without a channel share a pipe; to tell them apart, " + kAdvice;
  return text + "some will wait for descriptors; " + kAdvice + ", or run fewer processes";
}

std::string descriptor_sentence(const integration::HostConfig& config) {
  const auto limit = descriptor_limit();
  if (!limit.ok()) return {};
  const std::string has = "the descriptor limit of " + std::to_string(limit->maximum);
  const std::uint64_t apart = descriptors_needed(config, Outputs::apart);
  if (apart <= limit->maximum) return has + " suffices";
  if (descriptors_needed(config, Outputs::shared) <= limit->maximum)
    return has + " suffices if stdout and stderr of processes without a channel share a pipe, as they will; else " +
           kAdvice;
  return has + " does not suffice for the up to " + amount(apart, "that they need") + "; " + kAdvice;
}

}  // namespace tenon::app
