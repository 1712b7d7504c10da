#include "loader/plugin_directory.hpp"

#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "shelf_support.hpp"

namespace tenon::loader {
namespace {

using testing::HasSubstr;

TEST(PluginDirectory, MustExistAndBeOneThatNobodyElseWrites) {
  test::TemporaryDirectory directory;
  EXPECT_TRUE(check_plugin_directory(directory.path()).ok());

  const Status missing = check_plugin_directory(directory.at("none"));
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, errc::not_found);
  EXPECT_THAT(missing.error().message, HasSubstr("create it"));

  test::write_octets(directory.at("file"), "");
  EXPECT_THAT(check_plugin_directory(directory.at("file")).error().message, HasSubstr("is not a directory"));

  ASSERT_EQ(::mkdir(directory.at("open").c_str(), 0777), 0);
  ASSERT_EQ(::chmod(directory.at("open").c_str(), 0777), 0);
  const Status open = check_plugin_directory(directory.at("open"));
  ASSERT_FALSE(open.ok());
  EXPECT_EQ(open.error().code, errc::permission);
}

TEST(PluginDirectory, ListsPluginFilesByNameAndNothingElse) {
  test::TemporaryDirectory directory;
  for (const char* name : {"b.so", "a.so", ".hidden.so", "a.so.1", "notes.txt", ".so"}) {
    test::write_octets(directory.at(name), "");
  }
  const auto places = list_plugin_files(directory.path(), 3);
  ASSERT_TRUE(places.ok());
  EXPECT_THAT(*places,
              testing::ElementsAre(PluginPlace{3, directory.at("a.so")}, PluginPlace{3, directory.at("b.so")}));
}

TEST(PluginDirectory, RefusesMoreFilesThanTheLimit) {
  test::TemporaryDirectory directory;
  for (const char* name : {"a.so", "b.so", "c.so"}) test::write_octets(directory.at(name), "");
  EXPECT_TRUE(list_plugin_files(directory.path(), 0, 3).ok());
  const auto places = list_plugin_files(directory.path(), 0, 2);
  ASSERT_FALSE(places.ok());
  EXPECT_EQ(places.error().code, errc::exhausted);
}

TEST(PluginDirectory, SurveysWithoutRunningAnything) {
  test::TemporaryDirectory first, second;
  first.put("good", "a.so");
  first.put("abort_in_constructor", "b.so");
  first.put("other_major", "c.so");
  second.put("good_2_0_0", "z.so");
  const auto survey = survey_plugins({first.path(), second.path(), "/nowhere"});
  ASSERT_EQ(survey.size(), 4u);
  EXPECT_TRUE(survey[1].identity.ok());
  ASSERT_FALSE(survey[2].identity.ok());
  EXPECT_THAT(survey[2].identity.error().message, HasSubstr("ABI 2.3"));
  const SurveyedPlugin* offer = find_offer(survey, "restart_policy", "good");
  ASSERT_NE(offer, nullptr);
  EXPECT_EQ(offer->identity->version.text(), "2.0.0");
  EXPECT_EQ(find_offer(survey, "restart_policy", "none"), nullptr);
}

TEST(PluginDirectory, InspectsAFileThatOthersCanWrite) {
  test::TemporaryDirectory directory;
  const std::string path = directory.put("abort_in_constructor", "x.so");
  ASSERT_EQ(::chmod(path.c_str(), 0666), 0);
  const auto identity = inspect_plugin(path);
  ASSERT_TRUE(identity.ok());
  EXPECT_EQ(identity->name, "abort_in_constructor");
}

}  // namespace
}  // namespace tenon::loader
