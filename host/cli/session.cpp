#include "cli/session.hpp"

#include "cli/cli.hpp"

namespace tenon::cli {

int Session::fail(const Error& error) {
  output.complain(error.message);
  return error.code == errc::unavailable ? kNoHost : kFailed;
}

int Session::refused(const ApiReply& reply) {
  output.complain(reply.problem());
  return kFailed;
}

int Session::print(std::string_view text) {
  (void)output.print(text);
  return kDone;
}

}  // namespace tenon::cli
