// What a loader finds when it starts or takes over.
#include "plugin_loader_fixture.hpp"

namespace tenon::loader {
namespace {

TEST_F(PluginLoaderTest, LoadsWhatItFindsAndRejectsTheRest) {
  plugins_.put("good", "a.so");
  plugins_.put("missing_slot", "b.so");
  test::write_octets(plugins_.at("c.so"), "not a plugin");
  plugins_.put("other_major", "d.so");
  start();
  EXPECT_THAT(states(),
              ElementsAre("a.so 1.0.0 loaded", "b.so 1.0.0 rejected", "c.so  rejected", "d.so 1.0.0 rejected"));
  EXPECT_EQ(reason_of(0), "");
  EXPECT_THAT(reason_of(1), HasSubstr("on_exit"));
  EXPECT_THAT(reason_of(2), HasSubstr("not an ELF file"));
  EXPECT_THAT(reason_of(3), HasSubstr("ABI 2.3"));
  EXPECT_EQ(version_of("good"), "1.0.0");
}

TEST_F(PluginLoaderTest, TakesOverWhatWasLoadedAlthoughItsFileIsGone) {
  const std::string path = plugins_.put("good", "good.so");
  start();
  std::filesystem::remove(path);
  ASSERT_TRUE(take_over({plugins_.path()}).ok());
  EXPECT_EQ(version_of("good"), "1.0.0");
  EXPECT_THAT(reason_of(0), HasSubstr("its file was removed"));
  plugins_.put("good_2_0_0", "good.so");
  serve_watches();
  EXPECT_EQ(version_of("good"), "2.0.0") << "and the directory is watched";
}

TEST_F(PluginLoaderTest, TakesOverAlthoughADirectoryIsGoneAndReadsItWhenItIsBack) {
  const std::string gone = more_plugins_.at("sub");
  std::filesystem::create_directory(gone);
  std::filesystem::permissions(gone, std::filesystem::perms::owner_all);
  more_plugins_.put("good", "sub/good.so");
  start({plugins_.path(), gone});
  std::filesystem::rename(gone, more_plugins_.at("moved"));
  ASSERT_TRUE(take_over({plugins_.path(), gone}).ok());
  EXPECT_THAT(states(), ElementsAre("good.so 1.0.0 loaded"));
  std::filesystem::rename(more_plugins_.at("moved"), gone);
  more_plugins_.put("good_2_0_0", "sub/newer.so");
  loop_.advance(PluginLoader::kReturnPeriod);
  EXPECT_EQ(version_of("good"), "2.0.0");
}

TEST_F(PluginLoaderTest, TakesOverANewerContentThatCameMeanwhile) {
  plugins_.put("good", "good.so");
  start();
  plugins_.put("good_2_0_0", "good.so");
  ASSERT_TRUE(take_over({plugins_.path()}).ok());
  EXPECT_EQ(version_of("good"), "2.0.0");
}

TEST_F(PluginLoaderTest, TakesNothingOverThatIsQuarantinedByNow) {
  const std::string path = plugins_.put("good", "good.so");
  start();
  const Digest content = loader_->registry().mapped_at(path)->content();
  ASSERT_TRUE(quarantine_.report({trace_name(content, path), "restart_policy/good", "create", "SIGABRT"}));
  ASSERT_TRUE(take_over({plugins_.path()}).ok());
  EXPECT_THAT(states(), ElementsAre("good.so 1.0.0 quarantined"));
  EXPECT_EQ(version_of("good"), "none");
  ASSERT_TRUE(quarantine_.tolerate(path));
  loader_->look_again(path);
  EXPECT_EQ(version_of("good"), "1.0.0");
}

TEST_F(PluginLoaderTest, RejectsEveryBadPluginOfTheShelfForItsOwnReason) {
  const std::vector<std::pair<std::string, std::string>> shelf = {{"other_major", "ABI 2.3"},
                                                                  {"missing_slot", "restart_policy.on_exit"},
                                                                  {"no_struct_size", "struct_size is 0"},
                                                                  {"no_note", "no Tenon note"},
                                                                  {"no_symbol", "does not export"},
                                                                  {"two_notes", "more than one"},
                                                                  {"other_version", "1.0.1"},
                                                                  {"other_component", "promised"},
                                                                  {"illegal_name", "[a-z0-9_]"},
                                                                  {"unresolved_symbol", "nobody_defines"},
                                                                  {"broken_schema", "not valid JSON"},
                                                                  {"returns_null", "returned NULL"},
                                                                  {"unknown_kind", "oracle/delphi"},
                                                                  {"shorter_table", "struct_size"}};
  plugins_.put("good", "good.so");
  for (const auto& [name, reason] : shelf) plugins_.put(name, name + ".so");
  start();
  EXPECT_EQ(version_of("good"), "1.0.0");
  for (const PluginListing& listing : loader_->registry().list()) {
    for (const auto& [name, reason] : shelf) {
      if (!listing.file.ends_with("/" + name + ".so")) continue;
      EXPECT_EQ(listing.state, PluginState::rejected) << name;
      EXPECT_THAT(listing.reason, HasSubstr(reason)) << name;
    }
  }
  EXPECT_EQ(loader_->registry().list().size(), shelf.size() + 1);
}

}  // namespace
}  // namespace tenon::loader
