#include "cli/item_reader.hpp"

namespace tenon::cli {
namespace {

std::vector<StreamItem> read(ItemReader::Framing framing, const std::string& text, std::size_t piece) {
  ItemReader reader(framing);
  std::vector<StreamItem> all;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    for (StreamItem& item : reader.feed(std::string_view(text).substr(at, piece))) all.push_back(std::move(item));
  }
  return all;
}

TEST(ItemReader, ReadsServerSentEventsInPiecesOfAnySize) {
  const std::string text =
      ": here\n\ndata: {\"a\":1}\n\nevent: dropped\ndata: {\"dropped\":2}\n\ndata:x\r\ndata: y\r\n\r\ndata: half";
  for (const std::size_t piece : {1, 3, 1000}) {
    const auto items = read(ItemReader::Framing::events, text, piece);
    ASSERT_EQ(items.size(), 3u) << piece;
    EXPECT_EQ(items[0].data, "{\"a\":1}");
    EXPECT_EQ(items[0].event, "");
    EXPECT_EQ(items[1].event, "dropped");
    EXPECT_EQ(items[2].data, "x\ny");
  }
}

TEST(ItemReader, EventWithoutDataIsNone) {
  EXPECT_TRUE(read(ItemReader::Framing::events, "event: x\n\n\n\nid: 3\n\n", 100).empty());
}

TEST(ItemReader, ReadsLines) {
  const auto items = read(ItemReader::Framing::lines, "{}\n\n[1]\n{\"half\":", 2);
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(items[0].data, "{}");
  EXPECT_EQ(items[1].data, "[1]");
}

}  // namespace
}  // namespace tenon::cli
