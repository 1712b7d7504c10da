#include "keeper/link.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>

namespace tenon::keeper {
namespace {

struct alignas(cmsghdr) ControlBuffer {
  std::array<char, CMSG_SPACE(kMaxDescriptors * sizeof(int))> bytes;
};

// The kernel takes no more now. ETOOMANYREFS: this user's descriptors in flight are at their limit until the peer
// reads.
bool is_full(int error_number) {
  return error_number == EAGAIN || error_number == ENOBUFS || error_number == ENOMEM || error_number == ETOOMANYREFS;
}

std::vector<unique_fd> take_descriptors(msghdr& header) {
  std::vector<unique_fd> descriptors;
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
      descriptors.emplace_back(fd);
    }
  }
  return descriptors;
}

}  // namespace

Result<LinkPair> make_link() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
    return Error::from_errno(errno, "make the link between keeper and engine");
  }
  LinkPair pair{unique_fd(ends[0]), unique_fd(ends[1])};
  // Fewer stalls while thousands of children are handed over; the kernel caps it at net.core.wmem_max.
  const int wanted = 1 << 20;
  for (int end : ends) (void)::setsockopt(end, SOL_SOCKET, SO_SNDBUF, &wanted, sizeof wanted);
  return pair;
}

void Link::close() noexcept {
  socket_.reset();
  queue_.clear();
  queued_bytes_ = 0;
}

Status Link::send_packet(const Packet& packet, bool& would_block) {
  iovec data{const_cast<std::byte*>(packet.bytes.data()), packet.bytes.size()};
  msghdr header{};
  header.msg_iov = &data;
  header.msg_iovlen = 1;
  ControlBuffer control;
  if (const std::size_t count = packet.descriptors.size(); count != 0) {
    header.msg_control = control.bytes.data();
    header.msg_controllen = CMSG_SPACE(count * sizeof(int));
    cmsghdr* c = CMSG_FIRSTHDR(&header);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(count * sizeof(int));
    for (std::size_t i = 0; i < count; ++i) {
      const int fd = packet.descriptors[i].get();
      std::memcpy(CMSG_DATA(c) + i * sizeof(int), &fd, sizeof(int));
    }
  }
  for (;;) {
    if (::sendmsg(socket_.get(), &header, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) return {};
    if (errno == EINTR) continue;
    would_block = is_full(errno);
    if (would_block) return {};
    return Error::from_errno(errno, "send on the keeper link");
  }
}

Status Link::send(Message message) {
  if (!open()) return Error(errc::wrong_state, "the keeper link is closed");
  auto packet = encode(std::move(message), next_sequence_out_);
  if (!packet) return std::move(packet).error();
  if (queue_.empty()) {
    bool would_block = false;
    TENON_TRY(send_packet(*packet, would_block));
    if (!would_block) {
      ++next_sequence_out_;
      return {};
    }
  }
  if (queue_.size() >= kMaxQueuedMessages || queued_bytes_ + packet->bytes.size() > kMaxQueuedBytes) {
    return Error(errc::exhausted, "the keeper link's queue is full: the other side does not read; try again later");
  }
  ++next_sequence_out_;
  queued_bytes_ += packet->bytes.size();
  queue_.push_back(std::move(*packet));
  return {};
}

Result<bool> Link::flush() {
  bool progress = false;
  while (open() && !queue_.empty()) {
    bool would_block = false;
    TENON_TRY(send_packet(queue_.front(), would_block));
    if (would_block) break;
    queued_bytes_ -= queue_.front().bytes.size();
    queue_.pop_front();
    progress = true;
  }
  return progress;
}

Result<Link::Received> Link::receive() {
  std::array<std::byte, kMaxPacketBytes> buffer;
  ControlBuffer control;
  iovec data{buffer.data(), buffer.size()};
  msghdr header{};
  header.msg_iov = &data;
  header.msg_iovlen = 1;
  header.msg_control = control.bytes.data();
  header.msg_controllen = control.bytes.size();
  ssize_t size = 0;
  do {
    size = ::recvmsg(socket_.get(), &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  } while (size < 0 && errno == EINTR);
  if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return Received{};
  if (size < 0 && errno == ECONNRESET) return Received{std::nullopt, true};
  if (size < 0) return Error::from_errno(errno, "receive on the keeper link");

  auto descriptors = take_descriptors(header);
  if (size == 0) return Received{std::nullopt, true};
  if (header.msg_flags & MSG_TRUNC) return Error(errc::bad_data, "keeper link: a packet is over the size limit");
  if (header.msg_flags & MSG_CTRUNC) {
    return Error(errc::exhausted,
                 "keeper link: descriptors were lost because this process has too many open; raise its limit on "
                 "open files");
  }
  auto decoded = decode(std::span(buffer.data(), static_cast<std::size_t>(size)), std::move(descriptors));
  if (!decoded) return std::move(decoded).error();
  if (decoded->sequence != next_sequence_in_) return Error(errc::bad_data, "keeper link: a packet is missing");
  ++next_sequence_in_;
  return Received{std::move(decoded->message), false};
}

}  // namespace tenon::keeper
