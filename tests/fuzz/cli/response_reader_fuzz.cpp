// Any octets as an HTTP answer: what it says does not depend on where it was split.
//
// The first octet of the input says how large the pieces are in which the rest arrives.
#include "cli/response_reader.hpp"

#include <algorithm>
#include <cstdint>

#include "fuzz/must.hpp"

namespace {

using tenon::cli::ResponseReader;
using tenon::fuzz::must;

struct Heard {
  ResponseReader::State before_end, state;
  int status = 0;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
  bool operator==(const Heard&) const = default;
};

Heard hear(std::string_view stream, std::size_t piece) {
  ResponseReader reader;
  Heard heard;
  while (!stream.empty()) {
    reader.feed(stream.substr(0, piece));
    stream.remove_prefix(std::min(piece, stream.size()));
    heard.body += reader.take_body();
  }
  heard.before_end = reader.state();
  reader.end();
  heard.state = reader.state();
  must(heard.state == ResponseReader::State::done || heard.state == ResponseReader::State::failed,
       "the end of the connection ends an answer");
  if (heard.state == ResponseReader::State::failed) return {heard.before_end, heard.state, 0, {}, {}};
  heard.status = reader.head().status;
  heard.fields = reader.head().fields;
  must(heard.status >= 0 && heard.status <= 999, "a status has three digits");
  must(heard.status < 100 || heard.status >= 200, "an interim answer is never the answer");
  for (const auto& [name, value] : heard.fields)
    must(name.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") == name.npos, "names are in lower case");
  return heard;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  must(hear(stream, stream.size()) == hear(stream, 1u + data[0]), "an answer says the same, however it arrives");
  return 0;
}
