// health_check/http: a server answers a request with an expected status and, if asked for, an expected text in its
// body.
//
// The request runs on a worker thread with the host's deadline. The instance holds the probe that may still complete;
// cancel, stop and destroy abort it and let go of it, so a late result finds that it is not wanted.
#include <tenon/sdk/health_check.hpp>
#include <tenon/sdk/plugin.hpp>

#include <chrono>
#include <memory>
#include <string>

#include "../common/wording.hpp"
#include "probe.hpp"

namespace {

using tenon::health::HttpProbe;
using tenon::health::HttpShared;
using tenon::plugins::describe_duration;

class Http {
 public:
  explicit Http(tenon::sdk::Host host)
      : host_(host), degraded_after_ns_(host.config_duration_ns("/degraded_after", UINT64_MAX)) {
    shared_->request = tenon::health::read_request(host);
  }
  ~Http() { release(); }
  Http(const Http&) = delete;
  Http& operator=(const Http&) = delete;

  void start(const tenon_health_target&) {}

  void check(std::uint64_t token, std::uint64_t deadline_ns) {
    release();
    started_ns_ = host_.monotonic_ns();
    const std::uint64_t limit = deadline_ns > started_ns_ ? deadline_ns - started_ns_ : 0;
    auto probe = std::make_shared<HttpProbe>(shared_, std::chrono::nanoseconds(limit));
    host_.run_on_worker(
        deadline_ns, [probe] { probe->run(); },
        [this, probe, token, limit](tenon_status status) {
          if (probe == probe_) finish(token, status, limit);
        });
    probe_ = std::move(probe);
  }

  void cancel() { release(); }
  void stop() { release(); }

 private:
  void finish(std::uint64_t token, tenon_status status, std::uint64_t limit_ns) {
    const auto probe = probe_;
    release();
    const std::uint64_t took = host_.monotonic_ns() - started_ns_;
    const auto complete = [&](std::uint32_t health, const std::string& reason) {
      host_.complete_check(token, health, reason, took);
    };
    const std::string& url = shared_->request.shown_url;
    if (status == TENON_ERR_EXHAUSTED)
      return tenon::health::complete_not_made(host_, token, "no worker thread was free to ask " + url);
    // Without TENON_OK the worker may still be writing the probe's answer.
    if (status == TENON_ERR_TIMEOUT)
      return complete(TENON_UNHEALTHY, "no complete answer from " + url + " within " + describe_duration(limit_ns));
    if (status != TENON_OK) return complete(TENON_UNHEALTHY, "the request to " + url + " was withdrawn by the host");
    if (!probe->failure().empty()) return complete(TENON_UNHEALTHY, probe->failure());
    if (took <= degraded_after_ns_) return complete(TENON_HEALTHY, {});
    complete(TENON_DEGRADED, url + " answered after " + describe_duration(took) + "; degraded_after is " +
                                 describe_duration(degraded_after_ns_));
  }

  void release() {
    if (probe_ != nullptr) probe_->abort();
    probe_.reset();
  }

  tenon::sdk::Host host_;
  std::uint64_t degraded_after_ns_, started_ns_ = 0;
  std::shared_ptr<HttpShared> shared_ = std::make_shared<HttpShared>();
  std::shared_ptr<HttpProbe> probe_;  // the one that may complete; nullptr: none
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
