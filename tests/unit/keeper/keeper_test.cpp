// The keeper as a whole: real processes, real engines, events waited for.
#include "keeper_host.hpp"

#include <gmock/gmock.h>

#include "common/system.hpp"

namespace tenon::keeper {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// Says "ready", then repeats what it is told.
constexpr const char* kEcho = "echo ready; exec cat";
// Says "ready", then waits for a signal in a way that lets a trap run at once.
std::string noting(const std::string& file, const std::string& name) {
  return "trap 'echo " + name + " >> " + file + "; exit 0' TERM; echo ready; sleep 1000 & wait";
}

TEST_F(KeeperTest, GivesTheFirstEngineTheHostsParametersAndNothingElse) {
  start();
  std::string adopted;
  auto engine = next_engine(&adopted);
  EXPECT_EQ(adopted, "adopted 1 restarts 0 hung 0 parameters --test\nstashed 0");
}

TEST_F(KeeperTest, StartsAProcessOnceHoweverOftenItIsAsked) {
  start();
  auto engine = next_engine();
  const pid_t pid = engine.spawn("echo", kEcho);
  const std::string again = engine.ask(std::string("spawn echo 1 0 1000 plain ") + kEcho);
  EXPECT_EQ(again, "spawned echo#1 " + std::to_string(pid));
  engine.tell("write echo 1 hello");
  EXPECT_EQ(engine.ask("read echo 1"), "line hello") << "the second answer's descriptors lead to the same process";
}

TEST_F(KeeperTest, SaysWhyAProcessCannotBeStarted) {
  start();
  auto engine = next_engine();
  EXPECT_EQ(engine.ask("spawn bad 1 0 1000 missing x"), "spawn_failed bad#1 exec 2");
  EXPECT_EQ(engine.ask("signal bad 1 15"), "signal_failed 3") << "and nothing is left of it";
}

TEST_F(KeeperTest, HandsChildrenAndTheirDescriptorsToTheNextEngine) {
  start();
  auto first = next_engine();
  const pid_t pid = first.spawn("echo", kEcho);
  first.tell("write echo 1 unread");
  ASSERT_EQ(first.ask("close_input nobody 1"), "closed nobody#1") << "so the line was written";
  ::kill(first.pid(), SIGKILL);
  std::string adopted;
  auto second = next_engine(&adopted);
  EXPECT_THAT(adopted, StartsWith("adopted 2 restarts 1 hung 0 parameters --test after signal 9"));
  EXPECT_THAT(adopted, HasSubstr("child echo#1 " + std::to_string(pid) + " running"));
  EXPECT_EQ(second.ask("read echo 1"), "line unread") << "what was in the pipe is still there";
  second.tell("write echo 1 more");
  EXPECT_EQ(second.ask("read echo 1"), "line more");
}

TEST_F(KeeperTest, TellsTheNextEngineOfAnExitThatTheOneBeforeNeverRead) {
  start();
  auto first = next_engine();
  const pid_t pid = first.spawn("echo", kEcho);
  const WatchedProcess child(pid);
  ::kill(first.pid(), SIGSTOP);
  ::kill(pid, SIGUSR1);
  ASSERT_TRUE(child.ended());
  ::kill(first.pid(), SIGKILL);
  std::string adopted;
  auto second = next_engine(&adopted);
  EXPECT_THAT(adopted, HasSubstr("child echo#1 " + std::to_string(pid) + " signal 10"));

  second.tell("forget echo 1");
  EXPECT_EQ(second.ask("signal echo 1 15"), "signal_failed 3");
  ::kill(second.pid(), SIGKILL);
  next_engine(&adopted);
  EXPECT_THAT(adopted, Not(HasSubstr("child")));
}

TEST_F(KeeperTest, KeepsWhatADeadProcessWroteUntilItIsForgotten) {
  start();
  auto first = next_engine();
  const pid_t pid = first.spawn("last", "echo ready; read x; echo words; exit 7");
  const WatchedProcess child(pid);
  first.tell("write last 1 go");
  ASSERT_EQ(first.hear(), "exited last#1 exit code 7");
  ::kill(first.pid(), SIGKILL);
  std::string adopted;
  auto second = next_engine(&adopted);
  EXPECT_THAT(adopted, HasSubstr("child last#1 " + std::to_string(pid) + " exit code 7"));
  EXPECT_EQ(second.ask("read last 1"), "line words");
}

TEST_F(KeeperTest, ConfirmsThatAnEndIsClosedAndThenTheProcessSeesIt) {
  start();
  auto engine = next_engine();
  engine.spawn("echo", kEcho);
  EXPECT_EQ(engine.ask("close_input echo 1"), "closed echo#1");
  EXPECT_EQ(engine.hear(), "exited echo#1 exit code 0");
}

TEST_F(KeeperTest, HandsOverTheStashSmallAndLarge) {
  start();
  auto first = next_engine();
  first.tell("put small 10");
  first.tell("put large 1000000");
  first.spawn("echo", kEcho);  // its answer comes after both
  ::kill(first.pid(), SIGKILL);
  std::string adopted;
  auto second = next_engine(&adopted);
  EXPECT_THAT(adopted, HasSubstr("stash small 10 bytes 1 fds"));
  EXPECT_THAT(adopted, HasSubstr("stash large 1000000 bytes 1 fds"));
}

TEST_F(KeeperTest, HandsOverMoreThanTheLinkHoldsAtOnceAndTellsOfDeathsMeanwhile) {
  start();
  auto first = next_engine();
  const pid_t pid = first.spawn("echo", kEcho);
  first.tell("put_many 2000 2000");
  ASSERT_EQ(first.ask("close_input nobody 1"), "closed nobody#1") << "so the keeper has read them all";
  const WatchedProcess child(pid);
  ::kill(first.pid(), SIGKILL);
  ::kill(pid, SIGKILL);
  std::string adopted;
  auto second = next_engine(&adopted);
  EXPECT_THAT(adopted, HasSubstr("stashed 2000"));
  if (adopted.find("child echo#1 " + std::to_string(pid) + " running") != std::string::npos) {
    EXPECT_EQ(second.hear(), "exited echo#1 signal 9 (KILL)");
  } else {
    EXPECT_THAT(adopted, HasSubstr("child echo#1 " + std::to_string(pid) + " signal 9 (KILL)"));
  }
}

TEST_F(KeeperTest, EndsHelpersWithTheirEngine) {
  start();
  auto first = next_engine();
  const WatchedProcess helper(first.spawn("probe", kEcho, 0, 1000, "transient"));
  ::kill(first.pid(), SIGKILL);
  EXPECT_TRUE(helper.ended());
  std::string adopted;
  auto second = next_engine(&adopted);
  EXPECT_THAT(adopted, Not(HasSubstr("probe")));
}

TEST_F(KeeperTest, KillsWhatADeadProcessLeftInItsGroup) {
  start();
  auto engine = next_engine();
  engine.spawn("leader", "echo ready; sleep 1000 & echo $!; read x");
  const std::string line = engine.ask("read leader 1");
  const WatchedProcess grandchild(std::stoi(line.substr(5)));
  ASSERT_TRUE(grandchild.runs());
  engine.tell("write leader 1 go");
  EXPECT_TRUE(grandchild.ended());
}

TEST_F(KeeperTest, ReplacesAnEngineThatIsStopped) {
  start({.hang_ms = 200});
  auto first = next_engine();
  const pid_t pid = first.spawn("echo", kEcho);
  ::kill(first.pid(), SIGSTOP);
  std::string adopted;
  auto second = next_engine(&adopted);
  EXPECT_THAT(adopted, StartsWith("adopted 2 restarts 1 hung 0"));
  EXPECT_THAT(adopted, HasSubstr("child echo#1 " + std::to_string(pid) + " running"));
}

TEST_F(KeeperTest, ReplacesAnEngineWhoseTurnDoesNotEndAndTellsWhereItWas) {
  start({.hang_ms = 200});
  auto first = next_engine();
  first.tell("hang");
  std::string adopted;
  auto second = next_engine(&adopted);
  EXPECT_THAT(adopted, StartsWith("adopted 2 restarts 1 hung 1 parameters --test after signal 6"));
  EXPECT_THAT(adopted, HasSubstr("crumb transport/slow send"));
}

TEST_F(KeeperTest, LooksNoMoreAtAnEngineThatSleepsUntilItSaysThatATurnBegins) {
  start({.hang_ms = 200});
  auto first = next_engine();
  EXPECT_EQ(first.ask("rest"), "unwatched");
  EXPECT_EQ(first.ask("turn"), "watched 1");
  EXPECT_EQ(first.ask("rest"), "unwatched") << "it sleeps again";
  first.tell("hang");
  std::string adopted;
  auto second = next_engine(&adopted);
  EXPECT_THAT(adopted, StartsWith("adopted 2 restarts 1 hung 1"));
}

TEST_F(KeeperTest, LetsTheEngineStopTheHostWithItsExitCode) {
  start();
  auto engine = next_engine();
  ASSERT_EQ(engine.ask("listen control " + directory_ + "/tenon.sock"), "listening control");
  const WatchedProcess child(engine.spawn("echo", kEcho));
  engine.tell("quit 3");
  EXPECT_EQ(keeper_ends().code, 3);
  EXPECT_TRUE(child.ended());
  EXPECT_FALSE(exists("tenon.sock"));
  EXPECT_FALSE(exists("tenon.sock.lock"));
}

TEST_F(KeeperTest, AsksTheEngineToStopOnSigterm) {
  start({.shutdown_ms = 54'321});
  auto engine = next_engine();
  ::kill(keeper_, SIGTERM);
  EXPECT_EQ(engine.hear(), "shutdown 54321");
  engine.tell("quit 0");
  EXPECT_TRUE(keeper_ends().success());
}

TEST_F(KeeperTest, PassesSighupOn) {
  start();
  auto engine = next_engine();
  ::kill(keeper_, SIGHUP);
  EXPECT_EQ(engine.hear(), "reload");
}

TEST_F(KeeperTest, StopsByRankWhenTheEngineDoesNotStopInTime) {
  start({.shutdown_ms = 100});
  auto engine = next_engine();
  const std::string file = directory_ + "/order";
  engine.spawn("low", noting(file, "low"), 1);
  engine.spawn("high", noting(file, "high"), 9);
  engine.spawn("middle", noting(file, "middle"), 5);
  const WatchedProcess deaf(engine.spawn("deaf", "trap '' TERM; echo ready; while :; do read x; done", 9, 50));
  ::kill(keeper_, SIGTERM);
  EXPECT_TRUE(keeper_ends().success());
  EXPECT_TRUE(deaf.ended());
  EXPECT_EQ(read_file(file, 1000).value(), "high\nmiddle\nlow\n");
}

TEST_F(KeeperTest, StopsByItselfOnASecondSignal) {
  start();
  auto engine = next_engine();
  const WatchedProcess child(engine.spawn("echo", kEcho));
  ::kill(keeper_, SIGTERM);
  ASSERT_THAT(engine.hear(), StartsWith("shutdown"));
  ::kill(keeper_, SIGINT);
  EXPECT_TRUE(keeper_ends().success());
  EXPECT_TRUE(child.ended());
}

TEST_F(KeeperTest, KillsAllOnAThirdSignal) {
  start();
  auto engine = next_engine();
  const WatchedProcess child(
      engine.spawn("deaf", "trap 'echo asked' TERM; echo ready; while :; do read x; done", 0, 10'000'000));
  ::kill(keeper_, SIGTERM);
  ASSERT_THAT(engine.hear(), StartsWith("shutdown"));
  ::kill(keeper_, SIGTERM);
  ASSERT_EQ(engine.ask("read deaf 1"), "line asked");
  ::kill(keeper_, SIGTERM);
  EXPECT_TRUE(keeper_ends().success());
  EXPECT_TRUE(child.ended());
}

TEST_F(KeeperTest, FinishesTheStopOfAnEngineThatDiesInIt) {
  start();
  auto engine = next_engine();
  const WatchedProcess child(engine.spawn("echo", kEcho));
  engine.tell("stopping 3");
  ASSERT_EQ(engine.ask("close_input nobody 1"), "closed nobody#1") << "so the keeper knows";
  ::kill(engine.pid(), SIGKILL);
  EXPECT_EQ(keeper_ends().code, 3);
  EXPECT_TRUE(child.ended());
}

TEST_F(KeeperTest, FinishesTheStopOfAnEngineThatTakesLongerThanItsBound) {
  start({.shutdown_ms = 50});
  auto engine = next_engine();
  const WatchedProcess child(engine.spawn("echo", kEcho));
  engine.tell("stopping 0");
  EXPECT_TRUE(keeper_ends().success());
  EXPECT_TRUE(child.ended());
}

TEST_F(KeeperTest, LetsAnEngineThatStopsGoOnWhenItIsAskedToStop) {
  start();
  auto engine = next_engine();
  const WatchedProcess child(engine.spawn("echo", kEcho));
  engine.tell("stopping 0");
  ASSERT_EQ(engine.ask("close_input nobody 1"), "closed nobody#1");
  ::kill(keeper_, SIGTERM);
  ASSERT_EQ(engine.ask("close_input nobody 1"), "closed nobody#1") << "and nothing was said of a shutdown";
  EXPECT_TRUE(child.runs());
  engine.tell("quit 0");
  EXPECT_TRUE(keeper_ends().success());
}

TEST_F(KeeperTest, IgnoresSignalsThatMeanNothingToIt) {
  start();
  auto engine = next_engine();
  const WatchedProcess child(engine.spawn("echo", kEcho));
  for (const int number :
       {SIGUSR1, SIGUSR2, SIGALRM, SIGPIPE, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGXCPU, SIGXFSZ, SIGRTMIN}) {
    ::kill(keeper_, number);
  }
  EXPECT_EQ(engine.ask("close_input nobody 1"), "closed nobody#1");
  EXPECT_TRUE(child.runs());
}

TEST_F(KeeperTest, KillsAllAtOnceOnSigquit) {
  start();
  auto engine = next_engine();
  const WatchedProcess deaf(engine.spawn("deaf", "trap '' TERM; echo ready; while :; do read x; done", 0, 10'000'000));
  ::kill(keeper_, SIGQUIT);
  EXPECT_TRUE(keeper_ends().success());
  EXPECT_TRUE(deaf.ended());
}

TEST_F(KeeperTest, StopsEverythingOnSigtermWithoutAnEngine) {
  start({.last_engine = 1});
  auto engine = next_engine();
  const std::string file = directory_ + "/order";
  engine.spawn("low", noting(file, "low"), 1);
  engine.spawn("high", noting(file, "high"), 2);
  ::kill(engine.pid(), SIGKILL);
  ASSERT_EQ(engine.hear(), "<gone>");
  const WatchedProcess gone(engine.pid());
  ASSERT_TRUE(gone.ended());
  ::kill(keeper_, SIGTERM);
  EXPECT_TRUE(keeper_ends().success());
  EXPECT_EQ(read_file(file, 1000).value(), "high\nlow\n");
}

TEST_F(KeeperTest, AnswersServiceUnavailableWhileThereIsNoEngine) {
  start({.unavailable_ms = 50, .last_engine = 1});
  auto engine = next_engine();
  const std::string path = directory_ + "/tenon.sock";
  ASSERT_EQ(engine.ask("listen control " + path), "listening control");
  ::kill(engine.pid(), SIGKILL);
  unique_fd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_TRUE(write_all(client.get(), "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", "socket").ok());
  EXPECT_THAT(read_all(client.get(), 4096, "socket").value(), StartsWith("HTTP/1.1 503 "));
}

TEST_F(KeeperTest, HandsListenersToTheNextEngineAndRefusesASecondHost) {
  start();
  auto first = next_engine();
  const std::string path = directory_ + "/tenon.sock";
  ASSERT_EQ(first.ask("listen control " + path), "listening control");
  EXPECT_EQ(first.ask("listen control " + path), "listening control") << "asked again";
  ::kill(first.pid(), SIGKILL);
  std::string adopted;
  auto second = next_engine(&adopted);
  EXPECT_THAT(adopted, HasSubstr("listener control"));
  EXPECT_EQ(second.ask("listen other " + path),
            "listen_failed another host is running on " + path + " (pid " + std::to_string(keeper_) +
                "); stop it or choose another --socket");
}

TEST_F(KeeperTest, LeavesNothingBehindWhenItIsKilledItself) {
  start();
  auto engine = next_engine();
  const WatchedProcess child(engine.spawn("leader", "echo ready; sleep 1000 & echo $!; wait"));
  const WatchedProcess grandchild(std::stoi(engine.ask("read leader 1").substr(5)));
  const WatchedProcess engine_process(engine.pid());
  ::kill(keeper_, SIGKILL);
  EXPECT_TRUE(child.ended());
  EXPECT_TRUE(grandchild.ended());
  EXPECT_TRUE(engine_process.ended());
}

TEST_F(KeeperTest, WorksAsTheFirstProcessOfANamespace) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to make a pid namespace";
  start({.pid_namespace = true});
  auto engine = next_engine();
  engine.spawn("leader", "(setsid true &); echo ready; read x; exit 4");
  engine.tell("write leader 1 go");
  EXPECT_EQ(engine.hear(), "exited leader#1 exit code 4");
  ::kill(keeper_, SIGTERM);
  EXPECT_THAT(engine.hear(), StartsWith("shutdown"));
  engine.tell("quit 0");
  EXPECT_TRUE(keeper_ends().success());
}

}  // namespace
}  // namespace tenon::keeper
