// Any octets as a stream of items: they do not depend on where it was split, and keep the rules of their framing.
//
// The first octet of the input says which framing, the second how large the pieces are in which the rest arrives.
#include "cli/item_reader.hpp"

#include <algorithm>
#include <cstdint>

#include "fuzz/must.hpp"

namespace {

using tenon::cli::ItemReader;
using tenon::cli::StreamItem;
using tenon::fuzz::must;

std::vector<StreamItem> read(ItemReader::Framing framing, std::string_view stream, std::size_t piece) {
  ItemReader reader(framing);
  std::vector<StreamItem> all;
  while (!stream.empty()) {
    for (StreamItem& item : reader.feed(stream.substr(0, piece))) all.push_back(std::move(item));
    stream.remove_prefix(std::min(piece, stream.size()));
  }
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const auto framing = data[0] % 2 == 0 ? ItemReader::Framing::events : ItemReader::Framing::lines;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::vector<StreamItem> items = read(framing, stream, stream.size());
  const std::vector<StreamItem> split = read(framing, stream, 1u + data[1]);
  must(std::equal(items.begin(), items.end(), split.begin(), split.end(),
                  [](const StreamItem& a, const StreamItem& b) { return a.event == b.event && a.data == b.data; }),
       "items are the same, however they arrive");
  for (const StreamItem& item : items) {
    must(item.event.find('\n') == std::string::npos, "a name is one line");
    if (framing == ItemReader::Framing::lines)
      must(item.event.empty() && !item.data.empty() && item.data.find('\n') == std::string::npos, "an item is a line");
  }
  return 0;
}
