// What a server answers to the http check: whatever it is, it is as expected or not however it is cut.
//
// Input: one octet that says how the rest is cut (0: not), then the answer; the server closes after it.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "../plugins/health_checks/http/answer.hpp"
#include "fuzz/must.hpp"

namespace {

using tenon::fuzz::must;
using tenon::health::AnswerJudge;
using tenon::health::HttpRequest;

std::string verdict(const HttpRequest& wanted, std::string_view answer, std::size_t piece) {
  AnswerJudge judge(wanted);
  while (!answer.empty()) {
    const std::string_view octets = answer.substr(0, piece);
    if (auto told = judge.take(octets)) return *told;
    answer.remove_prefix(octets.size());
  }
  std::string told = judge.end();
  must(!told.empty(), "an answer that only ends is never what was expected");
  return told;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view answer(reinterpret_cast<const char*>(data) + 1, size - 1);
  HttpRequest wanted;
  wanted.method = "GET";
  wanted.shown_url = "http://a/", wanted.endpoint = "a:80";
  wanted.expected.ranges = {{200, 399}};
  for (const char* text : {"", "needle"}) {
    wanted.body_contains = text;
    const std::string whole = verdict(wanted, answer, answer.size());
    const std::string cut = verdict(wanted, answer, std::max<std::size_t>(1, data[0]));
    // Why a broken one is refused may differ: its fault may show before or after its end.
    must(cut.empty() == whole.empty(), "the verdict is the same however the answer is cut", whole + "\n" + cut);
    must(whole.size() < 1024, "a reason stays short", whole);
  }
  return 0;
}
