#include "message/message.hpp"

#include <cstring>

#include <gtest/gtest.h>

#include "message/serialization.hpp"
#include "unit/message/rig.hpp"

namespace tenon::message {
namespace {

TEST(MessageRef, OwnsEverythingItShows) {
  EventBudget budget(1 << 20);
  MessageRef copy;
  {
    std::string encoded = R"({"type":"a.b","ext":"inside","data":[1,2]})" + std::string(kReadPadding, ' ');
    std::string id = "host-made-id", ext_name = "outside", ext_value = "value";
    const std::string_view text = std::string_view(encoded).substr(0, encoded.size() - kReadPadding);
    const Attribute extensions[] = {{text.substr(15, 3), text.substr(21, 6)},
                                    {ext_name, ext_value, AttributeType::integer}};
    const Attribute added[] = {{"id", id}};
    Event event;
    event.encoded = text;
    event.envelope.type = text.substr(9, 3);
    event.envelope.id = id;
    event.envelope.data = text.substr(text.size() - 6, 5);
    event.envelope.extensions = extensions;
    event.added = added;
    event.envelope.priority = 3;
    copy = MessageRef::copy(event, budget);
    EXPECT_EQ(copy.size(), MessageRef::cost(event));
    std::memset(encoded.data(), '!', encoded.size());
    id.assign(id.size(), '!'), ext_name.assign(7, '!'), ext_value.assign(5, '!');
  }
  const Event& event = copy.event();
  EXPECT_EQ(event.envelope.type, "a.b");
  EXPECT_EQ(event.envelope.id, "host-made-id");
  EXPECT_EQ(event.envelope.data, "[1,2]");
  ASSERT_EQ(event.envelope.extensions.size(), 2u);
  EXPECT_EQ(event.envelope.extensions[0].name, "ext");
  EXPECT_EQ(event.envelope.extensions[0].value, "inside");
  EXPECT_EQ(event.envelope.extensions[1].name, "outside");
  EXPECT_EQ(event.envelope.extensions[1].value, "value");
  EXPECT_EQ(event.envelope.extensions[1].type, AttributeType::integer);
  ASSERT_EQ(event.added.size(), 1u);
  EXPECT_EQ(event.added[0].value, "host-made-id");
  EXPECT_EQ(event.envelope.priority, 3);
  // What lies inside the encoded bytes stays inside their copy.
  EXPECT_GE(event.envelope.data.data(), event.encoded.data());
  EXPECT_LE(event.envelope.data.data() + 5, event.encoded.data() + event.encoded.size());
  for (std::size_t i = 0; i < kReadPadding; ++i) ASSERT_EQ(event.encoded.data()[event.encoded.size() + i], '\0');
}

TEST(MessageRef, PadsDataThatIsNoPartOfEncodedBytes) {
  EventBudget budget(1 << 20);
  Event event = rig::event("1");
  const std::string data = "{\"a\":1}";
  event.envelope.data = data;
  const MessageRef copy = MessageRef::copy(event, budget);
  const std::string_view kept = copy.event().envelope.data;
  EXPECT_EQ(kept, data);
  EXPECT_NE(kept.data(), data.data());
  for (std::size_t i = 0; i < kReadPadding; ++i) ASSERT_EQ(kept.data()[kept.size() + i], '\0');
}

TEST(MessageRef, CountsItsReferencesAndChargesTheBudgetOnce) {
  EventBudget budget(1000);
  const Event event = rig::event("1");
  {
    MessageRef a = MessageRef::copy(event, budget);
    MessageRef b = a;
    MessageRef c = std::move(a);
    EXPECT_FALSE(a);
    EXPECT_EQ(&b.event(), &c.event());
    EXPECT_EQ(budget.used(), b.size());
    b = MessageRef();
    EXPECT_EQ(budget.used(), c.size());
    MessageRef& same = c;
    c = same;
    EXPECT_TRUE(c);
  }
  EXPECT_EQ(budget.used(), 0u);
  EXPECT_TRUE(budget.has_room(1000));
  EXPECT_FALSE(budget.has_room(1001));
}

}  // namespace
}  // namespace tenon::message
