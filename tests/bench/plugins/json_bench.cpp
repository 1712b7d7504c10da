// The claim: an envelope of 12 attributes and 200 B of data is read, its data checked to the last octet, in at most 800
// ns.
#include "bench/plugins/serializer_bench.hpp"

namespace tenon::bench {
namespace {

void json_copy(benchmark::State& state) {
  const std::string encoded = telemetry(static_cast<std::size_t>(state.range(0)));
  std::string to(encoded.size(), '\0');
  for (auto _ : state) {
    std::memcpy(to.data(), encoded.data(), encoded.size());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(json_copy)->Arg(200)->Arg(1024)->Arg(16384);

void json_read_12_attributes(benchmark::State& state) {
  rig::Instance json("json");
  read_event(state, json, telemetry(static_cast<std::size_t>(state.range(0))));
}
BENCHMARK(json_read_12_attributes)->Arg(200)->Arg(1024)->Arg(16384);

void json_read_bench_event(benchmark::State& state) {
  rig::Instance json("json");
  rig::Buffer encoded;
  must(json.write_event(bench_event(), encoded));
  read_event(state, json, encoded.text());
}
BENCHMARK(json_read_bench_event);

void json_write_12_attributes(benchmark::State& state) {
  const Telemetry telemetry(static_cast<std::size_t>(state.range(0)));
  rig::Instance json("json");
  write_event(state, json, telemetry.event);
}
BENCHMARK(json_write_12_attributes)->Arg(200)->Arg(1024)->Arg(16384);

void json_splice_4_attributes(benchmark::State& state) {
  rig::Instance json("json");
  splice(state, json, R"({"type":"task.result","data":{"ok":true}})");
}
BENCHMARK(json_splice_4_attributes);

void json_to_msgpack_value(benchmark::State& state) {
  rig::Instance json("json");
  rig::Instance msgpack("msgpack");
  transcode(state, json, msgpack, payload(static_cast<std::size_t>(state.range(0))));
}
BENCHMARK(json_to_msgpack_value)->Arg(200)->Arg(1024)->Arg(16384);

}  // namespace
}  // namespace tenon::bench
