#include "event/alternate_stack.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <thread>

#include <unistd.h>

#include "event/loop.hpp"
#include "event/worker_pool.hpp"

namespace tenon::event {
namespace {

volatile std::size_t g_depth = 0;

__attribute__((noinline, no_sanitize("address", "undefined"))) std::size_t overflow(std::size_t depth) {
  volatile char frame[4096];
  frame[0] = static_cast<char>(depth);
  g_depth = depth;
  if (depth == SIZE_MAX) return 0;  // never
  return overflow(depth + 1) + static_cast<std::size_t>(frame[0]);
}

// Ends the process with 42 from the handler; a handler without a stack to run on never gets there.
void say_so_on_overflow() {
  struct sigaction action {};
  action.sa_handler = [](int) { ::_exit(42); };
  action.sa_flags = SA_ONSTACK;
  ::sigaction(SIGSEGV, &action, nullptr);
}

TEST(AlternateStackDeathTest, LetsAThreadThatOverflowedItsStackSpeak) {
  ::testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_EXIT(
      {
        say_so_on_overflow();
        std::thread([] {
          const AlternateStack stack;
          overflow(0);
        }).join();
      },
      ::testing::ExitedWithCode(42), "");
}

TEST(AlternateStackDeathTest, IsThereOnWorkerThreads) {
  ::testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_EXIT(
      {
        say_so_on_overflow();
        const auto loop = make_loop();
        const auto pool = make_worker_pool(*loop);
        const Status taken = pool->submit([] { overflow(0); }, std::chrono::minutes(1), [](Status) {});
        if (!taken.ok()) ::_exit(1);
        loop->run();
      },
      ::testing::ExitedWithCode(42), "");
}

TEST(AlternateStack, LeavesOneThatIsThereAlone) {
  std::thread([] {
    const AlternateStack first;
    stack_t before{}, inside{};
    ::sigaltstack(nullptr, &before);
    {
      const AlternateStack second;
      ::sigaltstack(nullptr, &inside);
    }
    stack_t after{};
    ::sigaltstack(nullptr, &after);
    EXPECT_EQ(inside.ss_sp, before.ss_sp);
    EXPECT_EQ(after.ss_sp, before.ss_sp);
    EXPECT_EQ(after.ss_flags & SS_DISABLE, 0);
  }).join();
}

}  // namespace
}  // namespace tenon::event
