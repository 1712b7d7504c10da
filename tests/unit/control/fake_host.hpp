// A host that answers with what the test put in, remembers what it was asked, and lets the test push into its streams.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "control/host_interface.hpp"

namespace tenon::control {

struct FakeHost final : HostInterface {
  struct Act {
    ProcessVerb verb;
    std::vector<std::string> selectors;
    int signal_number;
    bool wait;
    JsonDone done;
  };
  struct Stream {
    std::string name;  // pattern, or process id
    std::shared_ptr<StreamSink> sink;
  };

  std::string info() override { return R"({"node":"alpha","version":"0.1.0"})"; }
  std::string processes() override { return process_list; }
  Result<std::string> process(std::string_view id) override {
    if (id == "counter.1") return std::string(R"({"id":"counter.1","status":"idle"})");
    return Error(errc::not_found, "there is no process \"" + std::string(id) + "\"; tenon ps lists them",
                 fault::caller);
  }
  std::string tree() override { return R"({"id":"root"})"; }
  std::string plugins() override { return R"([{"name":"json"}])"; }
  std::string transports() override { return R"([{"name":"bus"}])"; }
  std::string routes() override { return R"([{"topic":"a.>"}])"; }
  std::string health() override { return R"([{"process":"counter.1"}])"; }
  std::string dead_letters(std::size_t limit) override { return "[" + std::to_string(limit) + "]"; }
  std::string metrics() override { return "tenon_process_up{process=\"counter.1\"} 1\n"; }
  Status live() override { return liveness; }
  Status ready() override { return readiness; }

  void act(ProcessVerb verb, const std::vector<std::string>& selectors, int signal_number, bool wait,
           JsonDone done) override {
    if (hold_acts) {
      acts.push_back({verb, selectors, signal_number, wait, std::move(done)});
    } else {
      acts.push_back({verb, selectors, signal_number, wait, {}});
      done(act_result);
    }
  }
  void shutdown() override { ++shutdowns; }
  Status upgrade() override { return upgrade_refusal ? Status(*upgrade_refusal) : Status(); }
  void reload(bool wait, JsonDone done) override {
    changes.push_back(wait ? "reload" : "reload at once"), done(change_result);
  }
  void diff(std::string_view config, JsonDone done) override {
    changes.push_back("diff " + std::string(config)), done(change_result);
  }
  void scale(std::string_view child, std::uint32_t replicas, bool wait, JsonDone done) override {
    changes.push_back("scale " + std::string(child) + " " + std::to_string(replicas) + (wait ? "" : " at once"));
    done(change_result);
  }
  Result<std::string> publish(std::string_view event, std::string_view content_type) override {
    published.emplace_back(event, content_type);
    return publish_result;
  }
  void request(std::string_view event, Duration timeout, JsonDone done) override {
    requests.emplace_back(event, timeout);
    done(request_result);
  }
  Result<StreamHandle> tail(std::string_view pattern, std::shared_ptr<StreamSink> sink) override {
    if (pattern.find(' ') != pattern.npos) {
      return Error(errc::invalid_argument, "\"" + std::string(pattern) + "\" is no pattern", fault::caller);
    }
    return subscribe(tails, std::string(pattern), std::move(sink));
  }
  Result<StreamHandle> logs(std::string_view id, const LogRequest& request,
                            std::shared_ptr<StreamSink> sink) override {
    log_calls.push_back(request);
    for (const std::string& line : log_lines) sink->push(line);
    if (request.follow) return subscribe(followers, std::string(id), std::move(sink));
    sink->end();
    return StreamHandle();
  }

  // Into every stream that is still subscribed.
  void push_to_tails(std::string_view json) {
    for (const auto& [number, stream] : tails) stream.sink->push(json);
  }

  using Streams = std::map<int, Stream>;
  StreamHandle subscribe(Streams& streams, std::string name, std::shared_ptr<StreamSink> sink) {
    const int number = next_++;
    streams.emplace(number, Stream{std::move(name), std::move(sink)});
    return StreamHandle(std::shared_ptr<void>(nullptr, [&streams, number](void*) { streams.erase(number); }));
  }

  std::string process_list = R"([{"id":"counter.1","status":"idle","uptime_ms":61000,"memory_bytes":2048}])";
  Status liveness, readiness;
  Result<std::string> act_result = std::string(R"([{"id":"counter.1","ok":true,"status":"idle"}])");
  Result<std::string> publish_result = std::string(R"({"id":"e1","receivers":1})");
  Result<std::string> request_result = std::string(R"({"type":"pong","data":1})");
  bool hold_acts = false;
  std::vector<std::string> log_lines;

  std::vector<Act> acts;
  int shutdowns = 0;
  std::optional<Error> upgrade_refusal;
  std::vector<std::string> changes;
  Result<std::string> change_result = std::string(R"({"changes":[],"results":[]})");
  std::vector<std::pair<std::string, std::string>> published;
  std::vector<std::pair<std::string, Duration>> requests;
  std::vector<LogRequest> log_calls;
  Streams tails, followers;

 private:
  int next_ = 0;
};

}  // namespace tenon::control
