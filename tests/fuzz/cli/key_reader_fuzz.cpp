// Any octets as keys: they do not depend on where they were split, and a character is one that may be shown.
//
// The first octet of the input says how large the pieces are in which the rest arrives.
#include "cli/key_reader.hpp"

#include <algorithm>
#include <cstdint>

#include "common/utf8.hpp"
#include "fuzz/must.hpp"

namespace {

using tenon::cli::Key;
using tenon::cli::KeyReader;
using tenon::fuzz::must;

std::vector<Key> read(std::string_view bytes, std::size_t piece) {
  KeyReader reader;
  std::vector<Key> all;
  while (!bytes.empty()) {
    for (Key& key : reader.feed(bytes.substr(0, piece))) all.push_back(std::move(key));
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
  for (Key& key : reader.settle()) all.push_back(std::move(key));
  must(!reader.pending(), "nothing is left behind");
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::vector<Key> keys = read(bytes, bytes.size());
  must(keys == read(bytes, 1u + data[0]), "keys are the same, however they arrive");
  for (const Key& key : keys) {
    must((key.kind == Key::Kind::character) == !key.text.empty(), "only characters have a text");
    if (key.text.empty()) continue;
    const tenon::Utf8Step step = tenon::utf8_step(key.text);
    must(step.valid && step.length == key.text.size() && step.code_point >= ' ', "a text is one character");
  }
  return 0;
}
