#include "control/connection.hpp"

#include <cerrno>
#include <sys/socket.h>
#include <utility>

#include "control/problem.hpp"

namespace tenon::control {

namespace {
constexpr std::size_t kReadBytes = 64 << 10;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
}  // namespace

Connection::Connection(event::Loop& loop, unique_fd socket, Owner& owner, RequestLimits limits, ConnectionTimes times)
    : loop_(loop), socket_(std::move(socket)), owner_(owner), times_(times), parser_(limits) {}

Connection::~Connection() {
  if (stream_) stream_->close();
}

bool Connection::watch() {
  auto watch = loop_.watch(socket_.get(), event::Interest::read, [this](event::Interest ready) { on_ready(ready); });
  if (!watch) return false;
  watch_ = std::move(watch).value();
  return true;
}

bool Connection::start(Duration patience) {
  if (!watch()) return false;
  set_state(State::reading, patience);
  return true;
}

bool Connection::start_refusing(HttpResponse response) {
  if (!watch()) return false;
  refuse(std::move(response));
  return true;
}

void Connection::close() {
  if (state_ == State::closed) return;
  const auto self = shared_from_this();  // the owner lets go below
  state_ = State::closed;
  deadline_.reset();
  heartbeat_.reset();
  if (stream_) stream_->close();
  subscription_.reset();
  watch_.reset();  // before the descriptor
  socket_.reset();
  owner_.closed(*this);
}

void Connection::set_state(State state, Duration limit) {
  state_ = state;
  deadline_ = limit > Duration::zero() ? loop_.after(limit, [this] { time_up(); }) : event::Handle();
  switch (state) {
    case State::reading:
    case State::lingering: watch_->set_interest(event::Interest::read); break;
    case State::answering: watch_->set_interest(event::Interest::none); break;
    case State::writing: watch_->set_interest(event::Interest::write); break;
    case State::streaming: watch_->set_interest(event::Interest::read); break;
    case State::closed: break;
  }
}

void Connection::time_up() {
  const auto self = shared_from_this();
  switch (state_) {
    case State::reading:
      if (!head_began_ && parser_.state() == RequestParser::State::head) return close();  // merely idle
      return refuse(problem(408, "the request did not arrive in time; send it in one go"));
    case State::answering:
      owner_.refused(504);
      keep_alive_ = false;
      return respond(request_number_,
                     problem(504, "the host has not finished in time; look at its state with tenon ps"));
    default: return close();
  }
}

void Connection::on_ready(event::Interest ready) {
  const auto self = shared_from_this();
  const auto has = [ready](event::Interest bit) {
    return (static_cast<unsigned>(ready) & static_cast<unsigned>(bit)) != 0;
  };
  if (has(event::Interest::write) && (state_ == State::writing || state_ == State::streaming)) write_some();
  if (has(event::Interest::read) && state_ != State::answering && state_ != State::writing) read_some();
}

void Connection::read_some() {
  if (state_ == State::closed) return;
  char bytes[kReadBytes];
  const ssize_t size = ::recv(socket_.get(), bytes, sizeof bytes, MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0) return close();
  if (state_ != State::reading) return;  // streaming or lingering: nothing that comes now means anything
  input_.append(bytes, static_cast<std::size_t>(size));
  consume_input();
}

void Connection::consume_input() {
  if (parser_.state() == RequestParser::State::head) {
    input_.erase(0, parser_.feed_head(input_));
    if (parser_.state() == RequestParser::State::body) {
      if (auto refusal = owner_.refusal(parser_.authorization())) return refuse(std::move(*refusal));
    }
  }
  input_.erase(0, parser_.feed(input_));
  switch (parser_.state()) {
    case RequestParser::State::failed: return refuse(parser_.failure());
    case RequestParser::State::done: return begin_answer();
    case RequestParser::State::head:
      if (!input_.empty() && !std::exchange(head_began_, true)) set_state(State::reading, times_.head);
      return watch_->set_interest(event::Interest::read);
    case RequestParser::State::body:
      if (parser_.wants_continue()) {
        // An interim answer of a few bytes: if it finds no room, the client sends its body all the same after a while.
        (void)::send(socket_.get(), kContinue.data(), kContinue.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      }
      set_state(State::reading, times_.idle);
      return;
  }
}

void Connection::refuse(HttpResponse response) {
  owner_.refused(response.status);
  keep_alive_ = false;
  head_only_ = false;
  send_answer(std::move(response));
}

void Connection::begin_answer() {
  const HttpRequest request = parser_.take();
  head_began_ = false;
  head_only_ = request.method == "HEAD";
  keep_alive_ = request.keep_alive;
  chunked_ = request.chunked_ok;
  set_state(State::answering, times_.answer);
  owner_.serve(request, [weak = weak_from_this(), number = ++request_number_](HttpResponse response) {
    if (const auto self = weak.lock()) self->respond(number, std::move(response));
  });
}

void Connection::respond(std::uint64_t request, HttpResponse response) {
  if (request != request_number_ || state_ != State::answering) return;  // too late
  const auto self = shared_from_this();
  ++request_number_;
  if (response.stream && !head_only_) return begin_stream(std::move(response));
  send_answer(std::move(response));
}

void Connection::send_answer(HttpResponse response) {
  output_ = format_head(response, keep_alive_, false);
  if (!head_only_) output_ += response.body;
  written_ = 0;
  set_state(State::writing, times_.idle);
  write_some();
}

void Connection::begin_stream(HttpResponse response) {
  keep_alive_ = false;
  output_ = format_head(response, keep_alive_, chunked_);
  written_ = 0;
  stream_ = std::move(response.stream);
  subscription_ = std::move(response.subscription);
  set_state(State::streaming, Duration::zero());
  heartbeat_ = loop_.every(times_.heartbeat, [this] { stream_->heartbeat(); });
  // Everything that comes within a turn leaves in one write at its end.
  stream_->set_wake([this] { watch_->set_interest(event::Interest::read_write); });
  write_some();
}

// Fetches what waits, if what was fetched before has left. Afterwards an empty output means: nothing to do.
void Connection::pump_stream() {
  output_.clear();
  written_ = 0;
  stream_->settle();
  const std::string bytes = stream_->take();
  if (chunked_) {
    append_chunk(output_, bytes);
  } else {
    output_ = bytes;
  }
  if (!stream_->ended()) return;
  if (chunked_) output_ += kLastChunk;
  last_chunk_queued_ = true;
}

void Connection::write_some() {
  while (true) {
    if (written_ < output_.size()) {
      const ssize_t size =
          ::send(socket_.get(), output_.data() + written_, output_.size() - written_, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (size < 0 && errno == EINTR) continue;
      if (size < 0 && errno != EAGAIN) return close();
      if (size < 0) break;
      written_ += static_cast<std::size_t>(size);
      if (state_ == State::writing) set_state(State::writing, times_.idle);  // progress
      if (written_ < output_.size()) continue;
    }
    if (state_ != State::streaming) return answer_written();
    if (last_chunk_queued_) return linger();
    pump_stream();
    if (output_.empty()) return watch_->set_interest(event::Interest::read);
  }
  if (state_ == State::streaming) watch_->set_interest(event::Interest::read_write);
}

void Connection::answer_written() {
  output_ = {};
  written_ = 0;
  if (!keep_alive_) return linger();
  set_state(State::reading, times_.idle);
  if (input_.empty()) return;
  // The next request came along with the last one. It gets a turn of its own, so that a long pipeline neither grows
  // the stack nor keeps others waiting; nothing more is read meanwhile, so that the input stays bounded.
  watch_->set_interest(event::Interest::none);
  loop_.post([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self && self->state_ == State::reading) self->consume_input();
  });
}

void Connection::linger() {
  if (stream_) stream_->close();
  stream_.reset();
  subscription_.reset();
  heartbeat_.reset();
  ::shutdown(socket_.get(), SHUT_WR);
  set_state(State::lingering, times_.linger);
}

}  // namespace tenon::control
