// What a match costs, by number of subscriptions and by tokens, and what a subscription weighs.
//
// The subscriptions are a plant's: site, line, device, signal; 84 % literal, the rest with '*' or '>'. `hot`: a hundred
// topics; `spread`: up to 200,000 of them, more than any cache holds; `uncached`: hot topics, past the table's cache.
#include <malloc.h>

#include <random>
#include <set>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "message/routing_table.hpp"

namespace tenon::message {
namespace {

std::string pattern_of(int i) {
  const std::string site = "site" + std::to_string(i % 16), line = ".line" + std::to_string(i / 16 % 64);
  if (i % 1600 == 99) return site + ".>";
  if (i % 100 == 99) return site + line + ".>";
  return site + line + ".dev" + std::to_string(i) + (i % 20 < 3 ? ".*" : ".telemetry");
}

std::string topic_of(int i) {
  return "site" + std::to_string(i % 16) + ".line" + std::to_string(i / 16 % 64) + ".dev" + std::to_string(i) +
         ".telemetry";
}

// Tables are large and slow to make: one for each size, kept.
struct Plant {
  RoutingTable table;
  double octets_each = 0;
};
Plant& plant(int size) {
  static std::vector<std::pair<int, std::unique_ptr<Plant>>> made;
  for (auto& [known, plant] : made)
    if (known == size) return *plant;
  const std::size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
  auto fresh = std::make_unique<Plant>();
  for (int i = 0; i < size; ++i)
    static_cast<void>(fresh->table.subscribe(pattern_of(i), static_cast<SubscriberId>(i % 1000)));
  fresh->octets_each = static_cast<double>(mallinfo2().uordblks + mallinfo2().hblkhd - before) /
                       static_cast<double>(fresh->table.size());
  made.emplace_back(size, std::move(fresh));
  return *made.back().second;
}

void match(benchmark::State& state, bool hot, bool cached) {
  const int size = static_cast<int>(state.range(0));
  Plant& p = plant(size);
  std::mt19937 random(1);
  std::vector<std::string> topics;
  for (int i = 0; i < (hot ? 100 : std::min(size, 200'000)); ++i)
    topics.push_back(topic_of(static_cast<int>(random() % size)));
  std::vector<std::uint32_t> order(65536);
  for (auto& o : order) o = static_cast<std::uint32_t>(random() % topics.size());
  std::size_t i = 0, found = 0;
  for (auto _ : state) {
    const std::string& topic = topics[order[i++ & 65535]];
    if (cached) {
      found += p.table.match(topic)->plain.size();
    } else {
      found += p.table.match_uncached(topic).plain.size();
    }
  }
  benchmark::DoNotOptimize(found);
  state.counters["octets_each"] = p.octets_each;
  state.counters["matches"] = static_cast<double>(found) / static_cast<double>(i);
}

void match_hot(benchmark::State& state) { match(state, true, true); }
void match_spread(benchmark::State& state) { match(state, false, true); }
void match_uncached(benchmark::State& state) { match(state, true, false); }
BENCHMARK(match_hot)->Arg(10)->Arg(1000)->Arg(100'000)->Arg(1'000'000);
BENCHMARK(match_spread)->Arg(10)->Arg(1000)->Arg(100'000)->Arg(1'000'000);
BENCHMARK(match_uncached)->Arg(10)->Arg(1000)->Arg(100'000)->Arg(1'000'000);

// One literal subscription and one with a '*' in every second place, so that each token has two ways to go at most.
void match_by_tokens(benchmark::State& state) {
  const int tokens = static_cast<int>(state.range(0));
  RoutingTable table;
  std::string topic, pattern;
  for (int i = 0; i < tokens; ++i) {
    const std::string token = (i == 0 ? "" : ".") + std::string("token") + std::to_string(i);
    topic += token;
    pattern += i % 2 == 0 ? token : ".*";
  }
  static_cast<void>(table.subscribe(topic, 1));
  static_cast<void>(table.subscribe(pattern, 2));
  const bool cached = state.range(1) != 0;
  for (auto _ : state) {
    if (cached) benchmark::DoNotOptimize(table.match(topic));
    else benchmark::DoNotOptimize(table.match_uncached(topic));
  }
  state.counters["ns_a_token"] =
      benchmark::Counter(tokens, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(match_by_tokens)->ArgsProduct({{1, 2, 4, 8, 16, 32, 64}, {0, 1}});

void subscribe_and_unsubscribe(benchmark::State& state) {
  Plant& p = plant(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    static_cast<void>(p.table.subscribe("site3.line7.dev999999999.telemetry", 5000));
    static_cast<void>(p.table.unsubscribe("site3.line7.dev999999999.telemetry", 5000));
  }
}
BENCHMARK(subscribe_and_unsubscribe)->Arg(1000)->Arg(1'000'000);

}  // namespace
}  // namespace tenon::message
