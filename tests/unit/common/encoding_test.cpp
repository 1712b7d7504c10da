#include "common/encoding.hpp"

namespace tenon {
namespace {

std::string decoded(std::string_view text) {
  auto result = base64_decode(text);
  return result.ok() ? *result : "refused: " + result.error().message;
}

bool refused(std::string_view text) { return !base64_decode(text).ok(); }

TEST(Base64, MatchesTheVectorsOfRfc4648) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : vectors) {
    EXPECT_EQ(base64_encode(plain), encoded);
    EXPECT_EQ(decoded(encoded), plain);
    EXPECT_EQ(base64_size(std::strlen(plain)), std::strlen(encoded));
  }
}

TEST(Base64, RoundTripsEveryByteAtEveryAlignment) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  for (std::size_t cut = 0; cut < 4; ++cut) {
    EXPECT_EQ(decoded(base64_encode(std::string_view(bytes).substr(cut))), bytes.substr(cut));
  }
}

TEST(Base64, IsStrict) {
  EXPECT_TRUE(refused("Zg"));  // no padding
  EXPECT_TRUE(refused("Zg="));
  EXPECT_TRUE(refused("Zg=a"));
  EXPECT_TRUE(refused("Zh=="));  // unused bits
  EXPECT_TRUE(refused("Zm9="));
  EXPECT_TRUE(refused("===="));
  EXPECT_TRUE(refused("Z==="));
  EXPECT_TRUE(refused("Zg==Zg=="));  // padding inside
  EXPECT_TRUE(refused("Zm9v\nZm9"));
  EXPECT_TRUE(refused("Zm-_"));  // the other alphabet
  EXPECT_TRUE(refused(std::string_view("Zm9\0", 4)));
}

TEST(Base64, NamesTheOffset) { EXPECT_THAT(decoded("Zm9vZ!9v"), ::testing::HasSubstr("at byte 5")); }

TEST(Base64, AppendsBehindWhatIsThere) {
  std::string out = "x:";
  base64_append(out, "fo");
  EXPECT_EQ(out, "x:Zm8=");
}

TEST(PercentEncoding, KeepsUnreservedCharactersOnly) {
  EXPECT_EQ(percent_encode("aZ9-._~ /?é"), "aZ9-._~%20%2F%3F%C3%A9");
  EXPECT_EQ(percent_encode("/a b", "/"), "/a%20b");
  EXPECT_EQ(percent_encode(std::string_view("\0", 1)), "%00");
}

TEST(PercentEncoding, DecodesStrictly) {
  EXPECT_EQ(*percent_decode("a%2Fb%c3%A9+"), "a/bé+");
  EXPECT_FALSE(percent_decode("%").ok());
  EXPECT_FALSE(percent_decode("%2").ok());
  EXPECT_FALSE(percent_decode("a%zz").ok());
  EXPECT_EQ(percent_decode("a%zz").error().code, errc::bad_data);
}

TEST(Hex, RoundTripsAndRefuses) {
  EXPECT_EQ(hex_encode(std::string_view("\x00\xFF\x1a", 3)), "00ff1a");
  EXPECT_EQ(*hex_decode("00fF1A"), std::string("\x00\xFF\x1a", 3));
  EXPECT_EQ(*hex_decode(""), "");
  EXPECT_FALSE(hex_decode("0").ok());
  EXPECT_THAT(hex_decode("0g").error().message, ::testing::HasSubstr("at byte 1"));
}

}  // namespace
}  // namespace tenon
