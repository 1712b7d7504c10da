#include "keeper/child_table.hpp"

#include <gtest/gtest.h>

namespace tenon::keeper {
namespace {

Child child(const std::string& id, std::uint64_t generation, pid_t pid) {
  Child made;
  made.key = {id, generation};
  made.pid = pid;
  return made;
}

TEST(ChildTable, KnowsAnIdWhileAnyOfItsStartsIsKept) {
  ChildTable table;
  table.add(child("b", 3, 30));
  EXPECT_TRUE(table.knows("b"));
  EXPECT_FALSE(table.knows("a"));
  EXPECT_FALSE(table.knows("b.1"));
  table.note_exit(*table.find({"b", 3}), {});
  table.add(child("b", 4, 40));
  table.erase({"b", 3});
  EXPECT_TRUE(table.knows("b")) << "its next start runs";
  table.erase({"b", 4});
  EXPECT_FALSE(table.knows("b"));
}

}  // namespace
}  // namespace tenon::keeper
