// send and request.
#include <unistd.h>

#include "cli/cli.hpp"
#include "cli/event_draft.hpp"
#include "cli/session.hpp"
#include "cli/values.hpp"
#include "common/json_document.hpp"
#include "common/system.hpp"
#include "common/units.hpp"
#include "control/protocol.hpp"

namespace tenon::cli {

namespace {

struct Data {
  std::string text;
  std::string name;  // for messages
};

Result<Data> read_data(const Arguments& arguments) {
  if (arguments.data) return Data{*arguments.data, "--data"};
  if (arguments.file) {
    auto text = read_file(*arguments.file, control::kMaxBody);
    if (!text) return std::move(text).error();
    return Data{std::move(text).value(), *arguments.file};
  }
  if (!arguments.from_input) return Data{"", "no data"};
  auto text = read_all(STDIN_FILENO, control::kMaxBody, "stdin");
  if (!text) return std::move(text).error();
  return Data{std::move(text).value(), "stdin"};
}

std::string render_reply(const std::string& body) {
  const auto document = JsonDocument::parse(body, "reply", {.max_depth = 10'000});
  const auto data = document ? document->root().find("data") : std::nullopt;
  return data ? data->to_json() : body;
}

std::string render_receipt(const std::string& body) {
  const auto document = JsonDocument::parse(body, "answer");
  if (!document) return body;
  const auto receivers = member_number(document->root(), "receivers");
  std::string text = "published " + member_text(document->root(), "id");
  if (receivers) text += " to " + std::to_string(*receivers) + (*receivers == 1 ? " receiver" : " receivers");
  if (const auto some = document->root().find("dead_lettered_for_some"); some && some->as_bool() == true)
    text += ", dead-lettered for others; see tenon deadletters list";
  return text;
}

}  // namespace

int publish_event(Session& session) {
  const Arguments& arguments = session.arguments;
  const auto data = read_data(arguments);
  if (!data) return session.fail(data.error());
  auto event = draft_event(arguments.names.front(), arguments.type.value_or(""), data->text, data->name);
  if (!event) {
    session.output.complain(event.error().message);
    return arguments.data ? kWrongUsage : kFailed;
  }
  const bool wants_reply = arguments.verb == Verb::request;
  ApiCall call{
      .method = "POST", .target = "/v1/events", .body = std::move(event).value(), .repeat = Repeat::if_not_delivered};
  if (wants_reply) {
    const Duration timeout = arguments.timeout.value_or(control::kDefaultRequestTimeout);
    call.target = "/v1/request?timeout=" + duration_to_config(timeout);
    call.timeout = timeout + std::chrono::seconds(10);  // the host is to say that time is up, not we
  }
  const auto reply = session.client.call(call);
  if (!reply) return session.fail(reply.error());
  if (!reply->ok()) return session.refused(*reply);
  if (arguments.json) return session.print(reply->body + "\n");
  return session.print((wants_reply ? render_reply(reply->body) : render_receipt(reply->body)) + "\n");
}

}  // namespace tenon::cli
