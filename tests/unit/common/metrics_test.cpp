#include "common/metrics.hpp"

#include <cmath>
#include <limits>
#include <thread>

namespace tenon::metrics {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Metrics, RendersCountersWithHelpTypeAndSortedSeries) {
  Registry registry;
  auto events = *registry.counters({"tenon_events_total", "Events by verdict.", {"verdict", "from"}});
  Counter delivered = events.with({"delivered", "a"});
  delivered.add();
  delivered.add(41);
  events.with({"dead", "b"}).add(1);
  EXPECT_EQ(registry.render(),
            "# HELP tenon_events_total Events by verdict.\n"
            "# TYPE tenon_events_total counter\n"
            "tenon_events_total{verdict=\"dead\",from=\"b\"} 1\n"
            "tenon_events_total{verdict=\"delivered\",from=\"a\"} 42\n");
}

TEST(Metrics, CountersMayTakeOverWhatIsCountedElsewhere) {
  Registry registry;
  auto family = *registry.counters({"n_total", "N.", {}});
  family.with().set_total(7);
  family.with().set_total(9);
  EXPECT_EQ(registry.render(), "# HELP n_total N.\n# TYPE n_total counter\nn_total 9\n");
}

TEST(Metrics, RealCountersCountFractionsAndNeverFall) {
  Registry registry;
  auto family = *registry.real_counters({"busy_seconds_total", "Busy.", {}});
  RealCounter busy = family.with();
  for (const double v : {0.5, -3.0, std::nan(""), std::numeric_limits<double>::infinity(), 0.25}) busy.add(v);
  EXPECT_EQ(registry.render(),
            "# HELP busy_seconds_total Busy.\n# TYPE busy_seconds_total counter\nbusy_seconds_total 0.75\n");
  EXPECT_EQ(registry.gauges({"busy_seconds_total", "Busy.", {}}).error().code, errc::already_exists);
}

TEST(Metrics, GivesTheSameSeriesForTheSameLabels) {
  Registry registry;
  auto family = *registry.counters({"n_total", "N.", {"l"}});
  family.with({"x"}).add(1);
  family.with({"x"}).add(1);
  (*registry.counters({"n_total", "N.", {"l"}})).with({"x"}).add(1);
  EXPECT_EQ(family.with({"x"}).value(), 3u);
  EXPECT_EQ(family.size(), 1u);
}

TEST(Metrics, EscapesLabelsAndHelp) {
  Registry registry;
  auto family = *registry.gauges({"g", "a\\b\nc", {"l"}});
  family.with({"q\"b\\n\nz"}).set(1.5);
  EXPECT_EQ(registry.render(), "# HELP g a\\\\b\\nc\n# TYPE g gauge\ng{l=\"q\\\"b\\\\n\\nz\"} 1.5\n");
}

TEST(Metrics, ShowsAFamilyWithoutLabelsBeforeItCounted) {
  Registry registry;
  (void)registry.counters({"idle_total", "Idle.", {}});
  (void)registry.counters({"labelled_total", "Labelled.", {"l"}});
  EXPECT_EQ(registry.render(), "# HELP idle_total Idle.\n# TYPE idle_total counter\nidle_total 0\n");
}

TEST(Metrics, RendersSpecialNumbers) {
  Registry registry;
  auto family = *registry.gauges({"g", "G.", {"l"}});
  family.with({"inf"}).set(std::numeric_limits<double>::infinity());
  family.with({"minus"}).set(-std::numeric_limits<double>::infinity());
  family.with({"nan"}).set(std::nan(""));
  family.with({"sum"}).add(0.25);
  const std::string text = registry.render();
  EXPECT_THAT(text, HasSubstr("{l=\"inf\"} +Inf\n"));
  EXPECT_THAT(text, HasSubstr("{l=\"minus\"} -Inf\n"));
  EXPECT_THAT(text, HasSubstr("{l=\"nan\"} NaN\n"));
  EXPECT_THAT(text, HasSubstr("{l=\"sum\"} 0.25\n"));
}

TEST(Metrics, HistogramBucketsAreCumulativeAndInclusive) {
  Registry registry;
  auto family = *registry.histograms({"h_seconds", "H.", {"l"}}, {0.1, 1});
  Histogram h = family.with({"x"});
  for (double v : {0.05, 0.1, 0.5, 2.0}) h.observe(v);
  EXPECT_EQ(h.count(), 4u);
  EXPECT_EQ(registry.render(),
            "# HELP h_seconds H.\n# TYPE h_seconds histogram\n"
            "h_seconds_bucket{l=\"x\",le=\"0.1\"} 2\n"
            "h_seconds_bucket{l=\"x\",le=\"1\"} 3\n"
            "h_seconds_bucket{l=\"x\",le=\"+Inf\"} 4\n"
            "h_seconds_sum{l=\"x\"} 2.65\n"
            "h_seconds_count{l=\"x\"} 4\n");
}

TEST(Metrics, HistogramCountsNaNAsInfinite) {
  Registry registry;
  auto h = (*registry.histograms({"h", "H.", {}}, {1})).with();
  h.observe(std::nan(""));
  EXPECT_THAT(registry.render(), HasSubstr("h_bucket{le=\"1\"} 0\nh_bucket{le=\"+Inf\"} 1\n"));
}

TEST(Metrics, ValidatesNamesLabelsAndBounds) {
  Registry registry;
  for (const char* name : {"", "1a", "a-b", "a b", "é"}) EXPECT_FALSE(registry.counters({name, "H.", {}}).ok()) << name;
  for (const char* label : {"", "1", "a-b", "__a", "a:b"})
    EXPECT_FALSE(registry.gauges({"g", "G.", {label}}).ok()) << label;
  EXPECT_FALSE(registry.gauges({"g", "G.", {"a", "a"}}).ok());
  EXPECT_TRUE(registry.gauges({"a:b", "G.", {"le"}}).ok());
  EXPECT_FALSE(registry.histograms({"h", "H.", {"le"}}, {1}).ok());
  EXPECT_FALSE(registry.histograms({"h", "H.", {}}, {}).ok());
  EXPECT_FALSE(registry.histograms({"h", "H.", {}}, {1, 1}).ok());
  EXPECT_FALSE(registry.histograms({"h", "H.", {}}, {2, 1}).ok());
  EXPECT_FALSE(registry.histograms({"h", "H.", {}}, {INFINITY}).ok());
  EXPECT_TRUE(registry.histograms({"h", "H.", {}}, latency_bounds()).ok());
}

TEST(Metrics, RefusesAnotherShapeUnderAKnownName) {
  Registry registry;
  ASSERT_TRUE(registry.counters({"n", "N.", {"a"}}).ok());
  EXPECT_EQ(registry.gauges({"n", "N.", {"a"}}).error().code, errc::already_exists);
  EXPECT_EQ(registry.counters({"n", "N.", {"b"}}).error().code, errc::already_exists);
  EXPECT_EQ(registry.atomic_counters({"n", "N.", {"a"}}).error().code, errc::already_exists);
}

TEST(Metrics, BoundsTheSeriesOfAFamily) {
  Registry registry;
  auto family = *registry.counters({"n_total", "N.", {"peer"}, 3});
  for (int i = 0; i < 100; ++i) family.with({std::to_string(i)}).add();
  EXPECT_EQ(family.size(), 4u);
  const std::string text = registry.render();
  EXPECT_THAT(text, HasSubstr("n_total{peer=\"other\"} 97\n"));
  EXPECT_THAT(text, HasSubstr("tenon_metrics_series_overflow_total{family=\"n_total\"} 97\n"));
  family.with({"1"}).add();  // known ones go on counting
  EXPECT_EQ(family.with({"1"}).value(), 2u);
}

TEST(Metrics, RemovedSeriesVanishAndTheirHandlesStaySafe) {
  Registry registry;
  auto family = *registry.counters({"n_total", "N.", {"process", "kind"}});
  Counter gone = family.with({"p1", "a"});
  family.with({"p1", "b"}).add();
  family.with({"p2", "a"}).add();
  EXPECT_EQ(family.remove_where("process", "p1"), 2u);
  EXPECT_EQ(family.remove_where("nothing", "p2"), 0u);
  gone.add(5);
  EXPECT_THAT(registry.render(), Not(HasSubstr("p1")));
  EXPECT_EQ(family.with({"p1", "a"}).value(), 0u);
  EXPECT_TRUE(family.remove({"p2", "a"}));
  EXPECT_FALSE(family.remove({"p2", "a"}));
}

TEST(Metrics, HandlesOutliveTheRegistryAndEmptyOnesCountIntoNothing) {
  Counter counter;
  counter.add();
  Gauge().set(1);
  Histogram().observe(1);
  AtomicCounter().add();
  EXPECT_EQ(CounterFamily().with({"any", "thing"}).value(), 0u);
  {
    Registry registry;
    counter = (*registry.counters({"n", "N.", {}})).with();
  }
  counter.add(2);
  EXPECT_EQ(counter.value(), 2u);
}

TEST(Metrics, HooksRunBeforeRenderingUntilTheirTokenIsGone) {
  Registry registry;
  auto gauge = (*registry.gauges({"g", "G.", {}})).with();
  int runs = 0;
  auto token = registry.before_render([&] { gauge.set(++runs); });
  EXPECT_THAT(registry.render(), HasSubstr("\ng 1\n"));
  token.reset();
  EXPECT_THAT(registry.render(), HasSubstr("\ng 1\n"));
}

TEST(Metrics, AHookMayRemoveAnotherOneAndUseTheRegistry) {
  Registry registry;
  std::shared_ptr<void> second;
  bool ran = false;
  auto first = registry.before_render([&] {
    second.reset();
    (*registry.counters({"made_in_hook_total", "M.", {}})).with().add();
  });
  second = registry.before_render([&] { ran = true; });
  EXPECT_THAT(registry.render(), HasSubstr("made_in_hook_total 1\n"));
  EXPECT_FALSE(ran);
}

TEST(Metrics, AtomicCountersCountFromManyThreads) {
  Registry registry;
  auto family = *registry.atomic_counters({"n_total", "N.", {"l"}});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&family] {
      for (int i = 0; i < 1'000; ++i) family.with({"x"}).add();
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(family.with({"x"}).value(), 4'000u);
}

}  // namespace
}  // namespace tenon::metrics
