#include "control/http_message.hpp"

#include <charconv>

namespace tenon::control {

std::string_view reason_phrase(int status) noexcept {
  switch (status) {
    case 200: return "OK";
    case 202: return "Accepted";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 422: return "Unprocessable Content";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    default: return "Status";
  }
}

std::string format_head(const HttpResponse& response, bool keep, bool chunked) {
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + ' ';
  head += reason_phrase(response.status);
  head += "\r\nContent-Type: ";
  head += response.content_type;
  if (!response.stream) {
    head += "\r\nContent-Length: " + std::to_string(response.body.size());
  } else if (chunked) {
    head += "\r\nTransfer-Encoding: chunked";
  }
  head += "\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff";
  if (!keep) head += "\r\nConnection: close";
  for (const HttpHeader& header : response.headers) head += "\r\n" + header.name + ": " + header.value;
  head += "\r\n\r\n";
  return head;
}

void append_chunk(std::string& out, std::string_view bytes) {
  if (bytes.empty()) return;
  char digits[16];
  const auto end = std::to_chars(digits, digits + sizeof digits, bytes.size(), 16).ptr;
  out.append(digits, end).append("\r\n").append(bytes).append("\r\n");
}

}  // namespace tenon::control
