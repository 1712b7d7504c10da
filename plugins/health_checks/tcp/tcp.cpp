// health_check/tcp: a connection can be made, and the server greets as expected.
//
//   idle --check--> connecting --> [reading the banner] --> idle, completed
//
// One probe at a time. finish() is the only way out with a completion, release() the only way out without one; both
// leave no descriptor, watch or timer behind.
#include <sys/socket.h>
#include <tenon/sdk/health_check.hpp>
#include <tenon/sdk/plugin.hpp>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <string>

#include "../common/connector.hpp"
#include "../common/wording.hpp"

namespace {

using tenon::health::Connected;
using tenon::plugins::describe_duration;

constexpr std::size_t kBannerLimit = 4096;

std::uint16_t read_port(const tenon::sdk::Host& host) {
  const auto port = static_cast<std::uint16_t>(host.config_integer("/port", 0));
  if (port == 0)
    throw tenon::sdk::Error(TENON_ERR_INVALID_ARGUMENT, "port is missing; give a port from 1 to 65535",
                            TENON_FAULT_CALLER);
  return port;
}

class Tcp {
 public:
  explicit Tcp(tenon::sdk::Host host)
      : host_(host),
        connector_(host, host.config_string("/host", "127.0.0.1"), read_port(host)),
        banner_(host.config_string("/expect_banner")),
        degraded_after_ns_(host.config_duration_ns("/degraded_after", UINT64_MAX)) {}
  ~Tcp() { release(); }
  Tcp(const Tcp&) = delete;
  Tcp& operator=(const Tcp&) = delete;

  void start(const tenon_health_target&) {}

  void check(std::uint64_t token, std::uint64_t deadline_ns) {
    release();
    token_ = token;
    started_ns_ = host_.monotonic_ns();
    deadline_ns_ = deadline_ns;
    connector_.start(deadline_ns, [this](const Connected& connected) { on_connected(connected); });
  }

  void cancel() { release(); }
  void stop() { release(); }

 private:
  void on_connected(const Connected& connected) {
    if (connected.not_made) return tenon::health::complete_not_made(host_, token_, connected.failure);
    if (connected.fd < 0) return unhealthy(connected.failure);
    fd_ = connected.fd;
    if (banner_.empty()) return answer();
    try {
      await_banner();
    } catch (const std::exception& e) {  // the host is out of timers or watches
      unhealthy("cannot look at " + connector_.endpoint() + ": " + e.what());
    }
  }

  void await_banner() {
    received_.clear();
    const std::uint64_t now = host_.monotonic_ns();
    timer_ = host_.start_timer(deadline_ns_ > now ? deadline_ns_ - now : 0, 0, [this] {
      unhealthy(connector_.endpoint() + " accepted, but did not send the expected banner within " +
                describe_duration(host_.monotonic_ns() - started_ns_));
    });
    watch_ = host_.watch(fd_, TENON_FD_READ, [this](std::uint32_t) { on_readable(); });
  }

  void on_readable() {
    char block[1024];
    const ssize_t got = ::recv(fd_, block, sizeof block, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got < 0) return unhealthy(connector_.endpoint() + " accepted, then failed: " + std::strerror(errno));
    received_.append(block, static_cast<std::size_t>(got));
    if (received_.find(banner_) != std::string::npos) return answer();
    if (got == 0 || received_.size() >= kBannerLimit)
      unhealthy(connector_.endpoint() + " greeted with " + quoted() + ", which does not contain the expected banner");
  }

  // What came, short and printable.
  std::string quoted() const {
    if (received_.empty()) return "nothing";
    std::string text = "\"";
    for (const char c : received_.substr(0, 40)) text += c >= ' ' && c < 0x7F ? c : '.';
    return text + (received_.size() > 40 ? "…\"" : "\"");
  }

  void answer() {
    const std::uint64_t took = host_.monotonic_ns() - started_ns_;
    if (took <= degraded_after_ns_) return finish(TENON_HEALTHY, {});
    finish(TENON_DEGRADED, connector_.endpoint() + " answered after " + describe_duration(took) +
                               "; degraded_after is " + describe_duration(degraded_after_ns_));
  }
  void unhealthy(const std::string& reason) { finish(TENON_UNHEALTHY, reason); }

  void finish(std::uint32_t health, const std::string& reason) {
    release();
    host_.complete_check(token_, health, reason, host_.monotonic_ns() - started_ns_);
  }

  void release() {
    connector_.cancel();
    timer_.cancel();
    watch_.stop();
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

  tenon::sdk::Host host_;
  tenon::health::Connector connector_;
  std::string banner_;  // empty: a connection is enough
  std::uint64_t degraded_after_ns_;

  std::uint64_t token_ = 0, started_ns_ = 0, deadline_ns_ = 0;
  std::string received_;
  int fd_ = -1;  // from the connection to the end of the probe
  tenon::sdk::Timer timer_;
  tenon::sdk::FdWatch watch_;
};

}  // namespace

TENON_PLUGIN_NOTE(
    "tcp", "1.0.0", "Tenon", "MIT",
    TENON_NOTE_COMPONENT(TENON_KIND_HEALTH_CHECK, "tcp", TENON_JSON({
      "type" : "object", "additionalProperties" : false, "required" : ["port"], "properties" : {
        "host" : {
          "type" : "string", "minLength" : 1, "default" : "127.0.0.1",
          "description" : "An address or a name; names are resolved for every check, all addresses are tried in turn."
        },
        "port" : {"type" : "integer", "minimum" : 1, "maximum" : 65535, "description" : "The port to connect to."},
        "expect_banner" : {
          "type" : "string", "minLength" : 1, "maxLength" : 1024,
          "description" : "Text that must stand in the first 4096 octets that the server sends by itself."
        },
        "degraded_after" : {
          "type" : "string", "pattern" : "^([0-9]+(\\.[0-9]+)?(ns|us|ms|s|m|h|d)|0)$",
          "description" : "Degraded, not healthy, when the answer took longer than this."
        }
      }
    })))
TENON_EXPORT_PLUGIN("tcp", "1.0.0", {TENON_KIND_HEALTH_CHECK, "tcp", tenon::sdk::health_check_table<Tcp>()})
