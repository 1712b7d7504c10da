#include "library.hpp"

namespace tenon::nats {

namespace {

struct Meaning {
  tenon_status code;
  bool retryable;
  const char* advice;
};

Meaning meaning_of(natsStatus status) {
  switch (status) {
    case NATS_OK: return {TENON_OK, false, ""};
    case NATS_TIMEOUT: return {TENON_ERR_TIMEOUT, true, "look whether the server hangs, or raise the timeout"};
    case NATS_NO_SERVER: return {TENON_ERR_UNAVAILABLE, true, "start nats-server there, or mend the url"};
    case NATS_CONNECTION_AUTH_FAILED:
      return {TENON_ERR_PERMISSION, false,
              "check user, password, token, creds_file or nkey against the server's config"};
    case NATS_NOT_PERMITTED: return {TENON_ERR_PERMISSION, false, "allow it in the server's permissions of this user"};
    case NATS_NO_RESPONDERS: return {TENON_ERR_UNAVAILABLE, true, "start who answers it"};
    case NATS_MAX_PAYLOAD: return {TENON_ERR_INVALID_ARGUMENT, false, "send less, or raise the server's max_payload"};
    case NATS_INSUFFICIENT_BUFFER:
    case NATS_CONNECTION_DISCONNECTED:
    case NATS_CONNECTION_CLOSED:
    case NATS_STALE_CONNECTION:
    case NATS_IO_ERROR:
    case NATS_DRAINING:
    case NATS_NOT_YET_CONNECTED: return {TENON_ERR_UNAVAILABLE, true, "send again when the connection is back"};
    case NATS_SSL_ERROR:
    case NATS_SECURE_CONNECTION_WANTED:
    case NATS_SECURE_CONNECTION_REQUIRED:
      return {TENON_ERR_PERMISSION, false, "check the tls section against the server's"};
    case NATS_ADDRESS_MISSING:
    case NATS_INVALID_SUBJECT:
    case NATS_INVALID_QUEUE_NAME:
    case NATS_INVALID_ARG: return {TENON_ERR_INVALID_ARGUMENT, false, "mend the transport's config"};
    case NATS_NO_MEMORY: return {TENON_ERR_EXHAUSTED, true, "free some memory"};
    case NATS_PROTOCOL_ERROR:
    case NATS_LINE_TOO_LONG: return {TENON_ERR_BAD_DATA, false, "check that a NATS server listens there"};
    default: return {TENON_ERR_INTERNAL, false, "please report it"};
  }
}

}  // namespace

Failure failure_of(natsStatus status, std::string_view doing, std::string_view detail) {
  const Meaning meaning = meaning_of(status);
  if (meaning.code == TENON_OK) return {};
  std::string text(doing);
  text.append(": ").append(natsStatus_GetText(status));
  if (!detail.empty()) text.append(" (").append(one_line(detail)).append(")");
  text.append("; ").append(meaning.advice);
  return {meaning.code, meaning.retryable, std::move(text)};
}

std::string last_error_text() {
  natsStatus status = NATS_OK;
  const char* const text = nats_GetLastError(&status);
  return text == nullptr ? std::string() : one_line(text);
}

std::string one_line(std::string_view text) {
  std::string out(text.substr(0, 256));
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return out;
}

}  // namespace tenon::nats
