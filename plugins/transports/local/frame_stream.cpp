#include "frame_stream.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace tenon::local {

namespace {

constexpr std::size_t kFlushNow = 64 * 1024;
constexpr std::size_t kReadSize = 64 * 1024;
constexpr int kReadsPerTurn = 4;  // then the others get their turn; level-triggered, so nothing is forgotten
constexpr std::size_t kCompactAt = 1024 * 1024;

std::uint32_t big_endian(const std::uint8_t* octets) {
  return std::uint32_t{octets[0]} << 24 | std::uint32_t{octets[1]} << 16 | std::uint32_t{octets[2]} << 8 | octets[3];
}

}  // namespace

void Flusher::schedule(const std::shared_ptr<FrameStream>& stream) {
  waiting_.push_back(stream);
  if (waiting_.size() > 1) return;  // the callback is under way already
  if (host_.raw()->post_to_loop(host_.raw()->context, &Flusher::run, this) != TENON_OK) run(this);
}

void Flusher::run(void* self) noexcept {
  sdk::guarded_void([&] {
    const auto streams = std::exchange(static_cast<Flusher*>(self)->waiting_, {});
    for (const auto& weak : streams) {
      if (const auto stream = weak.lock()) stream->flush();
    }
  });
}

std::shared_ptr<FrameStream> FrameStream::open(sdk::Host host, Flusher& flusher, Fd fd, std::size_t max_frame,
                                               std::size_t max_buffered, Handlers handlers) {
  std::shared_ptr<FrameStream> stream(
      new FrameStream(host, flusher, std::move(fd), max_frame, max_buffered, std::move(handlers)));
  FrameStream* raw = stream.get();
  stream->watch_ = host.watch(stream->fd_.get(), TENON_FD_READ, [raw](std::uint32_t ready) { raw->on_ready(ready); });
  return stream;
}

FrameStream::FrameStream(sdk::Host host, Flusher& flusher, Fd fd, std::size_t max_frame, std::size_t max_buffered,
                         Handlers handlers)
    : host_(host),
      flusher_(flusher),
      fd_(std::move(fd)),
      max_frame_(max_frame),
      max_buffered_(max_buffered),
      handlers_(std::move(handlers)) {}

bool FrameStream::accept_appended(std::size_t before) {
  const std::size_t waiting = before - out_head_;
  if (waiting != 0 && buffered() > max_buffered_) {
    out_.resize(before);
    refused_ = true;
    return false;
  }
  if (buffered() >= kFlushNow && (interest_ & TENON_FD_WRITE) == 0) {
    flush();
  } else if (!flush_scheduled_ && (interest_ & TENON_FD_WRITE) == 0) {
    flush_scheduled_ = true;
    flusher_.schedule(shared_from_this());
  }
  return true;
}

void FrameStream::flush() {
  flush_scheduled_ = false;
  if (!fd_) return;
  const auto keep = shared_from_this();
  while (buffered() != 0) {
    const ssize_t written = ::send(fd_.get(), out_.data() + out_head_, buffered(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (written > 0) {
      out_head_ += static_cast<std::size_t>(written);
      continue;
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN) break;
    return fail(std::string("writing failed: ") + std::strerror(errno));
  }
  if (out_head_ == out_.size()) {
    out_.clear();
    out_head_ = 0;
  } else if (out_head_ >= kCompactAt && out_head_ >= out_.size() / 2) {
    out_.erase(0, out_head_);
    out_head_ = 0;
  }
  watch_for(buffered() == 0 ? TENON_FD_READ : TENON_FD_READ | TENON_FD_WRITE);
  if (buffered() == 0 || (refused_ && buffered() < max_buffered_ / 2)) {
    refused_ = false;
    if (handlers_.on_drained) handlers_.on_drained();
  }
}

void FrameStream::watch_for(std::uint32_t interest) {
  if (interest == interest_) return;
  interest_ = interest;
  watch_.set_interest(interest);
}

void FrameStream::on_ready(std::uint32_t ready) {
  const auto keep = shared_from_this();
  if ((ready & TENON_FD_WRITE) != 0) flush();
  if ((ready & TENON_FD_READ) != 0 && fd_) read_some();
}

void FrameStream::read_some() {
  for (int i = 0; i < kReadsPerTurn && fd_; ++i) {
    const std::size_t size = in_.size();
    in_.resize(size + kReadSize);
    const ssize_t got = ::recv(fd_.get(), in_.data() + size, kReadSize, MSG_DONTWAIT);
    const int error = errno;
    in_.resize(size + (got > 0 ? static_cast<std::size_t>(got) : 0));
    if (got == 0) return fail("the other side closed the connection");
    if (got < 0) {
      if (error == EAGAIN || error == EINTR) return;
      return fail(std::string("reading failed: ") + std::strerror(error));
    }
    if (!take_frames()) return;
    if (static_cast<std::size_t>(got) < kReadSize) return;
  }
}

// Hands over every whole frame; false when the stream closed meanwhile.
bool FrameStream::take_frames() {
  while (in_.size() - in_head_ >= kLengthSize) {
    const std::size_t size = big_endian(in_.data() + in_head_);
    const std::size_t limit = large_frames_ ? max_frame_ : kFirstFrameMax;
    if (size > limit) {
      fail("it sent a frame of " + std::to_string(size) + " octets, over the limit of " + std::to_string(limit));
      return false;
    }
    if (in_.size() - in_head_ - kLengthSize < size) break;
    const std::span<const std::uint8_t> octets(in_.data() + in_head_ + kLengthSize, size);
    if (const char* fault = decode(octets, frame_)) {
      fail(std::string("it sent ") + fault);
      return false;
    }
    handlers_.on_frame(frame_);
    if (!fd_) return false;
    in_head_ += kLengthSize + size;
  }
  in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(in_head_));
  in_head_ = 0;
  if (in_.empty() && in_.capacity() > kCompactAt) in_.shrink_to_fit();
  return true;
}

void FrameStream::fail(const std::string& why) {
  if (!fd_) return;
  const auto on_close = handlers_.on_close;
  close();
  if (on_close) on_close(why);
}

void FrameStream::close() {
  watch_.stop();  // before the descriptor: it leaves epoll while it is still ours
  fd_.reset();
}

}  // namespace tenon::local
