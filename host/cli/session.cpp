#include "cli/session.hpp"

#include "cli/cli.hpp"
#include "common/encoding.hpp"
#include "control/protocol.hpp"

namespace tenon::cli {

int Session::fail(const Error& error) {
  output.complain(error.message);
  return error.code == errc::unavailable ? kNoHost : kFailed;
}

int Session::refused(const ApiReply& reply) {
  output.complain(reply.problem());
  return kFailed;
}

std::string joined_names(const Arguments& arguments) {
  std::string text;
  for (const std::string& name : arguments.names) {
    if (!text.empty()) text += control::kSelectorSeparator;
    text += percent_encode(name);
  }
  return text;
}

int Session::print(std::string_view text) {
  (void)output.print(text);
  return kDone;
}

}  // namespace tenon::cli
