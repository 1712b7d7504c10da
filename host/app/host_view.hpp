// The host as the control API sees it: documents, verbs, publishing, streams.
#pragma once

#include <memory>
#include <string>

#include "app/host.hpp"
#include "app/reloader.hpp"
#include "control/host_interface.hpp"

namespace tenon::app {

class HostView final : public control::HostInterface {
 public:
  struct Identity {
    std::int32_t keeper_pid = 0;
    std::uint64_t engine_restarts = 0;
    MonotonicTime started{};  // of the keeper: what a user calls the host's start
    std::string socket;       // where the control API listens
  };
  // Host and reloader must outlive the view. `shutdown` begins the host's end, `upgrade` another engine.
  HostView(Host& host, Reloader& reloader, Identity identity, std::function<void()> shutdown,
           std::function<Status()> upgrade);
  ~HostView() override;
  // What became of the last upgrade; `upgrades` counts them.
  void note_upgrade(std::uint64_t upgrades, std::string failure) {
    upgrades_ = upgrades, upgrade_failure_ = std::move(failure);
  }

  std::string info() override;
  std::string processes() override;
  Result<std::string> process(std::string_view selectors) override;
  std::string tree() override;
  std::string plugins() override;
  std::string transports() override;
  std::string routes() override;
  std::string health() override;
  std::string dead_letters(std::size_t limit) override;
  std::string metrics() override;

  Status live() override;
  Status ready() override;

  void act(control::ProcessVerb verb, const std::vector<std::string>& selectors, int signal_number, bool wait,
           control::JsonDone done) override;
  void shutdown() override { shutdown_(); }
  Status upgrade() override { return upgrade_(); }
  void reload(bool wait, control::JsonDone done) override { reloader_.reload(wait, std::move(done)); }
  void diff(std::string_view config, control::JsonDone done) override {
    reloader_.diff(std::string(config), std::move(done));
  }
  void scale(std::string_view child, std::uint32_t replicas, bool wait, control::JsonDone done) override {
    reloader_.scale(std::string(child), replicas, wait, std::move(done));
  }

  Result<std::string> publish(std::string_view event, std::string_view content_type) override;
  void request(std::string_view event, Duration timeout, control::JsonDone done) override;

  Result<control::StreamHandle> tail(std::string_view pattern, std::shared_ptr<control::StreamSink> sink) override;
  Result<control::StreamHandle> logs(std::string_view selectors, const control::LogRequest& request,
                                     std::shared_ptr<control::StreamSink> sink) override;

 private:
  class Tail;
  struct Incoming;  // an event from outside: its bytes, and what the host added

  Result<std::vector<runtime::ProcessId>> named(std::string_view selectors);
  Result<std::unique_ptr<Incoming>> read(std::string_view event, std::string_view content_type);
  std::string event_as_json(const message::Event& event);

  Host& host_;
  Reloader& reloader_;
  Identity identity_;
  std::function<void()> shutdown_;
  std::function<Status()> upgrade_;
  std::uint64_t upgrades_ = 0;
  std::string upgrade_failure_;
  message::SourcePolicy policy_;  // of events that come over the API; they keep views of it
  std::map<std::string, std::unique_ptr<message::MessageSerializer>> readers_;  // by content type
  std::shared_ptr<void> collector_;
};

}  // namespace tenon::app
