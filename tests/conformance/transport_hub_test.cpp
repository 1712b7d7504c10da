// The hub over built plugins that come and go: what its routes keep while a transport cannot be made.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "common/json_document.hpp"
#include "integration/transport_hub.hpp"
#include "loader/plugin_loader.hpp"
#include "support/plugin_on_real_host.hpp"

namespace tenon::integration {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

class TransportHubTest : public testing::Test, private message::RouterEvents {
 protected:
  void SetUp() override {
    std::string pattern = "/tmp/tenon-hub-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    base_ = pattern;
    install("json.so");
    loader::LoaderOptions options;
    options.directories = {base_};
    options.kinds = plugin_kinds();
    options.copy_bases = {base_};
    loader_ = std::make_unique<loader::PluginLoader>(std::move(options), host_.loop, quarantine_, host_.tracer);
    const Status started = loader_->start();
    ASSERT_TRUE(started.ok()) << started.error().message;
    serializers_ = std::make_unique<PluginSerializers>(host_.services, loader_->registry());
  }
  void TearDown() override {
    hub_.reset();
    serializers_.reset();
    loader_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(base_, ignored);
  }
  void install(const std::string& name) {
    std::filesystem::copy_file(TENON_PLUGIN_DIRECTORY "/" + name, base_ + "/" + name);
    std::filesystem::permissions(base_ + "/" + name, std::filesystem::perms(0755));
  }

  // Nobody listens there.
  static TransportConfig bus_config(const std::string& url = "nats://127.0.0.1:1") {
    TransportConfig bus;
    bus.name = "bus";
    bus.plugin = "nats";
    bus.url = url;
    return bus;
  }
  static RouteConfig route_out(const std::string& topic) {
    RouteConfig out;
    out.topic = topic;
    out.to = {"bus"};
    return out;
  }
  void make_hub() {
    hub_ = std::make_unique<TransportHub>(
        TransportHub::Services{host_.loop, host_.services, loader_->registry(), *serializers_, router_, intake_, budget_,
                               letters_, system_events_, askers_, nullptr, 30s, "alpha"},
        std::vector{bus_config()}, std::vector{route_out("out.>")});
  }
  void publish(std::string_view id) {
    message::Event event;
    event.envelope.id = id;
    event.envelope.source = "//test";
    event.envelope.type = "out.x";
    router_.publish(event, message::Publisher{.name = "test"}, host_.loop.clock().monotonic());
  }
  std::string shown(const std::string& key) {
    const std::string text = hub_->transports_json();
    const auto document = JsonDocument::parse(text, "transports");
    if (!document.ok() || document->root().size() != 1) return "not one transport: " + text;
    const auto value = document->root().at(0).find(key);
    if (!value) return "no " + key;
    return value->as_string() ? std::string(*value->as_string()) : std::to_string(value->as_i64().value_or(-1));
  }

  void answer_for(std::uint64_t, const message::Event&) override {}
  void request_timed_out(const message::PendingRequest&) override {}
  void sender_released(message::ReceiverId) override {}
  void event_limit_reached(bool) override {}

  std::string base_;
  test_support::RealHost host_;
  loader::Quarantine quarantine_;
  std::unique_ptr<loader::PluginLoader> loader_;
  std::unique_ptr<PluginSerializers> serializers_;
  message::EventBudget budget_{1u << 20};
  DeadLetterDesk letters_{host_.loop, 100, 1u << 20};
  message::MessageRouter router_{budget_, letters_, *this, {30s, 30s}};
  message::Intake intake_;
  SystemEvents system_events_{host_.loop, router_, "//alpha"};
  Askers askers_;
  std::unique_ptr<TransportHub> hub_;
};

TEST_F(TransportHubTest, AFirstStartWithoutThePluginFailsAndSaysWhatToDo) {
  make_hub();
  const Status started = hub_->start();
  ASSERT_FALSE(started.ok());
  EXPECT_THAT(started.error().message, HasSubstr("transport bus"));
  EXPECT_THAT(started.error().message, HasSubstr("nats"));
}

TEST_F(TransportHubTest, WhatASuccessorCannotMakeKeepsItsRoutesAndIsMadeLater) {
  make_hub();
  hub_->take_over();
  EXPECT_EQ(shown("state"), "error");
  EXPECT_THAT(shown("reason"), HasSubstr("nats"));
  publish("1");
  publish("2");
  EXPECT_EQ(shown("waiting"), "2") << "its route takes what comes";
  EXPECT_EQ(letters_.count(message::DeadLetterReason::no_receiver), 0u);
  EXPECT_FALSE(hub_->round_trip("bus", host_.loop.clock().monotonic() + 1s, [](Status) {}).ok());

  install("nats.so");
  loader_->rescan();
  host_.loop.run_posted();
  host_.loop.advance(300ms);
  host_.finish_jobs();
  EXPECT_NE(shown("state"), "error");
  EXPECT_EQ(shown("waiting"), "2");

  bool stopped = false;
  hub_->stop(1s, [&] { stopped = true; });
  host_.finish_jobs();
  for (int i = 0; i < 5 && !stopped; ++i) host_.loop.advance(1s);
  EXPECT_TRUE(stopped);
  EXPECT_EQ(letters_.count(message::DeadLetterReason::shutdown), 2u);
}

TEST_F(TransportHubTest, AReloadKeepsWhatWaitsForATransportThatChanged) {
  install("nats.so");
  loader_->rescan();
  host_.loop.run_posted();
  make_hub();
  ASSERT_TRUE(hub_->start().ok());
  publish("1");
  hub_->reload({bus_config("nats://127.0.0.1:2")}, {route_out("out.>"), route_out("more.>")});
  host_.finish_jobs();
  host_.loop.advance(3s);
  host_.finish_jobs();
  EXPECT_EQ(shown("url"), "nats://127.0.0.1:2");
  EXPECT_EQ(shown("waiting"), "1");
  EXPECT_EQ(letters_.count(message::DeadLetterReason::shutdown), 0u);
}

TEST_F(TransportHubTest, ARouteThatIsGoneTakesNothingNewAndHasSomeTimeForTheRest) {
  make_hub();
  hub_->take_over();
  publish("1");
  hub_->reload({bus_config()}, {route_out("other.>")});
  publish("2");
  EXPECT_EQ(letters_.count(message::DeadLetterReason::no_receiver), 1u);
  EXPECT_EQ(letters_.count(message::DeadLetterReason::shutdown), 0u);
  EXPECT_FALSE(hub_->quiet());
  host_.loop.advance(6s);
  EXPECT_EQ(letters_.count(message::DeadLetterReason::shutdown), 1u);
  EXPECT_TRUE(hub_->quiet());
}

TEST_F(TransportHubTest, ATransportThatIsGoneIsForgottenWithWhatItCouldNotSend) {
  make_hub();
  hub_->take_over();
  publish("1");
  hub_->reload({}, {});
  host_.loop.run_posted();
  EXPECT_EQ(hub_->transports_json(), "[]");
  host_.loop.advance(6s);
  EXPECT_EQ(letters_.count(message::DeadLetterReason::shutdown), 1u);
  publish("2");
  EXPECT_EQ(letters_.count(message::DeadLetterReason::no_receiver), 1u);
  bool stopped = false;
  hub_->stop(1s, [&] { stopped = true; });
  host_.loop.run_posted();
  EXPECT_TRUE(stopped);
}

TEST_F(TransportHubTest, ASuccessorWithoutItsTransportsStops) {
  make_hub();
  hub_->take_over();
  publish("1");
  bool stopped = false;
  hub_->stop(1s, [&] { stopped = true; });
  host_.loop.advance(1s);
  EXPECT_TRUE(stopped);
  EXPECT_EQ(letters_.count(message::DeadLetterReason::shutdown), 1u);
}

}  // namespace
}  // namespace tenon::integration
