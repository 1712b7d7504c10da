// A real host under a seeded series of kills, freezes, verbs, reloads and scales, held against a model at every quiet
// moment: one that is found by asking until all is as it should be, never by waiting for a time.
//
// What is done is a function of the seed; when it arrives is the machine's affair. TENON_SEED=N repeats one seed.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <future>
#include <thread>

#include "common/ids.hpp"
#include "support/chaos_model.hpp"
#include "support/long_runs.hpp"

namespace tenon::test_support {
namespace {

using namespace std::chrono_literals;
using Wish = ChaosModel::Wish;

const std::vector<std::string> kProbes = {"0.0625", "true probe", "-a probe"};  // in their commands, and in no other
// The waits between engines grow to 10 s, from 0 over 100 ms; a host has so many ends of its engine to give.
constexpr int kEngineEnds = 5;
constexpr std::uint64_t kMostReplicas = 5;

std::string child(const std::string& id, const std::string& command, const std::string& more = "") {
  return R"({ "id": ")" + id + R"(", "command": )" + command + R"(, "env": { "CHAOS": "${TEST}", "MODE": "@)" + id +
         R"(@" }, "restart": { "policy": "always", "config": { "initial": "1ms", "max": "20ms" } })" + more + " }";
}

std::string sleeper(const std::string& id, const std::string& more = "") {
  return child(id, R"(["sleep", "100000"])", more);
}

std::string group(const std::string& id, const std::string& strategy, const std::string& children) {
  return R"({ "id": ")" + id + R"(", "supervisor": { "strategy": ")" + strategy +
         R"(", "intensity": { "restarts": 100000, "period": "10s" }, "children": [)" + children + "] } }";
}

std::string shell(const std::string& script) { return R"(["bash", "-c", ")" + script + R"("])"; }

const std::string kProbed = R"(, "health": [{ "check": "exec", "interval": "10ms", "timeout": "500ms",
    "unhealthy_after": 1000, "config": { "command": ["sleep", "0.0625"] } }])";
const std::string kServed = R"(, "health": [
    { "check": "exec", "role": "startup", "interval": "10ms", "timeout": "10s", "unhealthy_after": 1000,
      "config": { "command": ["true", "probe"] } },
    { "check": "exec", "role": "readiness", "interval": "10ms", "timeout": "10s", "unhealthy_after": 1,
      "config": { "command": ["test", "-e", "${TEST}/gate", "-a", "probe"] } }])";

// The whole config, with @id@ where the mode of a process is to stand.
std::string template_of(bool with_extra) {
  const std::string says_ready = shell(R"(echo '{\"type\":\"tenon.ready\"}'; exec sleep 100000)");
  std::string children;
  for (const std::string& one : {
           child("broker", says_ready,
                 R"(, "channel": { "kind": "stdio" }, "ready": { "on": "event", "timeout": "60s" })"),
           sleeper("client", R"(, "depends_on": ["broker"])"), sleeper("pool", R"(, "replicas": 3)"),
           sleeper("probed", kProbed), sleeper("served", kServed),
           child("family", shell("sleep 100001 & sleep 100002 & exec sleep 100000")),
           child("stubborn", shell("trap '' TERM; exec sleep 100000"), R"(, "stop": { "grace": "50ms" })"),
           sleeper("still"), sleeper("off"),
           group("all", "one_for_all", sleeper("o1") + "," + sleeper("o2") + "," + sleeper("o3")),
           group("rest", "rest_for_one",
                 sleeper("r1") + "," + group("nested", "one_for_all", sleeper("n1") + "," + sleeper("n2")) + "," +
                     sleeper("r3"))})
    children += (children.empty() ? "" : ",\n") + one;
  if (with_extra) children += ",\n" + sleeper("extra", R"(, "depends_on": ["o1"])");
  return R"({ "engine": { "hang_timeout": "2s" }, "supervision": {
    "intensity": { "restarts": 100000, "period": "10s" }, "children": [)" + children + "] } }";
}

// A request that is under way in a thread of its own, so that others, and deaths, come in between.
struct Request {
  std::vector<std::string> ids;
  std::optional<Wish> wish;
  std::future<int> status;  // of HTTP; 0: nobody said
};

class Chaos {
 public:
  explicit Chaos(std::uint64_t seed) : random_(seed), host_(config()), mark_("CHAOS=" + host_.directory()) {
    for (const char* id : {"broker", "client", "probed", "served", "stubborn", "still", "off"})
      model_.add(id, id, {id});
    model_.add("family", "family", {"family"}, 3);
    for (std::uint64_t i = 1; i <= replicas_; ++i) add_replica(i);
    for (const char* id : {"o1", "o2", "o3"}) model_.add(id, "all", {"o1", "o2", "o3"});
    model_.add("r1", "rest", {"r1", "n1", "n2", "r3"});
    for (const char* id : {"n1", "n2"}) model_.add(id, "rest", {"n1", "n2"});
    model_.add("r3", "rest", {"r3"});
    model_.name_group("nested", {"n1", "n2"});
    for (const auto& [base, mode] : modes_) configure(base);
  }

  void run(int rounds) {
    open_gate(true);
    if (!host_.start()) return fail("it did not start");
    ask("pause", "still");
    ask("stop", "off");
    become_quiet();
    for (int round = 0; round < rounds && !::testing::Test::HasFailure(); ++round) {
      note("-- round " + std::to_string(round));
      for (std::uint64_t steps = 1 + random_.below(8); steps-- > 0;) step();
      become_quiet();
    }
    end();
  }

 private:
  std::string config() const {
    std::string text = template_of(has_extra_);
    for (const auto& [id, mode] : modes_) {
      const std::string place = "@" + id + "@";
      if (const std::size_t at = text.find(place); at != std::string::npos)
        text.replace(at, place.size(), std::to_string(mode));
    }
    return text;
  }
  void note(const std::string& what) { story_ += what + "\n"; }
  void fail(const std::string& why) { ADD_FAILURE() << why << "\nwhat was done:\n" << story_ << host_.log(); }

  template <class List>
  const auto& one_of(const List& list) {
    return list[random_.below(std::size(list))];
  }

  // ---- what is done ----

  void step() {
    switch (random_.below(16)) {
      case 0:
      case 1:
      case 2:
      case 3: return kill_one(random_.below(3) == 0 ? SIGTERM : SIGKILL);
      case 4: return end_engine();
      case 5: return freeze_engine();
      case 6: return signal_probe();
      case 7: return reload();
      case 8: return scale();
      case 9: return open_gate(random_.below(2) == 0);
      case 10: return random_.below(4) == 0 ? kill_all() : kill_one(SIGKILL);
      case 11: return std::this_thread::sleep_for(std::chrono::microseconds(random_.below(20'000)));  // another moment
      default: break;
    }
    static constexpr const char* kVerbs[] = {"start", "stop", "restart", "pause", "resume"};
    static constexpr const char* kGroups[] = {"all", "rest", "nested", "pool"};
    const std::string verb = one_of(kVerbs);
    ask(verb, random_.below(4) == 0 ? one_of(kGroups) : any_process());
  }

  // Not those that are to stay paused, and stopped.
  std::string any_process() {
    std::vector<std::string> ids = model_.ids();
    std::erase_if(ids, [](const std::string& id) { return id == "still" || id == "off"; });
    return one_of(ids);
  }

  std::vector<std::string> members_of(const std::string& selector) const {
    if (selector == "all") return {"o1", "o2", "o3"};
    if (selector == "nested") return {"n1", "n2"};
    if (selector == "rest") return {"r1", "n1", "n2", "r3"};
    if (selector != "pool") return {selector};
    std::vector<std::string> ids = model_.ids();
    std::erase_if(ids, [](const std::string& id) { return !id.starts_with("pool."); });
    return ids;
  }

  void ask(const std::string& verb, const std::string& selector) {
    note(verb + " " + selector);
    Wish wish = Wish::up;
    if (verb == "stop") wish = Wish::down;
    if (verb == "pause") wish = Wish::paused, pauses_ = true;
    send("/v1/processes/" + selector + "/" + verb, members_of(selector), wish);
  }

  void send(const std::string& path, std::vector<std::string> ids, std::optional<Wish> wish) {
    requests_.push_back({std::move(ids), wish, std::async(std::launch::async, [this, path] { return post(path); })});
  }

  int post(const std::string& path) const {
    const std::string answer = host_.http_post(path, "");
    return answer.size() < 12 ? 0 : std::atoi(answer.c_str() + 9);  // HTTP/1.1 200
  }

  void kill_one(int signal_number) { kill(any_process(), signal_number); }

  void kill_all() {
    for (const FoundProcess& each : found_processes(mark_))
      if (each.pid == each.group && model_.has(each.id) && each.id != "still" && !is_probe(each)) kill(each, SIGKILL);
  }

  void kill(const std::string& id, int signal_number) {
    for (const FoundProcess& each : found_processes(mark_))
      if (each.id == id && each.pid == each.group && !is_probe(each)) return kill(each, signal_number);
  }

  // One that is stopped by a signal, or ignores it, would end some other day.
  void kill(const FoundProcess& process, int signal_number) {
    if (process.stopped || pauses_ || process.id == "stubborn") signal_number = SIGKILL;
    if (!signal_if_has(process.pid, mark_, signal_number)) return;
    note("signal " + std::to_string(signal_number) + " to " + process.id + ", pid " + std::to_string(process.pid));
    model_.kill(process.id, process.pid);
  }

  static bool is_probe(const FoundProcess& process) {
    return std::any_of(kProbes.begin(), kProbes.end(), [&](const std::string& probe) {
      return process.command.find(probe) != std::string::npos;
    });
  }

  void signal_probe() {
    for (const FoundProcess& each : found_processes(mark_)) {
      if (!is_probe(each)) continue;
      const int number = random_.below(2) == 0 ? SIGKILL : SIGSTOP;
      note("signal " + std::to_string(number) + " to a probe");
      signal_if_has(each.pid, mark_, number);
    }
  }

  void end_engine() {
    const pid_t engine = spare_engine();
    if (engine == 0) return;
    note("kill -9 of the engine");
    ::kill(engine, SIGKILL);
  }

  // 0: it has ended often enough, or is not to be reached.
  pid_t spare_engine() {
    if (engine_ends_ == kEngineEnds) return 0;
    const pid_t engine = host_.engine_pid();
    engine_ends_ += engine == 0 ? 0 : 1;
    return engine;
  }

  // While it is frozen some die, and requests wait for it; then it goes on, is killed, or is found to hang.
  void freeze_engine() {
    const pid_t engine = spare_engine();
    if (engine == 0) return;
    note("the engine is frozen");
    ::kill(engine, SIGSTOP);
    for (std::uint64_t left = random_.below(4); left-- > 0;) kill_one(SIGKILL);
    if (random_.below(2) == 0) ask("restart", any_process());
    const std::uint64_t fate = random_.below(8);
    note(fate == 0 ? "it stays so" : fate < 3 ? "it is killed" : "it goes on");
    if (fate >= 3) --engine_ends_;
    if (fate != 0) ::kill(engine, fate < 3 ? SIGKILL : SIGCONT);
  }

  // One a round: another config, in which some processes changed, one more is there, or not.
  void reload() {
    if (std::exchange(reloading_, true)) return;
    for (std::uint64_t left = random_.below(3); left-- > 0;) {
      const std::string id = any_process();
      const std::string base = id.substr(0, id.find('.'));
      ++modes_[base];
      configure(base);
      note("another " + base);
    }
    if (random_.below(2) == 0) has_extra_ = !has_extra_, note(has_extra_ ? "extra comes" : "extra goes");
    write_text(host_.config_path(), config());
    if (has_extra_ && !model_.has("extra")) model_.add("extra", "extra", {"extra"}), configure("extra");
    note("reload");
    model_.reload();
    send("/v1/reload", {}, {});
  }

  void configure(const std::string& base) {
    for (const std::string& id : members_of(base))
      if (model_.has(id)) model_.configure(id, std::to_string(modes_[base]));
  }

  void scale() {
    if (scaled_to_) return;
    scaled_to_ = random_.below(kMostReplicas + 1);
    note("scale pool " + std::to_string(*scaled_to_));
    for (std::uint64_t i = replicas_ + 1; i <= *scaled_to_; ++i) add_replica(i);
    model_.reload();
    send(scale_path(), {}, {});
  }
  std::string scale_path() const { return "/v1/processes/pool/scale?replicas=" + std::to_string(*scaled_to_); }
  void add_replica(std::uint64_t number) {
    const std::string id = "pool." + std::to_string(number);
    model_.add(id, id, {id});
    model_.configure(id, std::to_string(modes_["pool"]));
  }

  void open_gate(bool open) {
    note(open ? "the gate opens" : "the gate shuts");
    if (open) write_text(host_.path("gate"), "");
    else ::unlink(host_.path("gate").c_str());
    model_.set_ready("served", open);
  }

  // ---- the quiet moment ----

  void become_quiet() {
    collect();
    std::string wrong = "nobody answers";
    const auto is_quiet = [&] {
      const auto told = told_processes(host_);
      if (!told) return false;
      wrong = model_.mismatch(*told, found_processes(mark_), kProbes);
      if (wrong.empty()) model_.settle(*told);
      return wrong.empty();
    };
    if (!wait_until(is_quiet)) fail(wrong);
  }

  // What became of the requests. A change of the config whose fate is not known is made sure of.
  void collect() {
    for (Request& request : requests_) {
      const int status = request.status.get();
      for (const std::string& id : request.ids)
        if (request.wish && model_.has(id)) model_.ask(id, *request.wish, status == 200);
    }
    requests_.clear();
    pauses_ = false;
    if (std::exchange(reloading_, false) && !wait_until([&] { return post("/v1/reload") == 200; }))
      fail("a reload is not taken");
    if (!has_extra_ && model_.has("extra")) model_.remove("extra");
    if (!scaled_to_) return;
    if (!wait_until([&] { return post(scale_path()) == 200; })) fail("a scale is not taken");
    for (; replicas_ > *scaled_to_; --replicas_) model_.remove("pool." + std::to_string(replicas_));
    replicas_ = *scaled_to_;
    scaled_to_.reset();
  }

  // Politely, or by the death of the keeper: nothing is left of anybody.
  void end() {
    if (random_.below(4) == 0) {
      note("kill -9 of the keeper");
      host_.signal(SIGKILL);
    } else if (host_.stop() != 0) {
      fail("it did not stop well");
    }
    std::string left;
    const bool all_gone = wait_until([&] {
      left.clear();
      for (const FoundProcess& each : found_processes(mark_)) left += each.id + " (" + each.command + ") ";
      return left.empty();
    });
    if (!all_gone) fail("left behind: " + left);
  }

  Random random_;
  bool has_extra_ = false;
  std::map<std::string, int> modes_{{"broker", 0}, {"client", 0}, {"pool", 0}, {"probed", 0}, {"served", 0},
                                    {"family", 0}, {"stubborn", 0}, {"o1", 0}, {"o2", 0}, {"o3", 0},
                                    {"r1", 0}, {"n1", 0}, {"n2", 0}, {"r3", 0}, {"extra", 0}};
  HostProcess host_;
  std::string mark_;
  ChaosModel model_;
  std::vector<Request> requests_;
  std::uint64_t replicas_ = 3;
  std::optional<std::uint64_t> scaled_to_;
  bool reloading_ = false, pauses_ = false;
  int engine_ends_ = 0;
  std::string story_;
};

TEST(Chaos, TheTreeIsRightAtEveryQuietMoment) {
  const char* const given = std::getenv("TENON_SEED");
  // The same ones in every ordinary run; a long one looks for others.
  const std::uint64_t usual = rounds<std::uint64_t>(1, random_u64() % 1'000'000);
  const std::uint64_t first = given != nullptr ? std::strtoull(given, nullptr, 10) : usual;
  const std::uint64_t seeds = given != nullptr ? 1 : rounds<std::uint64_t>(10, 100);
  for (std::uint64_t seed = first; seed != first + seeds && !::testing::Test::HasFailure(); ++seed) {
    const ::testing::ScopedTrace trace(__FILE__, __LINE__, "TENON_SEED=" + std::to_string(seed));
    std::cout << "TENON_SEED=" << seed << std::endl;
    Chaos(seed).run(rounds(8, 20));
  }
}

}  // namespace
}  // namespace tenon::test_support
