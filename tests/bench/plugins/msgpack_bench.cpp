// The claim: an envelope of 12 attributes and 200 B of octets is read in at most 400 ns. The peer is msgpack-c's own
// visitor parser doing nothing at all with what it finds.
#include "bench/plugins/serializer_bench.hpp"

// msgpack-c's headers need <cstdint> before them, and unpack.hpp before parse.hpp.
#define MSGPACK_NO_BOOST
#include <msgpack/null_visitor.hpp>
#include <msgpack/unpack.hpp>
#include <msgpack/parse.hpp>

namespace tenon::bench {
namespace {

std::string encoded_telemetry(std::size_t payload_size) {
  rig::Instance serializer("msgpack");
  return encode_with_octets(serializer, Telemetry(payload_size));
}

void msgpack_c_visits_12_attributes(benchmark::State& state) {
  const std::string encoded = encoded_telemetry(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    ::msgpack::null_visitor visitor;
    std::size_t offset = 0;
    benchmark::DoNotOptimize(::msgpack::parse(encoded.data(), encoded.size(), offset, visitor));
  }
}
BENCHMARK(msgpack_c_visits_12_attributes)->Arg(200)->Arg(1024)->Arg(16384);

void msgpack_read_12_attributes(benchmark::State& state) {
  rig::Instance serializer("msgpack");
  read_event(state, serializer, encoded_telemetry(static_cast<std::size_t>(state.range(0))));
}
BENCHMARK(msgpack_read_12_attributes)->Arg(200)->Arg(1024)->Arg(16384);

std::string value_of(std::size_t payload_size) {
  rig::Instance json("json");
  rig::Instance serializer("msgpack");
  rig::Buffer value;
  must(rig::transcode(json, rig::Input(payload(payload_size)), serializer, value));
  return value.text();
}

void msgpack_read_with_value(benchmark::State& state) {
  const Telemetry telemetry(static_cast<std::size_t>(state.range(0)));
  rig::Instance serializer("msgpack");
  const std::string value = value_of(static_cast<std::size_t>(state.range(0)));
  tenon_event event = telemetry.event;
  event.data = rig::bytes(value);
  event.format = rig::str("application/msgpack");
  rig::Buffer encoded;
  must(serializer.write_event(event, encoded));
  read_event(state, serializer, encoded.text());
}
BENCHMARK(msgpack_read_with_value)->Arg(200)->Arg(1024)->Arg(16384);

void msgpack_read_bench_event(benchmark::State& state) {
  rig::Instance serializer("msgpack");
  rig::Buffer encoded;
  must(serializer.write_event(bench_event(), encoded));
  read_event(state, serializer, encoded.text());
}
BENCHMARK(msgpack_read_bench_event);

void msgpack_write_12_attributes(benchmark::State& state) {
  const Telemetry telemetry(static_cast<std::size_t>(state.range(0)));
  tenon_event event = telemetry.event;
  event.data_kind = TENON_DATA_BYTES;
  rig::Instance serializer("msgpack");
  write_event(state, serializer, event);
}
BENCHMARK(msgpack_write_12_attributes)->Arg(200)->Arg(1024)->Arg(16384);

void msgpack_splice_4_attributes(benchmark::State& state) {
  rig::Instance serializer("msgpack");
  rig::Buffer encoded;
  tenon_event event = empty_event();
  event.type = rig::str("task.result");
  must(serializer.write_event(event, encoded));
  splice(state, serializer, encoded.text());
}
BENCHMARK(msgpack_splice_4_attributes);

void msgpack_to_json_value(benchmark::State& state) {
  rig::Instance json("json");
  rig::Instance serializer("msgpack");
  transcode(state, serializer, json, value_of(static_cast<std::size_t>(state.range(0))));
}
BENCHMARK(msgpack_to_json_value)->Arg(200)->Arg(1024)->Arg(16384);

}  // namespace
}  // namespace tenon::bench
