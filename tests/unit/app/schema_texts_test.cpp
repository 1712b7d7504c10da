#include "app/schema_texts.hpp"

#include <gtest/gtest.h>

namespace tenon::app {
namespace {

TEST(SchemaTexts, SurviveTheEngineAsBytes) {
  const SchemaTexts before = {
      {"/schemas/a.json", R"({"$id":"a"})"}, {"/odd\n:5:name.json", ""}, {"", std::string("\0x", 2)}};
  const auto after = decode_schema_texts(encode_schema_texts(before));
  ASSERT_TRUE(after.ok());
  ASSERT_EQ(after->size(), before.size());
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ((*after)[i].file, before[i].file);
    EXPECT_EQ((*after)[i].text, before[i].text);
  }
  EXPECT_TRUE(decode_schema_texts("").value().empty());
}

TEST(SchemaTexts, AreRefusedWhenTheyAreNotWhatWasEncoded) {
  for (const char* bytes : {"x", "5", "5:", "3:abc", "3:abc9:x", "99999999999999999999:x", "-1:x"})
    EXPECT_EQ(decode_schema_texts(bytes).error().code, errc::bad_data) << bytes;
}

TEST(SchemaTexts, NameADirectoryThatCannotBeRead) {
  const auto texts = read_schema_texts({"/no/such/directory"});
  ASSERT_FALSE(texts.ok());
  EXPECT_NE(texts.error().message.find("/no/such/directory"), std::string::npos);
}

}  // namespace
}  // namespace tenon::app
