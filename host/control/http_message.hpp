// An HTTP request that has arrived whole, and an answer to it, without any socket.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "control/host_interface.hpp"
#include "control/stream_buffer.hpp"

namespace tenon::control {

struct HttpRequest {
  std::string method;         // "GET"; as the client spelt it
  std::string target;         // path and query, percent-encoded
  std::string content_type;   // media type in lower case, without parameters; empty: the client did not say
  std::string authorization;  // the field's value; empty: none
  std::string body;
  bool keep_alive = true;  // the client will take another answer on this connection
  bool chunked_ok = true;  // false for HTTP/1.0: a body of unknown length ends with the connection
};

struct HttpHeader {
  std::string name;
  std::string value;
};

struct HttpResponse {
  int status = 200;
  std::string content_type{"application/json"};
  std::string body;
  std::vector<HttpHeader> headers{};  // beyond those that every answer has
  // Instead of a body, what comes as long as the client stays; null: `body` is all.
  std::shared_ptr<StreamBuffer> stream{};
  StreamHandle subscription{};  // kept as long as the stream is being sent
  std::string_view route = "other";  // for counting: a pattern of the route table, so of static lifetime
};

// The reason phrase of RFC 9110 for the codes that this server sends; "Status" for others.
std::string_view reason_phrase(int status) noexcept;

// The answer's head, blank line included. A body is announced with its length; for a stream `chunked` says
// how its end is marked (else by closing). `keep`: whether the connection stays open.
std::string format_head(const HttpResponse& response, bool keep, bool chunked);

// Appends one chunk of a chunked body; an empty `bytes` appends nothing (an empty chunk would end the body).
void append_chunk(std::string& out, std::string_view bytes);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace tenon::control
