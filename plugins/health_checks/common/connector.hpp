// Connects a check to its server, on the loop. Shared by tcp and http.
//
//   idle --start--> resolving (names only, on a worker) --> connecting to one address after another --> idle, told
//
// Each address gets an equal share of the time that is left; without any left, the last failure is the answer. finish()
// is the only way out with an answer, cancel() the only way out without one; both leave no descriptor, watch or timer
// behind. Attempts are numbered, so that a name that resolves after its attempt ended changes nothing. [loop]
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <tenon/sdk/host.hpp>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "address.hpp"
#include "wording.hpp"

namespace tenon::health {

struct Connected {
  int fd = -1;            // non-blocking, the receiver's to close; -1: there is none
  std::string failure;    // why there is none
  bool not_made = false;  // the host had no thread to resolve the name on: nothing was learnt about the server
};

class Connector {
 public:
  Connector(sdk::Host host, std::string name, std::uint16_t port)
      : host_(host), name_(std::move(name)), port_(port), endpoint_(endpoint_text(name_, port_)) {}
  ~Connector() { cancel(); }
  Connector(const Connector&) = delete;
  Connector& operator=(const Connector&) = delete;

  // "127.0.0.1:80"
  const std::string& endpoint() const noexcept { return endpoint_; }

  // `done` runs once, perhaps from within this call, unless cancel() comes first. Throws sdk::Error when the host takes
  // no more work for its threads; then nothing follows.
  void start(std::uint64_t deadline_ns, std::function<void(Connected)> done) {
    cancel();
    started_ns_ = host_.monotonic_ns();
    deadline_ns_ = deadline_ns;
    failure_.clear();
    Resolution numeric = resolve(name_, port_, true);
    if (numeric.addresses.empty()) resolve_name();
    done_ = std::move(done);
    if (!numeric.addresses.empty()) connect_to(std::move(numeric.addresses));
  }

  void cancel() noexcept {
    ++attempt_;
    drop();
    done_ = nullptr;
  }

 private:
  void resolve_name() {
    auto result = std::make_shared<Resolution>();
    host_.run_on_worker(
        deadline_ns_, [result, name = name_, port = port_] { *result = resolve(name, port, false); },
        [this, result, attempt = attempt_](tenon_status status) {
          if (attempt != attempt_) return;
          if (status == TENON_ERR_EXHAUSTED)
            return finish({-1, "no worker thread was free to resolve " + name_, true});
          if (status != TENON_OK) return fail("the name " + name_ + " was not resolved in time");
          if (result->addresses.empty()) return fail("cannot resolve " + name_ + ": " + result->error);
          connect_to(std::move(result->addresses));
        });
  }

  void connect_to(std::vector<Address> addresses) {
    addresses_ = std::move(addresses);
    next_ = 0;
    step([this] { try_next(); });
  }

  // Runs a step; what it throws (the host is out of timers or watches) is the answer.
  template <class Step>
  void step(Step&& body) {
    try {
      std::forward<Step>(body)();
    } catch (const std::exception& e) {
      fail("cannot look at " + endpoint_ + ": " + e.what());
    }
  }

  // Connects to the next address that does not fail at once.
  void try_next() {
    while (next_ < addresses_.size()) {
      drop();
      const std::uint64_t now = host_.monotonic_ns();
      const std::uint64_t share = (deadline_ns_ > now ? deadline_ns_ - now : 0) / (addresses_.size() - next_);
      const Address& address = addresses_[next_++];
      fd_ = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      if (fd_ < 0 || (::connect(fd_, address.get(), address.size) != 0 && errno != EINPROGRESS)) {
        failure_ = failure_text(errno);
        continue;
      }
      timer_ = host_.start_timer(share, 0, [this] {
        failure_ = "no connection to " + endpoint_ + " within " +
                   plugins::describe_duration(host_.monotonic_ns() - started_ns_);
        step([this] { try_next(); });
      });
      watch_ = host_.watch(fd_, TENON_FD_WRITE, [this](std::uint32_t) { step([this] { on_connected(); }); });
      return;
    }
    fail(failure_);
  }

  void on_connected() {
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
    if (error == 0 && connected_to_itself()) error = ECONNREFUSED;
    if (error != 0) {
      failure_ = failure_text(error);
      return try_next();
    }
    watch_.stop();  // a descriptor is watched once, and the receiver will
    finish({std::exchange(fd_, -1), {}, false});
  }

  // A loopback port in the ephemeral range that nobody listens on can be connected to itself (simultaneous open).
  bool connected_to_itself() const {
    sockaddr_storage here{}, there{};
    socklen_t here_size = sizeof here, there_size = sizeof there;
    if (::getsockname(fd_, reinterpret_cast<sockaddr*>(&here), &here_size) != 0) return false;
    if (::getpeername(fd_, reinterpret_cast<sockaddr*>(&there), &there_size) != 0) return false;
    return here_size == there_size && std::memcmp(&here, &there, here_size) == 0;
  }

  std::string failure_text(int error) const {
    if (error == ECONNREFUSED) return "connection refused by " + endpoint_;
    return "cannot connect to " + endpoint_ + ": " + std::strerror(error);
  }

  void fail(std::string why) { finish({-1, std::move(why), false}); }
  void finish(Connected how) {
    const auto done = std::exchange(done_, nullptr);
    cancel();
    done(std::move(how));
  }

  void drop() noexcept {
    timer_.cancel();
    watch_.stop();
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

  sdk::Host host_;
  std::string name_;
  std::uint16_t port_;
  std::string endpoint_;

  std::function<void(Connected)> done_;  // null: idle
  std::uint64_t attempt_ = 0, started_ns_ = 0, deadline_ns_ = 0;
  std::vector<Address> addresses_;
  std::size_t next_ = 0;  // of addresses_, to try next
  std::string failure_;   // of the address before
  int fd_ = -1;
  sdk::Timer timer_;
  sdk::FdWatch watch_;
};

}  // namespace tenon::health
