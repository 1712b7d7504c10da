#include "keeper/wire.hpp"

#include <fcntl.h>
#include <random>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace tenon::keeper {
namespace {

unique_fd some_fd() { return unique_fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

bool same_file(int a, int b) {
  struct stat left {}, right {};
  if (::fstat(a, &left) != 0 || ::fstat(b, &right) != 0) return false;
  return left.st_ino == right.st_ino && left.st_dev == right.st_dev;
}

SpawnSpec full_spec() {
  SpawnSpec spec;
  spec.key = {"counter.1", 7};
  spec.program = "/bin/counter";
  spec.argv = {"counter", "--fast", ""};
  spec.environment = {"A=1", "PATH=/bin"};
  spec.directory = "/tmp";
  spec.uid = 1000;
  spec.gid = 1001;
  spec.groups = std::vector<std::uint32_t>{1, 2, 3};
  spec.file_mode_mask = 077;
  spec.nice = -3;
  spec.limits = {{7, 100, ~0ull}};
  spec.no_new_privileges = true;
  spec.capabilities = 0x400;
  spec.private_tmp = true;
  spec.io_priority = 3 << 13;
  spec.channel = ChannelKind::socket;
  spec.standard_output = OutputMode::discard;
  spec.standard_error = OutputMode::inherit;
  spec.transient = true;
  spec.notify = true;
  spec.group_limits = {1u << 30, 17, 250};
  spec.sockets = {{"web", {"process/counter/web", ListenFamily::udp, "::1", 53, 0666, 9, false, true, "", "sockets", 1000, 1001}, false}};
  spec.stop = {15, std::chrono::milliseconds(1234), 9};
  return spec;
}

// One of each, with every optional present and every list filled.
std::vector<Message> one_of_each() {
  const ProcessKey key{"counter.1", 7};
  const ExitReport exit{ExitStatus{3, 0, false}, std::chrono::seconds(5), std::chrono::milliseconds(6),
                        std::chrono::milliseconds(7), 1 << 20, true};
  const StopPlan plan{2, std::chrono::milliseconds(99), 4};
  const ListenSpec listen{"control", ListenFamily::tcp, "127.0.0.1", 7070, 0600, 128, true, true, "web", "sockets"};
  std::vector<Message> all;
  Hello hello;
  hello.keeper_pid = 12;
  hello.engine_ordinal = 3;
  hello.previous_exit = ExitStatus{0, 11, true};
  hello.previous_hung = true;
  hello.host_parameters = std::string("a\0b", 3);
  hello.run = "0123";
  hello.upgrades = 2;
  hello.upgrade_failure = "too old";
  hello.cgroups = {"/sys/fs/cgroup/x", "/y"};
  hello.vitals = some_fd();
  hello.breadcrumbs = some_fd();
  all.push_back(std::move(hello));
  StashEntry entry{"channel/counter.1/7", "bytes", {}};
  entry.descriptors.push_back(some_fd());
  entry.descriptors.push_back(some_fd());
  all.push_back(std::move(entry));
  AdoptedChild child{key, 44, 1, 2, exit, ChannelKind::stdio, plan, {}};
  child.descriptors.input = some_fd();
  child.descriptors.error = some_fd();
  all.push_back(std::move(child));
  all.push_back(AdoptedListener{listen, 7070, some_fd()});
  all.push_back(AdoptEnd{});
  Spawned spawned{key, 45, 3, 4, {}};
  spawned.descriptors.output = some_fd();
  spawned.descriptors.channel = some_fd();
  all.push_back(std::move(spawned));
  all.push_back(SpawnFailed{key, "exec", 2, "not found"});
  all.push_back(Exited{key, 45, exit});
  all.push_back(Closed{key, ChannelEnd::channel});
  all.push_back(SignalFailed{key, 15, 3});
  all.push_back(StashRefused{"k", "full"});
  all.push_back(Listening{"control", 7070, some_fd()});
  all.push_back(ListenFailed{"control", 6, "taken"});
  all.push_back(ShutdownRequested{std::chrono::milliseconds(15000)});
  all.push_back(ReloadRequested{});
  all.push_back(HelloAck{});
  all.push_back(SpawnRequest{full_spec()});
  all.push_back(SignalRequest{key, 9, SignalTarget::group});
  all.push_back(StopPlanUpdate{key, plan});
  all.push_back(CloseRequest{key, ChannelEnd::output});
  all.push_back(Forget{key});
  StashPut put{"k", "v", {}};
  put.descriptors.push_back(some_fd());
  all.push_back(std::move(put));
  all.push_back(StashDelete{"k"});
  all.push_back(ListenRequest{listen});
  all.push_back(Unlisten{"control"});
  all.push_back(ShutdownBound{std::chrono::milliseconds(1)});
  all.push_back(Stopping{3});
  all.push_back(Quit{3});
  all.push_back(LogSettings{4, 1});
  all.push_back(Leave{});
  all.push_back(UpgradeRefused{3, "it is gone"});
  all.push_back(HandedOver{key, 45});
  all.push_back(MainProcessRefused{key, 46, "it is a stranger"});
  all.push_back(MainProcess{key, 46});
  all.push_back(Works{});
  all.push_back(UpgradeRequest{"/usr/bin/tenon"});
  all.push_back(Awake{});
  return all;
}

TEST(Wire, CarriesEveryMessageUnchanged) {
  auto messages = one_of_each();
  ASSERT_EQ(messages.size(), std::variant_size_v<Message>);
  for (auto& message : messages) {
    const std::size_t index = message.index();
    auto first = encode(std::move(message), 42);
    ASSERT_TRUE(first.ok()) << index;
    const std::size_t descriptors = first->descriptors.size();
    auto decoded = decode(first->bytes, std::move(first->descriptors));
    ASSERT_TRUE(decoded.ok()) << index << ": " << decoded.error().message;
    EXPECT_EQ(decoded->sequence, 42u);
    ASSERT_EQ(decoded->message.index(), index);
    auto second = encode(std::move(decoded->message), 42);
    ASSERT_TRUE(second.ok());
    EXPECT_EQ(first->bytes, second->bytes) << index;
    EXPECT_EQ(descriptors, second->descriptors.size()) << index;
  }
}

TEST(Wire, KeepsTheFieldsOfASpec) {
  auto packet = encode(SpawnRequest{full_spec()}, 0);
  ASSERT_TRUE(packet.ok());
  auto decoded = decode(packet->bytes);
  ASSERT_TRUE(decoded.ok());
  const SpawnSpec& spec = std::get<SpawnRequest>(decoded->message).spec;
  EXPECT_EQ(spec.key, (ProcessKey{"counter.1", 7}));
  EXPECT_EQ(spec.argv, (std::vector<std::string>{"counter", "--fast", ""}));
  EXPECT_EQ(spec.uid, 1000u);
  EXPECT_EQ(spec.nice, -3);
  EXPECT_EQ(spec.limits.at(0).hard, ~0ull);
  EXPECT_EQ(spec.channel, ChannelKind::socket);
  EXPECT_EQ(spec.stop.grace, std::chrono::milliseconds(1234));
}

TEST(Wire, RefusesEveryPrefixOfEveryMessage) {
  for (auto& message : one_of_each()) {
    auto packet = encode(std::move(message), 1);
    ASSERT_TRUE(packet.ok());
    for (std::size_t size = 0; size < packet->bytes.size(); ++size) {
      EXPECT_FALSE(decode(std::span(packet->bytes).first(size)).ok());
    }
  }
}

TEST(Wire, RefusesALeftOverByte) {
  auto packet = encode(Quit{3}, 1);
  packet->bytes.push_back(std::byte{0});
  EXPECT_FALSE(decode(packet->bytes).ok());
}

TEST(Wire, RefusesADescriptorNobodyAskedFor) {
  auto packet = encode(Quit{3}, 1);
  std::vector<unique_fd> extra;
  extra.push_back(some_fd());
  EXPECT_FALSE(decode(packet->bytes, std::move(extra)).ok());
}

TEST(Wire, RefusesAnUnknownType) {
  auto packet = encode(Quit{3}, 1);
  packet->bytes[0] = std::byte{std::variant_size_v<Message>};
  EXPECT_FALSE(decode(packet->bytes).ok());
}

TEST(Wire, RefusesACountThatTheBytesCannotHold) {
  auto packet = encode(StashPut{"k", "", {}}, 1);
  // The last four bytes are the count of descriptors.
  for (std::size_t i = 1; i <= 4; ++i) packet->bytes[packet->bytes.size() - i] = std::byte{0xff};
  EXPECT_FALSE(decode(packet->bytes).ok());
}

TEST(Wire, SurvivesEveryFlippedByte) {
  std::size_t refused = 0;
  for (auto& message : one_of_each()) {
    auto packet = encode(std::move(message), 1);
    for (auto& byte : packet->bytes) {
      const std::byte before = byte;
      byte ^= std::byte{0xff};
      if (!decode(packet->bytes).ok()) ++refused;
      byte = before;
    }
  }
  EXPECT_GT(refused, 0u);
}

TEST(Wire, SurvivesRandomBytesAfterAValidHeader) {
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    std::vector<std::byte> bytes(kHeaderBytes + random() % 200);
    for (auto& b : bytes) b = static_cast<std::byte>(random() % 4 == 0 ? random() : 0);
    bytes[0] = static_cast<std::byte>(random() % std::variant_size_v<Message>);
    bytes[1] = bytes[2] = bytes[3] = std::byte{0};
    const auto size = static_cast<std::uint32_t>(bytes.size() - kHeaderBytes);
    for (std::size_t i = 0; i < 4; ++i) bytes[8 + i] = static_cast<std::byte>(size >> (8 * i));
    auto decoded = decode(bytes);
    EXPECT_TRUE(decoded.ok() || decoded.error().code == errc::bad_data);
  }
}

TEST(Wire, MovesALargePayloadIntoSealedMemoryBeforeTheOtherDescriptors) {
  StashPut put{"k", std::string(1'000'000, 'x'), {}};
  put.descriptors.push_back(some_fd());
  const int original = put.descriptors[0].get();
  const unique_fd keep(::fcntl(original, F_DUPFD_CLOEXEC, 0));
  auto packet = encode(std::move(put), 1);
  ASSERT_TRUE(packet.ok());
  EXPECT_EQ(packet->bytes.size(), kHeaderBytes);
  ASSERT_EQ(packet->descriptors.size(), 2u);
  EXPECT_LT(::write(packet->descriptors[0].get(), "y", 1), 0) << "sealed against writing";
  auto decoded = decode(packet->bytes, std::move(packet->descriptors));
  ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  const auto& back = std::get<StashPut>(decoded->message);
  EXPECT_EQ(back.bytes, std::string(1'000'000, 'x'));
  EXPECT_TRUE(same_file(back.descriptors.at(0).get(), keep.get()));
}

TEST(Wire, RefusesALargePayloadThatCouldStillBeChanged) {
  auto packet = encode(StashPut{"k", std::string(100'000, 'x'), {}}, 1);
  struct stat info {};
  ASSERT_EQ(::fstat(packet->descriptors[0].get(), &info), 0);
  unique_fd open_file(::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(::ftruncate(open_file.get(), info.st_size), 0);
  std::vector<unique_fd> descriptors;
  descriptors.push_back(std::move(open_file));
  EXPECT_FALSE(decode(packet->bytes, std::move(descriptors)).ok());
}

TEST(Wire, RefusesToEncodeMoreDescriptorsThanTheKernelPasses) {
  StashPut put{"k", "", {}};
  for (std::size_t i = 0; i < kMaxDescriptors + 1; ++i) put.descriptors.push_back(some_fd());
  auto packet = encode(std::move(put), 1);
  ASSERT_FALSE(packet.ok());
  EXPECT_EQ(packet.error().code, errc::exhausted);
}

}  // namespace
}  // namespace tenon::keeper
