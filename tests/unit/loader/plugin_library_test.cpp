#include "loader/plugin_library.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "forked.hpp"
#include "shelf_support.hpp"

namespace tenon::loader {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class PluginLibraryTest : public testing::Test {
 protected:
  PluginLibraryTest() : copies_(PrivateCopies::open({base_.path()}).value()) {}

  Result<std::shared_ptr<const PluginLibrary>> load(const std::string& name) {
    const std::string path = files_.put(name, name + ".so");
    const auto file = PluginFile::open(path);
    if (!file) return file.error();
    const auto copy = copies_.copy(*file);
    if (!copy) return copy.error();
    auto identity = copy->identity();
    if (!identity) return identity.error();
    return PluginLibrary::load(*copy, path, std::move(identity).value(), {test::restart_policy_kind()}, trace_);
  }
  std::string error_of(const std::string& name) {
    const auto library = load(name);
    if (library) return "no error";
    EXPECT_EQ(library.error().whose, fault::plugin) << name;
    return library.error().message;
  }
  static const tenon_restart_policy& table(const PluginLibrary& library) {
    return *static_cast<const tenon_restart_policy*>(library.components().at(0).table.get());
  }

  test::TemporaryDirectory files_, base_;
  test::RecordingTrace trace_;
  PrivateCopies copies_;
};

TEST_F(PluginLibraryTest, OffersCompletedTablesThatCanBeCalled) {
  const auto library = load("good");
  ASSERT_TRUE(library.ok()) << library.error().message;
  ASSERT_EQ((*library)->components().size(), 1u);
  const LoadedComponent& component = (*library)->components()[0];
  EXPECT_EQ(component_id(component.kind, component.name), "restart_policy/good");
  EXPECT_EQ(component.schema, R"({"type":"object"})");
  void* self = nullptr;
  ASSERT_EQ(table(**library).create(nullptr, &self, nullptr), TENON_OK);
  tenon_exit ended;
  TENON_INIT(&ended);
  tenon_restart_decision decision;
  TENON_INIT(&decision);
  ASSERT_EQ(table(**library).on_exit(self, &ended, &decision, nullptr), TENON_OK);
  EXPECT_EQ(decision.action, TENON_RESTART_FINISHED);
  table(**library).destroy(self);
}

TEST_F(PluginLibraryTest, EntersTheTraceBeforeAnyCodeOfThePluginRuns) {
  const auto library = load("good");
  ASSERT_TRUE(library.ok());
  EXPECT_THAT(trace_.calls, ElementsAre(kCallLoad, kCallDescribe));
  EXPECT_EQ(trace_.depth, 0);
  EXPECT_EQ(trace_.files[0], (*library)->traced_as());
  const auto traced = parse_trace_name(trace_.files[0]);
  ASSERT_TRUE(traced);
  EXPECT_EQ(traced->content, (*library)->content());
  EXPECT_EQ(traced->path, files_.at("good.so"));
}

TEST_F(PluginLibraryTest, SurvivesCopyingOverTheOriginal) {
  const auto library = load("good");
  ASSERT_TRUE(library.ok());
  test::write_octets(files_.at("good.so"), "");
  test::write_octets(files_.at("good.so"), std::string(100'000, 'x'));
  void* self = nullptr;
  EXPECT_EQ(table(**library).create(nullptr, &self, nullptr), TENON_OK);
}

TEST_F(PluginLibraryTest, RunsTheNewCodeAfterAReplacement) {
  const auto first = load("good");
  const auto second = load("good_2_0_0");
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ((*second)->identity().version.text(), "2.0.0");
  EXPECT_NE(table(**first).create, table(**second).create);
}

TEST_F(PluginLibraryTest, AcceptsALaterMinorWithALongerTable) {
  const auto library = load("newer_minor");
  ASSERT_TRUE(library.ok()) << library.error().message;
  EXPECT_EQ((*library)->identity().abi, (AbiVersion{1, 9}));
  EXPECT_EQ(table(**library).struct_size, sizeof(tenon_restart_policy));
}

TEST_F(PluginLibraryTest, AcceptsAShorterTableWhereVersionOneWasShorter) {
  const std::string path = files_.put("shorter_table", "shorter_table.so");
  KindDescription kind = test::restart_policy_kind();
  kind.min_table_size = offsetof(tenon_restart_policy, reset);
  const auto copy = copies_.copy(*PluginFile::open(path));
  const auto library = PluginLibrary::load(*copy, path, copy->identity().value(), {kind}, trace_);
  ASSERT_TRUE(library.ok()) << library.error().message;
  EXPECT_EQ(reinterpret_cast<AnyFunction>(table(**library).reset), test::silent());
}

TEST_F(PluginLibraryTest, RefusesATableBelowTheKnownMinimum) {
  EXPECT_THAT(error_of("shorter_table"),
              HasSubstr("struct_size is " + std::to_string(offsetof(tenon_restart_policy, reset))));
  EXPECT_THAT(error_of("no_struct_size"), HasSubstr("struct_size is 0"));
}

TEST_F(PluginLibraryTest, NamesTheMissingSlot) {
  EXPECT_THAT(error_of("missing_slot"), HasSubstr("lacks the required slot restart_policy.on_exit"));
}

TEST_F(PluginLibraryTest, NamesTheSymbolThatNothingDefines) {
  EXPECT_THAT(error_of("unresolved_symbol"), AllOf(HasSubstr("function_that_nobody_defines"), HasSubstr("ldd")));
}

TEST_F(PluginLibraryTest, RefusesAFileThatExportsNothing) {
  EXPECT_THAT(error_of("no_symbol"), HasSubstr("does not export tenon_plugin_v1"));
}

TEST_F(PluginLibraryTest, RefusesAPluginThatDeclines) {
  EXPECT_THAT(error_of("returns_null"), HasSubstr("returned NULL"));
}

TEST_F(PluginLibraryTest, RefusesCodeThatContradictsItsNote) {
  EXPECT_THAT(error_of("other_version"), AllOf(HasSubstr("1.0.1"), HasSubstr("1.0.0")));
  EXPECT_THAT(error_of("other_component"), HasSubstr("restart_policy/promised"));
}

TEST_F(PluginLibraryTest, RefusesAFileOfUnknownKindsOnly) {
  EXPECT_THAT(error_of("unknown_kind"), AllOf(HasSubstr("oracle/delphi"), HasSubstr("update the host")));
}

TEST_F(PluginLibraryTest, RefusesAVersionThatWouldRunAnOlderOnesTable) {
  ASSERT_TRUE(load("visible_1").ok());
  EXPECT_THAT(error_of("visible_2"), HasSubstr("another loaded library"));
}

TEST_F(PluginLibraryTest, TwoVersionsOverTheSdkLiveSideBySideWithoutAnyFlag) {
  std::vector<std::string> texts;
  for (const char* const name : {"sdk_1", "sdk_2"}) {
    const auto library = load(name);
    ASSERT_TRUE(library.ok()) << library.error().message;
    const auto* const table = static_cast<const tenon_restart_policy*>((*library)->components().front().table.get());
    tenon_host host;
    TENON_INIT(&host);
    void* self = nullptr;
    ASSERT_EQ(table->create(&host, &self, nullptr), TENON_OK);
    tenon_exit ended;
    TENON_INIT(&ended);
    tenon_restart_decision decision;
    TENON_INIT(&decision);
    ASSERT_EQ(table->on_exit(self, &ended, &decision, nullptr), TENON_OK);
    texts.emplace_back(decision.text, decision.text_size);
    table->destroy(self);
  }
  EXPECT_THAT(texts, testing::ElementsAre("1.0.0", "2.0.0"));
}

TEST_F(PluginLibraryTest, LeavesTheTraceEnteredWhenAConstructorAborts) {
  // Shared with the child: what a real host keeps in memory of its keeper.
  class SharedTrace final : public CallTrace {
   public:
    explicit SharedTrace(int fd) : fd_(fd) {}
    void enter(std::string_view file, std::string_view, std::string_view call) noexcept override {
      dprintf(fd_, "+%.*s %.*s\n", static_cast<int>(call.size()), call.data(), 8, file.data());
    }
    void leave() noexcept override { dprintf(fd_, "-\n"); }

   private:
    int fd_;
  };
  std::FILE* log = std::tmpfile();
  const std::string path = files_.put("abort_in_constructor", "x.so");
  const int status = test::run_in_child([&] {
    SharedTrace trace(fileno(log));
    const auto copy = copies_.copy(*PluginFile::open(path));
    (void)PluginLibrary::load(*copy, path, copy->identity().value(), {test::restart_policy_kind()}, trace);
  });
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) << status;
  std::rewind(log);
  char line[80] = {};
  ASSERT_NE(std::fgets(line, sizeof line, log), nullptr);
  EXPECT_TRUE(std::string(line).starts_with("+load ")) << line;
  EXPECT_EQ(std::fgets(line, sizeof line, log), nullptr) << line;
  std::fclose(log);
}

TEST_F(PluginLibraryTest, LoadsWhatAbortsOnlyInCreate) {
  const auto library = load("abort_in_create");
  ASSERT_TRUE(library.ok()) << library.error().message;
  const int status = test::run_in_child([&] {
    void* self = nullptr;
    (void)table(**library).create(nullptr, &self, nullptr);
  });
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) << status;
}

}  // namespace
}  // namespace tenon::loader
