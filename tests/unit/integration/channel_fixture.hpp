// One WorkerChannel over real pipes or a socket, on a loop that a test moves by hand, with an owner that records.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "event/fake_loop.hpp"
#include "fake_serializer.hpp"
#include "integration/worker_channel.hpp"
#include "pipes.hpp"

namespace tenon::integration {

class RecordingOwner final : public WorkerChannelOwner {
 public:
  struct Bad {
    std::string octets;
    errc code;
    std::string message;
  };
  std::vector<std::string> events;  // ids
  std::vector<std::string> log, broken;
  std::vector<Bad> bad;
  std::vector<std::string> unsent;  // ids
  std::uint64_t written = 0;
  int batches = 0, rooms = 0, inputs_closed = 0, outputs_closed = 0;
  std::function<void(message::Event&)> react = [](message::Event&) {};
  std::function<void()> room = [] {};

  void on_batch() override { ++batches; }
  void on_event(message::Event& event) override {
    react(event);
    events.emplace_back(event.envelope.id);  // after: the views must have lived through what was done with the event
  }
  void on_log_line(std::string_view line) override { log.emplace_back(line); }
  void on_bad_frame(std::string_view octets, const Error& why) override {
    bad.push_back({std::string(octets), why.code, why.message});
  }
  void on_broken_stream(const std::string& why) override { broken.push_back(why); }
  void on_written(std::uint64_t position) override {
    EXPECT_GE(position, written);
    written = position;
  }
  void on_room() override { ++rooms, room(); }
  void on_output_closed(std::vector<message::MessageRef> messages) override {
    ++outputs_closed;
    add_unsent(messages);
  }
  void on_input_closed() override { ++inputs_closed; }
  void add_unsent(const std::vector<message::MessageRef>& messages) {
    for (const message::MessageRef& m : messages) unsent.emplace_back(m.event().envelope.id);
  }
};

// Everything that outlives a channel: also what a successor of the engine finds.
class ChannelTest : public ::testing::Test {
 protected:
  static constexpr std::size_t kMaxEvent = 1024 * 1024;

  void use_pipes(Framing framing = Framing::line) { begin(make_pipes(), framing); }
  void use_socket() { begin(make_socket(), Framing::packet4); }
  void begin(ChannelEnds ends, Framing framing) {
    config.kind = ends.host.output.valid() ? runtime::ChannelKind::stdio : runtime::ChannelKind::socket;
    config.framing = framing;
    host_ends = std::move(ends.host);
    worker = std::move(ends.worker);
    Result<ChannelMemory> memory = ChannelMemory::make(config.max_event + 64);
    ASSERT_TRUE(memory.ok());
    memory_fd = unique_fd(::dup(memory->fd()));
    ASSERT_TRUE(open(std::move(*memory)).ok());
  }
  Status open(ChannelMemory memory) {
    channel = std::make_unique<WorkerChannel>(
        loop, owner, config, ChannelSerializers{std::make_unique<FakeSerializer>(), std::make_unique<FakeSerializer>()},
        serializers, budget, [this](WorkerChannel& c) {
          ++dirty;
          loop.post([this, &c] {
            if (channel.get() == &c) c.flush();
          });
        });
    return channel->open({host_ends.input.duplicate(), host_ends.output.duplicate()}, std::move(memory));
  }
  // The engine dies and another one takes over what the keeper held.
  Status replace_engine() {
    channel.reset();
    loop.run_posted();
    Result<ChannelMemory> memory = ChannelMemory::adopt(memory_fd.duplicate(), config.max_event + 64);
    return memory.ok() ? open(std::move(*memory)) : Status(std::move(memory).error());
  }
  void run() {
    while (loop.run_posted() + loop.poll_descriptors() != 0) {
    }
  }
  void send(std::string_view octets) {
    worker.write(octets);
    run();
  }
  std::string framed(std::string_view octets) const {
    return config.framing == Framing::line ? std::string(octets) + "\n" : packet(octets);
  }

  static std::string event_text(const std::string& id, std::size_t size = 0) {
    std::string text = "{type=t;id=" + id + ";data=1";
    if (size > text.size() + 1) text.append(size - text.size() - 1, '1');
    return text + "}";
  }
  // Offers an event as the dispatcher would. Its encoded size is exactly `size` if that is large enough.
  message::Offer offer(const std::string& id, std::size_t size = 0) {
    std::string text = event_text(id, size);
    const std::size_t length = text.size();
    text.resize(length + message::kReadPadding);
    message::Event event;
    event.encoded = std::string_view(text).substr(0, length);
    event.encoded_format = reader.format();
    EXPECT_TRUE(reader.read_event(event.encoded, event.envelope).ok());
    return channel->offer(event, 1);
  }
  message::OfferResult offer_result(const std::string& id, std::size_t size = 0) { return offer(id, size).result; }
  bool send_control(const std::string& type) {
    message::Event event;
    event.envelope.type = type;
    event.envelope.id = "c";
    return channel->send_control(event);
  }
  // Offers events of 64 KiB until there is no room; returns their ids.
  std::vector<std::string> fill() {
    std::vector<std::string> ids;
    for (int i = 0; i < 100; ++i) {
      const std::string id = "fill" + std::to_string(i);
      if (offer_result(id, 64 * 1024) != message::OfferResult::taken) return ids;
      ids.push_back(id);
      run();
    }
    ADD_FAILURE() << "never full";
    return ids;
  }
  std::vector<std::string> ids_in(std::string_view octets) const {
    std::vector<std::string> ids;
    std::uint64_t skip = 0;
    for (;;) {
      const FrameStep step = next_frame(config.framing, octets, 64u << 20, skip);
      if (step.kind != FrameStep::Kind::frame) break;
      const std::size_t at = step.frame.find("id=");
      ids.emplace_back(step.frame.substr(at + 3, step.frame.find_first_of(";}", at) - at - 3));
      octets.remove_prefix(step.consumed);
    }
    EXPECT_TRUE(octets.empty()) << octets.size() << " octets are no whole frame";
    return ids;
  }

  event::FakeLoop loop;
  message::EventBudget budget{256u * 1024 * 1024};
  FakeSerializers serializers;
  FakeSerializer reader;
  ChannelConfig config;
  RecordingOwner owner;
  ChannelDescriptors host_ends;  // as the keeper holds them
  WorkerEnd worker;
  unique_fd memory_fd;
  int dirty = 0;
  std::unique_ptr<WorkerChannel> channel;
};

using Ids = std::vector<std::string>;

}  // namespace tenon::integration
