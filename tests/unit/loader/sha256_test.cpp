#include "loader/sha256.hpp"

#include <gtest/gtest.h>

namespace tenon::loader {
namespace {

std::span<const std::byte> octets(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

std::string hash(std::string_view text) {
  Sha256 sha;
  sha.update(octets(text));
  return to_hex(sha.finish());
}

// FIPS 180-4 example values.
TEST(Sha256, AgreesWithThePublishedExamples) {
  EXPECT_EQ(hash(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hash("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hash(std::string(1'000'000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, DoesNotDependOnHowTheStreamIsCut) {
  std::string text;
  for (int i = 0; i < 300; ++i) text += static_cast<char>('a' + i % 23);
  for (std::size_t size = 0; size < text.size(); size += 7) {
    const std::string_view whole = std::string_view(text).substr(0, size);
    Sha256 sha;
    for (std::size_t at = 0; at < size; at += 13) sha.update(octets(whole.substr(at, 13)));
    EXPECT_EQ(to_hex(sha.finish()), hash(whole)) << size;
  }
}

TEST(Sha256, ReadsItsOwnHexAndNothingElse) {
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
