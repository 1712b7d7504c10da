// What an event costs inside the host, without reading and writing it: matched, given to an outlet, queued, copied,
// settled. `allocations` must be 0 in steady state.
#include <cstdlib>
#include <new>
#include <string>

#include <benchmark/benchmark.h>

#include "message/intake.hpp"
#include "message/router.hpp"
#include "message/validation.hpp"

namespace {
std::size_t allocations = 0;
}  // namespace

// GCC takes free() in a replaced operator delete for a mistake.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

// The whole program's: every allocation of the measured code is seen.
void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  ++allocations;
  const auto align = static_cast<std::size_t>(alignment);
  if (void* memory = std::aligned_alloc(align, (size + align - 1) / align * align)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace tenon::message {
namespace {

class NullOutlet final : public Outlet {
 public:
  Offer offer(const Event&, std::uint32_t) override { return {OfferResult::taken, position += 300}; }
  std::uint64_t position = 0;
};
class NoDeadLetters final : public DeadLetterSink {
 public:
  void dead_letter(const Event&, DeadLetterReason, std::string_view, std::string_view,
                   const Attempts&) override {
    ++count;
  }
  std::size_t count = 0;
};
class NoEvents final : public RouterEvents {
 public:
  void answer_for(std::uint64_t, const Event&) override {}
  void request_timed_out(const PendingRequest&) override {}
  void sender_released(ReceiverId) override {}
  void event_limit_reached(bool) override {}
};

// The bench event: specversion, id, source, type, topic and 256 octets of data, as if read from MessagePack.
struct BenchEvent {
  BenchEvent() {
    const auto put = [this](std::string_view text) {
      encoded += text;
      return text.size();
    };
    encoded.reserve(1024);
    std::size_t at = 0;
    const auto field = [&](std::string_view& view, std::string_view text) {
      put(text);
      view = std::string_view(encoded).substr(at, text.size());
      at += text.size();
    };
    BaseMessageEnvelope& e = event.envelope;
    field(e.specversion, "1.0");
    field(e.id, "01J0000000000000000000000A");
    field(e.source, "//alpha/feeder.1");
    field(e.type, "task.assignment");
    field(e.topic, "site3.line7.dev4711.telemetry");
    field(e.data, std::string(256, 'x'));
    e.data_kind = DataKind::bytes;
    event.encoded = encoded;
  }
  std::string encoded;
  Event event;
};

struct Rig {
  explicit Rig(DeliveryConfig delivery = {}, int receivers = 1) {
    for (int i = 0; i < receivers; ++i) {
      const ReceiverId id = router.dispatcher().add_receiver({"r", {}, delivery});
      router.dispatcher().attach(id, outlet);
      router.dispatcher().set_gate(id, Gate::open, now);
      static_cast<void>(router.subscribe(id, "site3.line7.>"));
    }
  }
  EventBudget budget{256u << 20};
  NoDeadLetters dead;
  NoEvents events;
  NullOutlet outlet;
  MonotonicTime now{};
  MessageRouter router{budget, dead, events};
};

// Counts allocations from the second half on: by then everything has its size.
template <class Body>
void measure(benchmark::State& state, Body body) {
  for (int i = 0; i < 20'000; ++i) body();
  const std::size_t before = allocations;
  for (auto _ : state) body();
  state.counters["allocations"] =
      benchmark::Counter(static_cast<double>(allocations - before), benchmark::Counter::kAvgIterations);
}

void publish_direct(benchmark::State& state) {
  Rig rig({}, static_cast<int>(state.range(0)));
  const BenchEvent bench;
  const Publisher publisher{.name = "feeder.1", .self = 5000, .can_wait = true};
  measure(state, [&] {
    rig.router.publish(bench.event, publisher, rig.now);
    for (ReceiverId id = 0; id < static_cast<ReceiverId>(state.range(0)); ++id)
      rig.router.dispatcher().written_up_to(id, rig.outlet.position, rig.now);
  });
}
BENCHMARK(publish_direct)->Arg(1)->Arg(10);

// With so many others in flight at the receiver.
void publish_at_least_once(benchmark::State& state) {
  const auto others = static_cast<std::uint32_t>(state.range(0));
  Rig rig({.mode = DeliveryMode::at_least_once, .max_in_flight = others + 1});
  const BenchEvent bench;
  const Publisher publisher{.name = "feeder.1", .self = 5000, .can_wait = true};
  for (std::uint32_t i = 0; i < others; ++i) {
    const std::string id = "other" + std::to_string(i);
    Event other = bench.event;
    other.envelope.id = id;
    rig.router.publish(other, publisher, rig.now);
  }
  measure(state, [&] {
    rig.router.publish(bench.event, publisher, rig.now);
    rig.router.dispatcher().settle(0, bench.event.envelope.id, rig.now);
  });
}
BENCHMARK(publish_at_least_once)->Arg(0)->Arg(15)->Arg(1000);

void publish_through_a_queue(benchmark::State& state) {
  Rig rig;
  const BenchEvent bench;
  measure(state, [&] {
    rig.router.dispatcher().set_gate(0, Gate::waiting, rig.now);
    rig.router.publish(bench.event, {.name = "feeder.1"}, rig.now);
    rig.router.dispatcher().set_gate(0, Gate::open, rig.now);
    rig.router.dispatcher().written_up_to(0, rig.outlet.position, rig.now);
  });
}
BENCHMARK(publish_through_a_queue);

void complete_at_the_intake(benchmark::State& state) {
  Intake intake;
  intake.set_time(WallTime{std::chrono::seconds(1'700'000'000)});
  BenchEvent bench;
  bench.event.envelope.id = {};
  const SourcePolicy source{.name = "feeder.1", .source_uri = "//alpha/feeder.1"};
  AddedAttributes added;
  measure(state, [&] {
    Event event = bench.event;
    added.clear();
    benchmark::DoNotOptimize(intake.accept(event, added, source));
  });
}
BENCHMARK(complete_at_the_intake);

void copy_a_message(benchmark::State& state) {
  EventBudget budget(256u << 20);
  const BenchEvent bench;
  measure(state, [&] { benchmark::DoNotOptimize(MessageRef::copy(bench.event, budget)); });
}
BENCHMARK(copy_a_message);

void validate_200_octets(benchmark::State& state) {
  const auto schema = Schema::compile(R"({"type":"object","required":["task","ok"],"properties":{
      "task":{"type":"string","minLength":1,"maxLength":255},"ok":{"type":"boolean"},
      "lines":{"type":"integer","minimum":0},
      "words":{"type":"array","items":{"type":"string"}},"error":{"type":"string"}}})",
                                      "bench");
  std::string json = R"({"task":"0001","ok":true,"lines":1200,"words":["the","of","and","to","in"],"path":")";
  json += std::string(198 - json.size(), 'x') + "\"}";
  bool valid = true;
  for (auto _ : state) valid &= (*schema)->findings(json).empty();
  if (!valid) state.SkipWithError("the bench's data does not fit its schema");
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * json.size()));
}
BENCHMARK(validate_200_octets);

}  // namespace
}  // namespace tenon::message
