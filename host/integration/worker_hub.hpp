// All workers as senders and receivers of events: process ↔ message.
//
// The model. Each process is a receiver of the router for as long as the config has it; each incarnation gets a
// channel, whose end returns what was not delivered to the queues. The process's status opens and closes its gate:
//
//   idle, busy                       open
//   initializing, stopping           waiting (and what a readiness check took out of service)
//   paused                           paused
//   terminated by the operator       stopped
//   terminated, error                ended
//
// Control messages (tenon.*) from a worker never reach the router: readiness, heartbeat and status go to the runtime,
// acknowledgements to the dispatcher, subscriptions to the table. Subscriptions that a worker makes end with it.
//
// All [loop].
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "event/loop.hpp"
#include "integration/host_config.hpp"
#include "integration/worker_channel.hpp"
#include "message/intake.hpp"
#include "message/router.hpp"
#include "runtime/process_hooks.hpp"
#include "runtime/process_manager.hpp"

namespace tenon::integration {

// Makes a serializer by its component name.
// `instance` is for whom: a process's id, so that a crash of the serializer names it.
using MakeSerializer = std::function<Result<std::unique_ptr<message::MessageSerializer>>(std::string_view name,
                                                                                         const std::string& instance)>;

class WorkerHubEvents {
 public:
  virtual ~WorkerHubEvents() = default;
  virtual void on_worker_ready(const std::string& id, std::uint64_t generation) = 0;
  virtual void on_worker_status(const std::string& id, std::string_view text) = 0;
  virtual void on_worker_log(const std::string& id, std::string_view line) = 0;
  // The stream cannot be followed: the worker has to be restarted.
  virtual void on_worker_broken(const std::string& id, std::uint64_t generation, const std::string& why) = 0;
  // Keep this memory for a successor, as long as the incarnation lives; fd -1: no longer.
  virtual void keep_channel_memory(const std::string& id, std::uint64_t generation, int fd) = 0;
  // What a successor must know about the worker's own subscriptions.
  virtual void keep_subscriptions(const std::string& id, std::string text) = 0;
};

class WorkerHub final : public runtime::ProcessHooks {
 public:
  // All outlive the hub.
  struct Services {
    event::Loop& loop;
    message::MessageRouter& router;
    message::Intake& intake;
    message::EventBudget& budget;
    message::DeadLetterSink& dead_letters;
    message::SerializerDirectory& serializers;
    MakeSerializer make_serializer;
    // Checks an event against the schema of its type; null: nothing is checked.
    std::function<Status(const message::Event&)> validate;
    WorkerHubEvents& events;
    std::string node;
  };

  explicit WorkerHub(Services services);
  ~WorkerHub() override;

  // A process of the config: its receiver, names and subscriptions. errc::invalid_argument for an illegal pattern.
  Status add(const std::string& id, const std::string& base_id, const WorkerConfig& config);
  void remove(std::string_view id);
  // Other terms for a process that stays: subscriptions, topics that it may publish, mailbox and delivery hold at once
  // (a new delivery mode from its next start on), the channel from its next start on; one that had none and gets one,
  // or the other way round, is removed and added instead. errc::invalid_argument for an illegal pattern;
  // errc::not_found for an unknown process.
  Status configure(const std::string& id, const WorkerConfig& config);

  // A new incarnation runs. `adopted`: the memory that an earlier engine left, none for a fresh one. An error means
  // that the worker cannot be talked to and has to be restarted.
  Status start(std::string_view id, std::uint64_t generation, ChannelDescriptors descriptors, unique_fd adopted = {},
               std::string_view subscriptions = {});
  void exited(std::string_view id, std::uint64_t generation);
  // `by_operator`: of `terminated`, that the operator stopped it and may start it again.
  void set_status(std::string_view id, runtime::ProcessStatus status, bool by_operator = false);

  // The host stops: what waits for a process stays with it to the end, as with one that the operator stops.
  void host_stops() noexcept { host_stops_ = true; }

  void begin_drain(const runtime::ProcessId& id, MonotonicTime deadline, std::function<void()> done) override;
  void send_shutdown(const runtime::ProcessId& id) override;

  // Router callbacks that concern workers.
  void sender_released(message::ReceiverId sender);
  bool request_timed_out(const message::PendingRequest& request);

  const WorkerConfig* config(std::string_view id) const;
  message::ReceiverId receiver(std::string_view id) const;  // kNoReceiver if unknown or without a channel
  std::size_t in_flight(std::string_view id) const;
  // When the incarnation last sent a control message of the type; epoch: never. At the latest when it was taken over
  // from an earlier engine. A parked sender counts as heard now, and as heard when it was released: its silence until
  // then was our doing.
  MonotonicTime last_control(std::string_view id, std::string_view type) const;
  // It said the same in another way: as if a control message of the type had come now. Ignored for another generation.
  void note_control(std::string_view id, std::uint64_t generation, std::string_view type);
  std::uint64_t events_in(std::string_view id) const;
  std::uint64_t log_lines(std::string_view id) const;
  // Which ends of its channel the incarnation has closed; empty if it has no channel now.
  struct ClosedEnds {
    bool input = false;   // it reads no events any more
    bool output = false;  // it sends none
  };
  std::optional<ClosedEnds> closed_ends(std::string_view id) const;
  // Nothing read and not yet routed, nothing encoded and not yet written.
  bool quiet() const;

 private:
  class Worker;
  struct IdHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view id) const noexcept { return std::hash<std::string_view>{}(id); }
  };
  Worker* find(std::string_view id) const;
  void mark_dirty(WorkerChannel& channel);
  void flush_dirty();

  Services services_;
  std::unordered_map<std::string, std::unique_ptr<Worker>, IdHash, std::equal_to<>> workers_;
  std::unordered_map<message::ReceiverId, Worker*> by_receiver_;
  std::shared_ptr<const WorkerConfig> latest_config_;  // that was given to a worker
  std::vector<WorkerChannel*> dirty_;
  bool flush_posted_ = false, host_stops_ = false;
  MonotonicTime now_{};
  UlidGenerator ids_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace tenon::integration
