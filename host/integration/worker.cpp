#include "integration/worker.hpp"

#include <algorithm>

#include "common/json_document.hpp"
#include "common/json_writer.hpp"
#include "common/logging.hpp"
#include "common/text.hpp"
#include "integration/host_event.hpp"
#include "integration/journey.hpp"

namespace tenon::integration {

WorkerHub::Worker::Worker(WorkerHub& hub, std::string id, std::shared_ptr<const WorkerConfig> config)
    : hub_(hub), id_(std::move(id)), config_(std::move(config)) {
  policy_.name = id_;
  policy_.source_uri = "//" + hub_.services_.node + "/" + id_;
  policy_.publish = config_->publish;
  policy_.may_publish = config_->may_publish;
  if (config_->channel.kind == runtime::ChannelKind::none) return;
  receiver_ = hub_.services_.router.dispatcher().add_receiver({id_, config_->mailbox, config_->delivery});
  alive_ = std::make_shared<int>(0);
}

WorkerHub::Worker::~Worker() {
  if (channel_ != nullptr) exited();
  if (hears()) hub_.services_.router.forget_receiver(receiver_, hub_.services_.loop.clock().monotonic());
}

Status WorkerHub::Worker::subscribe_configured(const std::string& base_id) {
  message::MessageRouter& router = hub_.services_.router;
  for (const std::string_view name : {std::string_view(id_), std::string_view(base_id)}) {
    if (hears()) router.add_target(name, receiver_);
    else router.add_deaf_target(name);
  }
  for (const SubscriptionConfig& s : config_->subscribe) TENON_TRY(router.subscribe(receiver_, s.topic, s.group));
  return {};
}

// New subscriptions first: a group whose only member this is must not end in between.
Status WorkerHub::Worker::configure(std::shared_ptr<const WorkerConfig> config) {
  message::MessageRouter& router = hub_.services_.router;
  const std::shared_ptr<const WorkerConfig> old = std::exchange(config_, std::move(config));
  policy_.publish = config_->publish;
  policy_.may_publish = config_->may_publish;
  if (!hears()) return {};
  router.dispatcher().set_terms(receiver_, config_->mailbox, config_->delivery,
                                hub_.services_.loop.clock().monotonic());
  const auto lacks = [](const std::vector<SubscriptionConfig>& all, const SubscriptionConfig& one) {
    return std::find(all.begin(), all.end(), one) == all.end();
  };
  for (const SubscriptionConfig& s : config_->subscribe)
    if (lacks(old->subscribe, s)) TENON_TRY(router.subscribe(receiver_, s.topic, s.group));
  for (const SubscriptionConfig& s : old->subscribe)
    if (lacks(config_->subscribe, s) && lacks(own_subscriptions_, s)) router.unsubscribe(receiver_, s.topic, s.group);
  return {};
}

// --- incarnations ---

Status WorkerHub::Worker::start(std::uint64_t generation, ChannelDescriptors descriptors, unique_fd adopted,
                                std::string_view subscriptions) {
  if (channel_ != nullptr) exited();
  retired_.clear();
  unsent_.clear();
  generation_ = generation;
  controls_.clear();
  released_at_ = {};
  // What it said to the engine before is not known, so its silence counts from now.
  adopted_at_ = adopted.valid() ? hub_.services_.loop.clock().monotonic() : MonotonicTime{};
  if (config_->channel.kind == runtime::ChannelKind::none) return {};

  restore_subscriptions();
  auto serializers = make_serializers();
  if (!serializers.ok()) return std::move(serializers).error();
  const std::size_t max_frame = config_->channel.max_event + 64;
  const bool fresh = !adopted.valid();
  Result<ChannelMemory> memory =
      fresh ? ChannelMemory::make(max_frame) : ChannelMemory::adopt(std::move(adopted), max_frame);
  if (!memory.ok()) return std::move(memory).error();
  if (fresh) hub_.services_.events.keep_channel_memory(id_, generation_, memory->fd());

  channel_ = std::make_unique<WorkerChannel>(hub_.services_.loop, *this, config_->channel, std::move(*serializers),
                                             hub_.services_.serializers, hub_.services_.budget,
                                             [this](WorkerChannel& channel) { hub_.mark_dirty(channel); });
  if (Status opened = channel_->open(std::move(descriptors), std::move(*memory)); !opened.ok()) {
    channel_.reset();
    return opened;
  }
  hub_.services_.router.dispatcher().attach(receiver_, *channel_);
  for (const std::string_view line : split(subscriptions, '\n')) {
    const auto parts = split(line, ' ');
    if (parts.size() != 2) continue;
    own_subscriptions_.push_back({std::string(parts[0]), std::string(parts[1])});
    if (!hub_.services_.router.subscribe(receiver_, parts[0], parts[1]).ok()) own_subscriptions_.pop_back();
  }
  return {};
}

Result<ChannelSerializers> WorkerHub::Worker::make_serializers() {
  ChannelSerializers made;
  for (auto* one : {&made.reader, &made.writer}) {
    auto serializer = hub_.services_.make_serializer(config_->channel.serializer, id_);
    if (!serializer.ok()) return std::move(serializer).error();
    *one = std::move(*serializer);
  }
  return made;
}

void WorkerHub::Worker::exited() {
  if (channel_ == nullptr) return;
  // Its last words may settle deliveries; what waits behind them must not be given to a dead process.
  message::MessageDispatcher& dispatcher = hub_.services_.router.dispatcher();
  if (dispatcher.gate(receiver_) == message::Gate::open)
    dispatcher.set_gate(receiver_, message::Gate::waiting, hub_.services_.loop.clock().monotonic());
  exiting_ = true;
  const std::vector<message::MessageRef> unsent_now = channel_->retire();
  exiting_ = false;
  // The closing of its output may have been noticed in this very turn.
  std::vector<message::MessageRef> unsent = std::exchange(unsent_, {});
  unsent.insert(unsent.end(), unsent_now.begin(), unsent_now.end());
  std::erase(hub_.dirty_, channel_.get());
  hub_.services_.events.keep_channel_memory(id_, generation_, -1);
  drop_own_subscriptions();
  dispatcher.detach(receiver_, unsent, hub_.services_.loop.clock().monotonic());
  retired_.push_back(std::move(channel_));
  check_drained();
}

void WorkerHub::Worker::drop_own_subscriptions() {
  if (own_subscriptions_.empty()) return;
  for (const SubscriptionConfig& s : own_subscriptions_) hub_.services_.router.unsubscribe(receiver_, s.topic, s.group);
  own_subscriptions_.clear();
  hub_.services_.events.keep_subscriptions(id_, {});
}

// What the last incarnation gave up of the config's subscriptions counts for that incarnation only.
void WorkerHub::Worker::restore_subscriptions() {
  if (!std::exchange(lacks_configured_, false)) return;
  for (const SubscriptionConfig& s : config_->subscribe)
    static_cast<void>(hub_.services_.router.subscribe(receiver_, s.topic, s.group));  // was legal when it was added
}

void WorkerHub::Worker::set_gate(message::Gate gate) {
  if (hears()) hub_.services_.router.dispatcher().set_gate(receiver_, gate, hub_.services_.loop.clock().monotonic());
}

void WorkerHub::Worker::drain(std::function<void()> done) {
  hub_.services_.router.dispatcher().set_gate(receiver_, message::Gate::waiting,
                                              hub_.services_.loop.clock().monotonic());
  drains_.push_back(std::move(done));
  check_drained();
}

void WorkerHub::Worker::check_drained() {
  if (drains_.empty() || hub_.services_.router.dispatcher().in_flight(receiver_) != 0) return;
  std::vector<std::function<void()>> done;
  done.swap(drains_);
  for (const auto& callback : done) callback();
}

// --- what the worker sends ---

void WorkerHub::Worker::on_batch() {
  hub_.now_ = hub_.services_.loop.clock().monotonic();
  const WallTime wall = hub_.services_.loop.clock().wall();
  hub_.services_.intake.set_time(wall);
  hub_.services_.router.set_wall_time(wall);
}

void WorkerHub::Worker::on_event(message::Event& event) {
  if (message::classify(event.envelope.type) == message::MessageType::control) return control(event);
  ++events_in_;
  if (!event.envelope.extensions.empty()) strip_origin(event);
  message::AddedAttributes added;
  if (const auto refusal = hub_.services_.intake.accept(event, added, policy_))
    return refuse(event, refusal->reason, refusal->detail);
  if (hub_.services_.validate)
    if (const Status valid = hub_.services_.validate(event); !valid.ok())
      return refuse(event, message::DeadLetterReason::schema, valid.error().message);
  const message::Publisher publisher{
      .name = id_, .self = receiver_, .echo = config_->echo, .can_wait = true, .events = this};
  const message::PublishResult result = hub_.services_.router.publish(event, publisher, hub_.now_);
  check_drained();
  if (result.parked && channel_ != nullptr &&
      hub_.services_.router.parked_bytes(receiver_) > 4 * config_->channel.max_event)
    channel_->pause_reading();
}

// Where an event entered this host is for the host to say: a worker that hands on what it copied from another event
// would have its own taken for the other host's, and cut as a loop there. The count of hops stays: it ends loops
// through workers.
void WorkerHub::Worker::strip_origin(message::Event& event) {
  const auto is_origin = [](const message::Attribute& a) {
    return a.name == kOriginAttribute || a.name == kRunAttribute;
  };
  const auto& extensions = event.envelope.extensions;
  if (std::none_of(extensions.begin(), extensions.end(), is_origin)) return;
  extensions_.assign(extensions.begin(), extensions.end());
  std::erase_if(extensions_, is_origin);
  event.envelope.extensions = extensions_;
  event.rewritten = true;
}

void WorkerHub::Worker::released() {
  released_at_ = hub_.services_.loop.clock().monotonic();
  if (channel_ != nullptr) channel_->resume_reading();
}

void WorkerHub::Worker::refuse(const message::Event& event, message::DeadLetterReason reason, std::string_view detail) {
  message::Event sent = event;  // it may have been refused before it was completed
  if (sent.envelope.source.empty()) sent.envelope.source = policy_.source_uri;
  hub_.services_.dead_letters.dead_letter(sent, reason, {}, detail, 0);
  event_refused(event, reason, {}, detail);
}

void WorkerHub::Worker::event_refused(const message::Event& event, message::DeadLetterReason reason,
                                      std::string_view receiver, std::string_view detail) {
  const message::BaseMessageEnvelope& e = event.envelope;
  JsonWriter json;
  json.begin_object().member("reason", to_string(reason)).member("detail", detail);
  if (!receiver.empty()) json.member("receiver", receiver);
  json.member("id", e.id).member("type", e.type).member("topic", e.effective_topic());
  if (e.type.empty()) json.member("input", quote_for_message(event.encoded, 200));  // else nothing tells which it was
  send_control("tenon.rejected", std::string(e.id), json.end_object().take());
}

void WorkerHub::Worker::on_bad_frame(std::string_view octets, const Error& why) {
  message::Event event;
  event.encoded = octets;
  event.envelope.source = policy_.source_uri;
  refuse(event,
         why.code == errc::exhausted ? message::DeadLetterReason::too_large : message::DeadLetterReason::malformed,
         why.message);
  if (config_->channel.framing == Framing::line) hub_.services_.events.on_worker_log(id_, octets);
}

void WorkerHub::Worker::on_log_line(std::string_view line) { hub_.services_.events.on_worker_log(id_, line); }

void WorkerHub::Worker::on_broken_stream(const std::string& why) {
  // Of a process that has ended by itself the end stays what it was.
  if (exiting_)
    return log::warn("message", "the last octets of a process are no events", {{"process", id_}, {"why", why}});
  hub_.services_.events.on_worker_broken(id_, generation_, why);
}

// --- control messages ---

void WorkerHub::Worker::note_control(std::string_view type, MonotonicTime now) {
  const auto known = std::find_if(controls_.begin(), controls_.end(), [&](const auto& c) { return c.first == type; });
  if (known != controls_.end()) known->second = now;
  else if (controls_.size() < kMaxControlTypes) controls_.emplace_back(type, now);
}

void WorkerHub::Worker::control(const message::Event& event) {
  const std::string_view type = event.envelope.type;
  note_control(type, hub_.now_);

  message::MessageDispatcher& dispatcher = hub_.services_.router.dispatcher();
  if (type == "tenon.ready") return hub_.services_.events.on_worker_ready(id_, generation_);
  if (type == "tenon.heartbeat") return;
  if (type == "tenon.ack" || type == "tenon.nack") {
    const std::string_view delivered = event.envelope.correlationid;
    const bool known = type == "tenon.ack" ? dispatcher.settle(receiver_, delivered, hub_.now_)
                                           : dispatcher.refuse(receiver_, delivered, hub_.now_);
    // Often no fault: the event timed out meanwhile, or is settled by an answer too.
    if (!known)
      log::debug("message", "an acknowledgement names no event in the process's hands; it has to carry the id of the "
                 "delivered event as correlationid", {{"process", id_}, {"type", type}, {"correlationid", delivered}});
    return check_drained();
  }
  if (type == "tenon.subscribe" || type == "tenon.unsubscribe")
    return change_subscription(event, type == "tenon.subscribe");
  if (type == "tenon.status") {
    const auto document = JsonDocument::parse(data_as_json(event), "tenon.status");
    std::optional<std::string_view> text;
    if (document.ok()) {
      text = document->root().as_string();
      if (const auto member = document->root().find("status")) text = member->as_string();
    }
    if (text) return hub_.services_.events.on_worker_status(id_, *text);
  }
  refuse(event, message::DeadLetterReason::reserved,
         "no control message of this type, or with these data; see the worker's protocol for what tenon.* may be");
}

void WorkerHub::Worker::change_subscription(const message::Event& event, bool subscribe) {
  const auto document = JsonDocument::parse(data_as_json(event), "tenon.subscribe");
  std::string topic, group;
  if (document.ok()) {
    if (const auto member = document->root().find("topic")) topic = member->as_string().value_or("");
    if (const auto member = document->root().find("group")) group = member->as_string().value_or("");
  }
  message::MessageRouter& router = hub_.services_.router;
  const auto same = [&](const SubscriptionConfig& s) { return s.topic == topic && s.group == group; };
  if (subscribe) {
    if (own_subscriptions_.size() >= kMaxOwnSubscriptions)
      return refuse(event, message::DeadLetterReason::rejected,
                    "a worker may have 1000 subscriptions of its own; unsubscribe some first");
    const bool had = std::any_of(own_subscriptions_.begin(), own_subscriptions_.end(), same) ||
                     std::any_of(config_->subscribe.begin(), config_->subscribe.end(), same);
    if (const Status status = router.subscribe(receiver_, topic, group); !status.ok())
      return refuse(event, message::DeadLetterReason::bad_topic, status.error().message);
    if (!had) own_subscriptions_.push_back({topic, group});
  } else {
    router.unsubscribe(receiver_, topic, group);
    if (std::erase_if(own_subscriptions_, same) == 0) lacks_configured_ = true;
  }
  std::string kept;
  for (const SubscriptionConfig& s : own_subscriptions_) kept += s.topic + " " + s.group + "\n";
  hub_.services_.events.keep_subscriptions(id_, std::move(kept));
}

std::string WorkerHub::Worker::data_as_json(const message::Event& event) {
  const message::BaseMessageEnvelope& e = event.envelope;
  if (e.data_kind != message::DataKind::value) return {};
  if (e.format == message::SerializationFormat::of("application/json")) return std::string(e.data);
  auto json = hub_.services_.make_serializer("json", id_);
  message::MessageSerializer* reader = hub_.services_.serializers.reader_for(e.format);
  message::GrowingBuffer out(config_->channel.max_event * 4);
  if (!json.ok() || reader == nullptr || !(*json)->transcode_from(*reader, e.data, out).ok()) return {};
  return std::string(out.view());
}

void WorkerHub::Worker::send_control(std::string type, std::string correlationid, std::string json) {
  if (channel_ == nullptr) return;
  HostEvent event(std::move(type), "//" + hub_.services_.node);
  event.id(hub_.ids_.next(hub_.services_.loop.clock().wall())).correlationid(std::move(correlationid));
  if (!json.empty()) event.json(std::move(json));
  if (!channel_->send_control(event.event()))
    log::debug("message", "a control message found no room", {{"process", id_}, {"type", event.type()}});
}

// While it is parked its channel may not be read, and what it said in that time comes only after it.
MonotonicTime WorkerHub::Worker::last_control(std::string_view type) const {
  if (hears() && hub_.services_.router.is_parked(receiver_)) return hub_.services_.loop.clock().monotonic();
  const auto known = std::find_if(controls_.begin(), controls_.end(), [&](const auto& c) { return c.first == type; });
  return std::max(released_at_, known == controls_.end() ? adopted_at_ : known->second);
}

// --- what the worker takes ---

void WorkerHub::Worker::on_written(std::uint64_t position) {
  hub_.services_.router.dispatcher().written_up_to(receiver_, position, hub_.now_);
  check_drained();
}

void WorkerHub::Worker::on_room() {
  hub_.services_.router.dispatcher().outlet_has_room(receiver_, hub_.services_.loop.clock().monotonic());
}

// May come from deep inside the dispatcher, so the rest happens in a turn of its own; until then offers find no room.
void WorkerHub::Worker::on_output_closed(std::vector<message::MessageRef> unsent) {
  unsent_ = std::move(unsent);
  hub_.services_.loop.post([this, generation = generation_, alive = std::weak_ptr<int>(alive_)] {
    if (alive.expired() || generation != generation_ || channel_ == nullptr) return;
    // What it had not taken is offered again: groups have other members, what is for this worker alone is
    // dead-lettered.
    const std::vector<message::MessageRef> returned = std::exchange(unsent_, {});
    hub_.services_.router.dispatcher().close_outlet(receiver_, returned, hub_.services_.loop.clock().monotonic());
    check_drained();
  });
}

}  // namespace tenon::integration
