// reload, diff, scale: changes of the configuration, asked for or only looked at.
#include <climits>
#include <cstdlib>

#include "cli/cli.hpp"
#include "cli/session.hpp"
#include "cli/values.hpp"
#include "cli/views.hpp"
#include "common/encoding.hpp"
#include "common/json_document.hpp"

namespace tenon::cli {

namespace {

ApiCall call_for(const Arguments& arguments, const std::string& config) {
  ApiCall call{.method = "POST", .target = "/v1/reload"};
  if (arguments.verb == Verb::diff) call = {.method = "GET", .target = "/v1/diff?config=" + percent_encode(config)};
  if (arguments.verb == Verb::scale)
    call.target = "/v1/processes/" + percent_encode(arguments.names.front()) +
                  "/scale?replicas=" + std::to_string(arguments.count.value_or(0));
  if (arguments.verb != Verb::diff && !arguments.wait)
    call.target += std::string(arguments.verb == Verb::scale ? "&" : "?") + "wait=0";
  // Asked again after an engine died in it, it would find nothing left to do, and not tell what became of the rest.
  call.repeat = arguments.verb == Verb::diff ? Repeat::freely : Repeat::if_not_delivered;
  call.timeout = std::chrono::minutes(11);  // the server gives up a minute before
  return call;
}

// A bad config has a line a problem. What is in force although something of it does not run is said, too.
int refused(Session& session, const ApiReply& reply) {
  const auto document = JsonDocument::parse(reply.body, "answer", {.max_bytes = 256 << 20});
  const auto changes = document ? document->root().find("changes") : std::nullopt;
  if (changes) (void)session.print(render_changes(*changes, false, session.output.style()));
  const char* const in_force = changes ? "; the new configuration is in force, see tenon ps" : "";
  session.output.complain_in_lines(reply.problem() + in_force);
  return kFailed;
}

}  // namespace

int change_config(Session& session) {
  std::string config;
  if (session.arguments.verb == Verb::diff) {
    char resolved[PATH_MAX];
    const std::string& named = session.arguments.names.front();
    if (::realpath(named.c_str(), resolved) == nullptr)
      return session.fail(Error::from_errno(errno, "open " + named + "; name an existing config file"));
    config = resolved;
  }
  const auto reply = session.client.call(call_for(session.arguments, config));
  if (!reply) return session.fail(reply.error());
  if (!reply->ok()) return refused(session, *reply);
  if (session.arguments.json) return session.print(reply->body + "\n");
  const auto document = JsonDocument::parse(reply->body, "answer", {.max_bytes = 256 << 20});
  const auto changes = document ? document->root().find("changes") : std::nullopt;
  if (!changes)
    return session.fail(Error(errc::bad_data, "the host's answer cannot be read; is it of another version?"));
  return session.print(render_changes(*changes, session.arguments.verb == Verb::diff, session.output.style()));
}

}  // namespace tenon::cli
