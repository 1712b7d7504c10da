#include "integration/command_runner.hpp"

#include <csignal>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <optional>
#include <unistd.h>

#include "event/fake_loop.hpp"

namespace tenon::integration {
namespace {

class FakeLauncher final : public CommandLauncher {
 public:
  Status spawn_command(keeper::SpawnSpec spec) override {
    if (refuse) return Error(errc::wrong_state, "the link is lost");
    spawned.push_back(std::move(spec));
    return {};
  }
  void kill_command(const keeper::ProcessKey& key) override { killed.push_back(key.id); }
  void forget_command(const keeper::ProcessKey& key) override { forgotten.push_back(key.id); }
  bool refuse = false;
  std::vector<keeper::SpawnSpec> spawned;
  std::vector<std::string> killed, forgotten;
};

class CommandRunnerTest : public ::testing::Test {
 protected:
  struct Running {
    unique_fd output, error;  // the command's ends
  };
  std::uint64_t run(std::size_t output_limit = 4096) {
    CommandRequest request;
    request.argv = {"/bin/probe", "--fast"};
    request.environment = {"MODE=x"};
    request.output_limit = output_limit;
    request.deadline = loop.clock().monotonic() + std::chrono::seconds(2);
    const auto started = runner->run(std::move(request), [this](CommandOutcome o) {
      ++calls;
      outcome = std::move(o);
    });
    EXPECT_TRUE(started.ok());
    return started.ok() ? *started : 0;
  }
  Running spawned() {
    int out[2], err[2];
    EXPECT_EQ(::pipe2(out, O_CLOEXEC | O_NONBLOCK), 0);
    EXPECT_EQ(::pipe2(err, O_CLOEXEC | O_NONBLOCK), 0);
    keeper::Spawned message;
    message.key = launcher.spawned.back().key;
    message.descriptors.output = unique_fd(out[0]);
    message.descriptors.error = unique_fd(err[0]);
    runner->on_spawned(std::move(message));
    return {unique_fd(out[1]), unique_fd(err[1])};
  }
  void exited(ExitStatus status) {
    keeper::Exited message;
    message.key = launcher.spawned.back().key;
    message.exit.status = status;
    runner->on_exited(message);
  }
  static void write(const unique_fd& to, std::string_view text) {
    ASSERT_EQ(::write(to.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }

  event::FakeLoop loop;
  FakeLauncher launcher;
  std::unique_ptr<CommandRunner> runner = std::make_unique<CommandRunner>(
      loop, launcher, 2, [this](std::string_view id) { return id == "worker" ? &worker : nullptr; }, "/etc/tenon");
  runtime::ProcessConfig worker;
  int calls = 0;
  CommandOutcome outcome;
};

TEST_F(CommandRunnerTest, AsksForATransientProcessWithItsEnvironmentAndNothingOfTheHosts) {
  ::setenv("TENON_SECRET_OF_THE_HOST", "1", 1);
  run();
  ASSERT_EQ(launcher.spawned.size(), 1u);
  const keeper::SpawnSpec& spec = launcher.spawned[0];
  EXPECT_TRUE(CommandRunner::owns(spec.key));
  EXPECT_TRUE(spec.transient);
  EXPECT_EQ(spec.argv, (std::vector<std::string>{"/bin/probe", "--fast"}));
  EXPECT_EQ(spec.environment.back(), "MODE=x");
  for (const std::string& entry : spec.environment) EXPECT_FALSE(entry.starts_with("TENON_")) << entry;
}

TEST_F(CommandRunnerTest, RunsForAProcessAsThatProcessDoes) {
  worker.uid = 1234, worker.gid = 2345, worker.groups = {{7}}, worker.cwd = "/srv", worker.no_new_privileges = true;
  worker.shared_env = std::make_shared<const std::vector<std::string>>(std::vector<std::string>{"PATH=/p", "MODE=y"});
  worker.env = {"TENON_ID=worker", "TENON_CHANNEL_FD=3", "NOTIFY_SOCKET=/s"};
  CommandRequest request;
  request.argv = {"probe"};
  request.environment = {"MODE=x"};
  request.process = "worker";
  ASSERT_TRUE(runner->run(request, [](CommandOutcome) {}).ok());
  const keeper::SpawnSpec& spec = launcher.spawned.back();
  EXPECT_EQ(spec.uid, 1234u);
  EXPECT_EQ(spec.gid, 2345u);
  EXPECT_EQ(spec.groups, worker.groups);
  EXPECT_EQ(spec.directory, "/srv");
  EXPECT_TRUE(spec.no_new_privileges);
  EXPECT_EQ(spec.environment, (std::vector<std::string>{"PATH=/p", "TENON_ID=worker", "MODE=x"}));
  request.directory = "/elsewhere";
  ASSERT_TRUE(runner->run(request, [](CommandOutcome) {}).ok());
  EXPECT_EQ(launcher.spawned.back().directory, "/elsewhere");
}

TEST_F(CommandRunnerTest, RunsNothingForAProcessThatIsNotThere) {
  CommandRequest request;
  request.argv = {"probe"};
  request.process = "nobody";
  EXPECT_EQ(runner->run(request, [](CommandOutcome) {}).error().code, errc::not_found);
  EXPECT_TRUE(launcher.spawned.empty());
}

TEST_F(CommandRunnerTest, IsNotFooledByAnEarlierEnginesCommandOfTheSameNumber) {
  run();
  keeper::Exited earlier;
  earlier.key = launcher.spawned.back().key;
  ASSERT_EQ(earlier.key.generation, 2u);
  earlier.key.generation = 1;
  runner->on_exited(earlier);
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(launcher.forgotten.size(), 1u) << "and the keeper may forget it";
  exited(ExitStatus{});
  EXPECT_EQ(calls, 1);
}

TEST_F(CommandRunnerTest, ReportsTheExitCodeTheDurationAndBothStreams) {
  run();
  const Running command = spawned();
  write(command.output, "out ");
  loop.poll_descriptors();
  write(command.error, "err");
  loop.advance(std::chrono::milliseconds(30));
  exited(ExitStatus{3, 0, false});
  ASSERT_EQ(calls, 1);
  EXPECT_EQ(outcome.ended, TENON_EXIT_CODE);
  EXPECT_EQ(outcome.value, 3);
  EXPECT_EQ(outcome.output, "out err") << "what is still in the pipe at the exit belongs to it";
  EXPECT_FALSE(outcome.output_truncated);
  EXPECT_EQ(outcome.duration, std::chrono::milliseconds(30));
  EXPECT_EQ(launcher.forgotten.size(), 1u);
  EXPECT_EQ(loop.live_watches(), 0u);
  EXPECT_EQ(loop.live_timers(), 0u);
}

TEST_F(CommandRunnerTest, ReportsTheSignalThatEndedIt) {
  run();
  spawned();
  exited(ExitStatus{0, SIGSEGV, false});
  EXPECT_EQ(outcome.ended, TENON_EXIT_SIGNAL);
  EXPECT_EQ(outcome.value, SIGSEGV);
}

TEST_F(CommandRunnerTest, KeepsTheLastOctetsOfTheOutput) {
  run(10);
  const Running command = spawned();
  write(command.output, "0123456789");
  loop.poll_descriptors();
  write(command.output, "abcd");
  loop.poll_descriptors();
  write(command.output, std::string(60'000, 'x') + "the reason");
  exited(ExitStatus{1, 0, false});
  EXPECT_EQ(outcome.output, "the reason");
  EXPECT_TRUE(outcome.output_truncated);
}

TEST_F(CommandRunnerTest, CallsOutputOfExactlyTheLimitWhole) {
  run(10);
  const Running command = spawned();
  write(command.output, "0123456789");
  exited(ExitStatus{0, 0, false});
  EXPECT_EQ(outcome.output, "0123456789");
  EXPECT_FALSE(outcome.output_truncated);
}

TEST_F(CommandRunnerTest, KillsWhatIsPastItsDeadlineAndReportsWhenItIsGone) {
  run();
  const Running command = spawned();
  write(command.output, "stuck");
  loop.advance(std::chrono::seconds(2));
  EXPECT_EQ(launcher.killed.size(), 1u);
  EXPECT_EQ(calls, 0) << "its slot is free when it is gone";
  exited(ExitStatus{0, SIGKILL, false});
  ASSERT_EQ(calls, 1);
  EXPECT_EQ(outcome.ended, TENON_EXIT_TIMEOUT);
  EXPECT_EQ(outcome.output, "stuck");
}

TEST_F(CommandRunnerTest, KillsWhatStartsOnlyAfterItsDeadline) {
  run();
  loop.advance(std::chrono::seconds(3));
  const std::size_t before = launcher.killed.size();
  spawned();
  EXPECT_EQ(launcher.killed.size(), before + 1);
  EXPECT_EQ(loop.live_watches(), 0u);
}

TEST_F(CommandRunnerTest, NeverCallsBackOnceCancelled) {
  const std::uint64_t command = run();
  spawned();
  runner->cancel(command);
  EXPECT_EQ(launcher.killed.size(), 1u);
  exited(ExitStatus{0, SIGKILL, false});
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(launcher.forgotten.size(), 1u);
  runner->cancel(command);
  EXPECT_EQ(launcher.killed.size(), 1u);
}

TEST_F(CommandRunnerTest, SaysWhyACommandCouldNotStart) {
  run();
  keeper::SpawnFailed failure;
  failure.key = launcher.spawned.back().key;
  failure.error_number = ENOENT;
  failure.message = "no such file";
  runner->on_spawn_failed(failure);
  ASSERT_EQ(calls, 1);
  EXPECT_EQ(outcome.ended, TENON_EXIT_FAILED);
  EXPECT_EQ(outcome.value, ENOENT);
  EXPECT_EQ(outcome.output, "no such file");
}

TEST_F(CommandRunnerTest, RunsABoundedNumberAtOnceAndCountsAFailedRequestForNothing) {
  launcher.refuse = true;
  for (std::size_t i = 0; i < CommandRunner::kMaxCommands + 1; ++i) {
    CommandRequest request;
    request.argv = {"/bin/probe"};
    const auto started = runner->run(std::move(request), [](CommandOutcome) {});
    ASSERT_FALSE(started.ok());
    ASSERT_EQ(started.error().code, errc::wrong_state);
  }
  launcher.refuse = false;
  for (std::size_t i = 0; i < CommandRunner::kMaxCommands; ++i) run();
  CommandRequest one_more;
  one_more.argv = {"/bin/probe"};
  const auto refused = runner->run(std::move(one_more), [](CommandOutcome) {});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, errc::exhausted);
  exited(ExitStatus{0, 0, false});
  run();
}

TEST_F(CommandRunnerTest, MayBeDestroyedWhileCommandsRun) {
  run();
  const Running command = spawned();
  write(command.output, "x");
  runner.reset();
  EXPECT_EQ(loop.live_watches(), 0u);
  EXPECT_EQ(loop.live_timers(), 0u);
  loop.advance(std::chrono::seconds(5));
  EXPECT_EQ(calls, 0);
}

TEST_F(CommandRunnerTest, RelativePathsAreRelativeToTheConfigFileOfTheirProcess) {
  worker.cwd = "/srv/worker";
  worker.config_directory = "/etc/tenon/conf.d";
  const auto run_as_worker = [&](std::string program, std::string directory) -> const keeper::SpawnSpec& {
    CommandRequest request;
    request.argv = {std::move(program), "./argument"};
    request.directory = std::move(directory);
    request.process = "worker";
    EXPECT_TRUE(runner->run(request, [](CommandOutcome) {}).ok());
    return launcher.spawned.back();
  };
  EXPECT_EQ(run_as_worker("./check.sh", "").argv, (std::vector<std::string>{"/etc/tenon/conf.d/./check.sh", "./argument"}));
  EXPECT_EQ(launcher.spawned.back().directory, "/srv/worker") << "the process's, unless another is given";
  EXPECT_EQ(run_as_worker("bin/check", "data").argv.front(), "/etc/tenon/conf.d/bin/check");
  EXPECT_EQ(launcher.spawned.back().directory, "/etc/tenon/conf.d/data");
  EXPECT_EQ(run_as_worker("check", "/data").argv.front(), "check") << "searched in PATH";
  EXPECT_EQ(launcher.spawned.back().directory, "/data");
  CommandRequest request;  // for no process
  request.argv = {"bin/check"};
  EXPECT_TRUE(runner->run(request, [](CommandOutcome) {}).ok());
  EXPECT_EQ(launcher.spawned.back().argv.front(), "/etc/tenon/bin/check");
}

}  // namespace
}  // namespace tenon::integration
