#include "control/api.hpp"

#include <csignal>
#include <utility>

#include "common/exit_status.hpp"
#include "common/rfc3339.hpp"
#include "common/text.hpp"
#include "control/index_page.hpp"
#include "control/problem.hpp"
#include "control/process_results.hpp"
#include "control/protocol.hpp"

namespace tenon::control {

struct Api::Call {
  const HttpRequest& request;
  const Target& target;
  const RouteMatch& match;
  bool over_tcp;
  Respond respond;

  bool head() const { return request.method == "HEAD"; }
  std::string_view parameter(std::size_t i) const { return match.parameters[i]; }
};

namespace {

Error caller_error(std::string text) { return {errc::invalid_argument, std::move(text), fault::caller}; }

HttpResponse json(std::string document, int status = 200) { return {.status = status, .body = std::move(document)}; }

HttpResponse answer(Result<std::string> document) {
  return document ? json(std::move(document).value()) : problem(document.error());
}

HttpResponse probe(const Status& status) {
  if (!status) return problem(503, status.error().message);
  return {.content_type = "text/plain; charset=utf-8", .body = "ok\n"};
}

HttpResponse not_found(const Target& target) {
  std::string path;
  for (const std::string& segment : target.segments) path += '/' + segment;
  return problem(404,
                 "there is no " + quote_for_message(path, 200) + " in this API; GET /v1/processes is its usual start");
}

HttpResponse wrong_method(const HttpRequest& request, const RouteMatch& match) {
  HttpResponse response =
      problem(405, quote_for_message(request.method) + " is not offered here; use " + match.allowed);
  response.headers.push_back({"Allow", match.allowed});
  return response;
}

std::optional<ProcessVerb> verb_named(std::string_view name) {
  constexpr std::pair<std::string_view, ProcessVerb> kVerbs[] = {
      {"start", ProcessVerb::start}, {"stop", ProcessVerb::stop},     {"restart", ProcessVerb::restart},
      {"pause", ProcessVerb::pause}, {"resume", ProcessVerb::resume}, {"kill", ProcessVerb::kill}};
  for (const auto& [verb_name, verb] : kVerbs) {
    if (verb_name == name) return verb;
  }
  return std::nullopt;
}

Result<int> signal_of(const Target& target) {
  const std::string* text = target.find("signal");
  if (text == nullptr) return SIGTERM;
  if (const auto number = parse_signal(*text)) return *number;
  return caller_error("the parameter signal is " + quote_for_message(*text) +
                      "; give a name such as TERM, HUP or KILL");
}

// The encoding of an event in the body; empty when the client named none that can hold an event.
std::string_view event_encoding(const HttpRequest& request, bool json_only) {
  const std::string& type = request.content_type;
  // What `curl -d` says when it is told nothing; nobody sends an event as a form.
  if (type.empty() || type == "application/x-www-form-urlencoded") return kEventType;
  if (type == kEventType || type == kJsonType) return type;
  if (!json_only && type == "application/msgpack") return type;
  return {};
}

HttpResponse unsupported_encoding(const HttpRequest& request, bool json_only) {
  return problem(415, "the body is " + quote_for_message(request.content_type) +
                          "; send one CloudEvent as application/cloudevents+json or application/json" +
                          (json_only ? "" : " or application/msgpack"));
}

}  // namespace

Api::Api(HostInterface& host, ApiOptions options)
    : host_(host), options_(options), budget_(std::make_shared<StreamBudget>()) {
  budget_->limit = options.all_stream_bytes;
}

void Api::handle(const HttpRequest& request, Respond respond, bool over_tcp) {
  const auto target = parse_target(request.target);
  if (!target) return respond(problem(target.error()));
  const RouteMatch match = find_route(request.method, target->segments);
  if (match.outcome == RouteMatch::Outcome::unknown_path) return respond(not_found(*target));
  if (match.outcome == RouteMatch::Outcome::wrong_method) return respond(wrong_method(request, match));
  Call call{request, *target, match, over_tcp,
            [route = match.entry->pattern, respond = std::move(respond)](HttpResponse response) {
              response.route = route;
              respond(std::move(response));
            }};
  dispatch(call);
}

void Api::dispatch(Call& call) {
  switch (call.match.entry->route) {
    case Route::info: return call.respond(json(host_.info()));
    case Route::processes: return call.respond(json(host_.processes()));
    case Route::process: return call.respond(answer(host_.process(call.parameter(0))));
    case Route::process_verb: return act(call);
    case Route::process_logs: return logs(call);
    case Route::tree: return call.respond(json(host_.tree()));
    case Route::plugins: return call.respond(json(host_.plugins()));
    case Route::transports: return call.respond(json(host_.transports()));
    case Route::routes: return call.respond(json(host_.routes()));
    case Route::health: return call.respond(json(host_.health()));
    case Route::dead_letters: return dead_letters(call);
    case Route::publish: return publish(call);
    case Route::request: return request(call);
    case Route::tail: return tail(call);
    case Route::reload: return change(call, [&](bool wait, JsonDone done) { host_.reload(wait, std::move(done)); });
    case Route::diff: return diff(call);
    case Route::scale: return scale(call);
    case Route::shutdown:
      call.respond(json(R"({"stopping":true})", 202));  // first: the stop may end this very server
      return host_.shutdown();
    case Route::upgrade: {
      const Status begun = host_.upgrade();
      return call.respond(begun ? json(R"({"upgrading":true})", 202) : problem(begun.error()));
    }
    case Route::metrics: return call.respond({.content_type = std::string(kMetricsType), .body = host_.metrics()});
    case Route::live: return call.respond(probe(host_.live()));
    case Route::ready: return call.respond(probe(host_.ready()));
    case Route::index:
      return call.respond({.content_type = "text/html; charset=utf-8",
                           .body = render_index_page(host_.info(), host_.processes()),
                           .headers = {{"Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"}}});
  }
}

void Api::act(Call& call) {
  std::vector<std::string> selectors;
  for (const std::string_view one : split(call.parameter(0), kSelectorSeparator)) {
    if (!one.empty()) selectors.emplace_back(one);
  }
  if (selectors.empty()) return call.respond(problem(caller_error("name at least one process, glob or supervisor")));
  const auto verb = verb_named(call.parameter(1));
  const auto signal_number = signal_of(call.target);
  if (!signal_number) return call.respond(problem(signal_number.error()));
  host_.act(*verb, selectors, *signal_number, call.target.flag("wait", true),
            [respond = std::move(call.respond)](Result<std::string> results) {
              respond(results ? answer_verb(std::move(results).value()) : problem(results.error()));
            });
}

// A change of the configuration: 200 with what changed, or a 409 problem if something did not become what it should.
void Api::change(Call& call, const std::function<void(bool, JsonDone)>& begin) {
  begin(call.target.flag("wait", true), [respond = std::move(call.respond)](Result<std::string> document) {
    respond(document ? answer_change(std::move(document).value()) : problem(document.error()));
  });
}

void Api::diff(Call& call) {
  const std::string* config = call.target.find("config");
  // Errors quote the file; over the network a token is no right to read the machine's files.
  if (config != nullptr && call.over_tcp)
    return call.respond(problem(403, "another config than the host's own is compared over the control socket only; "
                                     "leave the parameter config out"));
  if (config != nullptr && !config->starts_with('/'))
    return call.respond(problem(caller_error("the parameter config is " + quote_for_message(*config) +
                                             "; give an absolute path")));
  host_.diff(config == nullptr ? std::string_view() : std::string_view(*config),
             [respond = std::move(call.respond)](Result<std::string> document) {
               respond(answer(std::move(document)));
             });
}

void Api::scale(Call& call) {
  const auto replicas = call.target.number("replicas", UINT32_MAX);
  if (!replicas) return call.respond(problem(replicas.error()));
  if (!*replicas) return call.respond(problem(caller_error("say how many: ?replicas=3")));
  const auto count = static_cast<std::uint32_t>(**replicas);
  change(call, [&](bool wait, JsonDone done) { host_.scale(call.parameter(0), count, wait, std::move(done)); });
}

void Api::publish(Call& call) {
  const std::string_view encoding = event_encoding(call.request, false);
  if (encoding.empty()) return call.respond(unsupported_encoding(call.request, false));
  call.respond(answer(host_.publish(call.request.body, encoding)));
}

void Api::request(Call& call) {
  if (event_encoding(call.request, true).empty()) return call.respond(unsupported_encoding(call.request, true));
  const auto timeout = call.target.duration("timeout", kMaxRequestTimeout);
  if (!timeout) return call.respond(problem(timeout.error()));
  host_.request(call.request.body, timeout->value_or(kDefaultRequestTimeout),
                [respond = std::move(call.respond)](Result<std::string> reply) { respond(answer(std::move(reply))); });
}

void Api::dead_letters(Call& call) {
  const auto limit = call.target.number("limit", kMaxListedLetters);
  if (!limit) return call.respond(problem(limit.error()));
  call.respond(json(host_.dead_letters(limit->value_or(100))));
}

void Api::tail(Call& call) {
  const std::string* pattern = call.target.find("topic");
  const auto items = call.target.number("n", UINT64_MAX);
  if (!items) return call.respond(problem(items.error()));
  HttpResponse response{.content_type = std::string(kStreamType)};
  if (call.head()) return call.respond(std::move(response));
  response.stream = std::make_shared<StreamBuffer>(
      StreamBuffer::Options{.framing = StreamFraming::events, .limit = options_.stream_bytes, .items = *items},
      budget_);
  auto subscription = host_.tail(pattern ? std::string_view(*pattern) : ">", response.stream);
  if (!subscription) return call.respond(problem(subscription.error()));
  response.subscription = std::move(subscription).value();
  call.respond(std::move(response));
}

void Api::logs(Call& call) {
  const bool follow = call.target.flag("follow", false);
  const auto lines = call.target.number("lines", kMaxLogLines);
  const auto from = call.target.number("from", UINT64_MAX);
  if (!lines) return call.respond(problem(lines.error()));
  if (!from) return call.respond(problem(from.error()));
  LogRequest request{lines->value_or(kDefaultLogLines), *from, {}, follow};
  if (const std::string* after = call.target.find("after"); after != nullptr) {
    const auto time = parse_rfc3339(*after);
    if (!time) return call.respond(problem(Error(time.error()).with_context("after")));
    request.after = *time;
  }
  HttpResponse response{.content_type = std::string(follow ? kStreamType : kLinesType)};
  if (call.head()) return call.respond(std::move(response));
  const auto framing = follow ? StreamFraming::events : StreamFraming::lines;
  response.stream =
      std::make_shared<StreamBuffer>(StreamBuffer::Options{.framing = framing, .limit = options_.log_bytes}, budget_);
  auto subscription = host_.logs(call.parameter(0), request, response.stream);
  if (!subscription) return call.respond(problem(subscription.error()));
  response.subscription = std::move(subscription).value();
  call.respond(std::move(response));
}

}  // namespace tenon::control
