#include "integration/plugin_transport.hpp"

#include "integration/plugin_abi_event.hpp"
#include "message/serialization.hpp"

namespace tenon::integration {

namespace {

IncomingMessage copy_of(std::uint64_t subscription, const tenon_message& m) {
  IncomingMessage out;
  out.subscription = subscription;
  out.topic = from_abi(m.topic);
  out.content_type = from_abi(m.content_type);
  out.reply = from_abi(m.reply);
  out.origin = from_abi(m.origin);
  out.hops = m.hops;
  out.padded.reserve(m.encoded.size + message::kReadPadding);
  out.padded.assign(reinterpret_cast<const char*>(m.encoded.data), m.encoded.size);
  out.padded.resize(m.encoded.size + message::kReadPadding);
  return out;
}

}  // namespace

std::string_view to_string(TransportState state) noexcept {
  switch (state) {
    case TransportState::connecting: return "connecting";
    case TransportState::connected: return "connected";
    case TransportState::reconnecting: return "reconnecting";
    case TransportState::disconnected: return "disconnected";
    case TransportState::error: return "error";
  }
  return "unknown";
}

PluginTransport::PluginTransport(PluginServices& services, const loader::Component& component,
                                 const TransportConfig& config, Events events)
    : PluginInstance(services, component.current(), component.id(), config.name, config.config),
      table_(table<tenon_transport>()), events_(std::move(events)) {}

Result<std::unique_ptr<PluginTransport>> PluginTransport::make(PluginServices& services,
                                                               const loader::Component& component,
                                                               const TransportConfig& config, Events events) {
  std::unique_ptr<PluginTransport> made(new PluginTransport(services, component, config, std::move(events)));
  tenon_connection_config abi;
  TENON_INIT(&abi);
  abi.retry_attempts = config.retry_attempts;
  abi.name = integration::to_abi(config.name);
  abi.url = integration::to_abi(config.url);
  abi.timeout_ns = static_cast<std::uint64_t>(config.timeout.count());
  PluginTransport& t = *made;
  Status created =
      t.create([&](tenon_error* error) { return t.table_->create(t.host(), &abi, &t.self_, error); });
  if (!created.ok()) return std::move(created).error().with_context("transport " + config.name);
  t.refresh_info();
  return made;
}

PluginTransport::~PluginTransport() {
  end([&] { table_->destroy(self_); });
  auto calls = std::move(calls_);
  calls_.clear();
  for (auto& [token, pending] : calls) {
    const Error gone(errc::cancelled, "the connection was closed");
    if (pending.done) pending.done(gone);
    if (pending.request_done) pending.request_done(gone);
  }
}

void PluginTransport::refresh_info() {
  tenon_transport_info info;
  TENON_INIT(&info);
  call(call_number("describe"), [&] { table_->describe(self_, &info); });
  info_flags_ = info.flags;
  max_message_ = info.max_message;
  default_serializer_ = from_abi(info.default_serializer);
}

tenon_message PluginTransport::to_abi(const OutgoingMessage& m) {
  tenon_message out;
  TENON_INIT(&out);
  out.hops = m.hops;
  out.topic = integration::to_abi(m.topic);
  out.encoded = {reinterpret_cast<const std::uint8_t*>(m.encoded.data()), m.encoded.size()};
  out.content_type = integration::to_abi(m.content_type);
  out.origin = integration::to_abi(m.origin);
  if (reads_attributes() && m.event != nullptr) {
    fill_abi_event(*m.event, event_extensions_, event_);
    out.event = &event_;
  }
  return out;
}

// Registers the call before it is made: its completion may come from within.
template <class Function>
void PluginTransport::begin(std::string_view name, Duration timeout, Call pending, Function&& function) {
  const std::uint64_t token = next_token_++;
  const MonotonicTime deadline = services().loop.clock().monotonic() + timeout;
  pending.deadline = services().loop.after(timeout + kCompletionSlack, [this, token, what = std::string(name)] {
    finish(token, Error(errc::timeout, what + " was not answered in time", fault::remote, true));
  });
  calls_.emplace(token, std::move(pending));
  Status accepted =
      checked(call_number(name), [&](tenon_error* error) { return function(token, to_abi_ns(deadline), error); });
  if (!accepted.ok()) finish(token, std::move(accepted).error());
}

void PluginTransport::finish(std::uint64_t token, Result<IncomingMessage> result) {
  const auto at = calls_.find(token);
  if (at == calls_.end() && token >= next_token_)
    return misbehaved(PluginRule::unknown_completion, "completed a call that was never made");
  if (at == calls_.end())
    return misbehaved(PluginRule::late_completion, "completed a call that was past its deadline, or over");
  Call done = std::move(at->second);
  calls_.erase(at);
  done.deadline.reset();
  if (done.request_done) return done.request_done(std::move(result));
  done.done(result.ok() ? Status() : Status(std::move(result).error()));
}

void PluginTransport::on_complete(std::uint64_t token, Status status) {
  if (status.ok()) finish(token, IncomingMessage{});
  else finish(token, std::move(status).error());
}

void PluginTransport::on_complete_request(std::uint64_t token, const tenon_message* reply, Status status) {
  if (reply != nullptr) return finish(token, copy_of(0, *reply));
  if (!status.ok()) return finish(token, std::move(status).error());
  misbehaved(PluginRule::bad_value, "completed a request with neither answer nor error");
  finish(token, Error(errc::internal, "the request ended without an answer", fault::plugin));
}

void PluginTransport::connect(Duration timeout, Done done) {
  begin("connect", timeout, {std::move(done), {}, {}},
        [&](std::uint64_t token, std::uint64_t deadline, tenon_error* error) {
          return table_->connect(self_, token, deadline, error);
        });
}
void PluginTransport::disconnect(Duration timeout, Done done) {
  begin("disconnect", timeout, {std::move(done), {}, {}},
        [&](std::uint64_t token, std::uint64_t deadline, tenon_error* error) {
          return table_->disconnect(self_, token, deadline, error);
        });
}
void PluginTransport::send(const OutgoingMessage& message, bool settle, Duration timeout, Done done) {
  begin("send", timeout, {std::move(done), {}, {}},
        [&](std::uint64_t token, std::uint64_t deadline, tenon_error* error) {
          const tenon_message abi = to_abi(message);
          return table_->send(self_, &abi, settle ? 1 : 0, token, deadline, error);
        });
}
void PluginTransport::request(const OutgoingMessage& message, Duration timeout, RequestDone done) {
  begin("request", timeout, {{}, std::move(done), {}},
        [&](std::uint64_t token, std::uint64_t deadline, tenon_error* error) {
          const tenon_message abi = to_abi(message);
          return table_->request(self_, &abi, token, deadline, error);
        });
}
void PluginTransport::reply(std::string_view to, const OutgoingMessage& message, Duration timeout, Done done) {
  begin("reply", timeout, {std::move(done), {}, {}},
        [&](std::uint64_t token, std::uint64_t deadline, tenon_error* error) {
          const tenon_message abi = to_abi(message);
          return table_->reply(self_, integration::to_abi(to), &abi, token, deadline, error);
        });
}
void PluginTransport::subscribe(std::uint64_t subscription, std::string_view pattern, std::string_view group,
                                Duration timeout, Done done) {
  if (!group.empty() && !has_groups())
    return done(Error(errc::unsupported,
                      version().part->kind + "/" + version().part->name +
                          " has no queue groups, so every host would get "
                          "every event; remove \"group\" from the route, or use a transport that has them",
                      fault::caller));
  begin("subscribe", timeout, {std::move(done), {}, {}},
        [&](std::uint64_t token, std::uint64_t deadline, tenon_error* error) {
          return table_->subscribe(self_, subscription, integration::to_abi(pattern), integration::to_abi(group), token,
                                   deadline, error);
        });
}

void PluginTransport::unsubscribe(std::uint64_t subscription, Duration timeout, Done done) {
  begin("unsubscribe", timeout, {std::move(done), {}, {}},
        [&](std::uint64_t token, std::uint64_t deadline, tenon_error* error) {
          return table_->unsubscribe(self_, subscription, token, deadline, error);
        });
}

void PluginTransport::health_check(Duration timeout, Done done) {
  begin("health_check", timeout, {std::move(done), {}, {}},
        [&](std::uint64_t token, std::uint64_t deadline, tenon_error* error) {
          return table_->health_check(self_, token, deadline, error);
        });
}

void PluginTransport::on_transport_state(std::uint32_t state, Status why) {
  if (state > TENON_TRANSPORT_ERROR)
    return misbehaved(PluginRule::bad_value, "reported the state " + std::to_string(state));
  state_ = static_cast<TransportState>(state);
  if (state_ == TransportState::connected) refresh_info();  // the largest message is known only now
  events_.state(state_, why);
}

tenon_status PluginTransport::on_incoming(std::uint64_t subscription, const tenon_message& message) {
  if (message.encoded.data == nullptr) return TENON_ERR_UNSUPPORTED;  // ABI 1.0 hosts read encoded events only
  const std::scoped_lock lock(incoming_mutex_);
  if (incoming_.size() >= kMaxIncoming || incoming_bytes_ + message.encoded.size > kMaxIncomingBytes) {
    refused_ = true;
    return TENON_ERR_EXHAUSTED;
  }
  incoming_.push_back(copy_of(subscription, message));
  incoming_bytes_ += message.encoded.size;
  if (drain_posted_) return TENON_OK;
  drain_posted_ = true;
  post([this] { drain_incoming(); });
  return TENON_OK;
}

void PluginTransport::drain_incoming() {
  std::deque<IncomingMessage> batch;
  bool resume;
  {
    const std::scoped_lock lock(incoming_mutex_);
    batch.swap(incoming_);
    incoming_bytes_ = 0;
    drain_posted_ = false;
    resume = std::exchange(refused_, false);
  }
  for (IncomingMessage& message : batch) events_.incoming(std::move(message));
  if (resume) call(call_number("resume"), [&] { table_->resume(self_); });
}

void PluginTransport::on_slow_consumer(std::uint64_t subscription, std::uint64_t count) {
  events_.slow_consumer(subscription, count);
}
void PluginTransport::on_back_pressure(bool on) { events_.back_pressure(on); }

}  // namespace tenon::integration
