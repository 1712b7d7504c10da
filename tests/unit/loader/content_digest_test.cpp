#include "loader/content_digest.hpp"

#include <gtest/gtest.h>

namespace tenon::loader {
namespace {

std::span<const std::byte> octets(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

std::string hash(std::string_view text) {
  ContentHash stream;
  stream.update(octets(text));
  return to_hex(stream.digest());
}

// What `xxh128sum` prints.
TEST(ContentDigest, AgreesWithXxh128sum) {
  EXPECT_EQ(hash(""), "99aa06d3014798d86001c324468d497f");
  EXPECT_EQ(hash("abc"), "06b05ab6733a618578af5f94892f3950");
  EXPECT_EQ(hash(std::string(1'000'000, 'a')), "a545df8e384a9579b1fd6fae5285c4eb");
}

TEST(ContentDigest, DoesNotDependOnHowTheStreamIsCut) {
  std::string text;
  for (int i = 0; i < 300; ++i) text += static_cast<char>('a' + i % 23);
  for (std::size_t size = 0; size < text.size(); size += 7) {
    const std::string_view whole = std::string_view(text).substr(0, size);
    ContentHash stream;
    for (std::size_t at = 0; at < size; at += 13) stream.update(octets(whole.substr(at, 13)));
    EXPECT_EQ(to_hex(stream.digest()), hash(whole)) << size;
  }
}

TEST(ContentDigest, ReadsItsOwnHexAndNothingElse) {
  const std::string hex = hash("abc");
  const auto digest = digest_from_hex(hex);
  ASSERT_TRUE(digest);
  EXPECT_EQ(to_hex(*digest), hex);
  EXPECT_FALSE(digest_from_hex(hex.substr(1)));
  EXPECT_FALSE(digest_from_hex(hex.substr(1) + "g"));
  EXPECT_FALSE(digest_from_hex(""));
}

}  // namespace
}  // namespace tenon::loader
