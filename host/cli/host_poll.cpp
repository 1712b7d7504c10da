#include "cli/host_poll.hpp"

#include <utility>

#include "cli/api_client.hpp"

namespace tenon::cli {

Error HostPoll::end(Error error) {
  connection_.reset();
  return error;
}

Status HostPoll::ask() {
  auto connection = HostConnection::open(socket_);
  if (!connection) return end(std::move(connection).error());
  connection_.emplace(std::move(connection).value());
  reader_ = ResponseReader();
  body_.clear();
  // What an engine that has just died did not take shows as an answer that breaks off.
  (void)connection_->send(format_request({.target = targets_[bodies_.size()]}));
  return {};
}

Status HostPoll::begin(std::vector<std::string> targets, MonotonicTime now) {
  targets_ = std::move(targets);
  bodies_.clear();
  begun_ = now;
  return ask();
}

std::optional<Result<HostPoll::Bodies>> HostPoll::advance(MonotonicTime now) {
  using State = ResponseReader::State;
  // The deadline decides also for a host that sends a byte now and then.
  const auto read = now >= deadline() ? HostConnection::Read{Wake::timeout, {}} : connection_->read(now, {});
  if (read.wake == Wake::timeout) {
    if (now < deadline()) return std::nullopt;
    return end(Error(errc::timeout, "the host on " + socket_ + " has not answered in time", fault::remote));
  }
  if (read.bytes.empty()) reader_.end();
  reader_.feed(read.bytes);
  body_ += reader_.take_body();
  if (reader_.state() == State::failed)
    return end(Error(errc::io, "the engine went away before it answered", fault::remote, true));
  if (reader_.state() != State::done) return std::nullopt;

  ApiReply reply{reader_.head().status, std::move(body_)};
  if (!reply.ok()) {
    const bool later = is_come_back_later(reader_.head(), reply.body, Repeat::freely);
    return end(Error(later ? errc::unavailable : errc::internal, reply.problem(), fault::remote, later));
  }
  connection_.reset();
  bodies_.push_back(std::move(reply.body));
  if (bodies_.size() == targets_.size()) return std::move(bodies_);
  if (const Status asked = ask(); !asked) return asked.error();
  return std::nullopt;
}

}  // namespace tenon::cli
