#include "keeper/engine_session.hpp"

#include <algorithm>
#include <csignal>
#include <fcntl.h>

#include "common/logging.hpp"
#include "keeper/keeper_client.hpp"

namespace tenon::keeper {
namespace {

// Of an adoption: enough to keep the link busy, few enough that their duplicated descriptors stay within the reserve.
constexpr std::size_t kItemsInFlight = 16;
constexpr Duration kRestAfter = std::chrono::seconds(1);

}  // namespace

Result<std::unique_ptr<EngineSession>> EngineSession::start(const Spawner& spawner, const EngineStart& what,
                                                            Hello hello, MonotonicTime now) {
  auto pair = make_link();
  if (!pair) return std::move(pair).error();
  auto page = make_shared_memory("tenon-vitals", sizeof(VitalsPage));
  if (!page) return std::move(page).error();
  auto vitals = MappedPage<VitalsPage>::map(page->get());
  if (!vitals) return std::move(vitals).error();

  auto environment = what.environment;
  std::string& link_entry = environment.emplace_back(kLinkVariable);
  link_entry += '=';
  link_entry += std::to_string(channel_descriptor(0));
  auto outcome = spawner.spawn_engine(what.binary, what.argv, environment, pair->engine_end.get());
  if (auto* failure = std::get_if<SpawnFailure>(&outcome)) return Error(errc::io, std::move(failure->message));

  std::unique_ptr<EngineSession> session(
      new EngineSession(Link(std::move(pair->keeper_end)), std::move(*vitals), what.limits));
  session->pid_ = std::get<SpawnedChild>(outcome).pid;
  session->started_ = now;
  session->look_at_ = now;
  hello.vitals = std::move(*page);
  hello.breadcrumbs.reset(::fcntl(what.breadcrumbs, F_DUPFD_CLOEXEC, 0));
  session->send(std::move(hello), now);
  return session;
}

EngineSession::~EngineSession() = default;

void EngineSession::acknowledge(const HelloAck& ack, Holdings& holdings, MonotonicTime now) {
  if (state_ != State::greeting) return;
  if (ack.protocol_version != kProtocolVersion) {
    return condemn("it speaks version " + std::to_string(ack.protocol_version) + " of the keeper protocol", now);
  }
  state_ = State::adopting;
  for (auto& key : holdings.stash.keys()) to_hand_over_.emplace_back(std::move(key));
  for (auto& [key, child] : holdings.children) {
    child.told = false;
    if (!child.transient) to_hand_over_.emplace_back(key);
  }
  pump(holdings, now);
}

void EngineSession::tell(Message message, MonotonicTime now) {
  if (live()) send(std::move(message), now);
}

void EngineSession::tell_exit(Child& child, MonotonicTime now) {
  if (!live() || child.told || child.runs()) return;
  child.told = true;
  send(Exited{child.key, child.pid, *child.exit}, now);
}

void EngineSession::tell_pid(Child& child, MonotonicTime now) {
  if (!live() || child.told_pid == child.pid) return;
  child.told_pid = child.pid;
  send(HandedOver{child.key, child.pid}, now);
}

void EngineSession::send(Message message, MonotonicTime now) {
  const bool was_full = link_.wants_write();
  const Status sent = link_.send(std::move(message));
  // unavailable: the engine is dying, and its successor will be told.
  if (!sent.ok() && sent.error().code != errc::unavailable) condemn(sent.error().message, now);
  if (!was_full && link_.wants_write()) stalled_since_ = now;
}

void EngineSession::pump(Holdings& holdings, MonotonicTime now) {
  if (deaf_) return;
  auto flushed = link_.flush();
  if (flushed) note_progress(*flushed, now);
  while (state_ == State::adopting && !condemned_ && link_.queued() < kItemsInFlight) {
    if (to_hand_over_.empty()) {
      finish_adoption(holdings, now);
    } else {
      send_next_item(holdings, now);
    }
  }
}

void EngineSession::note_progress(bool progress, MonotonicTime now) {
  if (!link_.wants_write()) {
    stalled_since_.reset();
  } else if (progress) {
    stalled_since_ = now;
  }
}

// Items may have gone since they were listed: a child that the engine before had asked to forget, for instance.
void EngineSession::send_next_item(Holdings& holdings, MonotonicTime now) {
  const Item item = std::move(to_hand_over_.front());
  to_hand_over_.pop_front();
  if (const auto* key = std::get_if<std::string>(&item)) {
    const Stash::Value* value = holdings.stash.find(*key);
    if (!value) return;
    StashEntry entry{*key, value->bytes, {}};
    for (const auto& fd : value->descriptors) entry.descriptors.push_back(fd.duplicate());
    return send(std::move(entry), now);
  }
  Child* child = holdings.children.find(std::get<ProcessKey>(item));
  if (!child) return;
  auto ends = duplicate_ends(*child);
  if (!ends) return condemn(ends.error().message, now);
  child->told = !child->runs();
  const auto exit = child->runs() ? std::nullopt : std::optional(*child->exit);
  send(AdoptedChild{child->key, child->pid, child->started.time_since_epoch().count(),
                    child->started_wall.time_since_epoch().count(), exit, child->channel, child->stop,
                    std::move(*ends)},
       now);
  child->told_pid = child->pid;
}

void EngineSession::finish_adoption(Holdings& holdings, MonotonicTime now) {
  for (const auto& name : holdings.listeners.names()) {
    const Listener* listener = holdings.listeners.find(name);
    send(AdoptedListener{listener->spec(), listener->port(), listener->duplicate()}, now);
  }
  send(AdoptEnd{}, now);
  state_ = State::live;
  rest_at_ = now + kRestAfter;
  // What became since then of those that had been handed over as running.
  for (auto& [key, child] : holdings.children) {
    if (child.transient) continue;
    tell_pid(child, now);
    tell_exit(child, now);
  }
}

std::optional<Message> EngineSession::next_request(MonotonicTime now) {
  if (deaf_ || !link_.open()) return std::nullopt;
  auto received = link_.receive();
  if (!received) {
    malformed_ = true;
    deaf_ = true;
    condemn(received.error().message, now);
    return std::nullopt;
  }
  if (received->end_of_stream) {
    deaf_ = true;
    closed_since_ = now;
    return std::nullopt;
  }
  return std::move(received->message);
}

void EngineSession::note_stopped(bool stopped, MonotonicTime now) {
  if (!stopped) {
    stopped_since_.reset();
  } else if (!stopped_since_) {
    stopped_since_ = now;
  }
  if (!condemned_) look_at_ = now;
}

void EngineSession::note_awake(MonotonicTime now) {
  unwatched_ = false;
  rest_at_ = now + kRestAfter;
}

// An engine that has slept for a while is not looked at until it says that it works again, so that neither process wakes
// up while nothing happens.
bool EngineSession::may_rest(const EngineSigns& signs, MonotonicTime now) {
  const bool sleeps = state_ == State::live && !signs.any();
  if (!(unwatched_ && sleeps) && now >= rest_at_) {
    rest_at_ = now + kRestAfter;
    unwatched_ = sleeps && vitals_->stop_watching();
  }
  return unwatched_ && sleeps;
}

EngineSigns EngineSession::signs(MonotonicTime now) const {
  EngineSigns signs;
  if (state_ == State::greeting) signs.awaiting_greeting = started_;
  if (const auto entered = vitals_->turn_entered_ns.load(std::memory_order_acquire); entered > 0) {
    signs.in_turn = std::min(MonotonicTime(Duration(entered)), now);
  }
  signs.stopped = stopped_since_;
  signs.not_reading = stalled_since_;
  signs.closed_link = closed_since_;
  return signs;
}

void EngineSession::look(MonotonicTime awake_since, MonotonicTime now) {
  if (killed_) {
    look_at_ = MonotonicTime::max();
    return;
  }
  if (condemned_) {
    if (now < look_at_) return;
    ::kill(pid_, SIGKILL);
    killed_ = true;
    look_at_ = MonotonicTime::max();
    return;
  }
  HangLimits limits = limits_;
  if (const auto set = vitals_->hang_timeout_ns.load(std::memory_order_relaxed); set > 0) limits.turn = Duration(set);
  const EngineSigns seen = signs(now);
  const HangVerdict verdict = judge(seen, limits, awake_since, now);
  if (!verdict.hangs()) {
    look_at_ = may_rest(seen, now) ? MonotonicTime::max() : std::min(verdict.look_again, rest_at_);
    return;
  }
  look_at_ = verdict.look_again;
  hung_ = !stopped_since_;  // who was stopped by a signal did not hang in anything
  condemn("it hangs: " + verdict.reason, now);
}

void EngineSession::condemn(const std::string& why, MonotonicTime now) {
  if (condemned_) return;
  condemned_ = true;
  look_at_ = now + kAbortPatience;
  log::error("keeper", "the engine is killed; its processes go on, another engine follows",
             {{"pid", pid_}, {"reason", why}});
  ::kill(pid_, SIGABRT);
}

}  // namespace tenon::keeper
