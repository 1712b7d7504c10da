// The verbs that fetch one document and show it.
#include "cli/cli.hpp"
#include "cli/session.hpp"
#include "cli/views.hpp"
#include "common/clock.hpp"
#include "common/encoding.hpp"
#include "common/json_document.hpp"

namespace tenon::cli {

namespace {

std::string target_of(const Arguments& arguments) {
  switch (arguments.verb) {
    case Verb::info: return "/v1/info";
    case Verb::ps: return "/v1/processes";
    case Verb::tree: return "/v1/tree";
    case Verb::status: return "/v1/processes/" + joined_names(arguments);
    case Verb::routes: return "/v1/routes";
    case Verb::transports: return "/v1/transports";
    case Verb::health: return "/v1/health";
    case Verb::plugin_list: return "/v1/plugins";
    default: return "/v1/deadletters?limit=" + std::to_string(arguments.count.value_or(100));
  }
}

// One process is an object, several are an array.
std::string render_processes_in_full(const JsonValue& document, const Style& style) {
  const WallTime now = SystemClock().wall();
  if (!document.is_array()) return render_process(document, now, style);
  std::string text;
  for (const JsonValue process : document.elements())
    text += (text.empty() ? "" : "\n") + render_process(process, now, style);
  return text;
}

std::string render(Verb verb, const JsonValue& document, const Style& style) {
  switch (verb) {
    case Verb::ps: return render_processes(document, style);
    case Verb::tree: return render_tree(document, style);
    case Verb::routes:
      return render_list(document, "no routes: no process subscribes and the config names none", style);
    case Verb::transports:
      return render_list(document, "no transports; add them under transports in the config", style);
    case Verb::health: return render_health(document, style);
    case Verb::plugin_list: return render_plugins(document, style);
    case Verb::dead_letters_list: return render_dead_letters(document, style);
    case Verb::status: return render_processes_in_full(document, style);
    default: return render_details(document, style);
  }
}

}  // namespace

int show_document(Session& session) {
  const auto reply = session.client.call({.target = target_of(session.arguments)});
  if (!reply) return session.fail(reply.error());
  if (!reply->ok()) return session.refused(*reply);
  if (session.arguments.json) return session.print(reply->body + "\n");
  const auto document = JsonDocument::parse(reply->body, "answer", {.max_depth = 1024, .max_bytes = 256 << 20});
  if (!document)
    return session.fail(Error(errc::bad_data, "the host's answer cannot be read: " + document.error().message));
  return session.print(render(session.arguments.verb, document->root(), session.output.style()));
}

}  // namespace tenon::cli
