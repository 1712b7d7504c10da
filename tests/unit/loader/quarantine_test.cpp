#include "loader/quarantine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "loader/call_trace.hpp"

namespace tenon::loader {
namespace {

using testing::HasSubstr;

Digest content(std::uint8_t first) { return Digest{first}; }

CrashReport crash(std::uint8_t first, std::string_view call, bool hung = false) {
  return {trace_name(content(first), "/plugins/x.so"), "transport/x", std::string(call), hung ? "a hang" : "SIGSEGV",
          hung};
}

TEST(Quarantine, TakesOneCrashInLoadDescribeOrCreate) {
  for (const std::string_view call : {kCallLoad, kCallDescribe, kCallCreate}) {
    Quarantine quarantine;
    EXPECT_TRUE(quarantine.report(crash(1, call)));
    ASSERT_NE(quarantine.find(content(1)), nullptr);
    EXPECT_THAT(quarantine.find(content(1))->reason(),
                testing::AllOf(HasSubstr(std::string(call)), HasSubstr("SIGSEGV")));
    EXPECT_EQ(quarantine.find(content(2)), nullptr);
  }
}

TEST(Quarantine, ForgivesAFewCrashesElsewhereButNoHang) {
  Quarantine quarantine;
  for (std::uint32_t i = 0; i < Quarantine::kToleratedCrashes; ++i) {
    EXPECT_FALSE(quarantine.report(crash(1, "send")));
    EXPECT_EQ(quarantine.find(content(1)), nullptr);
  }
  EXPECT_TRUE(quarantine.report(crash(1, "send")));
  EXPECT_TRUE(quarantine.report(crash(2, "on_exit", true)));
}

TEST(Quarantine, CondemnsNobodyAtOnceForWhatAnotherMayHaveDone) {
  Quarantine quarantine;
  CrashReport shared = crash(1, kCallCreate, true);
  shared.certain = false;
  for (std::uint32_t i = 0; i < Quarantine::kToleratedCrashes; ++i) EXPECT_FALSE(quarantine.report(shared));
  EXPECT_TRUE(quarantine.report(shared));
}

TEST(Quarantine, IgnoresAReportThatNamesNoContent) {
  Quarantine quarantine;
  EXPECT_FALSE(quarantine.report({"/plugins/x.so", "", "load", "SIGABRT", false}));
  EXPECT_THAT(quarantine.entries(), testing::IsEmpty());
}

TEST(Quarantine, KnowsAFileWhoseLongPathWasCut) {
  Quarantine quarantine;
  CrashReport report = crash(1, kCallLoad);
  report.file = trace_name(content(1), std::string(5000, 'p')).substr(0, 511);
  EXPECT_TRUE(quarantine.report(report));
}

TEST(Quarantine, ToleratesWhatTheHostCannotDoWithoutUntilItsNextCrash) {
  Quarantine quarantine;
  EXPECT_FALSE(quarantine.tolerate("/plugins/x.so"));
  ASSERT_TRUE(quarantine.report(crash(1, "read_event", true)));
  EXPECT_TRUE(quarantine.tolerate("/plugins/x.so"));
  EXPECT_EQ(quarantine.find(content(1)), nullptr);
  EXPECT_FALSE(quarantine.tolerate("/plugins/x.so")) << "it is none any more";
  Quarantine next;
  ASSERT_TRUE(next.restore(quarantine.serialize()).ok());
  EXPECT_EQ(next.find(content(1)), nullptr);
  EXPECT_FALSE(next.report(crash(1, "read_event")));
  EXPECT_TRUE(next.report(crash(1, "read_event"))) << "the hang counts as one of its crashes";
}

TEST(Quarantine, ReleasesByHand) {
  Quarantine quarantine;
  ASSERT_TRUE(quarantine.report(crash(1, kCallLoad)));
  EXPECT_TRUE(quarantine.release(content(1)));
  EXPECT_FALSE(quarantine.release(content(1)));
  EXPECT_EQ(quarantine.find(content(1)), nullptr);
}

TEST(Quarantine, SurvivesTheEngineAsBytes) {
  Quarantine before;
  before.report(crash(1, kCallCreate));
  before.report(crash(2, "send"));
  Quarantine after;
  ASSERT_TRUE(after.restore(before.serialize()).ok());
  ASSERT_NE(after.find(content(1)), nullptr);
  EXPECT_EQ(after.find(content(1))->reason(), before.find(content(1))->reason());
  EXPECT_EQ(after.find(content(2)), nullptr);
  EXPECT_EQ(after.serialize(), before.serialize());
  EXPECT_TRUE(Quarantine().restore(Quarantine().serialize()).ok());
}

TEST(Quarantine, IsEmptyAfterBytesThatItDidNotMake) {
  for (const char* bytes :
       {"", "[]", "{}", R"({"quarantine":[1]})", R"({"quarantine":[{"content":"00"}]})", "\xff\xff"}) {
    Quarantine quarantine;
    quarantine.report(crash(1, kCallLoad));
    EXPECT_FALSE(quarantine.restore(bytes).ok()) << bytes;
    EXPECT_THAT(quarantine.entries(), testing::IsEmpty());
  }
}

TEST(Quarantine, DropsTheLeastRecentlyReportedBeyondItsLimit) {
  Quarantine quarantine;
  for (std::size_t i = 0; i <= Quarantine::kMaxEntries; ++i) {
    Digest digest{};
    digest[0] = static_cast<std::uint8_t>(i);
    digest[1] = static_cast<std::uint8_t>(i >> 8);
    quarantine.report({trace_name(digest, "/x.so"), "", "load", "SIGABRT", false});
  }
  EXPECT_EQ(quarantine.entries().size(), Quarantine::kMaxEntries);
  EXPECT_EQ(quarantine.find(Digest{}), nullptr);
  EXPECT_NE(quarantine.find(Digest{1}), nullptr);
  EXPECT_TRUE(Quarantine().restore(quarantine.serialize()).ok());
}

}  // namespace
}  // namespace tenon::loader
