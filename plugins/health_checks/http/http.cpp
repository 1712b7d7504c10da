// health_check/http: a server answers a request with an expected status and, if asked for, an expected text in its
// body. The request runs on the loop, see probe.hpp.
#include <tenon/sdk/health_check.hpp>
#include <tenon/sdk/plugin.hpp>

#include <string>

#include "../common/wording.hpp"
#include "probe.hpp"

namespace {

using tenon::health::HttpProbe;
using tenon::plugins::describe_duration;

class Http {
 public:
  explicit Http(tenon::sdk::Host host)
      : host_(host), degraded_after_ns_(host.config_duration_ns("/degraded_after", UINT64_MAX)),
        probe_(host, tenon::health::read_request(host)) {}

  void start(const tenon_health_target&) {}

  void check(std::uint64_t token, std::uint64_t deadline_ns) {
    started_ns_ = host_.monotonic_ns();
    probe_.start(deadline_ns, [this, token](const HttpProbe::Outcome& outcome) { finish(token, outcome); });
  }

  void cancel() { probe_.cancel(); }
  void stop() { probe_.cancel(); }

 private:
  void finish(std::uint64_t token, const HttpProbe::Outcome& outcome) {
    if (outcome.not_made) return tenon::health::complete_not_made(host_, token, outcome.failure);
    const std::uint64_t took = host_.monotonic_ns() - started_ns_;
    if (!outcome.failure.empty()) return host_.complete_check(token, TENON_UNHEALTHY, outcome.failure, took);
    if (took <= degraded_after_ns_) return host_.complete_check(token, TENON_HEALTHY, {}, took);
    host_.complete_check(token, TENON_DEGRADED,
                         probe_.shown_url() + " answered after " + describe_duration(took) + "; degraded_after is " +
                             describe_duration(degraded_after_ns_),
                         took);
  }

  tenon::sdk::Host host_;
  std::uint64_t degraded_after_ns_, started_ns_ = 0;
  HttpProbe probe_;
};

}  // namespace

TENON_PLUGIN_NOTE(
    "http", "1.0.0", "Tenon", "MIT",
    TENON_NOTE_COMPONENT(TENON_KIND_HEALTH_CHECK, "http", TENON_JSON({
      "type" : "object", "additionalProperties" : false, "required" : ["url"], "properties" : {
        "url" : {
          "type" : "string", "pattern" : "^https?://[^/@]+(/.*)?$",
          "description" : "What to ask, such as http://127.0.0.1:8080/healthz; redirects are not followed."
        },
        "method" : {
          "type" : "string", "enum" : ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"], "default" : "GET",
          "description" : "The request's method; it is sent without a body."
        },
        "headers" : {
          "type" : "object", "additionalProperties" : {"type" : "string"}, "maxProperties" : 64,
          "description" : "Headers of the request by name."
        },
        "expect_status" : {
          "type" : "array", "minItems" : 1, "maxItems" : 64, "default" : ["200-399"],
          "items" : {
            "type" : ["integer", "string"], "minimum" : 100, "maximum" : 599,
            "pattern" : "^[1-5][0-9][0-9](-[1-5][0-9][0-9])?$"
          },
          "description" : "Status codes that are healthy: codes such as 204 and ranges such as \"200-399\"."
        },
        "body_contains" : {
          "type" : "string", "minLength" : 1, "maxLength" : 4096,
          "description" : "Text that must stand in the first MiB of the answer's body."
        },
        "tls_verify" : {
          "type" : "boolean", "default" : true,
          "description" : "With https: check the server's certificate, its authority and its name."
        },
        "tls_ca_file" : {
          "type" : "string", "pattern" : "^/",
          "description" : "Absolute path of the authorities to trust, in PEM form; absent: the system's."
        },
        "tls_server_name" : {
          "type" : "string", "minLength" : 1, "maxLength" : 253,
          "description" : "The name to ask for and to find in the certificate; absent: the url's host."
        },
        "degraded_after" : {
          "type" : "string", "pattern" : "^([0-9]+(\\.[0-9]+)?(ns|us|ms|s|m|h|d)|0)$",
          "description" : "Degraded, not healthy, when the answer took longer than this."
        }
      }
    })))
TENON_EXPORT_PLUGIN("http", "1.0.0", {TENON_KIND_HEALTH_CHECK, "http", tenon::sdk::health_check_table<Http>()})
