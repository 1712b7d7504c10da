#include "loader/component_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "shelf_support.hpp"

namespace tenon::loader {
namespace {

using testing::HasSubstr;

tenon_status plugin_create(const tenon_host*, void**, tenon_error*) { return TENON_OK; }
void plugin_destroy(void*) {}
tenon_status plugin_on_exit(void*, const tenon_exit*, tenon_restart_decision*, tenon_error*) { return TENON_OK; }

tenon_restart_policy policy() {
  tenon_restart_policy table;
  TENON_INIT(&table);
  table.create = plugin_create;
  table.destroy = plugin_destroy;
  table.on_exit = plugin_on_exit;
  return table;
}
const tenon_restart_policy& completed(const ComponentTable& table) {
  return *static_cast<const tenon_restart_policy*>(table.get());
}
std::string error_of(const KindDescription& kind, const void* table) {
  const auto complete = ComponentTable::complete(kind, table, "restart_policy/x");
  if (complete) return "no error";
  EXPECT_EQ(complete.error().whose, fault::plugin);
  return complete.error().message;
}

// This host's table as it might be two minor versions later.
struct LaterPolicy {
  tenon_restart_policy known;
  tenon_status (*pause)(void*);
  tenon_status (*explain)(void*);
};
KindDescription later_kind(bool explain_required = false) {
  KindDescription kind = test::restart_policy_kind();
  const auto unsupported = reinterpret_cast<AnyFunction>(&test::unsupported_stub);
  kind.slots.push_back({"pause", offsetof(LaterPolicy, pause), false, unsupported});
  kind.slots.push_back({"explain", offsetof(LaterPolicy, explain), explain_required, unsupported});
  return kind;
}

TEST(ComponentTable, FillsOptionalSlotsThatAreNull) {
  const tenon_restart_policy table = policy();
  const auto complete = ComponentTable::complete(test::restart_policy_kind(), &table, "restart_policy/x");
  ASSERT_TRUE(complete.ok());
  EXPECT_EQ(completed(*complete).on_exit, &plugin_on_exit);
  EXPECT_EQ(reinterpret_cast<AnyFunction>(completed(*complete).reset), test::silent());
  EXPECT_EQ(completed(*complete).get_interface, nullptr);
}

TEST(ComponentTable, CompletesAnOlderTableToTheHostsSize) {
  const tenon_restart_policy table = policy();
  const auto complete = ComponentTable::complete(later_kind(), &table, "restart_policy/x");
  ASSERT_TRUE(complete.ok());
  const auto& later = *static_cast<const LaterPolicy*>(complete->get());
  EXPECT_EQ(later.known.struct_size, sizeof(LaterPolicy));
  EXPECT_EQ(later.known.create, &plugin_create);
  ASSERT_NE(later.pause, nullptr);
  EXPECT_EQ(later.pause(nullptr), TENON_ERR_UNSUPPORTED);
  EXPECT_EQ(later.explain(nullptr), TENON_ERR_UNSUPPORTED);
}

TEST(ComponentTable, UsesOfANewerTableWhatTheHostKnows) {
  LaterPolicy table{policy(), nullptr, nullptr};
  table.known.struct_size = sizeof table;
  const auto complete = ComponentTable::complete(test::restart_policy_kind(), &table, "restart_policy/x");
  ASSERT_TRUE(complete.ok());
  EXPECT_EQ(completed(*complete).struct_size, sizeof(tenon_restart_policy));
  EXPECT_EQ(completed(*complete).create, &plugin_create);
}

TEST(ComponentTable, TreatsASlotThatIsCutInTwoAsMissing) {
  LaterPolicy table{policy(), [](void*) -> tenon_status { return TENON_OK; }, nullptr};
  table.known.struct_size = offsetof(LaterPolicy, pause) + sizeof(void*) / 2;
  const auto complete = ComponentTable::complete(later_kind(), &table, "restart_policy/x");
  ASSERT_TRUE(complete.ok());
  EXPECT_EQ(static_cast<const LaterPolicy*>(complete->get())->pause(nullptr), TENON_ERR_UNSUPPORTED);
}

TEST(ComponentTable, DoesNotFollowLaterChangesOfThePluginsTable) {
  tenon_restart_policy table = policy();
  const auto complete = ComponentTable::complete(test::restart_policy_kind(), &table, "restart_policy/x");
  ASSERT_TRUE(complete.ok());
  table.on_exit = nullptr;
  EXPECT_EQ(completed(*complete).on_exit, &plugin_on_exit);
}

TEST(ComponentTable, NamesAMissingRequiredSlot) {
  tenon_restart_policy table = policy();
  table.on_exit = nullptr;
  EXPECT_THAT(error_of(test::restart_policy_kind(), &table), HasSubstr("required slot restart_policy.on_exit"));
  const tenon_restart_policy older = policy();
  EXPECT_THAT(error_of(later_kind(true), &older), HasSubstr("required slot restart_policy.explain"));
}

TEST(ComponentTable, RefusesSizesThatNobodySetWithTheMacro) {
  tenon_restart_policy table = policy();
  for (const std::uint32_t size : {0u, 8u, static_cast<std::uint32_t>(sizeof table) - 1, 0x10000001u}) {
    table.struct_size = size;
    EXPECT_THAT(error_of(test::restart_policy_kind(), &table), HasSubstr("struct_size is " + std::to_string(size)));
  }
  EXPECT_THAT(error_of(test::restart_policy_kind(), nullptr), HasSubstr("no table"));
}

}  // namespace
}  // namespace tenon::loader
