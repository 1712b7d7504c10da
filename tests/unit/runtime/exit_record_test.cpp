#include "runtime/exit_record.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace tenon::runtime {
namespace {

TEST(ExitRecord, SaysHowAndWhyInWords) {
  ExitRecord record;
  record.status = {3, 0};
  EXPECT_EQ(to_string(record), "exit code 3");
  record.cause = EndCause::signal;
  record.status = {0, 9};
  EXPECT_EQ(to_string(record), "signal 9 (KILL)");
  record.detail = "exec: No such file or directory";
  record.cause = EndCause::spawn;
  EXPECT_EQ(to_string(record), "could not start: exec: No such file or directory");
  record.detail = "http: refused";
  record.cause = EndCause::health;
  EXPECT_EQ(to_string(record), "unhealthy: http: refused");
  record.detail = "channel: a frame length of 4294967295 octets";
  record.cause = EndCause::channel;
  EXPECT_EQ(to_string(record), record.detail);
}

TEST(ExitRecord, OnlyExitZeroByItselfIsSuccess) {
  ExitRecord record;
  EXPECT_TRUE(record.success());
  record.cause = EndCause::health;
  EXPECT_FALSE(record.success());
}

TEST(SpawnFailure, IsSortedByWhatWaitingCanMend) {
  EXPECT_EQ(classify_spawn_failure(ENOENT), SpawnFailure::hopeless);
  EXPECT_EQ(classify_spawn_failure(EACCES), SpawnFailure::hopeless);
  EXPECT_EQ(classify_spawn_failure(ENOEXEC), SpawnFailure::hopeless);
  EXPECT_EQ(classify_spawn_failure(EAGAIN), SpawnFailure::shortage);
  EXPECT_EQ(classify_spawn_failure(EMFILE), SpawnFailure::shortage);
  EXPECT_EQ(classify_spawn_failure(ENOMEM), SpawnFailure::shortage);
  EXPECT_EQ(classify_spawn_failure(ETXTBSY), SpawnFailure::undecided);
  EXPECT_EQ(classify_spawn_failure(0), SpawnFailure::undecided);
}

}  // namespace
}  // namespace tenon::runtime
