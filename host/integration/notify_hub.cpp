#include "integration/notify_hub.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <unistd.h>

#include "common/logging.hpp"
#include "integration/worker_hub.hpp"
#include "runtime/process_manager.hpp"

namespace tenon::integration {
namespace {

constexpr int kMessagesPerTurn = 64;  // of one process: a chatty one does not keep the loop from the others
constexpr std::size_t kMaxDescriptors = 253;  // SCM_MAX_FD

struct Received {
  ssize_t size = -1;  // −1: nothing is there
  bool cut = false;
  ucred sender{0, static_cast<uid_t>(-1), static_cast<gid_t>(-1)};
};

// Of the ancillary data only the credentials are wanted; descriptors are closed.
void take_ancillary(msghdr& header, Received& received) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET) continue;
    if (part->cmsg_type == SCM_CREDENTIALS && part->cmsg_len >= CMSG_LEN(sizeof(ucred))) {
      std::memcpy(&received.sender, CMSG_DATA(part), sizeof received.sender);
    }
    if (part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
      ::close(fd);
    }
  }
}

Received receive(int socket, std::span<char> buffer, int flags = 0) {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(sizeof(int) * kMaxDescriptors)> ancillary;
  iovec part{buffer.data(), buffer.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = ancillary.data();
  header.msg_controllen = ancillary.size();
  Received received;
  do {
    received.size = ::recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC | flags);
  } while (received.size < 0 && errno == EINTR);
  if (received.size < 0) return received;
  received.cut = (header.msg_flags & MSG_TRUNC) != 0;
  take_ancillary(header, received);
  return received;
}

}  // namespace

struct NotifyHub::Source {
  std::string id;
  std::uint64_t generation = 0;
  pid_t pid = 0;
  uid_t user = 0;
  unique_fd socket;
  bool refused = false;  // somebody, once: told
  std::unique_ptr<event::FdWatch> watch;
};

NotifyHub::NotifyHub(event::Loop& loop, runtime::ProcessManager& manager, WorkerHub& workers, MainProcess main_process)
    : loop_(loop), manager_(manager), workers_(workers), main_process_(std::move(main_process)) {}

NotifyHub::~NotifyHub() = default;

Status NotifyHub::attach(const std::string& id, std::uint64_t generation, unique_fd socket, pid_t pid,
                         uid_t user) {
  auto source = std::make_unique<Source>();
  source->id = id;
  source->generation = generation;
  source->pid = pid;
  source->user = user;
  source->socket = std::move(socket);
  auto watch = loop_.watch(source->socket.get(), event::Interest::read, [this, one = source.get()](event::Interest) {
    for (int i = 0; i < kMessagesPerTurn && hear_one(*one); ++i) {}
  });
  if (!watch) return std::move(watch).error();
  source->watch = std::move(watch).value();
  std::unique_ptr<Source>& place = sources_[id];
  if (place) place->watch.reset();  // before its descriptor closes
  place = std::move(source);
  return {};
}

void NotifyHub::note_main_process(const std::string& id, std::uint64_t generation, pid_t pid) {
  const auto at = sources_.find(id);
  if (at != sources_.end() && at->second->generation == generation) at->second->pid = pid;
}

void NotifyHub::detach(const std::string& id, std::uint64_t generation) {
  const auto at = sources_.find(id);
  if (at == sources_.end() || at->second->generation != generation) return;
  const std::unique_ptr<Source> source = std::move(at->second);
  sources_.erase(at);
  source->watch.reset();
  for (int i = 0; i < kMessagesPerTurn && hear_one(*source); ++i) {}
}

bool NotifyHub::is_heard(const Source& source, const ucred& sender) {
  return sender.pid == source.pid || sender.uid == source.user || sender.uid == 0 || sender.uid == ::geteuid();
}

bool NotifyHub::hear_one(Source& source) {
  std::array<char, NotifyMessage::kMaxBytes> buffer;
  const auto text_of = [&buffer](const Received& received) {
    std::string_view text(buffer.data(), static_cast<std::size_t>(received.size));
    return text.ends_with('\0') ? text.substr(0, text.size() - 1) : text;
  };
  // Who goes on as this process is told before the message is taken: the keeper, which judges the end of a process, looks
  // for it here and then there.
  const Received waiting = receive(source.socket.get(), buffer, MSG_PEEK);
  std::optional<pid_t> told;
  if (waiting.size >= 0 && !waiting.cut && is_heard(source, waiting.sender)) {
    told = parse_notify_message(text_of(waiting)).main_pid;
    if (told) main_process_(source.id, source.generation, *told);
  }
  const Received received = receive(source.socket.get(), buffer);
  if (received.size < 0) return false;
  if (!is_heard(source, received.sender)) {
    refuse(source, received.sender.uid);
    return true;
  }
  if (received.cut) {
    log::warn("engine", "a message by sd_notify was longer than 4096 bytes and is left out; send less",
              {{"process", source.id}});
    return true;
  }
  NotifyMessage message = parse_notify_message(text_of(received));
  if (message.main_pid == told) message.main_pid.reset();
  heard(source, message);
  return true;
}

void NotifyHub::heard(Source& source, const NotifyMessage& message) {
  const std::string& id = source.id;
  const std::uint64_t generation = source.generation;
  if (message.extend) manager_.extend_deadline(id, generation, *message.extend);
  if (message.status) manager_.set_worker_status(id, *message.status);
  if (message.ready || message.watchdog == WatchdogWord::alive) workers_.note_control(id, generation, kWatchdog);
  if (message.watchdog == WatchdogWord::trigger) workers_.note_control(id, generation, kWatchdogTrigger);
  if (message.ready) manager_.notify_ready(id, generation);
  else if (message.reloading) manager_.notify_reloading(id, generation);
  if (message.main_pid) main_process_(id, generation, *message.main_pid);
  if (message.stopping) manager_.notify_stopping(id, generation);
}

void NotifyHub::refuse(Source& source, uid_t user) {
  if (std::exchange(source.refused, true)) return;
  log::warn("engine", "somebody else speaks for a process by sd_notify and is not heard; run the sender as its user",
            {{"process", source.id}, {"user", user}, {"expected", source.user}});
}

}  // namespace tenon::integration
