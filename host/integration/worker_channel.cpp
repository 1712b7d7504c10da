#include "integration/worker_channel.hpp"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>

#include <poll.h>
#include <unistd.h>

#include "integration/event_line.hpp"

namespace tenon::integration {

namespace {

constexpr std::size_t kPrefixSize = 4;                    // packet4
constexpr std::size_t kFlushAt = 64 * 1024;  // octets that are worth a system call in the middle of a batch
constexpr std::size_t kHighWater = 256 * 1024;            // beyond it, ordinary events wait in their mailbox
constexpr std::size_t kReservedForControl = 64 * 1024;
constexpr int kLastBatches = 64;                          // of a process that is gone
constexpr std::size_t kReadAtOnce = ChannelMemory::kBatch;

// The largest event with its framing.
std::size_t max_frame_of(const ChannelConfig& config) noexcept {
  return config.max_event + (config.framing == Framing::packet4 ? kPrefixSize : 1);
}

bool begins_as_object(std::string_view line) noexcept {
  const std::size_t first = line.find_first_not_of(" \t");
  return first != std::string_view::npos && line[first] == '{';
}

}  // namespace

// Appends to the free end of the area without publishing: until the frame is complete a successor does not see it.
class WorkerChannel::OutputArea final : public message::OutputBuffer {
 public:
  OutputArea(ChannelMemory::Area& area, std::size_t limit) {
    data_ = reinterpret_cast<std::uint8_t*>(area.data() + area.end());
    capacity_ = std::min(area.room(), limit);
  }
  bool grow(std::size_t) override { return false; }
};

WorkerChannel::WorkerChannel(event::Loop& loop, WorkerChannelOwner& owner, const ChannelConfig& config,
                             ChannelSerializers own, message::SerializerDirectory& serializers,
                             message::EventBudget& budget, DirtyCallback dirty)
    : loop_(loop), owner_(owner), config_(config), serializers_(std::move(own)),
      encoder_(*serializers_.writer, serializers, 4 * config.max_event), budget_(budget),
      dirty_callback_(std::move(dirty)) {}

WorkerChannel::~WorkerChannel() = default;

Status WorkerChannel::open(ChannelDescriptors descriptors, ChannelMemory memory) {
  if (memory.input().uncertain() || memory.output().uncertain())
    return Error(errc::wrong_state, "the engine ended in the middle of a read or write of this channel");
  fds_ = std::move(descriptors);
  memory_ = std::make_unique<ChannelMemory>(std::move(memory));
  input_open_ = output_open_ = true;
  // What an earlier engine had encoded goes out first; where its frames end is not known, nor needed: they are not ours
  // to take back.
  inherited_ = appended_ = memory_->output().size();
  if (appended_ != 0) frame_ends_.push_back(appended_);
  backlog_ = memory_->input().size() != 0;
  TENON_TRY(watch());
  note_burst(memory_->input());
  note_burst(memory_->output());
  if (appended_ != 0) flush();
  if (backlog_) loop_.post([this, alive = std::weak_ptr<int>(alive_)] {
    if (!alive.expired() && memory_ != nullptr && may_consume()) consume_frames();
  });
  return {};
}

Status WorkerChannel::watch() {
  auto input = loop_.watch(fds_.input.get(), event::Interest::read, [this](event::Interest ready) { on_ready(ready); });
  if (!input.ok()) return std::move(input).error();
  input_watch_ = std::move(*input);
  if (!fds_.output.valid()) return {};
  auto output =
      loop_.watch(fds_.output.get(), event::Interest::none, [this](event::Interest ready) { on_ready(ready); });
  if (!output.ok()) return std::move(output).error();
  output_watch_ = std::move(*output);
  return {};
}

void WorkerChannel::update_interest() {
  const bool read = input_open_ && !paused_;
  const bool write = output_open_ && blocked_;
  const auto bits = [](bool r, bool w) { return static_cast<event::Interest>((r ? 1 : 0) | (w ? 2 : 0)); };
  if (output_watch_ != nullptr && output_watch_->interest() != bits(false, write))
    output_watch_->set_interest(bits(false, write));
  const event::Interest wanted = bits(read, output_watch_ == nullptr && !fds_.output.valid() && write);
  if (input_watch_ != nullptr && input_watch_->interest() != wanted) input_watch_->set_interest(wanted);
}

void WorkerChannel::on_ready(event::Interest ready) {
  const std::weak_ptr<int> alive = alive_;
  const auto bits = static_cast<unsigned>(ready);
  if ((bits & static_cast<unsigned>(event::Interest::write)) != 0 && output_open_) {
    blocked_ = false;
    flush();
  }
  if (alive.expired() || memory_ == nullptr) return;
  // What waits since a pause comes first: its place is needed for what is read.
  const bool readable = (bits & static_cast<unsigned>(event::Interest::read)) != 0;
  if (readable && may_consume() && (backlog_ || read_batch())) consume_frames();
  if (alive.expired() || memory_ == nullptr) return;
  update_interest();
}

// --- input ---

// One read. False when there was nothing, or the end.
bool WorkerChannel::read_batch() {
  ChannelMemory::Area& area = memory_->input();
  if (area.size() == 0) area.publish(0, 0);
  else if (area.room() < kReadAtOnce) area.compact();
  assert(area.room() != 0 && "there is room for a batch behind any frame that is not whole");
  area.set_uncertain(true);
  const ssize_t got = ::read(fds_.input.get(), area.data() + area.end(), std::min(area.room(), kReadAtOnce));
  if (got > 0) area.publish(area.begin(), area.end() + static_cast<std::size_t>(got));
  const int error = errno;
  area.set_uncertain(false);
  if (got > 0) {
    note_burst(area);
    return true;
  }
  if (got == 0 || (error != EAGAIN && error != EINTR)) end_input();
  return false;
}

void WorkerChannel::consume_frames() {
  if (consuming_) return;
  consuming_ = true;
  const std::weak_ptr<int> alive = alive_;
  owner_.on_batch();
  ChannelMemory::Area& area = memory_->input();
  backlog_ = true;
  while (may_consume()) {
    const std::uint64_t skip_before = memory_->skip();
    std::uint64_t skip = skip_before;
    const std::string_view input(area.data() + area.begin(), area.size());
    const FrameStep step = next_frame(config_.framing, input, config_.max_event, skip);
    if (step.kind == FrameStep::Kind::need_more) {
      backlog_ = false;
      break;
    }
    // Consumed before it is handed on: a successor may miss this event, it never sees it twice. A change of `skip`
    // takes two stores, which are one only under the flag.
    if (skip != skip_before) area.set_uncertain(true), memory_->set_skip(skip);
    area.publish(area.begin() + step.consumed, area.end());
    if (skip != skip_before) area.set_uncertain(false);
    handle_step(step);
    if (alive.expired() || memory_ == nullptr) return;
  }
  consuming_ = false;
}

void WorkerChannel::handle_step(const FrameStep& step) {
  switch (step.kind) {
    case FrameStep::Kind::frame: return handle_frame(step.frame);
    case FrameStep::Kind::too_long: {
      if (config_.framing == Framing::line && !begins_as_object(step.frame)) {
        ++log_lines_;
        return owner_.on_log_line(step.frame);  // its beginning
      }
      const std::string what =
          step.claimed != 0 ? "an event of " + std::to_string(step.claimed) + " octets" : std::string("a line");
      const std::string most = std::to_string(config_.max_event);
      return owner_.on_bad_frame(step.frame, Error(errc::exhausted,
                                                   what + " is over the channel's max_event of " + most +
                                                       "; raise max_event or send less",
                                                   fault::caller));
    }
    case FrameStep::Kind::garbage:
      return break_stream("a frame length of " + std::to_string(step.claimed) +
                          " octets; the worker does not speak packet4 (a 4-byte big-endian length before each event)");
    case FrameStep::Kind::skipped:
    case FrameStep::Kind::need_more: return;
  }
}

void WorkerChannel::handle_frame(std::string_view frame) {
  const bool line = config_.framing == Framing::line;
  if (line && !begins_as_object(frame)) {
    if (frame.empty()) return;
    ++log_lines_;
    return owner_.on_log_line(frame);
  }
  message::Event event;
  const Status read = serializers_.reader->read_event(frame, event.envelope);
  if (!read.ok() || event.envelope.type.empty()) {
    if (line) ++log_lines_;
    if (line && !is_meant_as_event(frame)) return owner_.on_log_line(frame);
    return owner_.on_bad_frame(frame, read.ok() ? Error(errc::bad_data, "the event has no type; every event needs one",
                                                        fault::caller)
                                                : read.error());
  }
  event.encoded = frame;
  event.encoded_format = serializers_.reader->format();
  owner_.on_event(event);
}

void WorkerChannel::break_stream(std::string why) {
  stop_input();
  owner_.on_broken_stream(why);
}

// Nothing more will come.
void WorkerChannel::end_input() {
  finish_input();
  if (input_open_) stop_input();
}

// The end of the stream inside of a frame: a last line without its line feed is a line, part of a packet is reported.
void WorkerChannel::finish_input() {
  ChannelMemory::Area& area = memory_->input();
  const std::string_view rest(area.data() + area.begin(), area.size());
  if (rest.empty() || memory_->skip() != 0) return;
  area.publish(area.end(), area.end());
  owner_.on_batch();
  if (config_.framing == Framing::line)
    return handle_frame(rest.substr(0, rest.size() - (rest.ends_with('\r') ? 1 : 0)));
  owner_.on_bad_frame(rest, Error(errc::bad_data, "the channel ended in the middle of a frame, after " +
                                                      std::to_string(rest.size()) + " octets of it; write whole frames",
                                  fault::caller));
}

void WorkerChannel::stop_input() {
  input_open_ = false;
  owner_.on_input_closed();
  if (memory_ != nullptr) update_interest();
}

void WorkerChannel::pause_reading() {
  paused_ = true;
  if (!consuming_) update_interest();
}

void WorkerChannel::resume_reading() {
  if (!paused_) return;
  paused_ = false;
  if (!input_open_) return;
  update_interest();
  // Frames that were read before the pause wait for nobody but us. Not from within the caller, who is deep in the
  // router.
  loop_.post([this, alive = std::weak_ptr<int>(alive_)] {
    if (!alive.expired() && memory_ != nullptr && may_consume()) consume_frames();
  });
}

// --- output ---

// Encodes one frame behind what waits and publishes it. False with `why` set when it does not fit or cannot be
// expressed.
template <class Write>
bool WorkerChannel::encode(Write&& write, std::size_t limit, Status& why) {
  ChannelMemory::Area& area = memory_->output();
  if (area.room() < max_frame_of(config_)) area.compact();
  OutputArea out(area, limit);
  const bool packet = config_.framing == Framing::packet4;
  if (packet && !out.append(std::string_view("\0\0\0\0", kPrefixSize))) {
    why = Error(errc::exhausted, "no room");
    return false;
  }
  why = write(out);
  if (!why.ok()) return false;
  auto* octets = reinterpret_cast<char*>(out.data());
  if (packet) {
    const auto length = static_cast<std::uint32_t>(out.size() - kPrefixSize);
    for (std::size_t i = 0; i < kPrefixSize; ++i) octets[i] = static_cast<char>(length >> (24 - 8 * i));
  } else {
    // Legal JSON may hold raw line feeds between tokens; sent as they are they would forge lines.
    for (std::size_t i = 0; i < out.size(); ++i)
      if (octets[i] == '\n' || octets[i] == '\r') octets[i] = ' ';
    if (!out.append("\n")) {
      why = Error(errc::exhausted, "no room");
      return false;
    }
  }
  area.publish(area.begin(), area.end() + out.size());
  note_burst(area);
  appended_ += out.size();
  frame_ends_.push_back(appended_);
  if (!dirty_) {
    dirty_ = true;
    dirty_callback_(*this);
  }
  return true;
}

message::Offer WorkerChannel::offer(const message::Event& event, std::uint32_t attempt) {
  if (output_open_ && memory_->output().size() >= kFlushAt && !blocked_) write_some();
  // Not `closed` from in here: what it had taken and not written must return to the queues first, or the order breaks.
  if (!output_open_) return {message::OfferResult::full};
  if (memory_->output().size() >= kHighWater) {
    was_full_ = true;
    return {message::OfferResult::full};
  }
  Status why;
  const message::EncodeOptions options{config_.data_as_bytes, attempt > 1};
  const auto write = [&](message::OutputBuffer& out) { return encoder_.encode(event, options, out); };
  if (encode(write, max_frame_of(config_), why)) return {message::OfferResult::taken, appended_};

  refusal_ = why.error().message;
  if (why.error().code == errc::exhausted) {
    // The area keeps room for a whole frame behind the high-water mark once it could be compacted; so what does not fit
    // now is either too large for the channel, or must wait until more is written.
    if (memory_->output().room() >= max_frame_of(config_)) {
      refusal_ =
          "the event exceeds the channel's max_event of " + std::to_string(config_.max_event) + " octets; raise it";
      return {message::OfferResult::too_large, 0, refusal_};
    }
    was_full_ = true;
    return {message::OfferResult::full};
  }
  return {message::OfferResult::untranslatable, 0, refusal_};
}

bool WorkerChannel::send_control(const message::Event& event) {
  if (!output_open_ || memory_ == nullptr) return false;
  Status why;
  const auto write = [&](message::OutputBuffer& out) { return encoder_.encode(event, {}, out); };
  return encode(write, kReservedForControl, why);
}

void WorkerChannel::flush() {
  dirty_ = false;
  if (memory_ == nullptr || !output_open_ || blocked_) return;
  const std::weak_ptr<int> alive = alive_;
  while (memory_->output().size() != 0 && write_some()) {
  }
  if (alive.expired() || memory_ == nullptr) return;
  update_interest();
  if (was_full_ && output_open_ && memory_->output().size() < kHighWater / 2) {
    was_full_ = false;
    owner_.on_room();
  }
}

// One write. False when the kernel takes no more for now, or the channel ended.
bool WorkerChannel::write_some() {
  ChannelMemory::Area& area = memory_->output();
  area.set_uncertain(true);
  const ssize_t put = ::write(output_fd(), area.data() + area.begin(), area.size());
  const int error = errno;
  if (put > 0) {
    const std::size_t begin = area.begin() + static_cast<std::size_t>(put);
    if (begin == area.end()) area.publish(0, 0);
    else area.publish(begin, area.end());
  }
  area.set_uncertain(false);
  if (put > 0) {
    written_ += static_cast<std::uint64_t>(put);
    while (!frame_ends_.empty() && frame_ends_.front() <= written_) {
      first_frame_start_ = frame_ends_.front();
      frame_ends_.pop_front();
    }
    owner_.on_written(written_);
    return true;
  }
  if (error == EINTR) return true;
  if (error == EAGAIN) {
    blocked_ = true;
    update_interest();
    return false;
  }
  close_output();
  return false;
}

// The events whose octets the kernel has not seen, read back from the output area.
std::vector<message::MessageRef> WorkerChannel::take_unsent() {
  std::vector<message::MessageRef> unsent;
  ChannelMemory::Area& area = memory_->output();
  // A frame that was written in part is lost with its reader.
  std::uint64_t start = first_frame_start_;
  message::MessageSerializer& reader = *serializers_.writer;  // the other one may be in the middle of an event
  for (; !frame_ends_.empty(); frame_ends_.pop_front()) {
    const std::uint64_t end = frame_ends_.front();
    if (start >= written_ && start >= inherited_) {
      const char* from = area.data() + area.begin() + (start - written_);
      std::string_view frame(from, end - start);
      if (config_.framing == Framing::packet4) frame.remove_prefix(kPrefixSize);
      else frame.remove_suffix(1);
      std::string padded(frame);
      padded.resize(frame.size() + message::kReadPadding);
      message::Event event;
      event.encoded = std::string_view(padded).substr(0, frame.size());
      event.encoded_format = reader.format();
      // Control events of the host belong to the incarnation that they were written for.
      if (reader.read_event(event.encoded, event.envelope).ok() &&
          message::classify(event.envelope.type) != message::MessageType::control)
        unsent.push_back(message::MessageRef::copy(event, budget_));
    }
    start = end;
  }
  area.publish(0, 0);
  return unsent;
}

void WorkerChannel::note_burst(const ChannelMemory::Area& area) {
  if (area.end() <= ChannelMemory::kKept || trim_timer_.active()) return;
  trim_timer_ = loop_.after(kTrimEvery, [this] { trim_when_idle(); });
}

void WorkerChannel::trim_when_idle() {
  trim_timer_.reset();
  if (memory_ == nullptr) return;
  if (memory_->input().size() == 0 && memory_->output().size() == 0) return memory_->trim();
  trim_timer_ = loop_.after(kTrimEvery, [this] { trim_when_idle(); });
}

bool WorkerChannel::worker_reads() const noexcept {
  pollfd end{output_fd(), 0, 0};
  return output_open_ && (::poll(&end, 1, 0) <= 0 || (end.revents & (POLLERR | POLLHUP)) == 0);
}

void WorkerChannel::close_output() {
  if (!output_open_) return;
  output_open_ = false;
  update_interest();
  owner_.on_output_closed(take_unsent());
}

std::vector<message::MessageRef> WorkerChannel::retire() {
  if (memory_ == nullptr) return {};
  retiring_ = true;
  if (!consuming_) {
    // What the worker wrote before it died is still here or in the pipe. Bounded: descendants may hold the other end
    // and write on.
    if (backlog_) consume_frames();
    for (int batches = 0; input_open_ && batches < kLastBatches && read_batch(); ++batches) consume_frames();
    if (input_open_) finish_input();
    if (memory_ == nullptr) return {};
  }
  input_open_ = output_open_ = false;
  input_watch_.reset();
  output_watch_.reset();
  trim_timer_.reset();
  std::vector<message::MessageRef> unsent = take_unsent();
  memory_.reset();
  fds_ = {};
  return unsent;
}

}  // namespace tenon::integration
