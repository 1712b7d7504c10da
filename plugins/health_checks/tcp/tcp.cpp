// health_check/tcp: a connection can be made, and the server greets as expected.
//
//   idle --check--> resolving (names only, on a worker) --> connecting --> [reading the banner] --> idle, completed
//
// One probe at a time. Addresses are tried in turn, each with an equal share of the time that is left. finish() is
// the only way out with a completion, release() the only way out without one; both leave no descriptor, watch or
// timer behind. Probes are numbered, so that a name that resolves after its probe ended changes nothing.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <tenon/sdk/health_check.hpp>
#include <tenon/sdk/plugin.hpp>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../common/wording.hpp"
#include "address.hpp"

namespace {

using tenon::health::Address;
using tenon::health::Resolution;
using tenon::plugins::describe_duration;

constexpr std::size_t kBannerLimit = 4096;

// A loopback port in the ephemeral range that nobody listens on can be connected to itself (simultaneous open).
bool connected_to_itself(int fd) {
  sockaddr_storage here{}, there{};
  socklen_t here_size = sizeof here, there_size = sizeof there;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&here), &here_size) != 0) return false;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&there), &there_size) != 0) return false;
  return here_size == there_size && std::memcmp(&here, &there, here_size) == 0;
}

class Tcp {
 public:
  explicit Tcp(tenon::sdk::Host host)
      : host_(host),
        name_(host.config_string("/host", "127.0.0.1")),
        port_(static_cast<std::uint16_t>(host.config_integer("/port", 0))),
        banner_(host.config_string("/expect_banner")),
        degraded_after_ns_(host.config_duration_ns("/degraded_after", UINT64_MAX)),
        endpoint_(tenon::health::endpoint_text(name_, port_)) {
    if (port_ == 0)
      throw tenon::sdk::Error(TENON_ERR_INVALID_ARGUMENT, "port is missing; give a port from 1 to 65535",
                              TENON_FAULT_CALLER);
  }
  ~Tcp() { release(); }
  Tcp(const Tcp&) = delete;
  Tcp& operator=(const Tcp&) = delete;

  void start(const tenon_health_target&) {}

  void check(std::uint64_t token, std::uint64_t deadline_ns) {
    release();
    token_ = token;
    started_ns_ = host_.monotonic_ns();
    deadline_ns_ = deadline_ns;
    failure_.clear();
    Resolution numeric = tenon::health::resolve(name_, port_, true);
    if (!numeric.addresses.empty()) return connect_to(std::move(numeric.addresses));
    auto result = std::make_shared<Resolution>();
    host_.run_on_worker(
        deadline_ns, [result, name = name_, port = port_] { *result = tenon::health::resolve(name, port, false); },
        [this, result, probe = probe_](tenon_status status) {
          if (probe != probe_) return;
          if (status == TENON_ERR_EXHAUSTED) return not_made();
          if (status != TENON_OK) return unhealthy("the name " + name_ + " was not resolved in time");
          if (result->addresses.empty()) return unhealthy("cannot resolve " + name_ + ": " + result->error);
          connect_to(std::move(result->addresses));
        });
  }

  void cancel() { release(); }
  void stop() { release(); }

 private:
  void connect_to(std::vector<Address> addresses) {
    addresses_ = std::move(addresses);
    next_ = 0;
    step([this] { try_next(); });
  }

  // Runs a step of the probe; what it throws (the host is out of timers or watches) is the answer.
  template <class Step>
  void step(Step&& body) {
    try {
      std::forward<Step>(body)();
    } catch (const std::exception& e) {
      unhealthy("cannot look at " + endpoint_ + ": " + e.what());
    }
  }

  // Connects to the next address that does not fail at once; without any left, the last failure is the answer.
  void try_next() {
    while (next_ < addresses_.size()) {
      drop_connection();
      const std::uint64_t now = host_.monotonic_ns();
      const std::uint64_t share = (deadline_ns_ > now ? deadline_ns_ - now : 0) / (addresses_.size() - next_);
      const Address& address = addresses_[next_++];
      fd_ = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      if (fd_ < 0 || (::connect(fd_, address.get(), address.size) != 0 && errno != EINPROGRESS)) {
        failure_ = failure_text(errno);
        continue;
      }
      timer_ = host_.start_timer(share, 0, [this] {
        failure_ = "no connection to " + endpoint_ + " within " + describe_duration(host_.monotonic_ns() - started_ns_);
        step([this] { try_next(); });
      });
      watch_ = host_.watch(fd_, TENON_FD_WRITE, [this](std::uint32_t) { step([this] { on_connected(); }); });
      return;
    }
    unhealthy(failure_);
  }

  void on_connected() {
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
    if (error == 0 && connected_to_itself(fd_)) error = ECONNREFUSED;
    if (error != 0) {
      failure_ = failure_text(error);
      return try_next();
    }
    if (banner_.empty()) return answer();
    received_.clear();
    const std::uint64_t now = host_.monotonic_ns();
    timer_ = host_.start_timer(deadline_ns_ > now ? deadline_ns_ - now : 0, 0, [this] {
      unhealthy(endpoint_ + " accepted, but did not send the expected banner within " +
                describe_duration(host_.monotonic_ns() - started_ns_));
    });
    watch_.stop();  // a descriptor is watched once
    watch_ = host_.watch(fd_, TENON_FD_READ, [this](std::uint32_t) { on_readable(); });
  }

  void on_readable() {
    char block[1024];
    const ssize_t got = ::recv(fd_, block, sizeof block, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got < 0) return unhealthy(endpoint_ + " accepted, then failed: " + std::strerror(errno));
    received_.append(block, static_cast<std::size_t>(got));
    if (received_.find(banner_) != std::string::npos) return answer();
    if (got == 0 || received_.size() >= kBannerLimit)
      unhealthy(endpoint_ + " greeted with " + quoted() + ", which does not contain the expected banner");
  }

  // What came, short and printable.
  std::string quoted() const {
    if (received_.empty()) return "nothing";
    std::string text = "\"";
    for (const char c : received_.substr(0, 40)) text += c >= ' ' && c < 0x7F ? c : '.';
    return text + (received_.size() > 40 ? "…\"" : "\"");
  }

  std::string failure_text(int error) const {
    if (error == ECONNREFUSED) return "connection refused by " + endpoint_;
    return "cannot connect to " + endpoint_ + ": " + std::strerror(error);
  }

  void answer() {
    const std::uint64_t took = host_.monotonic_ns() - started_ns_;
    if (took <= degraded_after_ns_) return finish(TENON_HEALTHY, {});
    finish(TENON_DEGRADED, endpoint_ + " answered after " + describe_duration(took) + "; degraded_after is " +
                               describe_duration(degraded_after_ns_));
  }
  // The host had no thread to resolve the name on: nothing was learnt about the server.
  void not_made() {
    release();
    tenon::health::complete_not_made(host_, token_, "no worker thread was free to resolve " + name_);
  }
  void unhealthy(const std::string& reason) { finish(TENON_UNHEALTHY, reason); }

  void finish(std::uint32_t health, const std::string& reason) {
    const std::string kept = reason;  // may be failure_, or a capture of the callback that release() ends
    release();
    host_.complete_check(token_, health, kept, host_.monotonic_ns() - started_ns_);
  }

  void drop_connection() {
    timer_.cancel();
    watch_.stop();
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  void release() {
    ++probe_;
    drop_connection();
  }

  tenon::sdk::Host host_;
  std::string name_;
  std::uint16_t port_;
  std::string banner_;  // empty: a connection is enough
  std::uint64_t degraded_after_ns_;
  std::string endpoint_;

  std::uint64_t probe_ = 0, token_ = 0, started_ns_ = 0, deadline_ns_ = 0;
  std::vector<Address> addresses_;
  std::size_t next_ = 0;  // of addresses_, to try next
  std::string failure_, received_;
  int fd_ = -1;
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
