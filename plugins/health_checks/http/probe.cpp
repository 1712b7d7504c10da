#include "probe.hpp"

#include <exception>
#include <utility>

#include "../../common/duration_text.hpp"

namespace tenon::health {

HttpProbe::HttpProbe(sdk::Host host, HttpRequest request)
    : host_(host), request_(std::move(request)), request_text_(request_text(request_)),
      connector_(host, request_.host, request_.port) {}

void HttpProbe::start(std::uint64_t deadline_ns, std::function<void(Outcome)> done) {
  cancel();
  started_ns_ = host_.monotonic_ns();
  deadline_ns_ = deadline_ns;
  if (request_.secure && !request_.verify && tls_.context == nullptr) tls_ = make_unverified_context();
  if (request_.secure && request_.verify && tls_.context == nullptr) {
    read_authorities();
    done_ = std::move(done);
    return;
  }
  done_ = std::move(done);
  try {
    connect();
  } catch (...) {
    cancel();
    throw;
  }
}

void HttpProbe::cancel() noexcept {
  ++number_;
  connector_.cancel();
  timer_.cancel();
  watch_.stop();
  stream_.reset();
  judge_.reset();
  done_ = nullptr;
}

void HttpProbe::read_authorities() {
  auto made = std::make_shared<TlsContext>();
  host_.run_on_worker(
      deadline_ns_, [made, file = request_.ca_file] { *made = make_verified_context(file); },
      [this, made, number = number_](tenon_status status) {
        if (status == TENON_OK && made->context != nullptr) tls_ = *made;
        if (number != number_) return;
        if (status == TENON_ERR_EXHAUSTED)
          return finish({"no worker thread was free to read the certificate authorities", true});
        if (status != TENON_OK) return fail("the certificate authorities were not read in time");
        if (made->context == nullptr) return fail(made->error);
        try {
          connect();
        } catch (const std::exception& e) {
          fail("cannot ask " + request_.shown_url + ": " + e.what());
        }
      });
}

void HttpProbe::connect() {
  connector_.start(deadline_ns_, [this](Connected connected) { on_connected(std::move(connected)); });
}

void HttpProbe::on_connected(Connected connected) {
  if (connected.fd < 0) return finish({std::move(connected.failure), connected.not_made});
  stream_ = std::make_unique<Stream>(connected.fd);
  judge_ = std::make_unique<AnswerJudge>(request_);
  phase_ = Phase::handshake;
  unsent_ = request_text_;
  if (request_.secure && tls_.context == nullptr) return fail(tls_.error);
  if (request_.secure && !stream_->secure(tls_, request_)) return fail(why_failed());
  try {
    const std::uint64_t now = host_.monotonic_ns();
    timer_ = host_.start_timer(deadline_ns_ > now ? deadline_ns_ - now : 0, 0, [this] { fail(late()); });
    watch_ = host_.watch(stream_->fd(), 0, [this](std::uint32_t) { go_on(); });
  } catch (const std::exception& e) {
    return fail("cannot ask " + request_.shown_url + ": " + e.what());
  }
  go_on();
}

// Does whatever can be done without waiting.
void HttpProbe::go_on() {
  for (;;) {
    switch (step()) {
      case Stream::Step::wants_read: return watch_.set_interest(TENON_FD_READ);
      case Stream::Step::wants_write: return watch_.set_interest(TENON_FD_WRITE);
      case Stream::Step::end: return fail(judge_->end());
      case Stream::Step::failed: return fail(why_failed());
      case Stream::Step::done: break;
    }
    if (phase_ == Phase::receiving) return fail(std::move(verdict_));
    phase_ = phase_ == Phase::handshake ? Phase::sending : Phase::receiving;
  }
}

Stream::Step HttpProbe::step() {
  switch (phase_) {
    case Phase::handshake: return stream_->handshake();
    case Phase::sending: return stream_->write(unsent_);
    case Phase::receiving: break;
  }
  return receive();
}

Stream::Step HttpProbe::receive() {
  char block[16 * 1024];
  for (;;) {
    std::size_t got = 0;
    const Stream::Step step = stream_->read(block, sizeof block, got);
    if (step != Stream::Step::done) return step;
    if (auto verdict = judge_->take({block, got})) {
      verdict_ = std::move(*verdict);
      return Stream::Step::done;
    }
  }
}

std::string HttpProbe::why_failed() const {
  if (phase_ == Phase::handshake) return "no TLS connection to " + request_.endpoint + ": " + stream_->error();
  return "cannot ask " + request_.shown_url + ": " + stream_->error();
}

std::string HttpProbe::late() const {
  return "no complete answer from " + request_.shown_url + " within " +
         plugins::describe_duration(deadline_ns_ > started_ns_ ? deadline_ns_ - started_ns_ : 0);
}

void HttpProbe::finish(Outcome outcome) {
  const auto done = std::exchange(done_, nullptr);
  cancel();
  done(std::move(outcome));
}

}  // namespace tenon::health
