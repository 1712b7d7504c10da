// One HTTP request at a time, on the loop, with an answer in words.
//
//   idle --start--> [reading the authorities, once] --> connecting --> [TLS] --> sending --> receiving --> idle, told
//
// The model. Nothing of it waits on a thread, so that however many servers hang, no other check is late: only names and
// the certificate authorities need a worker, for as long as these take. finish() is the only way out with an outcome,
// cancel() the only way out without one; both leave no descriptor, watch or timer behind. Probes are numbered, so that
// authorities that are read after their probe ended are kept, and change nothing else. [loop]
#pragma once

#include <tenon/sdk/host.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "../common/connector.hpp"
#include "answer.hpp"
#include "request.hpp"
#include "stream.hpp"
#include "tls.hpp"

namespace tenon::health {

class HttpProbe {
 public:
  struct Outcome {
    std::string failure;    // empty: as expected
    bool not_made = false;  // the host had no thread free: nothing was learnt about the server
  };

  HttpProbe(sdk::Host host, HttpRequest request);
  ~HttpProbe() { cancel(); }
  HttpProbe(const HttpProbe&) = delete;
  HttpProbe& operator=(const HttpProbe&) = delete;

  const std::string& shown_url() const noexcept { return request_.shown_url; }

  // `done` runs once, perhaps from within this call, unless cancel() comes first. Throws sdk::Error when the host takes
  // no more work for its threads; then nothing follows.
  void start(std::uint64_t deadline_ns, std::function<void(Outcome)> done);
  void cancel() noexcept;

 private:
  enum class Phase { handshake, sending, receiving };

  void read_authorities();
  void connect();
  void on_connected(Connected connected);
  void go_on();
  Stream::Step step();
  Stream::Step receive();
  std::string why_failed() const;
  std::string late() const;
  void finish(Outcome outcome);
  void fail(std::string why) { finish({std::move(why), false}); }

  sdk::Host host_;
  const HttpRequest request_;
  const std::string request_text_;
  Connector connector_;
  TlsContext tls_;  // kept from the first probe that needed it

  std::function<void(Outcome)> done_;  // null: idle
  std::uint64_t number_ = 0, started_ns_ = 0, deadline_ns_ = 0;
  Phase phase_ = Phase::handshake;
  std::string_view unsent_;            // of request_text_
  std::unique_ptr<AnswerJudge> judge_;
  std::string verdict_;                // of the judge, once receive() is done
  std::unique_ptr<Stream> stream_;
  sdk::Timer timer_;
  sdk::FdWatch watch_;
};

}  // namespace tenon::health
