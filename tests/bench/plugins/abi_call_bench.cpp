// What the ABI itself costs: a call through the table of a loaded plugin against a virtual call that does the same,
// then with the breadcrumb that the host leaves around every call.
//
// The claim: the table costs at most 3 ns more than the virtual call. The slot is a serializer's `describe`, the one
// that does least: it fills a struct of 40 octets.
#include <benchmark/benchmark.h>

#include <tenon/serializer.h>

#include <memory>

#include "keeper/breadcrumb.hpp"
#include "support/loaded_plugin.hpp"

namespace tenon::bench {
namespace {

class Described {
 public:
  virtual ~Described() = default;
  virtual void describe(tenon_serializer_info& out) = 0;
};

// Two of them, neither inlined: with one the compiler would guess it and there would be no call to measure.
class DescribedAsJson final : public Described {
 public:
  [[gnu::noinline]] void describe(tenon_serializer_info& out) override {
    out.flags = TENON_SERIALIZER_TEXT | TENON_SERIALIZER_LINE_SAFE;
    out.content_type = TENON_LITERAL("application/json");
    out.event_type = TENON_LITERAL("application/cloudevents+json");
  }
};
class DescribedAsNothing final : public Described {
 public:
  [[gnu::noinline]] void describe(tenon_serializer_info& out) override { out.flags = 0; }
};

std::unique_ptr<Described> make_described(bool json) {
  if (json) return std::make_unique<DescribedAsJson>();
  return std::make_unique<DescribedAsNothing>();
}

const tenon_serializer& plugin_table() {
  static const test_support::LoadedPlugin plugin = test_support::LoadedPlugin::open("json");
  return plugin.serializer("json");
}

tenon_serializer_info empty_info() {
  tenon_serializer_info info;
  TENON_INIT(&info);
  return info;
}

void virtual_call(benchmark::State& state) {
  bool json = true;
  benchmark::DoNotOptimize(json);
  const std::unique_ptr<Described> made = make_described(json);
  tenon_serializer_info info = empty_info();
  for (auto _ : state) {
    Described* object = made.get();
    benchmark::DoNotOptimize(object);
    object->describe(info);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(virtual_call);

void abi_call(benchmark::State& state) {
  const tenon_serializer* table = &plugin_table();
  tenon_serializer_info info = empty_info();
  for (auto _ : state) {
    benchmark::DoNotOptimize(table);
    table->describe(nullptr, &info);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(abi_call);

void abi_call_with_breadcrumb(benchmark::State& state) {
  const auto page = std::make_unique<keeper::BreadcrumbPage>();
  const std::uint32_t place = keeper::register_place(*page, "json.so", "serializer/json");
  const std::uint32_t call = keeper::register_call(*page, "describe");
  const std::string event_id(static_cast<std::size_t>(state.range(0)), 'e');
  keeper::BreadcrumbLane lane(page.get());
  const tenon_serializer* table = &plugin_table();
  tenon_serializer_info info = empty_info();
  for (auto _ : state) {
    benchmark::DoNotOptimize(table);
    {
      keeper::BreadcrumbScope scope(lane, place, call, event_id);
      table->describe(nullptr, &info);
    }
    benchmark::ClobberMemory();
  }
}
BENCHMARK(abi_call_with_breadcrumb)->Arg(0)->Arg(26)->ArgName("event_id");

}  // namespace
}  // namespace tenon::bench
