// What a loader does about files that come, change and go while the host runs.
#include "plugin_loader_fixture.hpp"

namespace tenon::loader {
namespace {

TEST_F(PluginLoaderTest, LoadsAFileThatIsDroppedIn) {
  start();
  EXPECT_THAT(states(), IsEmpty());
  plugins_.put("good", "x.so");
  serve_watches();
  EXPECT_THAT(states(), ElementsAre("x.so 1.0.0 loaded"));
  test::write_octets(plugins_.at(".part"), test::read_octets(test::shelf("good_2_0_0")));
  std::filesystem::rename(plugins_.at(".part"), plugins_.at("y.so"));
  serve_watches();
  EXPECT_EQ(version_of("good"), "2.0.0");
}

TEST_F(PluginLoaderTest, RejectsABrokenFileThatIsDroppedInAndNothingElseHappens) {
  plugins_.put("good", "a.so");
  start();
  (void)chronicle_.take();
  const std::string whole = test::read_octets(test::shelf("good_2_0_0"));
  test::write_octets(plugins_.at("b.so"), whole.substr(0, whole.size() / 2));
  serve_watches();
  EXPECT_THAT(chronicle_.take(), ElementsAre("rejected ? "));
  EXPECT_EQ(version_of("good"), "1.0.0");
}

TEST_F(PluginLoaderTest, LetsANewContentTakeOverAndRetiresTheOld) {
  plugins_.put("good", "x.so");
  start();
  const Component* handle = loader_->registry().find("restart_policy", "good");
  const auto pinned = handle->current();
  EXPECT_THAT(chronicle_.take(), ElementsAre("loaded good 1.0.0", "restart_policy/good none -> 1.0.0"));

  plugins_.put("good_1_1_0", "x.so");
  serve_watches();
  EXPECT_THAT(chronicle_.take(),
              ElementsAre("loaded good 1.1.0", "restart_policy/good 1.0.0 -> 1.1.0", "retired good 1.0.0"));
  EXPECT_THAT(states(), ElementsAre("x.so 1.1.0 loaded", "x.so 1.0.0 retired"));
  EXPECT_EQ(loader_->registry().find("restart_policy", "good"), handle);
  // The old version still works for the instances that it made.
  void* self = nullptr;
  EXPECT_EQ(static_cast<const tenon_restart_policy*>(pinned->table())->create(nullptr, &self, nullptr), TENON_OK);
}

TEST_F(PluginLoaderTest, FollowsAReplacementByALowerVersion) {
  plugins_.put("good_2_0_0", "x.so");
  start();
  plugins_.put("good", "x.so");
  serve_watches();
  EXPECT_EQ(version_of("good"), "1.0.0");
}

TEST_F(PluginLoaderTest, KeepsTheOldContentWhenTheNewOneIsRefused) {
  plugins_.put("good", "x.so");
  start();
  (void)chronicle_.take();
  plugins_.put("unresolved_symbol", "x.so");
  serve_watches();
  EXPECT_THAT(chronicle_.take(), ElementsAre("rejected unresolved_symbol 1.0.0"));
  EXPECT_EQ(version_of("good"), "1.0.0");
  EXPECT_THAT(states(), ElementsAre("x.so 1.0.0 rejected", "x.so 1.0.0 loaded"));
  EXPECT_THAT(reason_of(1), HasSubstr("refused"));
}

TEST_F(PluginLoaderTest, DoesNotLoadAFileAgainThatWasOnlyTouched) {
  plugins_.put("good", "x.so");
  start();
  const auto before = loader_->registry().find("restart_policy", "good")->current();
  (void)chronicle_.take();
  trace_.calls.clear();
  plugins_.put("good", "x.so");
  serve_watches();
  loader_->rescan();
  EXPECT_THAT(chronicle_.take(), IsEmpty());
  EXPECT_THAT(trace_.calls, IsEmpty());
  EXPECT_EQ(loader_->registry().find("restart_policy", "good")->current(), before);
  EXPECT_THAT(states(), ElementsAre("x.so 1.0.0 loaded"));
}

TEST_F(PluginLoaderTest, ShadowsTheLowerVersionWithoutLoadingIt) {
  plugins_.put("good", "a.so");
  plugins_.put("good_2_0_0", "b.so");
  start();
  EXPECT_THAT(states(), ElementsAre("a.so 1.0.0 shadowed", "b.so 2.0.0 loaded"));
  EXPECT_THAT(trace_.calls, ElementsAre(kCallLoad, kCallDescribe));
}

TEST_F(PluginLoaderTest, ShadowsOnlyTheComponentsThatAnotherFileHasInAHigherVersion) {
  plugins_.put("good_pair", "a.so");
  plugins_.put("good_2_0_0", "b.so");
  start();
  EXPECT_EQ(version_of("good"), "2.0.0");
  EXPECT_EQ(version_of("other"), "1.5.0");
  EXPECT_THAT(states(), ElementsAre("a.so 1.5.0 loaded", "b.so 2.0.0 loaded"));
  EXPECT_THAT(reason_of(0), HasSubstr("restart_policy/good is shadowed by " + plugins_.at("b.so") + " (2.0.0)"));
}

TEST_F(PluginLoaderTest, LoadsTheNextBestWhenTheBestIsRefused) {
  plugins_.put("good", "a.so");
  more_plugins_.put("good_2_0_0", "b.so");
  ASSERT_EQ(::chmod(more_plugins_.at("b.so").c_str(), 0666), 0);
  start({plugins_.path(), more_plugins_.path()});
  EXPECT_EQ(version_of("good"), "1.0.0");
  EXPECT_THAT(reason_of(1), HasSubstr("b.so"));
}

TEST_F(PluginLoaderTest, KeepsARemovedFileInUseUntilAnotherOffersTheSame) {
  plugins_.put("good_2_0_0", "x.so");
  start();
  std::filesystem::remove(plugins_.at("x.so"));
  serve_watches();
  EXPECT_EQ(version_of("good"), "2.0.0");
  EXPECT_THAT(states(), ElementsAre("x.so 2.0.0 loaded"));
  EXPECT_THAT(reason_of(0), HasSubstr("removed"));
  plugins_.put("good", "y.so");
  serve_watches();
  EXPECT_EQ(version_of("good"), "1.0.0");
  EXPECT_THAT(states(), ElementsAre("x.so 2.0.0 retired", "y.so 1.0.0 loaded"));
}

TEST_F(PluginLoaderTest, KeepsTheOneInUseWhenTheFilesOfAllAreRemoved) {
  plugins_.put("good_2_0_0", "x.so");
  start();
  std::filesystem::remove(plugins_.at("x.so"));
  serve_watches();
  plugins_.put("good", "y.so");
  serve_watches();
  ASSERT_EQ(version_of("good"), "1.0.0");
  (void)chronicle_.take();
  std::filesystem::remove(plugins_.at("y.so"));
  serve_watches();
  EXPECT_EQ(version_of("good"), "1.0.0");
  EXPECT_THAT(chronicle_.take(), IsEmpty());
  EXPECT_THAT(states(), ElementsAre("x.so 2.0.0 retired", "y.so 1.0.0 loaded"));
  ASSERT_TRUE(take_over({plugins_.path()}).ok());
  EXPECT_EQ(version_of("good"), "1.0.0") << "and in the next engine";
}

TEST_F(PluginLoaderTest, ReturnsToTheShadowedVersionWhenTheHigherFileIsRemoved) {
  plugins_.put("good", "a.so");
  plugins_.put("good_2_0_0", "b.so");
  start();
  std::filesystem::remove(plugins_.at("b.so"));
  serve_watches();
  EXPECT_EQ(version_of("good"), "1.0.0");
}

TEST_F(PluginLoaderTest, RollsBackToThePredecessorWithoutLoadingItAgain) {
  plugins_.put("good", "x.so");
  start();
  const auto old = loader_->registry().find("restart_policy", "good")->current();
  plugins_.put("good_2_0_0", "x.so");
  serve_watches();
  (void)chronicle_.take();
  trace_.calls.clear();
  const auto failing = loader_->registry().find("restart_policy", "good")->current();
  EXPECT_TRUE(loader_->roll_back(*failing->library, "create failed: no"));
  EXPECT_THAT(chronicle_.take(),
              ElementsAre("rejected good 2.0.0", "loaded good 1.0.0", "restart_policy/good 2.0.0 -> 1.0.0"));
  EXPECT_EQ(loader_->registry().find("restart_policy", "good")->current()->library, old->library);
  EXPECT_THAT(trace_.calls, IsEmpty());
  EXPECT_FALSE(loader_->roll_back(*failing->library, "again"));
}

TEST_F(PluginLoaderTest, NeverTouchesAQuarantinedContentUnderAnyName) {
  const std::string path = plugins_.put("abort_in_constructor", "x.so");
  const auto copies = std::make_unique<PrivateCopies>(PrivateCopies::open({base_.path()}).value());
  const Digest content = copies->copy(*PluginFile::open(path))->content();
  ASSERT_TRUE(quarantine_.report({trace_name(content, path), "", "load", "SIGABRT", false}));
  start();
  EXPECT_THAT(chronicle_.take(), ElementsAre("quarantined abort_in_constructor 1.0.0"));
  EXPECT_THAT(reason_of(0), HasSubstr("killed the engine in load (SIGABRT)"));
  plugins_.put("abort_in_constructor", "renamed.so");
  plugins_.put("abort_in_constructor", "x.so");
  serve_watches();
  loader_->rescan();
  EXPECT_THAT(trace_.calls, IsEmpty());
  EXPECT_THAT(states(), ElementsAre("renamed.so 1.0.0 quarantined", "x.so 1.0.0 quarantined"));
  // Until it changes.
  plugins_.put("good", "x.so");
  serve_watches();
  EXPECT_EQ(version_of("good"), "1.0.0");
}

TEST_F(PluginLoaderTest, LooksAgainAfterAReleaseFromQuarantine) {
  const std::string path = plugins_.put("good", "x.so");
  const Digest content = PrivateCopies::open({base_.path()})->copy(*PluginFile::open(path))->content();
  ASSERT_TRUE(quarantine_.report({trace_name(content, path), "restart_policy/good", "create", "SIGSEGV", false}));
  start();
  EXPECT_EQ(version_of("good"), "none");
  quarantine_.release(content);
  loader_->look_again(path);
  EXPECT_EQ(version_of("good"), "1.0.0");
}

TEST_F(PluginLoaderTest, FindsWhatChangedWhileNobodyWatched) {
  plugins_.put("good", "a.so");
  plugins_.put("missing_slot", "b.so");
  start();
  std::filesystem::remove(plugins_.at("b.so"));
  plugins_.put("good_1_1_0", "c.so");
  loader_->rescan();
  EXPECT_THAT(states(), ElementsAre("a.so 1.0.0 shadowed", "c.so 1.1.0 loaded"));
}

TEST_F(PluginLoaderTest, ReadsADirectoryAgainThatWentAwayAndCameBack) {
  const std::string path = plugins_.at("inner");
  ASSERT_EQ(::mkdir(path.c_str(), 0755), 0);
  test::write_octets(path + "/x.so", test::read_octets(test::shelf("good")));
  start({path});
  std::filesystem::rename(path, plugins_.at("old"));
  serve_watches();
  loop_.advance(PluginLoader::kReturnPeriod);
  EXPECT_EQ(version_of("good"), "1.0.0");
  ASSERT_EQ(::mkdir(path.c_str(), 0755), 0);
  test::write_octets(path + "/x.so", test::read_octets(test::shelf("good_2_0_0")));
  loop_.advance(PluginLoader::kReturnPeriod);
  EXPECT_EQ(version_of("good"), "2.0.0");
  EXPECT_EQ(loop_.live_timers(), 0u);
  test::write_octets(path + "/x.so", test::read_octets(test::shelf("good_1_1_0")));
  serve_watches();
  EXPECT_EQ(version_of("good"), "1.1.0");
}

TEST_F(PluginLoaderTest, DoesNotStartWithADirectoryThatOthersCanWrite) {
  ASSERT_EQ(::chmod(plugins_.path().c_str(), 0777), 0);
  LoaderOptions options;
  options.directories = {plugins_.path()};
  options.copy_bases = {base_.path()};
  PluginLoader loader(std::move(options), loop_, quarantine_, trace_);
  const Status started = loader.start();
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error().code, errc::permission);
}

TEST_F(PluginLoaderTest, LeavesNoPrivateCopyBehind) {
  plugins_.put("good", "a.so");
  plugins_.put("missing_slot", "b.so");
  start();
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(base_.path()))
    files += entry.is_regular_file();
  EXPECT_EQ(files, 0u);
  loader_.reset();
  EXPECT_THAT(base_.names(), IsEmpty());
}

// The real loop and inotify: what a user sees who drops a file in while the host runs.
TEST(PluginLoaderOnTheRealLoop, LoadsADroppedFileWithoutBeingAsked) {
  class StopWhenLoaded final : public PluginObserver {
   public:
    explicit StopWhenLoaded(event::Loop& loop) : loop_(loop) {}
    void on_loaded(const PluginListing& listing) override {
      loaded = listing.version;
      loop_.stop();
    }
    std::string loaded;

   private:
    event::Loop& loop_;
  };
  test::TemporaryDirectory plugins, base;
  const auto loop = event::make_loop();
  Quarantine quarantine;
  NoTrace trace;
  LoaderOptions options;
  options.directories = {plugins.path()};
  options.kinds = {test::restart_policy_kind()};
  options.copy_bases = {base.path()};
  PluginLoader loader(std::move(options), *loop, quarantine, trace);
  StopWhenLoaded observer(*loop);
  loader.registry().add_observer(&observer);
  ASSERT_TRUE(loader.start().ok());
  loop->post([&] { plugins.put("good", "x.so"); });
  auto guard = loop->after(std::chrono::seconds(60), [&] { loop->stop(); });
  loop->run();
  EXPECT_EQ(observer.loaded, "1.0.0");
}

}  // namespace
}  // namespace tenon::loader
