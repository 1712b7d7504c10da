// One worker of the hub: its receiver, its channel, its control messages. See worker_hub.hpp for the model.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "integration/worker_hub.hpp"

namespace tenon::integration {

class WorkerHub::Worker final : public WorkerChannelOwner, private message::PublisherEvents {
 public:
  Worker(WorkerHub& hub, std::string id, std::shared_ptr<const WorkerConfig> config);
  ~Worker() override;
  Status subscribe_configured(const std::string& base_id);
  // Not from or to a config without a channel: that is another worker.
  Status configure(std::shared_ptr<const WorkerConfig> config);

  Status start(std::uint64_t generation, ChannelDescriptors descriptors, unique_fd adopted,
               std::string_view subscriptions);
  void exited();
  void set_gate(message::Gate gate);
  void drain(std::function<void()> done);
  void send_control(std::string type, std::string correlationid, std::string json);
  void released();
  // After anything that may have settled a delivery.
  void check_drained();

  void on_batch() override;
  void on_event(message::Event& event) override;
  void on_log_line(std::string_view line) override;
  void on_bad_frame(std::string_view octets, const Error& why) override;
  void on_broken_stream(const std::string& why) override;
  void on_written(std::uint64_t position) override;
  void on_room() override;
  void on_output_closed(std::vector<message::MessageRef> unsent) override;
  void on_input_closed() override {}

  const std::string& id() const noexcept { return id_; }
  const WorkerConfig& config() const noexcept { return *config_; }
  // kNoReceiver without a channel: nothing can be delivered to it, and most of a large host's processes have none.
  message::ReceiverId receiver() const noexcept { return receiver_; }
  bool hears() const noexcept { return receiver_ != message::kNoReceiver; }
  std::uint64_t generation() const noexcept { return generation_; }
  WorkerChannel* channel() const noexcept { return channel_.get(); }
  MonotonicTime last_control(std::string_view type) const;
  void note_control(std::string_view type, MonotonicTime now);
  std::uint64_t events_in() const noexcept { return events_in_; }

 private:
  void control(const message::Event& event);
  void change_subscription(const message::Event& event, bool subscribe);
  void drop_own_subscriptions();
  Result<ChannelSerializers> make_serializers();
  void restore_subscriptions();
  void event_refused(const message::Event& event, message::DeadLetterReason reason, std::string_view receiver,
                     std::string_view detail) override;
  void refuse(const message::Event& event, message::DeadLetterReason reason, std::string_view detail);
  void strip_origin(message::Event& event);
  std::string data_as_json(const message::Event& event);

  WorkerHub& hub_;
  std::string id_;
  std::shared_ptr<const WorkerConfig> config_;
  message::SourcePolicy policy_;
  message::ReceiverId receiver_ = message::kNoReceiver;
  std::uint64_t generation_ = 0;
  std::unique_ptr<WorkerChannel> channel_;
  std::vector<std::unique_ptr<WorkerChannel>> retired_;  // kept until their callbacks have returned
  std::vector<message::MessageRef> unsent_;  // of an output that closed, until the dispatcher has them back
  bool exiting_ = false;                     // the process is gone, its last octets are being read
  MonotonicTime adopted_at_{};  // this incarnation, from an earlier engine; epoch: it was started by this one
  std::vector<std::pair<std::string, MonotonicTime>> controls_;  // by type; at most kMaxControlTypes
  std::vector<SubscriptionConfig> own_subscriptions_;
  std::vector<std::function<void()>> drains_;
  std::vector<message::Attribute> extensions_;  // of an event that had to be changed
  MonotonicTime released_at_{};  // when it was last parked; epoch: not in this incarnation
  bool lacks_configured_ = false;  // subscriptions of the config that it gave up, until its next start
  std::uint64_t events_in_ = 0;
  static constexpr std::size_t kMaxControlTypes = 16;
  static constexpr std::size_t kMaxOwnSubscriptions = 1000;
  std::shared_ptr<int> alive_;  // null without a channel: nothing is posted then
};

}  // namespace tenon::integration
