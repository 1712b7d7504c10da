// One worker's channel: reads its frames, writes its events. The source and the outlet of a process.
//
// The model. Input and output are independent: each is *open* until its end is closed by the worker, the channel is
// retired, or (input) the stream cannot be followed any more. Reading can be paused (a sender that has to wait); then
// the kernel's own buffer fills and the worker waits in its write.
//
//   read a batch -> cut frames -> serializer -> owner.on_event -> (router -> other channels' offer) -> consume
//   offer -> encode behind what waits -> flush when the batch is done, or at once when much is waiting
//
// Octets on their way lie in ChannelMemory, so an engine that dies loses whole events at most, never halves. Before an
// event is handed on its octets count as consumed: it may be lost with the engine, never doubled.
//
// Control events to the worker (tenon.*) have a lane of their own: they go behind what is written already, past the
// limit that stops ordinary events.
//
// The memory of a burst is given back once the channel is found idle, looked at every kTrimEvery.
//
// Two serializers, because events are written while one that was read is still in use: a worker's answer is being
// routed when the next event goes out to it, and what a serializer returned holds only until its next call.
//
// All [loop]. Callbacks may retire the channel (then what it has not consumed is lost); they must not destroy it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/unique_fd.hpp"
#include "event/loop.hpp"
#include "integration/channel_memory.hpp"
#include "integration/frame_reader.hpp"
#include "message/encoder.hpp"
#include "message/message.hpp"
#include "message/outlet.hpp"
#include "message/ring.hpp"

namespace tenon::integration {

// The host's ends. A socket stands in both, as duplicates of one another or as the same number in `input` alone.
struct ChannelDescriptors {
  unique_fd input;   // events from the worker: the read end of its stdout, or the socket
  unique_fd
      output;  // events to the worker: the write end of its stdin; invalid for a socket, which is written to as well
};

struct ChannelSerializers {
  std::unique_ptr<message::MessageSerializer> reader, writer;  // of the same component
};

class WorkerChannelOwner {
 public:
  virtual ~WorkerChannelOwner() = default;
  // A batch was read: the time at which its events came.
  virtual void on_batch() = 0;
  // A whole event from the worker, valid during the call. Its encoded bytes have kReadPadding readable octets behind
  // them.
  virtual void on_event(message::Event& event) = 0;
  // A line of a stdio channel that is no event.
  virtual void on_log_line(std::string_view line) = 0;
  // A packet that is no event, a line that was meant as one and is none, or a frame over the limit: its octets (perhaps
  // only the first), and what is wrong.
  virtual void on_bad_frame(std::string_view octets, const Error& why) = 0;
  // The stream cannot be followed any more; nothing is read from it from here on.
  virtual void on_broken_stream(const std::string& why) = 0;
  // All output up to this position is written.
  virtual void on_written(std::uint64_t position) = 0;
  virtual void on_room() = 0;
  // The worker closed its end. Events that were not written at all are passed as messages, in order. From here on
  // offers find no room.
  virtual void on_output_closed(std::vector<message::MessageRef> unsent) = 0;
  virtual void on_input_closed() = 0;
};

class WorkerChannel final : public message::Outlet {
 public:
  // `dirty` is called when output waits to be flushed: the owner of many channels then calls flush() at the end of its
  // batch.
  using DirtyCallback = std::function<void(WorkerChannel&)>;
  static constexpr Duration kTrimEvery = std::chrono::seconds(1);

  WorkerChannel(event::Loop& loop, WorkerChannelOwner& owner, const ChannelConfig& config,
                ChannelSerializers own, message::SerializerDirectory& serializers, message::EventBudget& budget,
                DirtyCallback dirty);
  ~WorkerChannel() override;

  // Begins to read and write. `memory`: new, or adopted from an earlier engine; errc::wrong_state if an adopted one
  // leaves open whether octets moved (the worker has to be restarted).
  Status open(ChannelDescriptors descriptors, ChannelMemory memory);

  message::Offer offer(const message::Event& event, std::uint32_t attempt) override;
  // A control event that the host made. False if not even the reserved room suffices; it is then lost.
  bool send_control(const message::Event& event);
  void flush();

  void pause_reading();
  void resume_reading();
  bool reading_paused() const noexcept { return paused_; }

  // The process is gone: consumes what it left behind, paused or not, then stops. Returns the events that were not
  // written at all, in order.
  std::vector<message::MessageRef> retire();

  bool output_open() const noexcept { return output_open_; }
  // Its end is open as far as the kernel knows, which is before a write to it fails.
  bool worker_reads() const noexcept;
  bool input_open() const noexcept { return input_open_; }
  // Whole frames were read and wait to be consumed.
  bool has_backlog() const noexcept { return input_open_ && backlog_; }
  std::size_t unwritten() const noexcept { return memory_ ? memory_->output().size() : 0; }
  std::uint64_t log_lines() const noexcept { return log_lines_; }

 private:
  class OutputArea;  // the free end of the output area as an OutputBuffer

  int output_fd() const noexcept { return fds_.output.valid() ? fds_.output.get() : fds_.input.get(); }
  Status watch();
  void on_ready(event::Interest ready);
  void update_interest();
  bool read_batch();
  void consume_frames();
  void handle_step(const FrameStep& step);
  void handle_frame(std::string_view frame);
  void break_stream(std::string why);
  void end_input();
  void finish_input();
  void stop_input();
  bool may_consume() const noexcept { return input_open_ && (!paused_ || retiring_); }
  void close_output();
  template <class Write>
  bool encode(Write&& write, std::size_t limit, Status& why);
  bool write_some();
  std::vector<message::MessageRef> take_unsent();
  void note_burst(const ChannelMemory::Area& area);
  void trim_when_idle();

  event::Loop& loop_;
  WorkerChannelOwner& owner_;
  ChannelConfig config_;
  ChannelSerializers serializers_;
  message::Encoder encoder_;
  message::EventBudget& budget_;
  DirtyCallback dirty_callback_;
  ChannelDescriptors fds_;
  std::unique_ptr<ChannelMemory> memory_;
  std::unique_ptr<event::FdWatch> input_watch_;   // both directions of a socket
  std::unique_ptr<event::FdWatch> output_watch_;  // of a pipe
  bool input_open_ = false, output_open_ = false;
  bool paused_ = false, consuming_ = false, backlog_ = false, retiring_ = false;
  bool dirty_ = false, was_full_ = false, blocked_ = false;

  std::uint64_t appended_ = 0;                // position behind the last encoded frame, counted from the opening
  std::uint64_t written_ = 0;
  std::uint64_t inherited_ = 0;               // octets of an earlier engine in front of everything
  message::Ring<std::uint64_t> frame_ends_;   // of frames not written completely
  std::uint64_t first_frame_start_ = 0;       // where the first of them begins
  std::string refusal_;                       // keeps Offer::detail alive
  std::uint64_t log_lines_ = 0;
  event::Handle trim_timer_;                  // runs while the areas' memory may be larger than need be
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);  // expires with this object, for tasks that were posted
};

}  // namespace tenon::integration
