// How the control API sees the host: the one interface between `control` and everything else.
//
// Reads return finished JSON documents (compact). Verbs complete later, exactly once, with what to tell the client; `done` may
// run within the call. Streams push into a sink until it is closed from either side.
//
// All [loop]. Errors carry a sentence for the person at the terminal; the server turns errc into an HTTP status.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.hpp"
#include "common/result.hpp"

namespace tenon::control {

using JsonDone = std::function<void(Result<std::string>)>;

enum class ProcessVerb : std::uint8_t { start, stop, restart, pause, resume, kill };

// Where a stream's items go. One item is one JSON document (an event, a log line).
class StreamSink {
 public:
  virtual ~StreamSink() = default;
  // False when the client is too slow and the item was dropped; the sink counts and tells the client itself.
  virtual bool push(std::string_view json) = 0;
  // The source has ended (the host stops); nothing comes any more.
  virtual void end() = 0;
};

// Which lines of logs: those behind the time `after`, which no two lines share, from files and memory, a page of them;
// else those since the position `from`; else the last so many, of each process. Then, with `follow`, each new one.
struct LogRequest {
  std::size_t lines = 0;
  std::optional<std::uint64_t> from{};
  std::optional<WallTime> after{};
  bool follow = false;
};

// Ends the stream when destroyed.
class [[nodiscard]] StreamHandle {
 public:
  StreamHandle() = default;
  explicit StreamHandle(std::shared_ptr<void> subscription) noexcept : subscription_(std::move(subscription)) {}
  bool active() const noexcept { return subscription_ != nullptr; }
  void reset() noexcept { subscription_.reset(); }

 private:
  std::shared_ptr<void> subscription_;
};

class HostInterface {
 public:
  virtual ~HostInterface() = default;

  // Documents. `processes` is an array, as `ps --json` prints it; `process` one element with more detail, or an array
  // of such if the selectors (joined with kSelectorSeparator) name several processes.
  virtual std::string info() = 0;
  virtual std::string processes() = 0;
  virtual Result<std::string> process(std::string_view selectors) = 0;
  virtual std::string tree() = 0;
  virtual std::string plugins() = 0;
  virtual std::string transports() = 0;
  virtual std::string routes() = 0;
  virtual std::string health() = 0;
  virtual std::string dead_letters(std::size_t limit) = 0;
  virtual std::string metrics() = 0;  // Prometheus text, not JSON

  // Whether the host works (liveness), and whether everything that should be up is ready; with a reason when not.
  virtual Status live() = 0;
  virtual Status ready() = 0;

  // A verb for everything that the selectors name. `wait`: done when the result is reached, else when it was asked for. The
  // document is an array of {"id", "ok", "error"?, "status"}.
  virtual void act(ProcessVerb verb, const std::vector<std::string>& selectors, int signal_number, bool wait,
                   JsonDone done) = 0;
  virtual void shutdown() = 0;
  // Another engine, of the binary as it is installed now, is to take over; what became of it, info() says: "upgrades" counts
  // them, "upgrade_failure" says why the last did not. errc::wrong_state: the host starts or stops.
  virtual Status upgrade() = 0;

  // The configuration. Documents are {"changes": [{"section", "name", "effect", "keys"}]} and, but for diff, "results"
  // as act() has them. `wait`: done when everything that changes has stopped or started. errc::invalid_argument: every
  // problem of the file, a line each; errc::wrong_state: another change is being read, something that was removed
  // still ends, or it needs a restart of the host or more descriptors. In all cases nothing was changed.
  virtual void reload(bool wait, JsonDone done) = 0;
  // What a reload would do; of another file than the host's own where `config` names one (absolute).
  virtual void diff(std::string_view config, JsonDone done) = 0;
  virtual void scale(std::string_view child, std::uint32_t replicas, bool wait, JsonDone done) = 0;

  // Publishes a CloudEvent given as JSON (`content_type` may name another encoding that a serializer is loaded for). The
  // document is {"id", "receivers", "dead_lettered_for_some"}. If nobody got it, it is dead-lettered and the error says
  // why: errc::exhausted, a receiver or the host is full, come back later, or (fault::caller) it is too large for them;
  // errc::wrong_state, they closed their channels or ended; errc::not_found, there is no receiver, or no such target.
  virtual Result<std::string> publish(std::string_view event, std::string_view content_type) = 0;
  // Publishes it as a request and completes with the answer as a JSON event, or errc::timeout.
  virtual void request(std::string_view event, Duration timeout, JsonDone done) = 0;

  // Events as they pass, as JSON CloudEvents. errc::invalid_argument for an illegal pattern.
  virtual Result<StreamHandle> tail(std::string_view pattern, std::shared_ptr<StreamSink> sink) = 0;
  // Log lines as {"time", "stream", "text", "cut", "position"}. Without `follow` the sink is ended at once. Of several
  // processes: mixed in the order of time, each line with its "id" and without "position", which only what is in memory
  // has.
  virtual Result<StreamHandle> logs(std::string_view selectors, const LogRequest& request,
                                    std::shared_ptr<StreamSink> sink) = 0;
};

}  // namespace tenon::control
