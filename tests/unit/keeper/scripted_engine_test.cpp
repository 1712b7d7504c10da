#include "scripted_engine.hpp"

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <iostream>
#include <map>
#include <poll.h>
#include <sstream>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/system.hpp"
#include "keeper/keeper.hpp"
#include "keeper/keeper_client.hpp"

int main(int argc, char** argv) {
  if (std::getenv(tenon::keeper::kLinkVariable)) return tenon::keeper::engine_role();
  if (std::getenv(tenon::keeper::kKeeperVariable)) return tenon::keeper::keeper_role();
  testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}

namespace tenon::keeper {
namespace {

class ScriptedEngine final : public KeeperEvents {
 public:
  ScriptedEngine(unique_fd link, unique_fd control) : client_(std::move(link), *this), control_(std::move(control)) {}

  int run() {
    while (!lost_) {
      pollfd watched[2] = {{client_.fd(), static_cast<short>(client_.wants_write() ? POLLIN | POLLOUT : POLLIN), 0},
                           {control_.get(), POLLIN, 0}};
      if (::poll(watched, 2, -1) < 0) continue;
      if (watched[0].revents & POLLOUT) client_.on_writable();
      if (watched[0].revents & (POLLIN | POLLHUP)) client_.on_readable();
      if (watched[1].revents != 0 && !read_command()) return 0;  // the test is over
    }
    return 1;
  }

  void on_adopted(Adoption adoption) override {
    const char* last = std::getenv(kLastEngineVariable);
    if (last && adoption.hello.engine_ordinal > std::strtoull(last, nullptr, 10)) ::raise(SIGKILL);
    std::ostringstream text;
    text << "adopted " << adoption.hello.engine_ordinal << " restarts " << adoption.hello.engine_restarts << " hung "
         << adoption.hello.previous_hung << " parameters " << adoption.hello.host_parameters;
    if (adoption.hello.previous_exit) text << " after " << to_string(*adoption.hello.previous_exit);
    for (auto& child : adoption.children) {
      text << "\nchild " << to_string(child.key) << " " << child.pid << " "
           << (child.exit ? to_string(child.exit->status) : "running");
      ends_[child.key] = std::move(child.descriptors);
    }
    text << "\nstashed " << adoption.stash.size();
    for (auto& [key, value] : adoption.stash) {
      if (key.starts_with("many")) continue;
      text << "\nstash " << key << " " << value.bytes.size() << " bytes " << value.descriptors.size() << " fds";
    }
    for (auto& listener : adoption.listeners) {
      text << "\nlistener " << listener.spec.name;
      listeners_.push_back(std::move(listener.socket));
    }
    for (const auto& crumb : adoption.trail.calls) text << "\ncrumb " << crumb.component << " " << crumb.call;
    say(text.str());
  }
  void on_spawned(Spawned m) override {
    ends_[m.key] = std::move(m.descriptors);
    say("spawned " + to_string(m.key) + " " + std::to_string(m.pid));
  }
  void on_spawn_failed(SpawnFailed m) override {
    say("spawn_failed " + to_string(m.key) + " " + m.stage + " " + std::to_string(m.error_number));
  }
  void on_exited(Exited m) override { say("exited " + to_string(m.key) + " " + to_string(m.exit.status)); }
  void on_closed(Closed m) override { say("closed " + to_string(m.key)); }
  void on_listening(Listening m) override {
    listeners_.push_back(std::move(m.socket));
    say("listening " + m.name);
  }
  void on_listen_failed(ListenFailed m) override { say("listen_failed " + m.message); }
  void on_signal_failed(SignalFailed m) override { say("signal_failed " + std::to_string(m.error_number)); }
  void on_shutdown_requested(ShutdownRequested m) override { say("shutdown " + std::to_string(m.bound.count())); }
  void on_reload_requested() override { say("reload"); }
  void on_link_lost(const Error&) override { lost_ = true; }
  void on_interest_changed(bool) override {}

 private:
  void say(const std::string& text) { (void)::send(control_.get(), text.data(), text.size(), MSG_NOSIGNAL); }

  // "spawn ID GENERATION RANK GRACE_MS KIND SCRIPT…", and so on; see the switch.
  bool read_command() {
    char buffer[4096];
    const ssize_t size = ::recv(control_.get(), buffer, sizeof buffer, 0);
    if (size <= 0) return false;
    std::istringstream words(std::string(buffer, static_cast<std::size_t>(size)));
    std::string verb;
    words >> verb;
    ProcessKey key;
    if (verb == "spawn") return spawn(words);
    if (verb == "write") {
      std::string text;
      words >> key.id >> key.generation >> text;
      text += "\n";
      (void)write_all(ends_[key].input.get(), text, "child");
    } else if (verb == "read") {
      words >> key.id >> key.generation;
      say("line " + read_line(ends_[key].output.get()));
    } else if (verb == "signal") {
      int number = 0;
      words >> key.id >> key.generation >> number;
      (void)client_.signal(key, number, SignalTarget::group);
    } else if (verb == "close_input") {
      words >> key.id >> key.generation;
      ends_[key].input.reset();
      (void)client_.close(key, ChannelEnd::input);
    } else if (verb == "forget") {
      words >> key.id >> key.generation;
      (void)client_.forget(key);
    } else if (verb == "put") {
      std::string name;
      std::size_t bytes = 0;
      words >> name >> bytes;
      (void)client_.put(name, std::string(bytes, 'x'), {control_.get()});
    } else if (verb == "put_many") {
      int count = 0;
      std::size_t bytes = 0;
      words >> count >> bytes;
      for (int i = 0; i < count; ++i) (void)client_.put("many" + std::to_string(i), std::string(bytes, 'x'));
    } else if (verb == "listen") {
      ListenSpec spec;
      words >> spec.name >> spec.address;
      spec.http = true;
      (void)client_.listen(spec);
    } else if (verb == "bound") {
      int bound = 0;
      words >> bound;
      (void)client_.set_shutdown_bound(std::chrono::milliseconds(bound));
    } else if (verb == "hang") {
      auto& page = *client_.breadcrumbs();
      BreadcrumbLane lane(&page);
      BreadcrumbScope scope(lane, register_place(page, "slow.so", "transport/slow"), register_call(page, "send"));
      client_.enter_turn(SystemClock().monotonic());
      for (;;) ::pause();
    } else if (verb == "rest") {
      while (client_.vitals()->unwatched.load() == 0) ::usleep(1000);
      say("unwatched");
    } else if (verb == "turn") {
      client_.enter_turn(SystemClock().monotonic());
      client_.vitals()->leave_turn(SystemClock().monotonic());
      say("watched " + std::to_string(client_.vitals()->unwatched.load() == 0));
    } else if (verb == "stopping") {
      int code = 0;
      words >> code;
      (void)client_.stopping(code);
    } else if (verb == "unlisten") {
      std::string name;
      words >> name;
      (void)client_.unlisten(name);
    } else if (verb == "quit") {
      int code = 0;
      words >> code;
      (void)client_.quit(code);
    }
    return true;
  }

  bool spawn(std::istringstream& words) {
    SpawnSpec spec;
    std::int64_t grace = 0;
    std::string kind, script;
    words >> spec.key.id >> spec.key.generation >> spec.stop.rank >> grace >> kind >> std::ws;
    std::getline(words, script, '\0');
    spec.stop.grace = std::chrono::milliseconds(grace);
    spec.transient = kind == "transient";
    spec.channel = ChannelKind::stdio;
    spec.argv = {kind == "missing" ? "/no/such/file" : "/bin/sh", "-c", script};
    spec.environment = {"PATH=/usr/bin:/bin"};
    spec.standard_error = OutputMode::discard;
    (void)client_.spawn(std::move(spec));
    return true;
  }

  static std::string read_line(int fd) {
    std::string line;
    for (char c = 0; c != '\n';) {
      pollfd waiting{fd, POLLIN, 0};
      (void)::poll(&waiting, 1, -1);
      if (::read(fd, &c, 1) <= 0) return line + " <end>";
      if (c != '\n') line += c;
    }
    return line;
  }

  KeeperClient client_;
  unique_fd control_;
  bool lost_ = false;
  std::map<ProcessKey, ChildDescriptors> ends_;
  std::vector<unique_fd> listeners_;
};

}  // namespace

int keeper_role() {
  std::istringstream numbers(std::getenv(kKeeperVariable));
  std::int64_t shutdown = 0, hang = 0, greeting = 0, unavailable = 0;
  numbers >> shutdown >> hang >> greeting >> unavailable;
  KeeperOptions options;
  options.host_parameters = "--test";
  options.shutdown_bound = std::chrono::milliseconds(shutdown);
  options.hang_timeout = std::chrono::milliseconds(hang);
  options.greeting_timeout = std::chrono::milliseconds(greeting);
  options.unavailable_after = std::chrono::milliseconds(unavailable);
  return run_keeper(options);
}

int engine_role() {
  auto link = KeeperClient::take_link_from_environment();
  if (!link) return 1;
  unique_fd control(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::string(std::getenv(kControlVariable)).copy(address.sun_path, sizeof address.sun_path - 1);
  if (::connect(control.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return 1;
  return ScriptedEngine(std::move(*link), std::move(control)).run();
}

}  // namespace tenon::keeper
