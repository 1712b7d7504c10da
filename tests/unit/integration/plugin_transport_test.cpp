// A transport of the test's own behind PluginTransport: completions in and out of time, what the plugin is told,
// refusals.
#include <gmock/gmock.h>
#include <tenon/transport.h>

#include "host_table_fixture.hpp"
#include "integration/plugin_kinds.hpp"
#include "integration/plugin_transport.hpp"

namespace tenon::integration {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using std::chrono::milliseconds;

// What the plugin saw, and what it is to do.
struct Seen {
  const tenon_host* host = nullptr;
  std::uint32_t flags = TENON_TRANSPORT_ENCODED;
  tenon_status created = TENON_OK;
  std::vector<std::uint64_t> tokens;
  std::vector<std::string> events;
  int destroyed = 0, subscribed = 0;
} seen;

tenon_status create(const tenon_host* host, const tenon_connection_config*, void** out, tenon_error*) {
  seen.host = host;
  *out = nullptr;  // an instance may be nothing
  return seen.created;
}
void destroy(void*) { ++seen.destroyed; }
void describe(void*, tenon_transport_info* out) {
  out->flags = seen.flags;
  out->default_serializer = TENON_LITERAL("json");
}
tenon_status take(void*, std::uint64_t token, std::uint64_t, tenon_error*) {
  seen.tokens.push_back(token);
  return TENON_OK;
}
tenon_status send(void*, const tenon_message* message, std::uint32_t, std::uint64_t token, std::uint64_t,
                  tenon_error*) {
  seen.tokens.push_back(token);
  if (message->event == nullptr) return seen.events.push_back("none"), TENON_OK;
  const tenon_event& e = *message->event;
  std::string text(from_abi(e.type));
  for (std::uint32_t i = 0; i < e.extension_count; ++i)
    text += " " + std::string(from_abi(e.extensions[i].name)) + "=" + std::string(from_abi(e.extensions[i].value));
  seen.events.push_back(text);
  return TENON_OK;
}
tenon_status subscribe(void*, std::uint64_t, tenon_str, tenon_str, std::uint64_t token, std::uint64_t, tenon_error*) {
  ++seen.subscribed;
  seen.tokens.push_back(token);
  return TENON_OK;
}
tenon_status unsubscribe(void*, std::uint64_t, std::uint64_t, std::uint64_t, tenon_error*) { return TENON_OK; }

class PluginTransportTest : public HostTableTest {
 protected:
  PluginTransportTest() {
    seen = {};
    TENON_INIT(&table);
    table.create = create;
    table.destroy = destroy;
    table.describe = describe;
    table.connect = table.disconnect = table.health_check = take;
    table.send = send;
    table.subscribe = subscribe;
    table.unsubscribe = unsubscribe;
    const auto kinds = plugin_kinds();
    auto complete = loader::ComponentTable::complete(*loader::find_kind(kinds, "transport"), &table, "transport/test");
    part = std::make_unique<loader::LoadedComponent>(
        loader::LoadedComponent{"transport", "test", "{}", std::move(complete).value()});
    auto version = std::make_shared<loader::ComponentVersion>();
    version->part = part.get();
    component = std::make_unique<loader::Component>("transport", "test", version);
  }
  Result<std::unique_ptr<PluginTransport>> make_transport() {
    TransportConfig config;
    config.name = "bus";
    PluginTransport::Events events{[](TransportState, const Status&) {}, [](IncomingMessage) {},
                                   [](std::uint64_t, std::uint64_t) {}, [](bool) {}};
    return PluginTransport::make(services, *component, config, std::move(events));
  }
  void make_connected() {
    transport.reset();
    auto made = make_transport();
    ASSERT_TRUE(made.ok());
    transport = std::move(*made);
  }
  void fail(std::uint64_t token, tenon_status code, std::string_view text) {
    tenon_error error;
    TENON_INIT(&error);
    tenon_fail(&error, code, TENON_FAULT_REMOTE, 1, abi(text));
    seen.host->complete(seen.host->context, token, &error);
  }
  PluginTransport::Done note() {
    return [this](const Status& how) { ended.push_back(how.ok() ? "ok" : how.error().message); };
  }

  tenon_transport table;
  std::unique_ptr<loader::LoadedComponent> part;
  std::unique_ptr<loader::Component> component;
  std::vector<std::string> ended;  // how calls ended, in order
  std::unique_ptr<PluginTransport> transport;
};

TEST_F(PluginTransportTest, APluginThatSaysTimeoutAtTheDeadlineIsHeardAndBreaksNoRule) {
  make_connected();
  transport->health_check(milliseconds(100), note());
  loop.advance(milliseconds(100));
  EXPECT_TRUE(ended.empty()) << "the host leaves the last word to the plugin for a little while";
  fail(seen.tokens.at(0), TENON_ERR_TIMEOUT, "no pong from the server");
  EXPECT_THAT(ended, ElementsAre("no pong from the server"));
  EXPECT_EQ(counted("late_completion"), "0");
}

TEST_F(PluginTransportTest, ACompletionLongAfterTheDeadlineIsDroppedAndCounted) {
  make_connected();
  transport->health_check(milliseconds(100), note());
  loop.advance(milliseconds(100) + kCompletionSlack);
  EXPECT_THAT(ended, ElementsAre("health_check was not answered in time"));
  seen.host->complete(seen.host->context, seen.tokens.at(0), nullptr);
  EXPECT_EQ(ended.size(), 1u);
  EXPECT_EQ(counted("late_completion"), "1");
}

TEST_F(PluginTransportTest, ACompletionOfNoCallIsCountedForWhatItIs) {
  make_connected();
  transport->health_check(milliseconds(100), note());
  seen.host->complete(seen.host->context, seen.tokens.at(0) + 1, nullptr);
  EXPECT_EQ(counted("unknown_completion"), "1");
  seen.host->complete(seen.host->context, seen.tokens.at(0), nullptr);
  seen.host->complete(seen.host->context, seen.tokens.at(0), nullptr);
  EXPECT_THAT(ended, ElementsAre("ok"));
  EXPECT_EQ(counted("late_completion"), "1");
}

TEST_F(PluginTransportTest, AGroupIsRefusedByATransportThatHasNone) {
  make_connected();
  transport->subscribe(0, "task.>", "counters", milliseconds(100), note());
  EXPECT_THAT(ended, ElementsAre(HasSubstr("remove \"group\" from the route")));
  EXPECT_EQ(seen.subscribed, 0);
  transport->subscribe(1, "task.>", "", milliseconds(100), note());
  EXPECT_EQ(seen.subscribed, 1) << "without a group it may";
}

TEST_F(PluginTransportTest, AGroupIsPassedToATransportThatHasThem) {
  seen.flags |= TENON_TRANSPORT_GROUPS;
  make_connected();
  transport->subscribe(0, "task.>", "counters", milliseconds(100), note());
  EXPECT_EQ(seen.subscribed, 1);
}

TEST_F(PluginTransportTest, AttributesAreGivenToThoseThatReadThem) {
  message::BaseMessageEnvelope event;
  event.type = "task.done";
  const message::Attribute extensions[] = {{"tenonrun", "1f", message::AttributeType::string}};
  event.extensions = extensions;
  OutgoingMessage out;
  out.event = &event;
  make_connected();
  transport->send(out, false, milliseconds(100), note());
  seen.flags |= TENON_TRANSPORT_ATTRIBUTES;
  make_connected();
  transport->send(out, false, milliseconds(100), note());
  EXPECT_THAT(seen.events, ElementsAre("none", "task.done tenonrun=1f"));
}

TEST_F(PluginTransportTest, AnInstanceThatIsNothingIsDestroyedAllTheSame) {
  make_connected();
  transport.reset();
  EXPECT_EQ(seen.destroyed, 1);
}

TEST_F(PluginTransportTest, AnErrorThatThePluginLeftEmptyIsReadAsNothingSaid) {
  seen.created = TENON_ERR_UNAVAILABLE;
  const auto made = make_transport();
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code, errc::unavailable);
  EXPECT_THAT(made.error().message, HasSubstr("failed without saying why"));
  EXPECT_FALSE(made.error().retryable);
  EXPECT_EQ(static_cast<std::uint32_t>(made.error().whose), TENON_FAULT_HOST);
  EXPECT_EQ(seen.destroyed, 0) << "what was not made is not destroyed";
}

}  // namespace
}  // namespace tenon::integration
