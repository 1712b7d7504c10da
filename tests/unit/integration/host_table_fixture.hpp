// An instance of no plugin: the test calls the functions of its tenon_host table, as a plugin would.
#pragma once

#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/metrics.hpp"
#include "event/fake_loop.hpp"
#include "event/worker_pool.hpp"
#include "integration/plugin_instance.hpp"

namespace tenon::integration {

class FakeEnvironment final : public PluginEnvironment {
 public:
  Result<std::uint64_t> run_command(CommandRequest request, std::function<void(CommandOutcome)> done) override {
    requests.push_back(std::move(request));
    commands[++last] = std::move(done);
    return last;
  }
  void cancel_command(std::uint64_t command) override { cancelled.push_back(command), commands.erase(command); }
  Status process_usage(std::string_view, tenon_usage&) override { return Error(errc::not_found, "no such process"); }
  Result<MonotonicTime> last_control_message(std::string_view, std::string_view) override { return MonotonicTime{}; }
  Status transport_round_trip(std::string_view, MonotonicTime, std::function<void(Status)> done) override {
    done({});
    return {};
  }
  Result<std::uint64_t> listen(std::string path, std::function<void(Result<int>)> done) override {
    if (refuse_to_listen) return *refuse_to_listen;
    paths.push_back(std::move(path));
    listeners[++last] = std::move(done);
    return last;
  }
  void plugin_misbehaved(const PluginMisbehaviour& what) override { misbehaviour.push_back(what); }
  void release_listener(std::uint64_t listener) override { released.push_back(listener), listeners.erase(listener); }

  std::uint64_t last = 100;  // far from the numbers that the instance gives out
  std::vector<CommandRequest> requests;
  std::map<std::uint64_t, std::function<void(CommandOutcome)>> commands;
  std::vector<std::uint64_t> cancelled, released;
  std::vector<std::string> paths;
  std::map<std::uint64_t, std::function<void(Result<int>)>> listeners;
  std::optional<Error> refuse_to_listen;
  std::vector<PluginMisbehaviour> misbehaviour;
};

class TestInstance final : public PluginInstance {
 public:
  TestInstance(PluginServices& services, std::string config)
      : PluginInstance(services, std::make_shared<loader::ComponentVersion>(), "transport/test", "bus",
                       std::move(config)) {}
  using PluginInstance::forget_work;
  using PluginInstance::work_waits;
  std::vector<std::pair<std::uint64_t, bool>> completions;
  std::vector<std::string> problems;  // of the completions that failed
  std::string served;  // the process that it works for

 private:
  std::string_view served_process() const noexcept override { return served; }
  void on_complete(std::uint64_t token, Status status) override {
    completions.emplace_back(token, status.ok());
    if (!status.ok()) problems.push_back(status.error().message);
  }
};

class HostTableTest : public ::testing::Test {
 protected:
  void make(std::string config = "{}") {
    instance = std::make_unique<TestInstance>(services, std::move(config));
    host = instance->host();
    context = host->context;
  }
  static tenon_str abi(std::string_view text) { return {text.data(), text.size()}; }
  std::string key(std::string_view pointer, std::size_t index) {
    tenon_str name{nullptr, 0};
    const tenon_status status = host->config_key(context, abi(pointer), index, &name);
    return status == TENON_OK ? std::string(from_abi(name)) : "status " + std::to_string(status);
  }

  // How often the rule was broken, as a scrape sees it.
  std::string counted(std::string_view rule) {
    const std::string all = metrics.render(), series = "rule=\"" + std::string(rule) + "\"} ";
    const std::size_t at = all.find(series);
    return at == std::string::npos ? "0" : all.substr(at + series.size(), all.find('\n', at) - at - series.size());
  }

  event::FakeLoop loop;
  std::unique_ptr<event::WorkerPool> workers = event::make_worker_pool(loop, {.threads = 1});
  CallTracer tracer{nullptr};
  metrics::Registry metrics;
  FakeEnvironment environment;
  PluginServices services{loop, *workers, tracer, metrics, environment, "alpha"};
  std::unique_ptr<TestInstance> instance;
  const tenon_host* host = nullptr;
  void* context = nullptr;
};

}  // namespace tenon::integration
