// health_check/nats: the host's transport of that name reaches its remote and back. It asks the host, so that it knows
// nothing of NATS and does for any transport.
//
// One round trip at a time. Questions are numbered: an answer that comes after cancel or stop finds that it is not
// wanted any more.
#include <tenon/sdk/health_check.hpp>
#include <tenon/sdk/plugin.hpp>

#include <string>

#include "../common/wording.hpp"

namespace {

using tenon::plugins::describe_duration;

class Nats {
 public:
  explicit Nats(tenon::sdk::Host host)
      : host_(host), transport_(host.config_string("/transport")),
        degraded_after_ns_(host.config_duration_ns("/degraded_after", UINT64_MAX)) {
    if (transport_.empty())
      throw tenon::sdk::Error(TENON_ERR_INVALID_ARGUMENT,
                              "transport is missing; give the name of one of the config's transports",
                              TENON_FAULT_CALLER);
  }

  void start(const tenon_health_target&) {}

  void check(std::uint64_t token, std::uint64_t deadline_ns) {
    const std::uint64_t question = ++question_;
    started_ns_ = host_.monotonic_ns();
    const std::uint64_t limit = deadline_ns > started_ns_ ? deadline_ns - started_ns_ : 0;
    try {
      host_.transport_round_trip(transport_, deadline_ns, [this, question, token, limit](tenon_status status) {
        if (question == question_) finish(token, status, limit);
      });
    } catch (const tenon::sdk::Error& refused) {
      if (refused.code() != TENON_ERR_NOT_FOUND) return finish(token, refused.code(), limit);
      host_.complete_check(token, TENON_UNHEALTHY,
                           "no transport is named " + transport_ + "; `tenon transports` lists them");
    }
  }

  void cancel() { ++question_; }
  void stop() { ++question_; }

 private:
  void finish(std::uint64_t token, tenon_status status, std::uint64_t limit_ns) {
    const std::uint64_t took = host_.monotonic_ns() - started_ns_;
    if (status == TENON_ERR_EXHAUSTED)
      return tenon::health::complete_not_made(host_, token, "nothing was free for a round trip of " + transport_);
    if (status != TENON_OK) return host_.complete_check(token, TENON_UNHEALTHY, failure(status, limit_ns), took);
    if (took <= degraded_after_ns_) return host_.complete_check(token, TENON_HEALTHY, {}, took);
    host_.complete_check(token, TENON_DEGRADED,
                         "transport " + transport_ + " answered after " + describe_duration(took) +
                             "; degraded_after is " + describe_duration(degraded_after_ns_),
                         took);
  }

  std::string failure(tenon_status status, std::uint64_t limit_ns) const {
    const std::string who = "transport " + transport_;
    switch (status) {
      case TENON_ERR_TIMEOUT: return who + " is connected, but had no answer within " + describe_duration(limit_ns);
      case TENON_ERR_UNAVAILABLE:
      case TENON_ERR_WRONG_STATE: return who + " is not connected; `tenon transports` says why";
      case TENON_ERR_UNSUPPORTED: return who + " cannot make a round trip; leave this check out";
      case TENON_ERR_CANCELLED: return "the round trip of " + who + " was withdrawn";
      default: return "the round trip of " + who + " failed; `tenon transports` says more";
    }
  }

  tenon::sdk::Host host_;
  std::string transport_;
  std::uint64_t degraded_after_ns_;
  std::uint64_t question_ = 0, started_ns_ = 0;  // of the last check
};

}  // namespace

TENON_PLUGIN_NOTE(
    "nats_check", "1.0.0", "Tenon", "MIT",
    TENON_NOTE_COMPONENT(TENON_KIND_HEALTH_CHECK, "nats", TENON_JSON({
      "type" : "object", "additionalProperties" : false, "required" : ["transport"], "properties" : {
        "transport" : {
          "type" : "string", "minLength" : 1,
          "description" : "The name of one of the config's transports, of whatever plugin."
        },
        "degraded_after" : {
          "type" : "string", "pattern" : "^([0-9]+(\\.[0-9]+)?(ns|us|ms|s|m|h|d)|0)$",
          "description" : "Degraded, not healthy, when the answer took longer than this."
        }
      }
    })))
TENON_EXPORT_PLUGIN("nats_check", "1.0.0",
                    {TENON_KIND_HEALTH_CHECK, "nats", tenon::sdk::health_check_table<Nats>()})
