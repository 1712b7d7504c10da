// The table that a plugin's instance gets of its host: config, commands, timers, thread tags.
#include <gmock/gmock.h>
#include <latch>
#include <sys/eventfd.h>
#include <thread>

#include "host_table_fixture.hpp"

namespace tenon::integration {
namespace {

using testing::ElementsAre;

TEST_F(HostTableTest, IsWholeAndSaysItsVersion) {
  make();
  EXPECT_EQ(host->struct_size, sizeof(tenon_host));
  EXPECT_EQ(host->abi_minor, static_cast<std::uint32_t>(TENON_ABI_MINOR));
  EXPECT_EQ(from_abi(host->instance_name(context)), "bus");
  EXPECT_EQ(from_abi(host->node(context)), "alpha");
  EXPECT_EQ(from_abi(host->config_json(context)), "{}");
  // Every slot of the table, as bytes: a function that nobody filled in would be null.
  const char* const bytes = reinterpret_cast<const char*>(host);
  for (std::size_t at = offsetof(tenon_host, instance_name); at < sizeof(tenon_host); at += sizeof(void*)) {
    void* slot;
    std::memcpy(&slot, bytes + at, sizeof slot);
    EXPECT_NE(slot, nullptr) << "slot at " << at;
  }
}

// --- config_key ---

TEST_F(HostTableTest, NamesTheMembersOfAnObjectInTheOrderOfTheConfig) {
  make(R"({ "env": { "b": 1, "a": 2, "": 3, "x/y~z": 4, "zwölf": 5 }, "list": [1], "text": "t" })");
  EXPECT_EQ(key("/env", 0), "b");
  EXPECT_EQ(key("/env", 1), "a");
  EXPECT_EQ(key("/env", 3), "x/y~z") << "unescaped";
  EXPECT_EQ(key("/env", 4), "zwölf");
  EXPECT_EQ(key("", 0), "env") << "the whole config is an object too";
}

TEST_F(HostTableTest, AnEmptyNameIsPresentAndBeyondTheLastThereIsNone) {
  make(R"({ "env": { "": 3 } })");
  tenon_str name{nullptr, 7};
  ASSERT_EQ(host->config_key(context, abi("/env"), 0, &name), TENON_OK);
  EXPECT_NE(name.data, nullptr);
  EXPECT_EQ(name.size, 0u);
  EXPECT_EQ(host->config_key(context, abi("/env"), 1, &name), TENON_ERR_NOT_FOUND);
  EXPECT_EQ(host->config_key(context, abi("/env"), SIZE_MAX, &name), TENON_ERR_NOT_FOUND);
  EXPECT_EQ(name.size, 0u) << "a failing call leaves its out-parameter alone";
}

TEST_F(HostTableTest, OnlyObjectsHaveNames) {
  make(R"({ "list": [1], "text": "t", "number": 1, "nothing": null })");
  for (const char* pointer : {"/list", "/text", "/number", "/nothing", "/list/0"})
    EXPECT_EQ(key(pointer, 0), "status " + std::to_string(TENON_ERR_INVALID_ARGUMENT)) << pointer;
  for (const char* pointer : {"/absent", "/text/deeper", "no_slash", "/list/1", "/list/x", "/list/-1"})
    EXPECT_EQ(key(pointer, 0), "status " + std::to_string(TENON_ERR_NOT_FOUND)) << pointer;
}

TEST_F(HostTableTest, AMemberIsFoundByItsEscapedName) {
  make(R"({ "env": { "a/b": "slash", "a~b": "tilde", "a~1b": "both" } })");
  const auto value = [&](std::string_view pointer) {
    tenon_str text{nullptr, 0};
    EXPECT_EQ(host->config_string(context, abi(pointer), &text), TENON_OK) << pointer;
    return std::string(from_abi(text));
  };
  EXPECT_EQ(value("/env/a~1b"), "slash");
  EXPECT_EQ(value("/env/a~0b"), "tilde");
  EXPECT_EQ(value("/env/a~01b"), "both");
}

TEST_F(HostTableTest, ValuesOfAnotherTypeAreRefusedAndKeepTheDefault) {
  make(R"({ "n": 1, "t": "5s", "s": "64KiB", "b": true, "f": 1.5, "bad": "5 parsecs" })");
  std::int64_t integer = -7;
  EXPECT_EQ(host->config_integer(context, abi("/t"), &integer), TENON_ERR_INVALID_ARGUMENT);
  EXPECT_EQ(host->config_integer(context, abi("/absent"), &integer), TENON_ERR_NOT_FOUND);
  EXPECT_EQ(integer, -7);
  std::uint64_t ns = 0, octets = 0;
  EXPECT_EQ(host->config_duration(context, abi("/t"), &ns), TENON_OK);
  EXPECT_EQ(ns, 5'000'000'000u);
  EXPECT_EQ(host->config_duration(context, abi("/bad"), &ns), TENON_ERR_INVALID_ARGUMENT);
  EXPECT_EQ(host->config_size(context, abi("/s"), &octets), TENON_OK);
  EXPECT_EQ(octets, 64u * 1024);
  std::uint32_t boolean = 0;
  EXPECT_EQ(host->config_boolean(context, abi("/b"), &boolean), TENON_OK);
  EXPECT_EQ(boolean, 1u);
  EXPECT_EQ(host->config_boolean(context, abi("/n"), &boolean), TENON_ERR_INVALID_ARGUMENT);
}

// --- metrics ---

TEST_F(HostTableTest, WhatAPluginCountsIsACounterAndWhatItSetsAGauge) {
  make();
  host->metric(context, abi("asked"), TENON_METRIC_COUNTER, 0.5);
  host->metric(context, abi("asked"), TENON_METRIC_COUNTER, 2);
  host->metric(context, abi("level"), TENON_METRIC_GAUGE, 3);
  host->metric(context, abi("level"), TENON_METRIC_COUNTER, 4);  // misbehaviour: it is a gauge
  EXPECT_EQ(metrics.render(),
            "# HELP tenon_plugin_asked Reported by a plugin.\n# TYPE tenon_plugin_asked counter\n"
            "tenon_plugin_asked{plugin=\"transport/test\",instance=\"bus\"} 2.5\n"
            "# HELP tenon_plugin_level Reported by a plugin.\n# TYPE tenon_plugin_level gauge\n"
            "tenon_plugin_level{plugin=\"transport/test\",instance=\"bus\"} 3\n"
            "# HELP tenon_plugin_misbehaviour_total How often a plugin broke a rule of its interface.\n"
            "# TYPE tenon_plugin_misbehaviour_total counter\n"
            "tenon_plugin_misbehaviour_total{plugin=\"transport/test\",component=\"transport/test\","
            "rule=\"bad_metric\"} 1\n");
}

// --- work for threads ---

TEST_F(HostTableTest, KnowsWhetherTheLastWorkStillWaitsForAThread) {
  make();
  struct Work {
    std::latch entered{1}, release{1};
    tenon_status ended = -1;
    static void hang(void* argument) {
      auto* self = static_cast<Work*>(argument);
      self->entered.count_down();
      self->release.wait();
    }
    static void nothing(void*) { ADD_FAILURE() << "no thread was free for it"; }
    static void done(void* argument, tenon_status how) { static_cast<Work*>(argument)->ended = how; }
  } first, second;
  EXPECT_FALSE(instance->work_waits()) << "there is none";
  const std::uint64_t now = host->monotonic_ns(context), second_ns = 1'000'000'000;
  ASSERT_EQ(host->run_on_worker(context, &Work::hang, &Work::done, &first, now + 3600 * second_ns), TENON_OK);
  first.entered.wait();
  EXPECT_FALSE(instance->work_waits());
  ASSERT_EQ(host->run_on_worker(context, &Work::nothing, &Work::done, &second, now + second_ns), TENON_OK);
  EXPECT_TRUE(instance->work_waits());
  loop.advance(std::chrono::seconds(1));
  EXPECT_EQ(second.ended, TENON_ERR_EXHAUSTED);
  instance->forget_work();
  EXPECT_FALSE(instance->work_waits());
  first.release.count_down();
  while (first.ended != TENON_OK) {
    ASSERT_TRUE(loop.wait_posted());
    loop.run_posted();
  }
}

// --- commands ---

struct CommandCalls {
  int count = 0;
  std::uint32_t ended = 99;
  std::string output;
  static void done(void* argument, const tenon_command_result* result) {
    auto* self = static_cast<CommandCalls*>(argument);
    ++self->count;
    self->ended = result->ended;
    self->output.assign(reinterpret_cast<const char*>(result->output.data), result->output.size);
  }
};

class HostCommandTest : public HostTableTest {
 protected:
  HostCommandTest() { make(); }
  tenon_status run(std::uint64_t* out, std::uint32_t arguments = 1) {
    const tenon_str argv[] = {abi("/bin/probe")};
    tenon_command command;
    TENON_INIT(&command);
    command.arguments = argv;
    command.argument_count = arguments;
    command.deadline_ns = host->monotonic_ns(context) + 1'000'000'000;
    return host->run_command(context, &command, &CommandCalls::done, &calls, out);
  }
  void end(std::uint64_t theirs) {
    const auto done = environment.commands.at(theirs);
    CommandOutcome outcome;
    outcome.ended = TENON_EXIT_CODE;
    outcome.output = "said";
    done(std::move(outcome));
  }
  CommandCalls calls;
};

TEST_F(HostCommandTest, TellsTheOutcomeOnceAndKnowsTheCommandNoMore) {
  std::uint64_t command = 0;
  ASSERT_EQ(run(&command), TENON_OK);
  EXPECT_EQ(environment.requests[0].argv, std::vector<std::string>{"/bin/probe"});
  EXPECT_EQ(environment.requests[0].output_limit, 4096u) << "0 means 4096";
  end(environment.last);
  EXPECT_EQ(calls.count, 1);
  EXPECT_EQ(calls.output, "said");
  host->command_cancel(context, command);
  EXPECT_TRUE(environment.cancelled.empty()) << "it has ended";
}

TEST_F(HostCommandTest, RunsAsTheProcessThatTheInstanceWorksFor) {
  ASSERT_EQ(run(nullptr), TENON_OK);
  EXPECT_EQ(environment.requests.back().process, "") << "it works for none";
  instance->served = "counter.1";
  ASSERT_EQ(run(nullptr), TENON_OK);
  EXPECT_EQ(environment.requests.back().process, "counter.1");
}

TEST_F(HostCommandTest, ACancelledCommandIsKilledOnceAndNeverTold) {
  std::uint64_t command = 0;
  ASSERT_EQ(run(&command), TENON_OK);
  const std::uint64_t theirs = environment.last;
  host->command_cancel(context, command);
  host->command_cancel(context, command);
  EXPECT_THAT(environment.cancelled, ElementsAre(theirs));
  EXPECT_EQ(calls.count, 0);
}

TEST_F(HostCommandTest, CancellingWhatIsNoCommandDoesNothing) {
  ASSERT_EQ(run(nullptr), TENON_OK) << "the number is optional";
  for (const std::uint64_t number : {std::uint64_t{0}, environment.last, std::uint64_t{UINT64_MAX}})
    host->command_cancel(context, number);
  EXPECT_TRUE(environment.cancelled.empty());
}

TEST_F(HostCommandTest, ACancelledCommandMakesRoomForAnother) {
  std::vector<std::uint64_t> running(16);
  for (std::uint64_t& command : running) ASSERT_EQ(run(&command), TENON_OK);
  std::uint64_t one_more = 0;
  EXPECT_EQ(run(&one_more), TENON_ERR_EXHAUSTED);
  EXPECT_EQ(one_more, 0u);
  host->command_cancel(context, running[5]);
  EXPECT_EQ(run(&one_more), TENON_OK);
}

TEST_F(HostCommandTest, DestroyingTheInstanceCancelsAndTellsNobody) {
  ASSERT_EQ(run(nullptr), TENON_OK);
  const auto done = environment.commands.at(environment.last);
  instance.reset();
  EXPECT_EQ(environment.cancelled.size(), 1u);
  done({});  // it had ended in that very moment
  EXPECT_EQ(calls.count, 0);
}

TEST_F(HostCommandTest, CommandsThatMakeNoSenseAreRefused) {
  EXPECT_EQ(run(nullptr, 0), TENON_ERR_INVALID_ARGUMENT);
  EXPECT_EQ(run(nullptr, 5000), TENON_ERR_INVALID_ARGUMENT);
  EXPECT_EQ(host->run_command(context, nullptr, &CommandCalls::done, &calls, nullptr), TENON_ERR_INVALID_ARGUMENT);
  EXPECT_TRUE(environment.requests.empty());
}

// --- listening sockets ---

struct ListenCalls {
  int count = 0, fd = -2;
  tenon_status code = TENON_OK;
  std::string text;
  bool retryable = false;
  static void done(void* argument, std::int32_t fd, const tenon_error* error) {
    auto* self = static_cast<ListenCalls*>(argument);
    ++self->count;
    self->fd = fd;
    if (error == nullptr) return;
    self->code = error->code;
    self->text.assign(error->text, error->text_size);
    self->retryable = error->retryable != 0;
  }
};

class HostListenTest : public HostTableTest {
 protected:
  HostListenTest() { make(); }
  tenon_status listen(std::string_view address, std::uint64_t* out) {
    return host->listen(context, abi(address), &ListenCalls::done, &calls, out);
  }
  void answer(Result<int> with) {
    const auto done = environment.listeners.at(environment.last);
    done(std::move(with));
  }
  ListenCalls calls;
  std::uint64_t listener = 0;
};

TEST_F(HostListenTest, HandsOverTheDescriptorAndTakesItBack) {
  ASSERT_EQ(listen("unix:///run/x.sock", &listener), TENON_OK);
  EXPECT_THAT(environment.paths, ElementsAre("/run/x.sock"));
  const unique_fd socket(::eventfd(0, EFD_CLOEXEC));
  answer(socket.get());
  EXPECT_EQ(calls.count, 1);
  EXPECT_EQ(calls.fd, socket.get());
  host->listen_release(context, listener);
  host->listen_release(context, listener);
  EXPECT_EQ(environment.released.size(), 1u);
}

TEST_F(HostListenTest, WatchesOfTheDescriptorEndBeforeItGoesBack) {
  ASSERT_EQ(listen("unix:///x", &listener), TENON_OK);
  const unique_fd socket(::eventfd(0, EFD_CLOEXEC)), other(::eventfd(0, EFD_CLOEXEC));
  answer(socket.get());
  std::uint64_t watch = 0;
  const auto nothing = [](void*, std::uint32_t) {};
  ASSERT_EQ(host->fd_watch(context, socket.get(), TENON_FD_READ, nothing, nullptr, &watch), TENON_OK);
  ASSERT_EQ(host->fd_watch(context, other.get(), TENON_FD_READ, nothing, nullptr, &watch), TENON_OK);
  host->listen_release(context, listener);
  EXPECT_FALSE(loop.is_watched(socket.get()));
  EXPECT_TRUE(loop.is_watched(other.get()));
}

TEST_F(HostListenTest, ARefusalComesWithItsReasonAndLeavesNothingToRelease) {
  ASSERT_EQ(listen("unix:///x", &listener), TENON_OK);
  answer(Error(errc::already_exists, "another host listens there; stop it", fault::remote, true));
  EXPECT_EQ(calls.fd, -1);
  EXPECT_EQ(calls.code, TENON_ERR_ALREADY_EXISTS);
  EXPECT_EQ(calls.text, "another host listens there; stop it");
  EXPECT_TRUE(calls.retryable);
  host->listen_release(context, listener);
  EXPECT_TRUE(environment.released.empty());
}

TEST_F(HostListenTest, OnlyAbsoluteUnixPathsAreAddresses) {
  for (const char* address : {"", "/run/x", "unix:", "unix://", "unix://x", "unix:/x", "unix:x", "://x"})
    EXPECT_EQ(listen(address, &listener), TENON_ERR_INVALID_ARGUMENT) << address;
  for (const char* address : {"tcp://127.0.0.1:1", "vsock://2:1"})
    EXPECT_EQ(listen(address, &listener), TENON_ERR_UNSUPPORTED) << address;
  EXPECT_EQ(listen(std::string_view("unix:///a\0b", 11), &listener), TENON_ERR_INVALID_ARGUMENT);
  EXPECT_EQ(listen("unix:///" + std::string(107, 'x'), &listener), TENON_ERR_INVALID_ARGUMENT);
  EXPECT_EQ(host->listen(context, abi("unix:///x"), nullptr, nullptr, &listener), TENON_ERR_INVALID_ARGUMENT);
  EXPECT_EQ(host->listen(context, abi("unix:///x"), &ListenCalls::done, nullptr, nullptr), TENON_ERR_INVALID_ARGUMENT);
  EXPECT_TRUE(environment.paths.empty());
  EXPECT_EQ(listen("unix:///" + std::string(106, 'x'), &listener), TENON_OK) << "107 octets are the limit";
}

TEST_F(HostListenTest, AnInstanceHasEightAtMost) {
  for (int i = 0; i < 8; ++i) ASSERT_EQ(listen("unix:///" + std::to_string(i), &listener), TENON_OK);
  std::uint64_t one_more = 0;
  EXPECT_EQ(listen("unix:///8", &one_more), TENON_ERR_EXHAUSTED);
  host->listen_release(context, listener);
  EXPECT_EQ(listen("unix:///8", &one_more), TENON_OK);
}

TEST_F(HostListenTest, TheEnvironmentsRefusalIsTheCallsStatus) {
  environment.refuse_to_listen = Error(errc::already_exists, "an instance of this host has it");
  EXPECT_EQ(listen("unix:///x", &listener), TENON_ERR_ALREADY_EXISTS);
  EXPECT_EQ(listener, 0u);
}

TEST_F(HostListenTest, DestroyingTheInstanceReleasesAndAnswersNobody) {
  ASSERT_EQ(listen("unix:///x", &listener), TENON_OK);
  const auto done = environment.listeners.at(environment.last);
  instance.reset();
  EXPECT_EQ(environment.released.size(), 1u);
  done(Error(errc::io, "late"));
  EXPECT_EQ(calls.count, 0);
}

// --- thread tags ---

TEST_F(HostTableTest, WhatIsForAnyThreadReachesTheLoop) {
  make();
  std::thread([&] {
    EXPECT_GT(host->monotonic_ns(context), 0u);
    host->random(context);
    host->complete(context, 7, nullptr);
  }).join();
  EXPECT_TRUE(instance->completions.empty()) << "not on that thread";
  loop.run_posted();
  EXPECT_THAT(instance->completions, ElementsAre(std::pair(std::uint64_t{7}, true)));
}

#ifndef NDEBUG
using HostTableDeathTest = HostTableTest;

TEST_F(HostTableDeathTest, ALoopFunctionCalledFromAnotherThreadEndsADebugBuildByName) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  make();
  const auto off_the_loop = [](auto call) { std::thread(call).join(); };
  const auto callback = [](void*) {};
  EXPECT_DEATH(off_the_loop([&] { host->timer_start(context, 1, 0, callback, nullptr, nullptr); }),
               "transport/test, instance bus: timer_start is \\[loop\\]");
  EXPECT_DEATH(off_the_loop([&] { host->fd_unwatch(context, 1); }), "fd_unwatch is \\[loop\\]");
  EXPECT_DEATH(off_the_loop([&] { host->command_cancel(context, 1); }), "command_cancel is \\[loop\\]");
  EXPECT_DEATH(off_the_loop([&] { host->listen_release(context, 1); }), "listen_release is \\[loop\\]");
  EXPECT_DEATH(off_the_loop([&] { key("", 0); }), "config_key is \\[loop\\]");
}
#else
TEST_F(HostTableTest, ALoopFunctionCalledFromAnotherThreadIsRefused) {
  make();
  const auto callback = [](void*) {};
  std::uint64_t timer = 0;
  std::thread([&] {
    EXPECT_EQ(host->timer_start(context, 1, 0, callback, nullptr, &timer), TENON_ERR_WRONG_STATE);
  }).join();
  EXPECT_EQ(loop.live_timers(), 0u);
}
#endif

}  // namespace
}  // namespace tenon::integration
