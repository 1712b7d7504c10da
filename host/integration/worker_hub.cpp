#include "integration/worker_hub.hpp"

#include <algorithm>

#include "common/json_writer.hpp"
#include "integration/worker.hpp"

namespace tenon::integration {

WorkerHub::WorkerHub(Services services) : services_(std::move(services)) {}

// A worker's end still uses the tables, so they must not go first.
WorkerHub::~WorkerHub() {
  while (!workers_.empty()) remove(workers_.begin()->first);
}

WorkerHub::Worker* WorkerHub::find(std::string_view id) const {
  const auto at = workers_.find(id);
  return at == workers_.end() ? nullptr : at->second.get();
}

Status WorkerHub::add(const std::string& id, const std::string& base_id, const WorkerConfig& config) {
  auto worker = std::make_unique<Worker>(*this, id, share_equal(latest_config_, config));
  TENON_TRY(worker->subscribe_configured(base_id));
  if (worker->hears()) by_receiver_[worker->receiver()] = worker.get();
  workers_[id] = std::move(worker);
  return {};
}

Status WorkerHub::configure(const std::string& id, const WorkerConfig& config) {
  Worker* worker = find(id);
  if (worker == nullptr) return Error(errc::not_found, "no worker " + id);
  return worker->configure(share_equal(latest_config_, config));
}

void WorkerHub::remove(std::string_view id) {
  const auto at = workers_.find(id);
  if (at == workers_.end()) return;
  by_receiver_.erase(at->second->receiver());
  const std::unique_ptr<Worker> gone = std::move(at->second);  // its end may ask for workers: none of this id any more
  workers_.erase(at);
}

Status WorkerHub::start(std::string_view id, std::uint64_t generation, ChannelDescriptors descriptors,
                        unique_fd adopted, std::string_view subscriptions) {
  Worker* worker = find(id);
  if (worker == nullptr) return Error(errc::not_found, "no worker " + std::string(id));
  return worker->start(generation, std::move(descriptors), std::move(adopted), subscriptions);
}

void WorkerHub::exited(std::string_view id, std::uint64_t generation) {
  if (Worker* worker = find(id); worker != nullptr && worker->generation() == generation) worker->exited();
}

void WorkerHub::set_status(std::string_view id, runtime::ProcessStatus status, bool by_operator) {
  Worker* worker = find(id);
  if (worker == nullptr) return;
  using enum runtime::ProcessStatus;
  message::Gate gate = message::Gate::waiting;
  if (status == idle || status == busy) gate = message::Gate::open;
  else if (status == paused) gate = message::Gate::paused;
  else if (status == terminated && (by_operator || host_stops_)) gate = message::Gate::stopped;
  else if (status == terminated || status == error) gate = message::Gate::ended;
  worker->set_gate(gate);
}

void WorkerHub::begin_drain(const runtime::ProcessId& id, MonotonicTime, std::function<void()> done) {
  Worker* worker = find(id);
  if (worker == nullptr || worker->channel() == nullptr) return done();
  worker->drain(std::move(done));
}

void WorkerHub::send_shutdown(const runtime::ProcessId& id) {
  if (Worker* worker = find(id)) worker->send_control("tenon.shutdown", {}, {});
  flush_dirty();  // the stop signal follows at once
}

void WorkerHub::sender_released(message::ReceiverId sender) {
  if (const auto at = by_receiver_.find(sender); at != by_receiver_.end()) at->second->released();
}

bool WorkerHub::request_timed_out(const message::PendingRequest& request) {
  const auto at = by_receiver_.find(request.asker.receiver);
  if (at == by_receiver_.end()) return false;
  JsonWriter json;
  json.begin_object().member("id", request.id).member("replyto", request.replyto).end_object();
  at->second->send_control("tenon.timeout", request.correlationid.empty() ? request.id : request.correlationid,
                           json.take());
  return true;
}

const WorkerConfig* WorkerHub::config(std::string_view id) const {
  const Worker* worker = find(id);
  return worker == nullptr ? nullptr : &worker->config();
}

message::ReceiverId WorkerHub::receiver(std::string_view id) const {
  const Worker* worker = find(id);
  return worker == nullptr ? message::kNoReceiver : worker->receiver();
}

std::size_t WorkerHub::in_flight(std::string_view id) const {
  const Worker* worker = find(id);
  return worker == nullptr || !worker->hears() ? 0 : services_.router.dispatcher().in_flight(worker->receiver());
}

MonotonicTime WorkerHub::last_control(std::string_view id, std::string_view type) const {
  const Worker* worker = find(id);
  return worker == nullptr ? MonotonicTime{} : worker->last_control(type);
}

void WorkerHub::note_control(std::string_view id, std::uint64_t generation, std::string_view type) {
  if (Worker* worker = find(id); worker != nullptr && worker->generation() == generation)
    worker->note_control(type, services_.loop.clock().monotonic());
}

std::uint64_t WorkerHub::events_in(std::string_view id) const {
  const Worker* worker = find(id);
  return worker == nullptr ? 0 : worker->events_in();
}

std::uint64_t WorkerHub::log_lines(std::string_view id) const {
  const Worker* worker = find(id);
  return worker == nullptr || worker->channel() == nullptr ? 0 : worker->channel()->log_lines();
}

std::optional<WorkerHub::ClosedEnds> WorkerHub::closed_ends(std::string_view id) const {
  const Worker* worker = find(id);
  if (worker == nullptr || worker->channel() == nullptr) return std::nullopt;
  const WorkerChannel& channel = *worker->channel();
  return ClosedEnds{!channel.worker_reads(), !channel.input_open()};
}

bool WorkerHub::quiet() const {
  return std::none_of(workers_.begin(), workers_.end(), [](const auto& entry) {
    const WorkerChannel* channel = entry.second->channel();
    return channel != nullptr && (channel->unwritten() != 0 || channel->reading_paused() || channel->has_backlog());
  });
}

// Output is written once a turn for each channel, however many events it got.
void WorkerHub::mark_dirty(WorkerChannel& channel) {
  dirty_.push_back(&channel);
  if (flush_posted_) return;
  flush_posted_ = true;
  services_.loop.post([this, alive = std::weak_ptr<int>(alive_)] {
    if (!alive.expired()) flush_dirty();
  });
}

void WorkerHub::flush_dirty() {
  flush_posted_ = false;
  now_ = services_.loop.clock().monotonic();
  std::vector<WorkerChannel*> channels;
  channels.swap(dirty_);
  while (!channels.empty()) {
    WorkerChannel* channel = channels.back();
    channels.pop_back();
    channel->flush();
  }
}

}  // namespace tenon::integration
