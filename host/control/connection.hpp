// One client of the control API: reads requests, sends answers, one at a time, until either side has had enough.
//
// The model. A connection is
//   reading    waiting for a request or in the midst of one; bytes of later ones wait in the input
//   answering  the API has the request; nothing is read
//   writing    the answer leaves; then reading again, or lingering
//   streaming  items leave as they come; the client's bytes are thrown away and its going ends the subscription. A
//              stream is the last answer of its connection
//   lingering  everything is said: our side is shut, and we read on for a moment, because closing over unread bytes
//              would reset the connection and the client might lose the answer
//   closed
// Only the time for its state runs: idle and head in reading, progress in writing and in a body, a bound on
// answering.
//
// [loop]. Shared ownership, because answers come later and callbacks may close it while it runs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/clock.hpp"
#include "common/unique_fd.hpp"
#include "control/http_message.hpp"
#include "control/request_parser.hpp"
#include "event/loop.hpp"

namespace tenon::control {

struct ConnectionTimes {
  Duration idle = std::chrono::seconds(60);        // between requests, and without progress in a body or an answer
  Duration head = std::chrono::seconds(10);        // from a request's first byte to the end of its head
  Duration answer = std::chrono::minutes(10);      // what the host may take; then 504
  Duration linger = std::chrono::seconds(2);
  Duration heartbeat = std::chrono::seconds(15);   // of a stream without items
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Respond = std::function<void(HttpResponse)>;

  class Owner {
   public:
    virtual ~Owner() = default;
    // A request with a body has told its head: what to answer instead of reading the body; empty: go on.
    virtual std::optional<HttpResponse> refusal(std::string_view authorization) = 0;
    // Answers through `respond` once, now or later; answers after the connection has gone are let go.
    virtual void serve(const HttpRequest& request, Respond respond) = 0;
    // A request that never became one (bad syntax, too large, too slow) was answered with this status.
    virtual void refused(int status) = 0;
    // Nothing more happens here; the owner lets go of it.
    virtual void closed(Connection& connection) = 0;
  };

  Connection(event::Loop& loop, unique_fd socket, Owner& owner, RequestLimits limits, ConnectionTimes times);
  ~Connection();

  // Begins to serve; false when the kernel does not let us watch the socket. The first request must begin within
  // `patience`.
  bool start(Duration patience);
  // Says this one thing instead, and closes.
  bool start_refusing(HttpResponse response);
  void close();
  bool streaming() const noexcept { return stream_ != nullptr; }

 private:
  enum class State : std::uint8_t { reading, answering, writing, streaming, lingering, closed };

  bool watch();
  void on_ready(event::Interest ready);
  void read_some();
  void consume_input();
  void refuse(HttpResponse response);
  void begin_answer();
  void respond(std::uint64_t request, HttpResponse response);
  void send_answer(HttpResponse response);
  void begin_stream(HttpResponse response);
  void pump_stream();
  void write_some();
  void answer_written();
  void linger();
  void set_state(State state, Duration limit);
  void time_up();

  event::Loop& loop_;
  unique_fd socket_;
  Owner& owner_;
  const ConnectionTimes times_;
  std::unique_ptr<event::FdWatch> watch_;
  event::Handle deadline_;
  State state_ = State::reading;

  std::string input_;
  RequestParser parser_;
  bool head_began_ = false;  // the head's deadline runs
  bool head_only_ = false;   // a HEAD request: its answer has no body
  bool keep_alive_ = true;
  bool chunked_ = true;
  std::uint64_t request_number_ = 0;

  std::string output_;
  std::size_t written_ = 0;  // of output_
  std::shared_ptr<StreamBuffer> stream_;
  StreamHandle subscription_;
  event::Handle heartbeat_;
  bool last_chunk_queued_ = false;
};

}  // namespace tenon::control
