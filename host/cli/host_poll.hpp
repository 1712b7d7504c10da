// Several documents of the host, fetched one after the other without waiting: for a view that has keys to look after.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/host_connection.hpp"
#include "cli/response_reader.hpp"
#include "common/clock.hpp"
#include "common/result.hpp"

namespace tenon::cli {

// One poll at a time: begin(), then advance() whenever fd() is readable or the deadline has passed, until it returns
// the bodies, or what kept them away. Errors: errc::unavailable, no host listens, or its engine is being restarted;
// errc::timeout; errc::io, the answer broke off; errc::internal, the host refused with the sentence that is the error.
class HostPoll {
 public:
  static constexpr Duration kTimeout = std::chrono::seconds(30);  // for all answers of a poll

  using Bodies = std::vector<std::string>;  // in the order of the targets
  explicit HostPoll(std::string socket) : socket_(std::move(socket)) {}

  // Requires: not active().
  Status begin(std::vector<std::string> targets, MonotonicTime now);
  std::optional<Result<Bodies>> advance(MonotonicTime now);

  bool active() const noexcept { return connection_.has_value(); }
  int fd() const noexcept { return connection_ ? connection_->fd() : -1; }
  MonotonicTime deadline() const noexcept { return begun_ + kTimeout; }  // meaningful while active()
  MonotonicTime begun() const noexcept { return begun_; }

 private:
  Status ask();
  Error end(Error error);

  std::string socket_;
  std::vector<std::string> targets_;
  Bodies bodies_;
  MonotonicTime begun_{};
  std::optional<HostConnection> connection_;
  ResponseReader reader_;
  std::string body_;
};

}  // namespace tenon::cli
