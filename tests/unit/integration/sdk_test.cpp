// The C++ SDK over the real host table: optional slots, callbacks, what is thrown.
#include <gmock/gmock.h>
#include <tenon/sdk/health_check.hpp>
#include <tenon/sdk/restart_policy.hpp>
#include <tenon/sdk/transport.hpp>
#include <thread>

#include "host_table_fixture.hpp"

namespace tenon::integration {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Only what it must have.
struct PlainTransport {
  PlainTransport(sdk::Host, const tenon_connection_config&) {}
  void describe(tenon_transport_info&) const {}
  void connect(std::uint64_t, std::uint64_t) {}
  void disconnect(std::uint64_t, std::uint64_t) {}
  void send(const tenon_message&, bool, std::uint64_t, std::uint64_t) {}
  void subscribe(std::uint64_t, std::string_view, std::string_view, std::uint64_t, std::uint64_t) {}
  void unsubscribe(std::uint64_t, std::uint64_t, std::uint64_t) {}
  void health_check(std::uint64_t, std::uint64_t) {}
};
struct FullTransport : PlainTransport {
  using PlainTransport::PlainTransport;
  void request(const tenon_message&, std::uint64_t, std::uint64_t) {}
  void reply(std::string_view, const tenon_message&, std::uint64_t, std::uint64_t) {}
  void resume() { throw std::runtime_error("not now"); }
  const void* get_interface(std::string_view id) {
    if (id != "tenon.transport.durable/1") throw sdk::unavailable("no such thing");
    return this;
  }
};

TEST(Sdk, ASlotIsFilledIfTheClassHasTheMember) {
  const tenon_transport& plain = *sdk::transport_table<PlainTransport>();
  EXPECT_EQ(plain.request, nullptr);
  EXPECT_EQ(plain.reply, nullptr);
  EXPECT_EQ(plain.resume, nullptr);
  EXPECT_EQ(plain.get_interface, nullptr);
  EXPECT_NE(plain.health_check, nullptr);
  const tenon_transport& full = *sdk::transport_table<FullTransport>();
  EXPECT_NE(full.request, nullptr);
  EXPECT_NE(full.reply, nullptr);
  EXPECT_NE(full.resume, nullptr);
  EXPECT_NE(full.get_interface, nullptr);
}

TEST_F(HostTableTest, InterfacesOfTheSdkAreFoundByIdAndNothingThrownGetsOut) {
  make();
  tenon_connection_config config;
  TENON_INIT(&config);
  const tenon_transport& table = *sdk::transport_table<FullTransport>();
  void* self = nullptr;
  ASSERT_EQ(table.create(host, &config, &self, nullptr), TENON_OK);
  EXPECT_NE(table.get_interface(self, abi("tenon.transport.durable/1")), nullptr);
  EXPECT_EQ(table.get_interface(self, abi("tenon.transport.key_value/1")), nullptr);
  table.resume(self);
  table.destroy(self);
}

struct RememberingPolicy {
  explicit RememberingPolicy(sdk::Host) {}
  sdk::Decision on_exit(const tenon_exit&) const {
    sdk::Decision decision;
    decision.text = std::string(127, 'x') + "\u00fc";
    return decision;
  }
  void on_ready(std::uint64_t start_to_ready_ns, std::uint64_t* memory) { memory[0] = start_to_ready_ns; }
  void reset(std::uint64_t* memory) { memory[1] = 7; }
};

TEST_F(HostTableTest, APolicyOfTheSdkMayRememberAndItsTextIsCutBetweenCharacters) {
  make();
  const tenon_restart_policy& table = *sdk::restart_policy_table<RememberingPolicy>();
  void* self = nullptr;
  ASSERT_EQ(table.create(host, &self, nullptr), TENON_OK);
  std::uint64_t memory[4] = {};
  table.on_ready(self, 5, memory);
  table.reset(self, memory);
  EXPECT_THAT(memory, ElementsAre(5, 7, 0, 0));
  tenon_exit ended;
  TENON_INIT(&ended);
  tenon_restart_decision decision;
  TENON_INIT(&decision);
  ASSERT_EQ(table.on_exit(self, &ended, &decision, nullptr), TENON_OK);
  EXPECT_EQ(decision.text_size, 127u);
  table.destroy(self);
}

TEST(TenonFail, CutsItsTextBeforeACharacterThatDoesNotFit) {
  tenon_error error;
  TENON_INIT(&error);
  const std::string text = std::string(TENON_ERROR_TEXT_MAX - 2, 'x') + "\u20ac";  // three octets where two are left
  tenon_fail(&error, TENON_ERR_IO, TENON_FAULT_HOST, 0, {text.data(), text.size()});
  EXPECT_EQ(error.text_size, TENON_ERROR_TEXT_MAX - 2);
  const std::string fits = std::string(TENON_ERROR_TEXT_MAX - 3, 'x') + "\u20ac";
  tenon_fail(&error, TENON_ERR_IO, TENON_FAULT_HOST, 0, {fits.data(), fits.size()});
  EXPECT_EQ(error.text_size, TENON_ERROR_TEXT_MAX);
}

TEST_F(HostTableTest, TheSdkPostsFromAnyThreadAndForgetsWhatItsInstanceNoLongerWants) {
  make();
  std::vector<int> ran;
  {
    sdk::detail::ForgetCalls owner(host);
    const sdk::Host sdk_host(host);
    std::thread([&] { sdk_host.post_to_loop([&] { ran.push_back(1); }); }).join();
    sdk_host.post_to_loop([&] { throw std::runtime_error("caught and logged"); });
    loop.run_posted();
    sdk_host.post_to_loop([&] { ran.push_back(2); });
  }
  loop.run_posted();
  EXPECT_THAT(ran, ElementsAre(1));
}

TEST_F(HostTableTest, TheSdkAsksForProcessesAndTransports) {
  make();
  const sdk::Host sdk_host(host);
  EXPECT_FALSE(sdk_host.process_usage("counter.1").has_value()) << "no such process";
  EXPECT_EQ(sdk_host.last_control_message("counter.1", "tenon.heartbeat"), 0u);
  std::vector<tenon_status> ended;
  sdk_host.transport_round_trip("bus", 1, [&](tenon_status how) { ended.push_back(how); });
  EXPECT_THAT(ended, ElementsAre(TENON_OK));
  EXPECT_EQ(sdk_host.get_interface<int>("tenon.host.xyz/1"), nullptr);
}

TEST_F(HostTableTest, TheSdkCompletesAndReportsWithErrors) {
  make();
  const sdk::Host sdk_host(host);
  sdk_host.complete(3, sdk::unavailable("the broker is away"));
  EXPECT_THAT(instance->problems, ElementsAre("the broker is away"));
  tenon_message message;
  TENON_INIT(&message);
  EXPECT_THROW(static_cast<void>(sdk_host.transport_incoming(1, message)), sdk::Error) << "this instance takes none";
  sdk_host.transport_state(TENON_TRANSPORT_ERROR, sdk::unavailable("gave up"));
  sdk_host.transport_slow_consumer(1, 2);
  sdk_host.transport_back_pressure(true);
  sdk_host.complete_request(4, sdk::unavailable("no answer"));
  sdk_host.complete_check(5, sdk::unavailable("no thread"));
  EXPECT_EQ(counted("wrong_kind"), "6") << "each of them reached the host";
}

}  // namespace
}  // namespace tenon::integration
