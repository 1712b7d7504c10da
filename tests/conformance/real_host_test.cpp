// Every built plugin behind the host's own loader and table: it loads, each of its components is made, used and ended
// as the engine does it, and breaks no rule that the host counts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "common/json_document.hpp"
#include "integration/plugin_health_check.hpp"
#include "integration/plugin_restart_policy.hpp"
#include "integration/plugin_serializer.hpp"
#include "integration/plugin_transport.hpp"
#include "loader/plugin_loader.hpp"
#include "support/plugin_on_real_host.hpp"

namespace tenon::integration {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class RealHostTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = "/tmp/tenon-real-host-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    base_ = pattern;
    loader::LoaderOptions options;
    options.directories = {TENON_PLUGIN_DIRECTORY};
    options.kinds = plugin_kinds();
    options.copy_bases = {base_};
    loader_ = std::make_unique<loader::PluginLoader>(std::move(options), host_.loop, quarantine_, host_.tracer);
    const Status started = loader_->start();
    ASSERT_TRUE(started.ok()) << started.error().message;
  }
  // Each component that was made is gone by now: nothing broken, nothing told.
  void TearDown() override {
    host_.finish_jobs();
    for (int i = 0; i < 10; ++i) host_.loop.advance(std::chrono::seconds(1));
    EXPECT_EQ(host_.workers->counters().abandoned, 0u);
    EXPECT_THAT(host_.environment.misbehaviour, IsEmpty());
    EXPECT_THAT(host_.metrics.render(), Not(HasSubstr("tenon_plugin_misbehaviour_total")));
    loader_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(base_, ignored);
  }
  std::vector<const loader::Component*> components(std::string_view kind) {
    std::vector<const loader::Component*> found;
    for (const loader::Component* component : loader_->registry().components())
      if (component->kind() == kind) found.push_back(component);
    EXPECT_FALSE(found.empty()) << kind;
    return found;
  }

  std::string base_;
  test_support::RealHost host_;
  loader::Quarantine quarantine_;
  std::unique_ptr<loader::PluginLoader> loader_;
};

TEST_F(RealHostTest, EveryFileIsLoaded) {
  for (const loader::PluginListing& listing : loader_->registry().list())
    EXPECT_EQ(to_string(listing.state), "loaded") << listing.file << ": " << listing.reason;
}

TEST_F(RealHostTest, EveryKeyOfEveryConfigIsDescribedAndNoOtherIsTaken) {
  for (const loader::Component* component : loader_->registry().components()) {
    const auto schema = JsonDocument::parse(component->current()->schema(), component->id());
    ASSERT_TRUE(schema.ok()) << schema.error().message;
    EXPECT_EQ(schema->root().find("additionalProperties")->as_bool(), false) << component->id();
    const auto properties = schema->root().find("properties");
    if (!properties) continue;
    for (const auto property : properties->members())
      EXPECT_TRUE(property.value.find("description")) << component->id() << " " << property.key;
  }
}

TEST_F(RealHostTest, EverySerializerReadsWhatItWrote) {
  for (const loader::Component* component : components(TENON_KIND_SERIALIZER)) {
    auto made = PluginSerializer::make(host_.services, *component, "test");
    ASSERT_TRUE(made.ok()) << made.error().message;
    message::BaseMessageEnvelope event, seen;
    event.id = "1";
    event.type = "task.done";
    const message::Attribute extension{"tenonhops", "2", message::AttributeType::integer};
    event.extensions = {&extension, 1};
    message::GrowingBuffer out(1024 * 1024);
    ASSERT_TRUE((*made)->write_event(event, out).ok()) << component->id();
    ASSERT_TRUE((*made)->read_event(out.view(), seen).ok()) << component->id();
    EXPECT_EQ(seen.type, "task.done");
    EXPECT_EQ(seen.extensions.size(), 1u);
    const std::string garbage(1 + message::kReadPadding, '\xc1');
    EXPECT_FALSE((*made)->read_event(std::string_view(garbage).substr(0, 1), seen).ok()) << component->id();
  }
}

TEST_F(RealHostTest, EveryRestartPolicyDecides) {
  PluginRestartPolicies policies(host_.services, loader_->registry());
  for (const loader::Component* component : components(TENON_KIND_RESTART_POLICY)) {
    auto made = policies.make(component->name(), "{}");
    ASSERT_TRUE(made.ok()) << made.error().message;
    runtime::ExitInfo exit;
    exit.value = 1;
    EXPECT_TRUE((*made)->decide(exit).ok()) << component->id();
    runtime::PolicyMemory memory{};
    (*made)->on_ready(std::chrono::seconds(1), memory);
    (*made)->reset(memory);
  }
}

TEST_F(RealHostTest, EveryHealthCheckMayBeCancelledStoppedAndEnded) {
  const std::map<std::string, std::string> configs = {{"exec", R"({"command":["true"]})"},
                                                      {"tcp", R"({"port":1})"},
                                                      {"http", R"({"url":"http://127.0.0.1:1/"})"},
                                                      {"memory", R"({"unhealthy_above":"1GiB"})"},
                                                      {"cpu", R"({"unhealthy_above":1})"},
                                                      {"nats", R"({"transport":"bus"})"}};
  PluginHealthChecks checks(host_.services, loader_->registry());
  for (const loader::Component* component : components(TENON_KIND_HEALTH_CHECK)) {
    const auto config = configs.find(component->name());
    auto made = checks.make("counter.1", component->name(), config == configs.end() ? "{}" : config->second);
    ASSERT_TRUE(made.ok()) << made.error().message;
    runtime::HealthCheck& check = **made;
    ASSERT_TRUE(check.start({"counter.1", 1, ::getpid(), host_.loop.clock().monotonic(), {}}).ok());
    const MonotonicTime deadline = host_.loop.clock().monotonic() + std::chrono::seconds(1);
    int answers = 0;
    check.check(deadline, [&](const Result<runtime::HealthAnswer>&) { ++answers; });
    check.cancel();
    EXPECT_LE(answers, 1) << component->id();
    check.stop();
    ASSERT_TRUE(check.start({"counter.1", 2, ::getpid(), host_.loop.clock().monotonic(), {}}).ok());
    check.check(deadline, [](const Result<runtime::HealthAnswer>&) {});
  }
}

TEST_F(RealHostTest, EveryTransportEndsItsCallsWhenItIsDestroyed) {
  for (const loader::Component* component : components(TENON_KIND_TRANSPORT)) {
    TransportConfig config;
    config.name = "bus";
    config.url = component->name() == "local" ? "unix://" + base_ + "/bus.sock" : "nats://127.0.0.1:1";
    PluginTransport::Events events{[](TransportState, const Status&) {}, [](IncomingMessage) {},
                                   [](std::uint64_t, std::uint64_t) {}, [](bool) {}};
    auto made = PluginTransport::make(host_.services, *component, config, std::move(events));
    ASSERT_TRUE(made.ok()) << made.error().message;
    int ended = 0;
    (*made)->subscribe(0, "task.>", {}, std::chrono::seconds(1), [&](const Status&) { ++ended; });
    (*made)->connect(std::chrono::seconds(1), [&](const Status&) { ++ended; });
    (*made)->health_check(std::chrono::seconds(1), [&](const Status&) { ++ended; });
    made->reset();
    EXPECT_EQ(ended, 3) << component->id();
  }
}

}  // namespace
}  // namespace tenon::integration
