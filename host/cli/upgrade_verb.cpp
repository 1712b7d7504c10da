// upgrade: asks for an engine of the installed binary, and waits until one has taken over, or the old one again.
#include <chrono>
#include <thread>

#include "cli/cli.hpp"
#include "cli/session.hpp"
#include "common/json_document.hpp"
#include "common/json_writer.hpp"

namespace tenon::cli {

namespace {

constexpr Duration kLongest = std::chrono::seconds(30);  // the keeper rolls back after five
constexpr Duration kLookAgain = std::chrono::milliseconds(20);

struct HostState {
  std::uint64_t upgrades = 0;
  std::string failure, version;
  std::int64_t engine = 0;
};

Result<HostState> look(Session& session) {
  const auto reply = session.client.call({.method = "GET", .target = "/v1/info"});
  if (!reply) return reply.error();
  if (!reply->ok()) return Error(errc::io, reply->problem());  // somebody is there, and may have more to say
  const auto document = JsonDocument::parse(reply->body, "answer");
  const auto upgrades = document ? document->root().find("upgrades") : std::nullopt;
  if (!upgrades || !upgrades->as_u64())
    return Error(errc::bad_data, "the host does not say how often it was upgraded; is it of an earlier version?");
  HostState state;
  state.upgrades = *upgrades->as_u64();
  if (const auto member = document->root().find("upgrade_failure")) state.failure = member->as_string().value_or("");
  if (const auto member = document->root().find("version")) state.version = member->as_string().value_or("");
  if (const auto member = document->root().find("engine_pid")) state.engine = member->as_i64().value_or(0);
  return state;
}

}  // namespace

int upgrade(Session& session) {
  const auto before = look(session);
  if (!before) return session.fail(before.error());
  const auto reply = session.client.call({.method = "POST", .target = "/v1/upgrade", .repeat = Repeat::if_not_delivered});
  if (!reply) return session.fail(reply.error());
  if (!reply->ok()) return session.refused(*reply);
  const MonotonicTime deadline = SystemClock().monotonic() + kLongest;
  while (SystemClock().monotonic() < deadline) {
    const auto now = look(session);
    // The keeper listens for as long as there is a host.
    if (!now && now.error().code == errc::unavailable)
      return session.fail(Error(errc::unavailable, "the host went away while its engine was replaced; look at its log, "
                                                   "and start it again with tenon run"));
    if (now && now->upgrades > before->upgrades) {
      if (!now->failure.empty())
        return session.fail(Error(errc::wrong_state, "the engine goes on as it was: " + now->failure +
                                                         "; mend the installed binary and try again"));
      if (session.arguments.json) {
        JsonWriter json;
        json.begin_object().member("engine_pid", now->engine).member("version", now->version);
        json.member("upgrades", now->upgrades).end_object();
        return session.print(json.take() + "\n");
      }
      return session.print("engine " + std::to_string(now->engine) + " of version " + now->version +
                           " has taken over; every process went on\n");
    }
    std::this_thread::sleep_for(kLookAgain);
  }
  return session.fail(Error(errc::timeout, "no engine has said within 30 s that it took over; look at the host's log"));
}

}  // namespace tenon::cli
