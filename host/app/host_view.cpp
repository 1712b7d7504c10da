#include "app/host_view.hpp"

#include <algorithm>

#include <unistd.h>

#include "app/host_documents.hpp"
#include "app/host_metrics.hpp"
#include "app/log_stream.hpp"
#include "app/publish_refusal.hpp"
#include "app/version.hpp"
#include "common/json_writer.hpp"
#include "common/text.hpp"
#include "common/units.hpp"
#include "control/protocol.hpp"
#include "integration/host_event.hpp"

namespace tenon::app {

namespace {

runtime::Verb to_runtime(control::ProcessVerb verb) {
  switch (verb) {
    case control::ProcessVerb::start: return runtime::Verb::start;
    case control::ProcessVerb::stop: return runtime::Verb::stop;
    case control::ProcessVerb::restart: return runtime::Verb::restart;
    case control::ProcessVerb::pause: return runtime::Verb::pause;
    case control::ProcessVerb::resume: return runtime::Verb::resume;
    case control::ProcessVerb::kill: return runtime::Verb::kill;
  }
  return runtime::Verb::start;
}

}  // namespace

HostView::HostView(Host& host, Reloader& reloader, Identity identity, std::function<void()> shutdown,
                   std::function<Status()> upgrade)
    : host_(host), reloader_(reloader), identity_(std::move(identity)), shutdown_(std::move(shutdown)),
      upgrade_(std::move(upgrade)) {
  policy_.name = "api";
  policy_.source_uri = "//" + host_.config().node + "/api";
  collector_ = register_host_metrics(host_, identity_.engine_restarts);
}
HostView::~HostView() = default;

// --- documents ---

std::string HostView::info() {
  JsonWriter json;
  json.begin_object().member("version", kVersion).member("abi", to_string(loader::host_abi())).member("node", host_.config().node);
  json.member("keeper_pid", identity_.keeper_pid).member("engine_pid", ::getpid());
  json.member("engine_restarts", identity_.engine_restarts);
  json.member("safe_mode", host_.safe_mode()).member("upgrades", upgrades_);
  if (!upgrade_failure_.empty()) json.member("upgrade_failure", upgrade_failure_);
  json.member("uptime_ms", whole_milliseconds(host_.loop().clock().monotonic() - identity_.started));
  json.member("socket", identity_.socket).member("config", host_.config().file);
  json.member("processes", host_.processes().size()).member("event_bytes", host_.event_bytes());
  return json.end_object().take();
}

std::string HostView::processes() {
  host_.refresh_processes();
  JsonWriter json;
  json.begin_array();
  for (const runtime::ProcessHandle* process : host_.processes().list()) write_process(json, host_, *process, false);
  return json.end_array().take();
}

// A process id, or selectors that are joined with kSelectorSeparator.
Result<std::vector<runtime::ProcessId>> HostView::named(std::string_view selectors) {
  if (host_.processes().find(selectors) != nullptr) return std::vector{runtime::ProcessId(selectors)};
  std::vector<std::string> list;
  for (const std::string_view one : split(selectors, control::kSelectorSeparator))
    if (!one.empty()) list.emplace_back(one);
  if (list.empty())
    return Error(errc::invalid_argument, "name at least one process, glob or supervisor", fault::caller);
  return host_.tree().resolve(list);
}

Result<std::string> HostView::process(std::string_view selectors) {
  host_.refresh_processes();
  const auto ids = named(selectors);
  if (!ids.ok()) return ids.error();
  JsonWriter json;
  if (ids->size() != 1) json.begin_array();
  for (const runtime::ProcessId& id : *ids) write_process(json, host_, *host_.processes().find(id), true);
  if (ids->size() != 1) json.end_array();
  return json.take();
}

std::string HostView::tree() {
  host_.refresh_processes();
  JsonWriter json;
  write_tree(json, host_, *host_.tree().root());
  return json.take();
}

std::string HostView::plugins() {
  JsonWriter json;
  write_plugins(json, host_.plugins().registry());
  return json.take();
}

std::string HostView::transports() { return host_.transports().transports_json(); }

std::string HostView::routes() {
  JsonWriter json;
  write_routes(json, host_);
  return json.take();
}

std::string HostView::health() {
  JsonWriter json;
  json.begin_array();
  for (const runtime::ProcessHandle* process : host_.processes().list()) write_health(json, host_, *process);
  return json.end_array().take();
}

std::string HostView::dead_letters(std::size_t limit) {
  JsonWriter json;
  write_dead_letters(json, host_, limit);
  return json.take();
}

std::string HostView::metrics() { return host_.metrics().render(); }

Status HostView::live() { return {}; }

Status HostView::ready() {
  host_.refresh_processes();
  std::string waiting;
  host_.processes().for_each([&](const runtime::ProcessHandle& process) {
    using enum runtime::ProcessStatus;
    if (!waiting.empty() || process.desired != runtime::Desired::up) return;
    if (process.status == initializing || process.status == error)
      waiting = process.id() + " is " + std::string(to_string(process.status)) +
                (reason_of(process).empty() ? "" : ": " + std::string(reason_of(process)));
  });
  if (waiting.empty()) return {};
  return Error(errc::unavailable, waiting, fault::host, true);
}

// --- verbs ---

void HostView::act(control::ProcessVerb verb, const std::vector<std::string>& selectors, int signal_number, bool wait,
                   control::JsonDone done) {
  auto ids = host_.tree().resolve(selectors);
  if (!ids.ok()) return done(std::move(ids).error());
  const auto report = [this](const std::vector<runtime::VerbOutcome>& outcomes) {
    JsonWriter json;
    write_outcomes(json, host_, outcomes);
    return json.take();
  };
  if (wait) {
    host_.tree().apply(to_runtime(verb), *ids, signal_number,
                       [report, done](std::vector<runtime::VerbOutcome> outcomes) { done(report(outcomes)); });
    return;
  }
  host_.tree().apply(to_runtime(verb), *ids, signal_number, [](std::vector<runtime::VerbOutcome>) {});
  std::vector<runtime::VerbOutcome> asked;
  for (const runtime::ProcessId& id : *ids) asked.push_back({id, {}});
  done(report(asked));
}

// --- events in ---

struct HostView::Incoming {
  std::string bytes;
  message::Event event;
  message::AddedAttributes added;
};

Result<std::unique_ptr<HostView::Incoming>> HostView::read(std::string_view body, std::string_view content_type) {
  std::string_view name = "json";
  if (content_type.find("msgpack") != std::string_view::npos) name = "msgpack";
  auto& reader = readers_[std::string(name)];
  if (reader == nullptr) {
    auto made = host_.serializers().make(name, "control");
    if (!made.ok()) return std::move(made).error();
    reader = std::move(*made);
  }
  auto incoming = std::make_unique<Incoming>();
  incoming->bytes = body;
  incoming->bytes.resize(body.size() + message::kReadPadding);
  incoming->event.encoded = std::string_view(incoming->bytes).substr(0, body.size());
  incoming->event.encoded_format = reader->format();
  TENON_TRY(reader->read_event(incoming->event.encoded, incoming->event.envelope));
  const WallTime now = host_.loop().clock().wall();
  host_.intake().set_time(now);
  host_.router().set_wall_time(now);
  if (const auto refusal = host_.intake().accept(incoming->event, incoming->added, policy_))
    return Error(errc::invalid_argument, refusal->detail, fault::caller);
  TENON_TRY(host_.validation().check(incoming->event));
  return incoming;
}

Result<std::string> HostView::publish(std::string_view body, std::string_view content_type) {
  auto incoming = read(body, content_type);
  if (!incoming.ok()) return std::move(incoming).error();
  const message::Event& event = (*incoming)->event;
  const message::DeadLetterStore& store = host_.dead_letters().store();
  const std::uint64_t before = newest_letter(store);
  const message::PublishResult result =
      host_.router().publish(event, message::Publisher{.name = "api"}, host_.loop().clock().monotonic());
  const auto letters = letters_about(store, event.envelope.id, before);
  if (!taken(result)) return publish_refusal(result, event, letters);
  JsonWriter json;
  json.begin_object().member("id", event.envelope.id).member("receivers", result.receivers);
  json.member("dead_lettered_for_some", result.blocked || !letters.empty());
  return json.end_object().take();
}

std::string HostView::event_as_json(const message::Event& event) { return host_.dead_letters().event_as_json(event); }

void HostView::request(std::string_view body, Duration timeout, control::JsonDone done) {
  auto incoming = read(body, "application/json");
  if (!incoming.ok()) return done(std::move(incoming).error());
  message::Event& event = (*incoming)->event;
  // The answer's topic and the deadline are the host's to choose: the client has neither a topic nor a clock of ours.
  const std::string replyto = "api.reply." + std::string(event.envelope.id);
  const auto expiry = format_rfc3339(host_.loop().clock().wall() + timeout);
  if (event.envelope.replyto.empty()) {
    event.envelope.replyto = replyto;
    (*incoming)->added.add("replyto", event.envelope.replyto);
  }
  if (event.envelope.expirytime.empty()) {
    event.envelope.expirytime = expiry.view();
    (*incoming)->added.add("expirytime", event.envelope.expirytime);
  }
  event.added = (*incoming)->added.view();

  auto answered = std::make_shared<control::JsonDone>(std::move(done));
  const std::uint64_t token = host_.askers().add([this, answered, timeout](const message::Event* answer) {
    if (answer == nullptr)
      return (*answered)(Error(errc::timeout, "no answer within " + std::to_string(whole_milliseconds(timeout)) +
                                                  " ms; raise --timeout or look at the receiver with `tenon ps`",
                               fault::remote, true));
    const std::string json = event_as_json(*answer);
    if (json.empty()) return (*answered)(Error(errc::untranslatable, "the answer cannot be expressed as JSON"));
    (*answered)(json);
  });
  const message::DeadLetterStore& store = host_.dead_letters().store();
  const std::uint64_t before = newest_letter(store);
  const message::PublishResult result = host_.router().publish(
      event, message::Publisher{.name = "api", .asker_token = token}, host_.loop().clock().monotonic());
  host_.rearm_message_timer();
  if (taken(result)) return;
  host_.askers().remove(token);
  if (!result.failed) host_.router().requests().withdraw(event.envelope.id, event.envelope.replyto);
  (*answered)(publish_refusal(result, event, letters_about(store, event.envelope.id, before)));
}

// --- streams ---

// An observer at the router that turns every event into JSON for one client.
class HostView::Tail final : public message::Outlet {
 public:
  Tail(HostView& view, std::shared_ptr<control::StreamSink> sink) : view_(view), sink_(std::move(sink)) {
    message::ReceiverConfig config;
    config.name = "tail";
    config.observer = true;
    id_ = view_.host_.router().dispatcher().add_receiver(std::move(config));
  }
  ~Tail() override { view_.host_.router().forget_receiver(id_, view_.host_.loop().clock().monotonic()); }

  Status open(std::string_view pattern) {
    TENON_TRY(view_.host_.router().subscribe(id_, pattern));
    message::MessageDispatcher& dispatcher = view_.host_.router().dispatcher();
    dispatcher.attach(id_, *this);
    dispatcher.set_gate(id_, message::Gate::open, view_.host_.loop().clock().monotonic());
    return {};
  }

  message::Offer offer(const message::Event& event, std::uint32_t) override {
    const std::string json = view_.event_as_json(event);
    if (!json.empty()) sink_->push(json);  // a slow client loses items and is told; it never slows the others
    // Nothing stays in flight: what the client has not read is the sink's to bound.
    view_.host_.loop().post([this, alive = std::weak_ptr<int>(alive_), end = ++position_] {
      if (!alive.expired()) view_.host_.router().dispatcher().written_up_to(id_, end, view_.host_.loop().clock().monotonic());
    });
    return {message::OfferResult::taken, position_};
  }

 private:
  HostView& view_;
  std::shared_ptr<control::StreamSink> sink_;
  message::ReceiverId id_;
  std::uint64_t position_ = 0;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

Result<control::StreamHandle> HostView::tail(std::string_view pattern, std::shared_ptr<control::StreamSink> sink) {
  auto tail = std::make_shared<Tail>(*this, std::move(sink));
  TENON_TRY(tail->open(pattern));
  return control::StreamHandle(tail);
}

Result<control::StreamHandle> HostView::logs(std::string_view selectors, const control::LogRequest& request,
                                             std::shared_ptr<control::StreamSink> sink) {
  const auto ids = named(selectors);
  if (!ids.ok()) return ids.error();
  return open_logs(host_.logs(), *ids, request, std::move(sink));
}

}  // namespace tenon::app
