// The measurements that both serializers share, each through the C table of the built plugin, as the host calls it.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "bench/plugins/serializer_messages.hpp"
#include "plugins/serializer_rig.hpp"

namespace tenon::bench {

namespace rig = test_support;

// A measurement of something that fails measures nothing.
inline void must(const rig::Outcome& outcome) {
  if (outcome.ok()) return;
  std::cerr << outcome.text << "\n";
  std::abort();
}

inline tenon_event empty_event() {
  tenon_event event;
  TENON_INIT(&event);
  return event;
}

// The telemetry event, read; its spans live as long as this.
struct Telemetry {
  explicit Telemetry(std::size_t payload_size) : input(telemetry(payload_size)), json("json"), event(empty_event()) {
    must(json.read_event(input, event));
  }
  rig::Input input;
  rig::Instance json;
  tenon_event event;
};

// The same with the payload as octets, which every serializer can write.
inline std::string encode_with_octets(rig::Instance& serializer, const Telemetry& telemetry) {
  tenon_event event = telemetry.event;
  event.data_kind = TENON_DATA_BYTES;
  rig::Buffer out;
  must(serializer.write_event(event, out));
  return out.text();
}

// specversion, id, source, type, topic and 256 octets.
inline tenon_event bench_event() {
  static const std::string octets(256, '\x5a');
  tenon_event event = empty_event();
  event.specversion = rig::str("1.0");
  event.id = rig::str("01J0Z8K3M9Q4T7V2W5X8Y1Z3A6");
  event.source = rig::str("//factory/lyon-2/press-07");
  event.type = rig::str("com.example.telemetry.sample.v2");
  event.topic = rig::str("factory.lyon2.press07.telemetry");
  event.data_kind = TENON_DATA_BYTES;
  event.data = rig::bytes(octets);
  return event;
}

inline void read_event(benchmark::State& state, rig::Instance& serializer, const std::string& encoded) {
  const rig::Input input(encoded);
  tenon_event event = empty_event();
  must(serializer.read_event(input, event));
  tenon_error error;
  TENON_INIT(&error);
  for (auto _ : state) {
    const tenon_status status = serializer.table().read_event(serializer.self(), input.bytes(), &event, &error);
    benchmark::DoNotOptimize(status);
    benchmark::DoNotOptimize(event);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(encoded.size()));
}

inline void write_event(benchmark::State& state, rig::Instance& serializer, const tenon_event& event) {
  rig::Buffer out;
  must(serializer.write_event(event, out));
  tenon_error error;
  TENON_INIT(&error);
  for (auto _ : state) {
    out.clear();
    benchmark::DoNotOptimize(serializer.table().write_event(serializer.self(), &event, &out.raw(), &error));
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(out.view().size()));
}

// The four attributes that a worker may leave out.
inline void splice(benchmark::State& state, rig::Instance& serializer, const std::string& encoded) {
  const std::vector<tenon_attribute> added = {
      rig::attribute("specversion", "1.0", TENON_ATTRIBUTE_STRING),
      rig::attribute("id", "01J0Z8K3M9Q4T7V2W5X8Y1Z3A6", TENON_ATTRIBUTE_STRING),
      rig::attribute("source", "//alpha/counter.1", TENON_ATTRIBUTE_STRING),
      rig::attribute("time", "2026-11-22T10:18:32.123456Z", TENON_ATTRIBUTE_STRING)};
  const rig::Input input(encoded);
  rig::Buffer out;
  tenon_splice result;
  TENON_INIT(&result);
  tenon_error error;
  TENON_INIT(&error);
  for (auto _ : state) {
    out.clear();
    benchmark::DoNotOptimize(serializer.table().splice(serializer.self(), input.bytes(), added.data(), added.size(),
                                                       &out.raw(), &result, &error));
    benchmark::ClobberMemory();
  }
}

inline void transcode(benchmark::State& state, rig::Instance& from, rig::Instance& to, std::string_view value) {
  const rig::Input input(value);
  rig::Buffer out;
  must(rig::transcode(from, input, to, out));
  tenon_value_sink sink;
  TENON_INIT(&sink);
  tenon_error error;
  TENON_INIT(&error);
  for (auto _ : state) {
    out.clear();
    to.table().write_value(to.self(), &out.raw(), &sink, &error);
    from.table().read_value(from.self(), input.bytes(), &sink, &error);
    benchmark::DoNotOptimize(to.table().finish_value(to.self(), &error));
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(value.size()));
}

}  // namespace tenon::bench
