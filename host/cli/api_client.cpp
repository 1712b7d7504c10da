#include "cli/api_client.hpp"

#include <algorithm>
#include <utility>

#include "common/json_document.hpp"
#include "common/text.hpp"

namespace tenon::cli {

namespace {

MonotonicTime now() { return SystemClock().monotonic(); }

}  // namespace

std::string format_request(const ApiCall& call) {
  std::string text = call.method + ' ' + call.target + " HTTP/1.1\r\nHost: tenon\r\nConnection: close\r\n";
  if (!call.body.empty() || call.method == "POST") {
    text +=
        "Content-Type: application/cloudevents+json\r\nContent-Length: " + std::to_string(call.body.size()) + "\r\n";
  }
  return text + "\r\n" + call.body;
}

bool is_come_back_later(const ResponseHead& head, const std::string& body, Repeat repeat) {
  if (head.status != 503 || head.find("retry-after") == nullptr) return false;
  if (repeat == Repeat::freely) return true;
  const auto document = JsonDocument::parse(body, "answer");
  return document && !document->root().find("code");
}

std::string ApiReply::problem() const {
  if (const auto document = JsonDocument::parse(body, "answer")) {
    const auto detail = document->root().find("detail");
    if (const auto text = detail ? detail->as_string() : std::nullopt) return std::string(*text);
  }
  const std::string_view line = std::string_view(body).substr(0, body.find('\n'));
  return "the host answered with status " + std::to_string(status) + (line.empty() ? "" : ": " + std::string(line));
}

Result<HostConnection> ApiClient::connect() {
  auto connection = HostConnection::open(socket_);
  if (connection) connected_before_ = true;
  return connection;
}

bool ApiClient::pause(const Attention& attention, Duration wait) {
  const MonotonicTime since = failing_since_.value_or(now());
  failing_since_ = since;
  const MonotonicTime until = std::min(now() + wait, since + patience_);
  if (now() >= since + patience_) return false;
  const Wake wake = wait_readable(-1, until, attention);
  return wake == Wake::timeout;
}

// What one try came to: an answer, or an error and whether another try can do harm.
struct ApiClient::Attempt {
  std::optional<ApiReply> reply{};
  std::optional<Error> error{};
  bool again = false;
};

ApiClient::Attempt ApiClient::attempt(const ApiCall& call) {
  const bool known = connected_before_;
  auto connection = connect();
  if (!connection) {
    const bool restarting = known && connection.error().code == errc::unavailable;
    return {.error = std::move(connection).error(), .again = restarting};
  }
  const bool delivered = connection->send(format_request(call));
  // Even undelivered there may be an answer: a request that is too large is refused before it is whole.
  const MonotonicTime deadline = now() + call.timeout;
  ResponseReader reader;
  std::string body;
  while (reader.state() != ResponseReader::State::done && reader.state() != ResponseReader::State::failed) {
    const auto read = connection->read(deadline, {});
    if (read.wake == Wake::timeout) {
      return {.error = Error(errc::timeout, "the host on " + socket_ + " has not answered in time; look at its log",
                             fault::remote)};
    }
    if (read.bytes.empty()) reader.end();
    reader.feed(read.bytes);
    body += reader.take_body();
  }
  if (reader.state() == ResponseReader::State::failed) {
    return {
        .error = Error(
            errc::io,
            "the engine went away before it answered, and nobody knows whether it had done what was asked; look with "
            "tenon ps, then repeat",
            fault::remote, true),
        .again = call.repeat == Repeat::freely || !delivered};
  }
  return {.reply = ApiReply{reader.head().status, body}, .again = is_come_back_later(reader.head(), body, call.repeat)};
}

Result<ApiReply> ApiClient::call(const ApiCall& call) {
  while (true) {
    Attempt result = attempt(call);
    if (result.again && pause({})) continue;
    if (result.error) return std::move(*result.error);
    if (!result.again) recovered();
    return std::move(*result.reply);
  }
}

StreamEnd ApiClient::stream(const std::string& target, const Attention& attention, const std::function<void()>& on_open,
                            const OnItem& on_item) {
  using Why = StreamEnd::Why;
  const bool known = connected_before_;
  auto connection = connect();
  if (!connection) {
    if (known && connection.error().code == errc::unavailable) return {.why = Why::lost, .error = connection.error()};
    return {.why = Why::failed, .error = connection.error()};
  }
  ApiCall call{.target = target};
  if (!connection->send(format_request(call))) return {.why = Why::lost};
  ResponseReader reader;
  std::optional<ItemReader> items;
  std::string refusal;
  // The host sends a heartbeat every 15 s; one that is silent for a minute is not there any more.
  constexpr Duration kSilence = std::chrono::seconds(60);
  while (true) {
    const auto read = connection->read(now() + kSilence, attention);
    if (read.wake == Wake::interrupted) return {.why = Why::interrupted};
    if (read.wake == Wake::output_closed) return {.why = Why::output_closed};
    if (read.wake == Wake::timeout) return {.why = Why::lost};
    if (read.bytes.empty()) reader.end();
    reader.feed(read.bytes);
    const auto state = reader.state();
    if (state != ResponseReader::State::head && reader.head().status == 200 && !items) {
      const std::string* type = reader.head().find("content-type");
      const bool lines = type != nullptr && type->starts_with("application/x-ndjson");
      items.emplace(lines ? ItemReader::Framing::lines : ItemReader::Framing::events);
      on_open();
    }
    const std::string body = reader.take_body();
    if (items) {
      for (const StreamItem& item : items->feed(body)) {
        if (!on_item(item)) return {.why = Why::enough};
      }
    } else {
      refusal += body;
    }
    if (state == ResponseReader::State::failed) return {.why = Why::lost};
    if (state != ResponseReader::State::done) continue;
    if (items) return {.why = Why::finished};
    if (is_come_back_later(reader.head(), refusal, Repeat::freely)) {
      return {.why = Why::lost, .error = Error(errc::unavailable, ApiReply{503, refusal}.problem())};
    }
    return {.why = Why::refused, .reply = {reader.head().status, refusal}};
  }
}

}  // namespace tenon::cli
