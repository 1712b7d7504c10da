// How long ago a process last gave a sign of life, and what is said of one that gives none.
#pragma once

#include <tenon/sdk/health_check.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "../../common/duration_text.hpp"

namespace tenon::health {

// Before the first sign of an incarnation its start counts.
class LastSign {
 public:
  // `type`: the control message that is the sign, "tenon.heartbeat"; `name`: what a person calls it.
  LastSign(tenon::sdk::Host host, std::string_view type, std::string_view name) : host_(host), type_(type), name_(name) {}

  void start(const tenon_health_target& target) {
    process_id_ = tenon::sdk::from_abi(target.process_id);
    started_ns_ = target.started_ns;
  }

  // When the process last sent a control message of the type, on the monotonic clock; 0: not in this incarnation.
  // False: the process does not run, and that was the answer to the check.
  bool ask(std::string_view type, std::uint64_t token, std::uint64_t& last) {
    const tenon_host* host = host_.raw();
    const tenon_status status = host->last_control_message(host->context, tenon::sdk::to_abi(process_id_),
                                                           tenon::sdk::to_abi(type), &last);
    if (status == TENON_ERR_NOT_FOUND) {
      host_.complete_check(token, TENON_UNHEALTHY, "process " + process_id_ + " does not run");
      return false;
    }
    if (status != TENON_OK)
      throw tenon::sdk::Error(status, "the host cannot tell when " + process_id_ + " last sent " + std::string(name_),
                              TENON_FAULT_HOST, true);
    return true;
  }

  void check(std::uint64_t token, std::uint64_t max_age_ns) {
    using tenon::plugins::describe_duration;
    std::uint64_t last = 0;
    if (!ask(type_, token, last)) return;
    const std::uint64_t now = host_.monotonic_ns(), since = std::max(last, started_ns_);
    const std::uint64_t age = now > since ? now - since : 0;
    if (age <= max_age_ns) return host_.complete_check(token, TENON_HEALTHY);
    const std::string what =
        last == 0 ? "no " + std::string(name_) + " since its start " + describe_duration(age) + " ago"
                  : "the last " + std::string(name_) + " came " + describe_duration(age) + " ago";
    host_.complete_check(token, TENON_UNHEALTHY, what + "; max_age is " + describe_duration(max_age_ns));
  }

  tenon::sdk::Host& host() noexcept { return host_; }
  std::uint64_t started_ns() const noexcept { return started_ns_; }

 private:
  tenon::sdk::Host host_;
  std::string_view type_, name_;
  std::uint64_t started_ns_ = 0;
  std::string process_id_;
};

}  // namespace tenon::health
