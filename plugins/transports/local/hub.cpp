#include "hub.hpp"

#include <cerrno>
#include <charconv>
#include <utility>

namespace tenon::local {

namespace {

constexpr std::size_t kPeersMax = 256;
constexpr int kAcceptsPerTurn = 16;
constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kIntroduceWithin = 5 * kSecond;
constexpr std::uint64_t kMillisecond = 1'000'000;

constexpr Outcome kFull{TENON_ERR_EXHAUSTED, "every receiver's buffer is full; send again later, or slower"};
constexpr Outcome kNobody{TENON_ERR_UNAVAILABLE, "nobody subscribes to the topic of the request; start its receiver"};
constexpr Outcome kTooFar{TENON_ERR_INVALID_ARGUMENT,
                          "the event has passed 8 hosts already; look for a loop in the routes"};
constexpr Outcome kLate{TENON_ERR_NOT_FOUND,
                        "nobody waits for this answer any more; answer sooner, or raise the deadline"};

std::string reply_address(std::uint64_t nonce, std::uint64_t number) {
  return std::to_string(nonce) + "." + std::to_string(number);
}

}  // namespace

Hub::Hub(sdk::Host host, Flusher& flusher, std::unique_ptr<ListenSocket> socket, Limits limits, Self self)
    : host_(host),
      flusher_(flusher),
      limits_(limits),
      self_(std::move(self)),
      node_(host.node()),
      nonce_(host.random()),
      requests_(host, [this](Asked&& asked) {
        answer(asked, nullptr,
               {TENON_ERR_TIMEOUT, "nobody answered in time; raise the deadline, or look at the receiver"});
      }) {
  listen(std::move(socket));
}

void Hub::listen(std::unique_ptr<ListenSocket> socket) {
  stop_listening();
  socket_ = std::move(socket);
  accepting_ = host_.watch(socket_->fd(), TENON_FD_READ, [this](std::uint32_t) { accept_some(); });
}

void Hub::stop_listening() {
  accept_again_.cancel();
  accepting_.stop();
  socket_.reset();
}

void Hub::close() {
  stop_listening();
  for (auto& [id, peer] : peers_) peer.stream->close();
  peers_.clear();
  requests_.take_all();
}

void Hub::accept_some() {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    Fd fd = socket_->accept();
    if (fd) {
      add_peer(std::move(fd));
      continue;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      // The connection stays in the queue, so the watch would fire without end; look again in a second.
      host_.log(TENON_LOG_ERROR, "no descriptor left for another host; raise the limit of open files");
      accepting_.set_interest(0);
      accept_again_ = host_.start_timer(kSecond, 0, [this] { accepting_.set_interest(TENON_FD_READ); });
    }
    return;
  }
}

void Hub::add_peer(Fd fd) {
  pid_t pid = 0;
  try {
    pid = check_peer(fd.get());
  } catch (const sdk::Error& refused) {
    host_.log(TENON_LOG_WARN, std::string("refused a connection: ") + refused.what());
    return;
  }
  if (peers_.size() >= kPeersMax) {
    host_.log(TENON_LOG_WARN, "refused a connection: 256 hosts are connected, which is the limit");
    return;
  }
  const PeerId id = next_peer_++;
  FrameStream::Handlers handlers;
  handlers.on_frame = [this, id](const Frame& frame) { on_frame(id, frame); };
  handlers.on_close = [this, id](const std::string& why) { drop_peer(id, why); };
  handlers.on_drained = [this, id] {
    const auto found = peers_.find(id);
    if (found != peers_.end()) found->second.dropping = false;
    self_.drained();
  };
  Peer peer;
  peer.pid = pid;
  peer.stream =
      FrameStream::open(host_, flusher_, std::move(fd), limits_.max_frame, limits_.max_buffer, std::move(handlers));
  peer.introduce_by =
      host_.start_timer(kIntroduceWithin, 0, [this, id] { drop_peer(id, "it did not introduce itself"); });
  peers_.emplace(id, std::move(peer));
}

void Hub::drop_peer(PeerId id, const std::string& why) {
  const auto found = peers_.find(id);
  if (found == peers_.end()) return;
  const std::string name =
      found->second.node.empty() ? "a host that had not introduced itself" : "host " + found->second.node;
  host_.log(found->second.node.empty() ? TENON_LOG_WARN : TENON_LOG_INFO,
            name + " (pid " + std::to_string(found->second.pid) + ") is disconnected: " + why);
  found->second.stream->close();
  peers_.erase(found);
  interest_.remove_peer(id);
}

// A handler that calls drop_peer() must not touch its peer afterwards; the stream itself survives until its handler is
// done.
void Hub::on_frame(PeerId id, const Frame& frame) {
  const auto found = peers_.find(id);
  if (found == peers_.end()) return;
  Peer& peer = found->second;
  if (peer.node.empty() != (frame.type == FrameType::hello))
    return drop_peer(id, "it broke the protocol: HELLO comes first");
  switch (frame.type) {
    case FrameType::hello: return on_hello(id, peer, frame);
    case FrameType::subscribe: return on_subscribe(id, peer, frame);
    case FrameType::unsubscribe: interest_.remove(id, frame.subscription); return acknowledge(id, frame.number, {});
    case FrameType::event: return acknowledge(id, frame.number, route(frame.message, {}));
    case FrameType::request:
      return ask(id, frame.number, host_.monotonic_ns() + frame.amount * kMillisecond, frame.message);
    case FrameType::reply: return acknowledge(id, frame.number, reply(frame.text, frame.message));
    case FrameType::ping: {
      peer.stream->send([&](std::string& out) { write_ping(out, FrameType::pong, frame.number); });
      return;
    }
    default: return drop_peer(id, "it broke the protocol: it spoke as a listener");
  }
}

void Hub::on_hello(PeerId id, Peer& peer, const Frame& frame) {
  if (frame.number != kProtocolVersion)
    return drop_peer(id, "it speaks version " + std::to_string(frame.number) +
                             " of the protocol, we speak 1; update the older host");
  peer.node = std::string(frame.text);
  peer.max_frame = frame.amount;
  peer.introduce_by.cancel();
  peer.stream->expect_large_frames();
  warn_of_twin(peer);
  peer.stream->send([&](std::string& out) {
    write_hello(out, FrameType::welcome, nonce_, node_, static_cast<std::uint32_t>(limits_.max_frame));
  });
}

// Several connections of one host are a pool; several processes of one name are a mistake that costs events.
void Hub::warn_of_twin(const Peer& peer) {
  bool twin = peer.node == node_ && peer.pid != ::getpid();
  for (const auto& [id, other] : peers_) twin = twin || (other.node == peer.node && other.pid != peer.pid);
  if (twin)
    host_.log(TENON_LOG_WARN,
              "two hosts call themselves " + peer.node +
                  ", so events between them are cut as loops; give each its own \"node\" in the config");
}

void Hub::on_subscribe(PeerId id, Peer& peer, const Frame& frame) {
  const auto added = interest_.add(frame.text, {id, frame.subscription, peer.node, std::string(frame.group)});
  Outcome outcome;
  if (added == InterestTable::Added::full)
    outcome = {TENON_ERR_EXHAUSTED, "10000 subscriptions of one host are the limit"};
  if (added == InterestTable::Added::exists) outcome = {TENON_ERR_ALREADY_EXISTS, "this subscription exists already"};
  acknowledge(id, frame.number, outcome);
}

void Hub::acknowledge(PeerId id, std::uint64_t exchange, Outcome outcome) {
  if (exchange == 0) return;
  const auto found = peers_.find(id);
  if (found == peers_.end()) return;
  const bool sent = found->second.stream->send(
      [&](std::string& out) { write_ack(out, exchange, static_cast<std::uint8_t>(outcome.status), outcome.why); });
  if (!sent) host_.count("slow_peer_drops");  // the asker's own deadline tells it
}

InterestTable::Added Hub::subscribe(std::uint64_t subscription, std::string_view pattern, std::string_view group) {
  return interest_.add(pattern, {kSelf, subscription, node_, std::string(group)});
}

Outcome Hub::route(const Message& message, std::string_view reply) {
  if (message.hops > kHopsMax) {
    host_.count("hop_limit_drops");
    return kTooFar;
  }
  const Matches found = interest_.match(message.topic, message.origin);
  if (found.empty()) return reply.empty() ? Outcome{} : kNobody;

  // Chosen before anything is given: a receiver may subscribe or publish while it takes the event, which changes the
  // table.
  std::vector<Member> plain;
  for (const Member* member : found.plain) plain.push_back(*member);
  std::vector<std::pair<std::size_t, std::vector<Member>>> groups;
  for (const auto& [name, members] : found.groups) {
    auto& group = groups.emplace_back(interest_.next_turn(name, members.size()), std::vector<Member>());
    for (const Member* member : members) group.second.push_back(*member);
  }
  bool any = false;
  for (std::size_t i = 0; i < plain.size();) {
    if (plain[i].peer == kSelf) {
      any = give(plain[i++], message, reply) || any;
      continue;
    }
    // All subscriptions of one peer that want the event go in one frame.
    std::vector<std::uint64_t> together;
    const PeerId peer = plain[i].peer;
    for (std::size_t k = i; k < plain.size() && together.size() < kDeliverMax;) {
      if (plain[k].peer != peer) {
        ++k;
        continue;
      }
      together.push_back(plain[k].subscription);
      plain.erase(plain.begin() + static_cast<std::ptrdiff_t>(k));
    }
    any = send_to_peer(peer, together, message, reply) || any;
  }
  for (const auto& [turn, members] : groups) {
    bool given = false;
    for (std::size_t k = 0; k < members.size() && !given; ++k)
      given = give(members[(turn + k) % members.size()], message, reply);
    any = given || any;
  }
  return any ? Outcome{} : kFull;
}

bool Hub::give(const Member& member, const Message& message, std::string_view reply) {
  if (member.peer == kSelf) return self_.deliver(member.subscription, message, reply);
  const std::uint64_t subscription = member.subscription;
  return send_to_peer(member.peer, {&subscription, 1}, message, reply);
}

bool Hub::send_to_peer(PeerId id, std::span<const std::uint64_t> subscriptions, const Message& message,
                       std::string_view reply) {
  const auto found = peers_.find(id);
  if (found == peers_.end()) return false;
  Peer& peer = found->second;
  if (message.encoded.size() + kMessageOverhead <= peer.max_frame &&
      peer.stream->send([&](std::string& out) { write_deliver(out, subscriptions, reply, message); }))
    return true;
  host_.count("slow_peer_drops");
  if (!std::exchange(peer.dropping, true))
    host_.log(TENON_LOG_WARN,
              "host " + peer.node +
                  " reads too slowly or accepts only smaller frames; it loses events until it has caught up");
  return false;
}

void Hub::ask(PeerId peer, std::uint64_t exchange, std::uint64_t deadline_ns, const Message& message) {
  const Asked asked{peer, exchange, next_request_++};
  if (exchange == 0) return;  // no address to answer to
  try {
    // First remembered, then routed: a receiver on this host may answer before route() returns.
    requests_.add(asked.number, deadline_ns, asked);
  } catch (const sdk::Error&) {
    return answer(asked, nullptr, {TENON_ERR_EXHAUSTED, "65536 requests wait for an answer already; send slower"});
  }
  const Outcome outcome = route(message, reply_address(nonce_, asked.number));
  if (outcome.status != TENON_OK && requests_.take(asked.number)) answer(asked, nullptr, outcome);
}

Outcome Hub::reply(std::string_view address, const Message& message) {
  std::uint64_t nonce = 0, number = 0;
  const char* const end = address.data() + address.size();
  const auto first = std::from_chars(address.data(), end, nonce);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '.') return kLate;
  const auto second = std::from_chars(first.ptr + 1, end, number);
  if (second.ec != std::errc() || second.ptr != end || nonce != nonce_) return kLate;
  const auto asked = requests_.take(number);
  if (!asked) return kLate;
  answer(*asked, &message, {});
  return {};
}

void Hub::answer(const Asked& asked, const Message* message, Outcome outcome) {
  if (asked.peer == kSelf) return self_.answered(asked.exchange, message, outcome);
  if (message == nullptr) return acknowledge(asked.peer, asked.exchange, outcome);
  const auto found = peers_.find(asked.peer);
  if (found == peers_.end()) return;
  if (!found->second.stream->send([&](std::string& out) { write_answer(out, asked.exchange, *message); }))
    host_.count("slow_peer_drops");
}

std::size_t Hub::buffered() const {
  std::size_t octets = 0;
  for (const auto& [id, peer] : peers_) octets += peer.stream->buffered();
  return octets;
}

void Hub::flush() {
  std::vector<std::shared_ptr<FrameStream>> streams;  // flushing may close a stream and so change the map
  for (const auto& [id, peer] : peers_) streams.push_back(peer.stream);
  for (const auto& stream : streams) stream->flush();
}

}  // namespace tenon::local
