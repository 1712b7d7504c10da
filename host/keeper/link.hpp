// One end of the keeper link: a non-blocking SOCK_SEQPACKET socket with a bounded queue before it. Both sides use it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "common/clock.hpp"
#include "common/result.hpp"
#include "common/unique_fd.hpp"
#include "keeper/wire.hpp"

namespace tenon::keeper {

inline constexpr std::size_t kMaxQueuedMessages = 65536;
inline constexpr std::size_t kMaxQueuedBytes = 64 * 1024 * 1024;  // without what is in memfds

struct LinkPair {
  unique_fd keeper_end, engine_end;  // both close-on-exec and non-blocking
};
Result<LinkPair> make_link();

class Link {
 public:
  explicit Link(unique_fd socket) : socket_(std::move(socket)) {}

  int fd() const noexcept { return socket_.get(); }
  bool open() const noexcept { return socket_.valid(); }
  bool wants_write() const noexcept { return !queue_.empty(); }
  std::size_t queued() const noexcept { return queue_.size(); }
  void close() noexcept;

  // Sends now if it can, queues otherwise. errc::exhausted: the queue is full, nothing was queued.
  // errc::unavailable: the peer is gone (what it sent before can still be received).
  Status send(Message message);
  // Sends what is queued until the kernel takes no more. True if anything left.
  Result<bool> flush();

  struct Received {
    std::optional<Message> message;  // empty with end_of_stream false: nothing there now
    bool end_of_stream = false;
  };
  // One message. errc::bad_data: malformed; the link must be closed.
  Result<Received> receive();

 private:
  Status send_packet(const Packet& packet, bool& would_block);

  unique_fd socket_;
  std::deque<Packet> queue_;
  std::size_t queued_bytes_ = 0;
  std::uint32_t next_sequence_out_ = 0, next_sequence_in_ = 0;
};

}  // namespace tenon::keeper
