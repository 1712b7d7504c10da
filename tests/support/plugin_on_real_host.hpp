// A built plugin's component as the host itself sees it: completed table, real tenon_host, breadcrumbs and all; without
// the loader, whose tests are elsewhere. For tests that want the whole of integration between them and the plugin.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "common/metrics.hpp"
#include "event/fake_loop.hpp"
#include "event/worker_pool.hpp"
#include "integration/plugin_instance.hpp"
#include "integration/plugin_kinds.hpp"
#include "support/loaded_plugin.hpp"

namespace tenon::test_support {

// What instances ask the rest of the host for: nothing is there, and misbehaviour is written down.
class LonelyEnvironment final : public integration::PluginEnvironment {
 public:
  Result<std::uint64_t> run_command(integration::CommandRequest,
                                    std::function<void(integration::CommandOutcome)>) override {
    return Error(errc::exhausted, "no commands here");
  }
  void cancel_command(std::uint64_t) override {}
  Status process_usage(std::string_view, tenon_usage&) override { return Error(errc::not_found, "no processes here"); }
  Result<MonotonicTime> last_control_message(std::string_view, std::string_view) override {
    return Error(errc::not_found, "no processes here");
  }
  Status transport_round_trip(std::string_view, MonotonicTime, std::function<void(Status)>) override {
    return Error(errc::not_found, "no transports here");
  }
  void plugin_misbehaved(const integration::PluginMisbehaviour& told) override {
    misbehaviour.push_back(told.component + " " + std::string(to_string(told.rule)) + ": " + told.what);
  }
  std::vector<std::string> misbehaviour;
};

struct RealHost {
  // Waits for the worker threads in real time, so that no job is written off because the manual clock was moved over its
  // deadline while it ran.
  void finish_jobs() {
    loop.run_posted();
    for (auto jobs = workers->counters(); jobs.queued + jobs.running > 0; jobs = workers->counters()) {
      if (!loop.wait_posted()) break;  // it hangs: what is written off then is the finding
      loop.run_posted();
    }
    loop.run_posted();
  }

  event::FakeLoop loop;
  std::unique_ptr<event::WorkerPool> workers = event::make_worker_pool(loop, {.threads = 2});
  integration::CallTracer tracer{nullptr};
  metrics::Registry metrics;
  LonelyEnvironment environment;
  integration::PluginServices services{loop, *workers, tracer, metrics, environment, "alpha"};
};

// The component kind/name of the built plugin `name`.
class BuiltComponent {
 public:
  BuiltComponent(const std::string& kind, const std::string& name) : part_(complete(kind, name)) {
    auto version = std::make_shared<loader::ComponentVersion>();
    version->part = &part_;
    component_ = std::make_unique<loader::Component>(kind, name, std::move(version));
  }
  BuiltComponent(const BuiltComponent&) = delete;
  BuiltComponent& operator=(const BuiltComponent&) = delete;
  const loader::Component& operator*() const noexcept { return *component_; }

 private:
  static loader::LoadedComponent complete(const std::string& kind, const std::string& name) {
    const auto kinds = integration::plugin_kinds();
    auto table = loader::ComponentTable::complete(
        *loader::find_kind(kinds, kind),
        LoadedPlugin::open_file(TENON_PLUGIN_DIRECTORY "/" + name + ".so").table(kind, name), kind + "/" + name);
    if (!table.ok()) std::abort();
    return {kind, name, "{}", std::move(table).value()};
  }
  loader::LoadedComponent part_;
  std::unique_ptr<loader::Component> component_;
};

}  // namespace tenon::test_support
