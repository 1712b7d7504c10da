#include "app/host_metrics.hpp"

#include <map>
#include <set>

#include "common/logging.hpp"

namespace tenon::app {

namespace {

// Counters are kept where they are counted, by modules that know no registry, and taken over when somebody asks.
class HostMetrics {
 public:
  HostMetrics(Host& host, std::uint64_t engine_restarts) : host_(host), engine_restarts_(engine_restarts) {
    metrics::Registry& registry = host.metrics();
    const auto gauges = [&](const char* name, const char* help, std::vector<std::string> labels) {
      return or_none(registry.gauges({name, help, std::move(labels)}));
    };
    const auto counters = [&](const char* name, const char* help, std::vector<std::string> labels) {
      return or_none(registry.counters({name, help, std::move(labels)}));
    };
    events_ = counters("tenon_events_total", "Events by what became of them.", {"verdict"});
    dead_letters_ = counters("tenon_dead_letters_total", "Events that could not be delivered, by reason.", {"reason"});
    restarts_ = counters("tenon_process_restarts_total", "Automatic restarts of a process.", {"process"});
    up_ = gauges("tenon_process_up", "1 if the process is ready.", {"process"});
    mailbox_dropped_ = counters("tenon_mailbox_dropped_total", "Events that a process's full mailbox did not keep.",
                                {"process", "verdict"});
    depth_ = gauges("tenon_mailbox_depth", "Events that wait for a process.", {"process"});
    group_depth_ = gauges("tenon_group_depth", "Events that wait for any member of a queue group.", {"group"});
    group_dropped_ = counters("tenon_group_dropped_total", "Events that a group's full queue did not keep.", {"group"});
    transport_waiting_ = gauges("tenon_transport_waiting", "Events that wait in a transport's routes.", {"transport"});
    transport_in_flight_ =
        gauges("tenon_transport_in_flight", "Events that a transport has and that are not settled.", {"transport"});
    engine_ = counters("tenon_engine_restarts_total", "Restarts of the engine since the host began.", {});
    bytes_ = gauges("tenon_event_bytes", "Octets of all events that wait, in mailboxes and with their senders.", {});
    dropped_ = counters("tenon_system_events_dropped_total", "Events of the host that found their queue full.", {});
  }

  void collect() {
    const message::RouterCounters& c = host_.router().counters();
    const auto verdict = [&](const char* name, std::uint64_t n) { events_.with({name}).set_total(n); };
    verdict("published", c.published), verdict("delivered", c.delivered), verdict("queued", c.queued);
    verdict("parked", c.parked), verdict("no_receiver", c.no_receiver), verdict("answered", c.answers);
    // What became a dead letter is counted where dead letters are: many never get as far as the router.
    const DeadLetterDesk& desk = host_.dead_letters();
    verdict("rejected", desk.count(Reason::rejected)), verdict("expired", desk.count(Reason::expired));
    std::uint64_t dead_lettered = 0;
    for (std::size_t i = 0; i < message::kDeadLetterReasons; ++i) {
      const auto reason = static_cast<Reason>(i);
      dead_lettered += desk.count(reason);
      dead_letters_.with({to_string(reason)}).set_total(desk.count(reason));
    }
    verdict("dead_lettered", dead_lettered);
    std::set<message::GroupId> groups;
    host_.processes().for_each([&](const runtime::ProcessHandle& process) {
      restarts_.with({process.id()}).set_total(process.total_restarts);
      up_.with({process.id()}).set(process.is_ready() ? 1 : 0);
      const message::ReceiverId receiver = host_.workers().receiver(process.id());
      if (receiver == message::kNoReceiver) return;
      collect_mailbox(process.id(), receiver);
      const auto shared = host_.router().dispatcher().groups_of(receiver);
      groups.insert(shared.begin(), shared.end());
    });
    collect_groups(groups);
    for (const integration::TransportHub::Load& load : host_.transports().loads()) {
      transport_waiting_.with({load.transport}).set(static_cast<double>(load.waiting));
      transport_in_flight_.with({load.transport}).set(static_cast<double>(load.in_flight));
    }
    engine_.with().set_total(engine_restarts_);
    bytes_.with().set(static_cast<double>(host_.event_bytes()));
    dropped_.with().set_total(host_.system_events().dropped());
  }

 private:
  using DeadLetterDesk = integration::DeadLetterDesk;
  using Reason = message::DeadLetterReason;

  void collect_mailbox(const std::string& process, message::ReceiverId receiver) {
    const message::MessageDispatcher& dispatcher = host_.router().dispatcher();
    const message::ReceiverCounters& counters = dispatcher.counters(receiver);
    depth_.with({process}).set(static_cast<double>(dispatcher.mailbox(receiver).size()));
    mailbox_dropped_.with({process, "rejected"}).set_total(counters.rejected);
    mailbox_dropped_.with({process, "dead_lettered"}).set_total(counters.dropped - counters.rejected);
  }

  // Groups of one name and several patterns have a queue each; to an operator they are one.
  void collect_groups(const std::set<message::GroupId>& groups) {
    const message::MessageDispatcher& dispatcher = host_.router().dispatcher();
    std::map<std::string_view, std::pair<std::size_t, std::uint64_t>> sums;
    for (const message::GroupId group : groups) {
      auto& [depth, dropped] = sums[dispatcher.group_name(group)];
      depth += dispatcher.group_depth(group);
      dropped += dispatcher.group_counters(group).dropped;
    }
    std::erase_if(groups_shown_, [&](const std::string& name) {
      if (sums.contains(name)) return false;
      group_depth_.remove({name});
      group_dropped_.remove({name});
      return true;
    });
    for (const auto& [name, sum] : sums) {
      groups_shown_.emplace(name);
      group_depth_.with({name}).set(static_cast<double>(sum.first));
      group_dropped_.with({name}).set_total(sum.second);
    }
  }

  template <class Family>
  static Family or_none(Result<Family> made) {
    if (made.ok()) return *made;
    log::error("engine", made.error().message);
    return Family();
  }

  Host& host_;
  std::set<std::string> groups_shown_;
  std::uint64_t engine_restarts_;
  metrics::CounterFamily events_, dead_letters_, restarts_, engine_, dropped_, mailbox_dropped_, group_dropped_;
  metrics::GaugeFamily up_, depth_, group_depth_, bytes_, transport_waiting_, transport_in_flight_;
};

}  // namespace

std::shared_ptr<void> register_host_metrics(Host& host, std::uint64_t engine_restarts) {
  auto metrics = std::make_shared<HostMetrics>(host, engine_restarts);
  std::shared_ptr<void> hook = host.metrics().before_render([metrics] { metrics->collect(); });
  return hook;
}

}  // namespace tenon::app
