// Workers of a WorkerHub over real pipes, a router, and everything around them that records.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/json_document.hpp"
#include "event/fake_loop.hpp"
#include "fake_serializer.hpp"
#include "integration/worker_hub.hpp"
#include "pipes.hpp"

namespace tenon::integration {

class RecordedDeadLetters final : public message::DeadLetterSink {
 public:
  std::vector<std::string> all;  // "reason id receiver"
  void dead_letter(const message::Event& event, message::DeadLetterReason reason, std::string_view receiver,
                   std::string_view, const message::Attempts&) override {
    all.push_back(std::string(to_string(reason)) + " " + std::string(event.envelope.id) + " " + std::string(receiver));
  }
};

class RecordedHubEvents final : public WorkerHubEvents {
 public:
  std::vector<std::string> ready, status, log, broken;
  std::map<std::string, int> memory;  // by process: the descriptor kept now
  std::map<std::string, std::string> subscriptions;
  void on_worker_ready(const std::string& id, std::uint64_t generation) override {
    ready.push_back(id + "/" + std::to_string(generation));
  }
  void on_worker_status(const std::string& id, std::string_view text) override {
    status.push_back(id + ": " + std::string(text));
  }
  void on_worker_log(const std::string& id, std::string_view line) override {
    log.push_back(id + ": " + std::string(line));
  }
  void on_worker_broken(const std::string& id, std::uint64_t generation, const std::string&) override {
    broken.push_back(id + "/" + std::to_string(generation));
  }
  void keep_channel_memory(const std::string& id, std::uint64_t, int fd) override { memory[id] = fd; }
  void keep_subscriptions(const std::string& id, std::string text) override { subscriptions[id] = std::move(text); }
};

class HubTest : public ::testing::Test, private message::RouterEvents {
 protected:
  using Status_ = runtime::ProcessStatus;
  using Lines = std::vector<std::string>;

  HubTest() { make_hub(); }
  ~HubTest() override { hub.reset(); }
  void make_hub() {
    hub.reset();
    hub = std::make_unique<WorkerHub>(WorkerHub::Services{
        loop, router, intake, budget, dead_letters, serializers,
        [](std::string_view, const std::string&) -> Result<std::unique_ptr<message::MessageSerializer>> {
          return std::unique_ptr<message::MessageSerializer>(std::make_unique<FakeSerializer>());
        },
        [this](const message::Event& event) -> Status {
          if (event.envelope.type == "invalid") return Error(errc::bad_data, "breaks the schema", fault::caller);
          return {};
        },
        events, "alpha"});
  }

  static WorkerConfig worker_config(std::vector<SubscriptionConfig> subscribe = {}) {
    WorkerConfig config;
    config.channel.kind = runtime::ChannelKind::stdio;
    config.subscribe = std::move(subscribe);
    return config;
  }
  static WorkerConfig acknowledging(std::vector<SubscriptionConfig> subscribe, std::uint32_t max_in_flight = 1) {
    WorkerConfig config = worker_config(std::move(subscribe));
    config.delivery.mode = message::DeliveryMode::at_least_once;
    config.delivery.max_in_flight = max_in_flight;
    return config;
  }
  // A process of the config.
  void add(const std::string& id, const WorkerConfig& config) { ASSERT_TRUE(hub->add(id, id, config).ok()); }
  // An incarnation of it, ready to work.
  void start(const std::string& id, std::uint64_t generation = 1, std::string_view subscriptions = {}) {
    ChannelEnds ends = make_pipes();
    ASSERT_TRUE(hub->start(id, generation, std::move(ends.host), {}, subscriptions).ok());
    workers[id] = std::move(ends.worker);
    hub->set_status(id, Status_::idle);
  }
  void add_and_start(const std::string& id, const WorkerConfig& config) {
    add(id, config);
    start(id);
  }
  void exited(const std::string& id, std::uint64_t generation = 1) {
    hub->exited(id, generation);
    hub->set_status(id, Status_::initializing);
  }

  void run() {
    while (loop.run_posted() + loop.poll_descriptors() != 0) {
    }
  }
  void write(const std::string& id, std::string_view line) {
    workers[id].write(std::string(line) + "\n");
    run();
  }
  Lines read(const std::string& id) {
    run();
    return lines_of(workers[id].read());
  }
  // The ids of the ordinary events that the worker got since the last reading.
  Lines received(const std::string& id) {
    Lines ids;
    for (const std::string& line : read(id))
      if (line.find("type=tenon.") == std::string::npos) ids.push_back(value_in(line, "id"));
    return ids;
  }
  static std::string value_in(std::string_view line, std::string_view key) {
    const std::size_t at = line.find(std::string(key) + "=");
    if (at == std::string_view::npos) return "";
    const std::string_view rest = line.substr(at + key.size() + 1);
    return std::string(rest.substr(0, rest.find_first_of(";}")));
  }
  // An event of the host or the API.
  message::PublishResult publish(const std::string& topic, const std::string& id) {
    message::Event event;
    event.envelope.type = topic;
    event.envelope.id = id;
    event.envelope.source = "//alpha";
    return router.publish(event, {.name = "host"}, loop.clock().monotonic());
  }
  void pass(Duration time) {
    loop.advance(time);
    router.on_time(loop.clock().monotonic(), loop.clock().wall());
    run();
  }

  void answer_for(std::uint64_t, const message::Event&) override {}
  void request_timed_out(const message::PendingRequest& request) override { hub->request_timed_out(request); }
  void sender_released(message::ReceiverId sender) override {
    ++released;
    hub->sender_released(sender);
  }
  void event_limit_reached(bool) override {}

  event::FakeLoop loop;
  message::EventBudget budget{64u * 1024 * 1024};
  RecordedDeadLetters dead_letters;
  RecordedHubEvents events;
  message::MessageRouter router{budget, dead_letters, *this, {.request_timeout = std::chrono::seconds(30),
                                                              .block_for = std::chrono::seconds(5)}};
  message::Intake intake{1};
  FakeSerializers serializers;
  std::map<std::string, WorkerEnd> workers;
  int released = 0;
  std::unique_ptr<WorkerHub> hub;
};

}  // namespace tenon::integration
