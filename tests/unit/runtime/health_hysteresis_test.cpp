#include "runtime/health_hysteresis.hpp"

#include <gtest/gtest.h>

namespace tenon::runtime {
namespace {

using enum HealthOutcome;

struct Step {
  HealthOutcome outcome;
  bool known;
  HealthState state;
};

void expect_steps(std::initializer_list<Step> steps, HealthThresholds thresholds, bool in_start_period = false) {
  HealthTally tally;
  int number = 0;
  for (const Step& step : steps) {
    tally = count_outcome(tally, step.outcome, thresholds, in_start_period);
    EXPECT_EQ(tally.known, step.known) << "step " << number;
    if (step.known) { EXPECT_EQ(tally.state, step.state) << "step " << number; }
    ++number;
  }
}

constexpr HealthState kWell = HealthState::healthy;
constexpr HealthState kSoSo = HealthState::degraded;
constexpr HealthState kSick = HealthState::unhealthy;

TEST(HealthHysteresis, BecomesUnhealthyOnlyAfterSoManyFailuresInARow) {
  expect_steps({{healthy, true, kWell}, {unhealthy, true, kWell}, {timeout, true, kWell}, {healthy, true, kWell},
                {unhealthy, true, kWell}, {error, true, kWell}, {timeout, true, kSick}},
               {3, 1});
}

TEST(HealthHysteresis, HealsOnlyAfterSoManySuccessesInARow) {
  expect_steps({{unhealthy, true, kSick}, {healthy, true, kSick}, {unhealthy, true, kSick}, {healthy, true, kSick},
                {healthy, true, kWell}},
               {1, 2});
}

TEST(HealthHysteresis, StaysUnknownUntilOneOfBothIsCertain) {
  expect_steps({{unhealthy, false, kWell}, {unhealthy, true, kSick}}, {2, 1});
}

TEST(HealthHysteresis, WhereTheUnknownIsIllItTakesAsManySuccessesAsHealing) {
  expect_steps({{healthy, false, kWell}, {unhealthy, false, kWell}, {healthy, false, kWell}, {degraded, true, kSoSo}},
               {3, 2, 1, true});
}

TEST(HealthHysteresis, DegradedLivesAndIsSaid) {
  expect_steps({{degraded, true, kSoSo}, {healthy, true, kWell}, {unhealthy, true, kWell}, {degraded, true, kSoSo},
                {unhealthy, true, kSoSo}, {unhealthy, true, kSick}, {degraded, true, kSoSo}},
               {2, 1});
}

TEST(HealthHysteresis, BecomesDegradedOnlyAfterSoManyAnswersInARow) {
  expect_steps({{healthy, true, kWell}, {degraded, true, kWell}, {degraded, true, kWell}, {healthy, true, kWell},
                {degraded, true, kWell}, {degraded, true, kWell}, {degraded, true, kSoSo}},
               {3, 1, 3});
}

TEST(HealthHysteresis, IsDegradedAtOnceWhereNothingBetterIsKnown) {
  expect_steps({{degraded, true, kSoSo}}, {3, 1, 3});
  expect_steps({{unhealthy, true, kSick}, {degraded, true, kSoSo}}, {1, 1, 3});
}

TEST(HealthHysteresis, AFailureAmongDegradedAnswersDoesNotBeginTheirRowAnew) {
  expect_steps({{healthy, true, kWell}, {degraded, true, kWell}, {timeout, true, kWell}, {degraded, true, kSoSo}},
               {3, 1, 3});
  expect_steps({{healthy, true, kWell}, {timeout, true, kWell}, {unhealthy, true, kWell}}, {3, 1, 2});
}

TEST(HealthHysteresis, LeavesDegradedOnlyAfterSoManyHealthyAnswersInARow) {
  expect_steps({{degraded, true, kSoSo}, {healthy, true, kSoSo}, {degraded, true, kSoSo}, {healthy, true, kSoSo},
                {timeout, true, kSoSo}, {healthy, true, kSoSo}, {healthy, true, kWell}},
               {3, 2, 1});
}

TEST(HealthHysteresis, FailuresInTheStartPeriodChangeNothing) {
  expect_steps({{unhealthy, false, kWell}, {timeout, false, kWell}, {error, false, kWell}, {healthy, true, kWell}},
               {1, 1}, true);
}

TEST(HealthHysteresis, ThresholdsOfZeroCountAsOne) {
  expect_steps({{unhealthy, true, kSick}, {healthy, true, kWell}, {degraded, true, kSoSo}}, {0, 0, 0});
}

}  // namespace
}  // namespace tenon::runtime
