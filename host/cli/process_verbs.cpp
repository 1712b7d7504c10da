// start, stop, restart, pause, resume, kill.
#include <algorithm>
#include <csignal>
#include <vector>

#include "cli/cli.hpp"
#include "cli/session.hpp"
#include "cli/values.hpp"
#include "cli/views.hpp"
#include "common/encoding.hpp"
#include "common/exit_status.hpp"
#include "common/json_document.hpp"
#include "common/text.hpp"
#include "control/protocol.hpp"

namespace tenon::cli {

namespace {

// A request's head holds 16 KiB; many processes become several requests.
constexpr std::size_t kSelectorBytes = 8 << 10;

std::vector<std::string> batches(const std::vector<std::string>& names) {
  std::vector<std::string> out;
  for (const std::string& name : names) {
    const std::string encoded = percent_encode(name);
    if (out.empty() || out.back().size() + encoded.size() > kSelectorBytes) {
      out.push_back(encoded);
    } else {
      out.back() += control::kSelectorSeparator + encoded;
    }
  }
  return out;
}

ApiCall call_for(const Arguments& arguments, const std::string& selectors) {
  const bool again = arguments.verb != Verb::restart && arguments.verb != Verb::kill;
  ApiCall call{.method = "POST",
               .target = "/v1/processes/" + selectors + "/" + std::string(entry_of(arguments.verb).name)};
  call.target += arguments.wait ? "?wait=1" : "?wait=0";
  if (arguments.signal) call.target += "&signal=" + percent_encode(*arguments.signal);
  call.repeat = again ? Repeat::freely : Repeat::if_not_delivered;
  call.timeout = std::chrono::minutes(11);  // the server gives up a minute before
  return call;
}

// A signal that was sent says nothing yet of what the process makes of it, so its status would mislead.
std::string render_sent(const Arguments& arguments, const JsonValue& result) {
  const auto signal = arguments.signal ? parse_signal(*arguments.signal) : std::nullopt;
  return "sent " + std::string(signal_name(signal.value_or(SIGTERM))) + " to " + member_text(result, "id") + "\n";
}

std::string render_results(const Arguments& arguments, const JsonValue& results, const Style& style) {
  std::string out;
  for (const JsonValue result : results.elements()) {
    const std::string error = member_text(result, "error", "");
    if (arguments.verb == Verb::kill && arguments.wait && error.empty()) {
      out += render_sent(arguments, result);
      continue;
    }
    const std::string status = member_text(result, "status", "done");
    out += member_text(result, "id") + "  " + paint(status, colour_of_state(status), style);
    out += (error.empty() ? "" : "  " + error) + "\n";
  }
  return out;
}

// The list of results of a success or of a partial failure; empty when the host refused as a whole.
std::optional<JsonValue> results_in(const JsonDocument& document) {
  if (document.root().is_array()) return document.root();
  return document.root().find("results");
}

}  // namespace

int act_on_processes(Session& session) {
  int exit_code = kDone;
  for (const std::string& selectors : batches(session.arguments.names)) {
    const auto reply = session.client.call(call_for(session.arguments, selectors));
    if (!reply) return session.fail(reply.error());
    const auto document = JsonDocument::parse(reply->body, "answer", {.max_bytes = 64 << 20});
    const auto results = document ? results_in(*document) : std::nullopt;
    if (results) {
      const std::string text = session.arguments.json
                                   ? results->to_json() + "\n"
                                   : render_results(session.arguments, *results, session.output.style());
      if (!session.output.print(text)) return exit_code;
    }
    if (!reply->ok()) exit_code = session.refused(*reply);
  }
  return exit_code;
}

}  // namespace tenon::cli
