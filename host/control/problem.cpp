#include "control/problem.hpp"

#include "common/json_writer.hpp"
#include "control/protocol.hpp"

namespace tenon::control {

int http_status(errc code) noexcept {
  switch (code) {
    case errc::ok: return 200;
    case errc::invalid_argument:
    case errc::bad_data: return 400;
    case errc::untranslatable: return 422;
    case errc::permission: return 403;
    case errc::not_found: return 404;
    case errc::already_exists:
    case errc::wrong_state: return 409;
    case errc::unsupported: return 501;
    case errc::exhausted:
    case errc::cancelled:
    case errc::unavailable: return 503;
    case errc::timeout: return 504;
    case errc::internal:
    case errc::io: break;
  }
  return 500;
}

int http_status(const Error& error) noexcept {
  // A limit that the client's own message is beyond: no later time helps.
  if (error.code == errc::exhausted && error.whose == fault::caller) return 413;
  return http_status(error.code);
}

namespace {

HttpResponse make_problem(int status, std::string_view detail, std::string_view code, std::string_view results,
                          std::string_view changes = {}) {
  JsonWriter w;
  w.begin_object().member("type", "about:blank").member("title", reason_phrase(status)).member("status", status);
  w.member("detail", detail);
  if (!code.empty()) w.member("code", code);
  if (!changes.empty()) w.key("changes").raw(changes);
  if (!results.empty()) w.key("results").raw(results);
  w.end_object();
  HttpResponse response{.status = status, .content_type = std::string(kProblemType), .body = w.take()};
  if (status == 503) response.headers.push_back({"Retry-After", "1"});
  return response;
}

}  // namespace

HttpResponse problem(int status, std::string_view detail) { return make_problem(status, detail, {}, {}); }

HttpResponse problem(const Error& error) {
  return make_problem(http_status(error), error.message, to_string(error.code), {});
}

HttpResponse problem(int status, std::string_view detail, std::string_view results, std::string_view changes) {
  return make_problem(status, detail, {}, results, changes);
}

}  // namespace tenon::control
