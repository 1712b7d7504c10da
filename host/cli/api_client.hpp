// Calls of the control API, through restarts of the engine.
//
// The model. A call that fails because the engine is being restarted (the connection breaks, or a 503 tells to come
// back) is repeated for up to `patience`, if repeating cannot do harm: an idempotent call always, another only when
// the request cannot have been acted on, because it was not delivered whole or the answer was the 503 of somebody who
// had not looked at it. A socket on which nothing listens is a host that does not run, at once; after a connection
// that worked it is waited for too.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "cli/host_connection.hpp"
#include "cli/item_reader.hpp"
#include "cli/response_reader.hpp"
#include "common/clock.hpp"
#include "common/result.hpp"

namespace tenon::cli {

enum class Repeat : unsigned char { freely, if_not_delivered };

struct ApiCall {
  std::string method{"GET"};
  std::string target;  // path and query, percent-encoded
  std::string body{};
  Repeat repeat = Repeat::freely;
  Duration timeout = std::chrono::seconds(30);  // for the whole answer
};

struct ApiReply {
  int status = 0;
  std::string body;
  bool ok() const noexcept { return status >= 200 && status < 300; }
  // The sentence of a problem document; of any other body its first line.
  std::string problem() const;
};

// The bytes of a call.
std::string format_request(const ApiCall& call);
// The answers of those who only keep the door: the keeper while there is no engine, the server when it is full. An
// answer with a code comes from the host itself, which has looked at the request.
bool is_come_back_later(const ResponseHead& head, const std::string& body, Repeat repeat);

// How a stream came to its end.
struct StreamEnd {
  enum class Why : unsigned char {
    finished,       // the host says that nothing more comes
    lost,           // the connection broke: try again
    refused,        // `reply` says why
    interrupted,    // by the person
    output_closed,  // nobody reads what is printed
    enough,         // on_item did not want more
    failed,         // `error`: the host cannot be reached
  };
  Why why = Why::finished;
  ApiReply reply{};
  std::optional<Error> error{};
};

class ApiClient {
 public:
  static constexpr Duration kPatience = std::chrono::seconds(5);

  explicit ApiClient(std::string socket, Duration patience = kPatience)
      : socket_(std::move(socket)), patience_(patience) {}

  // errc::unavailable: no host; every other error: it was there and did not answer.
  Result<ApiReply> call(const ApiCall& call);

  using OnItem = std::function<bool(const StreamItem&)>;  // false: no more
  // One stream to its end. on_open: the host has accepted it.
  StreamEnd stream(const std::string& target, const Attention& attention, const std::function<void()>& on_open,
                   const OnItem& on_item);

  // Waits before the next attempt; false when patience, counted from the first failure, is at its end or the person's
  // is.
  bool pause(const Attention& attention, Duration wait = std::chrono::milliseconds(100));
  // Things work again.
  void recovered() { failing_since_.reset(); }

  const std::string& socket() const noexcept { return socket_; }

 private:
  struct Attempt;
  Attempt attempt(const ApiCall& call);
  Result<HostConnection> connect();

  std::string socket_;
  Duration patience_;
  bool connected_before_ = false;
  std::optional<MonotonicTime> failing_since_;
};

}  // namespace tenon::cli
