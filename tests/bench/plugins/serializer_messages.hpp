// The messages that the serializers' benches measure: telemetry events of 12 attributes and a payload of about 200 B, 1
// KiB or 16 KiB, and the bench event of 5 attributes and 256 octets.
#pragma once

#include <cstddef>
#include <cstdio>
#include <string>

namespace tenon::bench {

// An object of about `target` octets: short members, numbers with fractions, now and then an escape.
inline std::string payload(std::size_t target) {
  static constexpr const char* kNames[] = {"bearing.front", "bearing.rear", "spindle.load",
                                           "coolant.flow",  "gearbox \\\"A\\\" oil", "vibration.z"};
  std::string out =
      R"({"device":"press-07","site":"lyon-2","seq":184467,"ok":true,"temp":71.25,"mode":"auto","operator":null,)"
      R"("pos":{"x":12.5,"y":-3.25},"tags":["line-a","shift-2"])";
  std::string samples;
  for (unsigned i = 0; out.size() + samples.size() + 140 < target; ++i) {
    char text[160];
    std::snprintf(text, sizeof text, R"({"t":%llu,"name":"%s","v":%u.%03u,"u":"mm/s","q":192,"alarm":%s})",
                  1718000000000ull + i * 250, kNames[i % 6], i * 7919 % 400, i * 104729 % 1000,
                  i % 17 == 0 ? "true" : "false");
    samples += (samples.empty() ? "" : ",") + std::string(text);
  }
  if (!samples.empty()) out += R"(,"samples":[)" + samples + "]";
  const std::size_t used = out.size() + 12;
  if (used < target) out += R"(,"note":")" + std::string(target - used, 'x') + '"';
  return out + "}";
}

// The telemetry event in JSON.
inline std::string telemetry(std::size_t payload_size) {
  return R"({"specversion":"1.0","id":"01J0Z8K3M9Q4T7V2W5X8Y1Z3A6","source":"//factory/lyon-2/press-07",)"
         R"("type":"com.example.telemetry.sample.v2","subject":"factory.lyon2.press07.telemetry",)"
         R"("time":"2026-11-22T10:18:32.123456Z","datacontenttype":"application/json",)"
         R"("dataschema":"https://schemas.example.com/telemetry/sample-v2.json",)"
         R"("traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",)"
         R"("correlationid":"b7ad6b7169203331","priority":5,"ttlms":30000,"data":)" +
         payload(payload_size) + "}";
}

}  // namespace tenon::bench
