#include "support/fake_plugin_host.hpp"

#include <poll.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "support/fake_host_impl.hpp"

namespace tenon::test_support {
namespace {

constexpr std::size_t kMostCommands = 16;
constexpr std::uint64_t kNever = UINT64_MAX;
// A predicate may look at what wakes no descriptor of ours, such as a server's counters.
constexpr std::int64_t kLookAgainMs = 5;

}  // namespace

// --- work, commands, time ---

tenon_status FakePluginHost::Impl::start_work(tenon_callback work, tenon_done_callback done, void* argument,
                                              std::uint64_t deadline) {
  const std::uint64_t id = next_id++;
  works[id] = RunningWork{done, argument, deadline, work != nullptr};
  if (work == nullptr) return TENON_OK;
  threads.emplace_back([this, id, work, argument] {
    work(argument);
    std::vector<Post> hooks;
    {
      const std::lock_guard hold(lock);
      finished_work.push_back(id);
      hooks = thread_exit_hooks;
    }
    ring();
    for (const Post& hook : hooks) hook.callback(hook.argument);
  });
  return TENON_OK;
}

tenon_status FakePluginHost::Impl::start_command(const tenon_command* command, tenon_command_callback callback,
                                                 void* argument, std::uint64_t* out_command) {
  if (command->argument_count == 0) return TENON_ERR_INVALID_ARGUMENT;
  if (commands.size() >= kMostCommands) return TENON_ERR_EXHAUSTED;
  const std::uint64_t id = next_id++;
  auto running = std::make_unique<FakeCommand>(*command, now);
  if (running->finished()) soon.push_back([this, id] { end_command(id); });
  commands[id] = RunningCommand{std::move(running), callback, argument};
  if (out_command != nullptr) *out_command = id;
  return TENON_OK;
}

void FakePluginHost::Impl::end_command(std::uint64_t id) {
  auto ended = commands.extract(id);
  if (ended.empty()) return;
  ended.mapped().command->finish();
  ended.mapped().command->report(now, ended.mapped().callback, ended.mapped().argument);
}

void FakePluginHost::Impl::end_work(std::uint64_t id, tenon_status how) {
  auto ended = works.extract(id);
  if (!ended.empty() && ended.mapped().done != nullptr) ended.mapped().done(ended.mapped().argument, how);
}

// Fires the earliest thing that is due by `until`; false if there is none.
bool FakePluginHost::Impl::fire_next_due(std::uint64_t until) {
  std::uint64_t due = kNever, id = 0;
  const auto consider = [&](std::uint64_t when, std::uint64_t which) {
    if (when < due) due = when, id = which;
  };
  for (const auto& [timer_id, timer] : timers) consider(timer.due, timer_id);
  for (const auto& [command_id, command] : commands) consider(command.command->deadline_ns(), command_id);
  for (const auto& [work_id, work] : works) consider(work.deadline, work_id);
  if (id == 0 || due > until) return false;
  now = std::max(now.load(), due);
  if (const auto timer = timers.find(id); timer != timers.end()) {
    const FakeTimer fired = timer->second;
    if (fired.period == 0) timers.erase(timer);
    else timer->second.due += fired.period;
    fired.callback(fired.argument);
  } else if (const auto command = commands.find(id); command != commands.end()) {
    command->second.command->time_out();
    end_command(id);
  } else {
    end_work(id, works.at(id).begun ? TENON_ERR_TIMEOUT : TENON_ERR_EXHAUSTED);
  }
  return true;
}

// --- the loop ---

void FakePluginHost::Impl::deliver() {
  std::deque<std::function<void()>> answers;
  answers.swap(soon);
  for (const auto& answer : answers) answer();
  std::deque<Post> posted;
  std::vector<std::uint64_t> finished;
  {
    const std::lock_guard hold(lock);
    posted.swap(posts);
    finished.swap(finished_work);
  }
  for (const std::uint64_t id : finished) end_work(id, TENON_OK);
  for (const Post& post : posted) post.callback(post.argument);
}

void FakePluginHost::Impl::poll_descriptors(int wait_ms) {
  enum class What { rung, watch, output, exit };
  std::vector<pollfd> polled;
  std::vector<std::pair<What, std::uint64_t>> meaning;
  const auto add = [&](int fd, short events, What what, std::uint64_t id) {
    if (fd < 0) return;
    polled.push_back({fd, events, 0});
    meaning.emplace_back(what, id);
  };
  add(wake.get(), POLLIN, What::rung, 0);
  for (const auto& [id, watch] : watches) {
    int events = (watch.interest & TENON_FD_READ) != 0 ? POLLIN : 0;
    if ((watch.interest & TENON_FD_WRITE) != 0) events |= POLLOUT;
    add(watch.fd, static_cast<short>(events), What::watch, id);
  }
  for (const auto& [id, command] : commands) {
    add(command.command->output_fd(), POLLIN, What::output, id);
    add(command.command->exit_fd(), POLLIN, What::exit, id);
  }
  if (::poll(polled.data(), polled.size(), soon.empty() ? wait_ms : 0) <= 0) return;
  for (std::size_t i = 0; i < polled.size(); ++i) {
    const int ready = polled[i].revents;
    const auto [what, id] = meaning[i];
    if (ready == 0) continue;
    if (what == What::rung) {
      std::uint64_t rings;
      if (::read(wake.get(), &rings, sizeof rings) < 0) continue;
    } else if (what == What::watch) {
      const auto found = watches.find(id);
      if (found == watches.end() || found->second.fd != polled[i].fd) continue;  // a callback of this turn ended it
      const FakeWatch watch = found->second;
      if ((ready & POLLNVAL) != 0) {
        violated("descriptor " + std::to_string(watch.fd) + " was closed while it was watched");
        watches.erase(found);
        continue;
      }
      std::uint32_t bits = (ready & (POLLERR | POLLHUP)) != 0 ? watch.interest : 0;
      bits |= ((ready & POLLIN) != 0 ? TENON_FD_READ : 0u) | ((ready & POLLOUT) != 0 ? TENON_FD_WRITE : 0u);
      bits &= watch.interest;
      if (bits != 0) watch.callback(watch.argument, bits);
    } else if (const auto found = commands.find(id); found != commands.end()) {
      if (what == What::output) found->second.command->read_output();
      else end_command(id);
    }
  }
}

void FakePluginHost::Impl::retire() {
  {
    const std::lock_guard hold(lock);
    retired = true;
    posts.clear();
    thread_exit_hooks.clear();
  }
  timers.clear();
  watches.clear();
  commands.clear();
  works.clear();
  soon.clear();
  waiting_round_trips.clear();
}

// --- the test's side ---

FakePluginHost::FakePluginHost(std::string config, std::string instance)
    : impl_(std::make_unique<Impl>(this, std::move(config), std::move(instance))) {}

FakePluginHost::~FakePluginHost() {
  impl_->retire();
  for (std::thread& thread : impl_->threads) thread.join();
  if (impl_->violations.empty()) return;
  for (const auto& what : impl_->violations) std::fprintf(stderr, "fake_plugin_host: violation: %s\n", what.c_str());
  std::abort();
}

const tenon_host* FakePluginHost::get() const noexcept { return &impl_->table; }
std::uint64_t FakePluginHost::now_ns() const noexcept { return impl_->now; }
std::uint64_t FakePluginHost::deadline_in(std::chrono::nanoseconds from_now) const noexcept {
  return impl_->now + static_cast<std::uint64_t>(from_now.count());
}

void FakePluginHost::advance(std::chrono::nanoseconds by) {
  const std::uint64_t until = impl_->now + static_cast<std::uint64_t>(by.count());
  while (impl_->fire_next_due(until)) {
  }
  impl_->now = until;
}

bool FakePluginHost::pump(const std::function<bool()>& until, std::chrono::milliseconds bound) {
  const auto give_up = std::chrono::steady_clock::now() + bound;
  for (;;) {
    impl_->deliver();
    if (until()) return true;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(give_up - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    impl_->poll_descriptors(static_cast<int>(std::min<std::int64_t>(left.count(), kLookAgainMs)));
  }
}

void FakePluginHost::pump_once() {
  impl_->poll_descriptors(0);
  impl_->deliver();
}

void FakePluginHost::retire() { impl_->retire(); }

std::size_t FakePluginHost::timers() const { return impl_->timers.size(); }
std::size_t FakePluginHost::watches() const { return impl_->watches.size(); }
std::size_t FakePluginHost::commands() const { return impl_->commands.size(); }
std::size_t FakePluginHost::working() const { return impl_->works.size(); }

namespace {
template <class Value>
Value locked_copy(std::mutex& lock, const Value& value) {
  const std::lock_guard hold(lock);
  return value;
}
template <class Record>
std::optional<Record> with_token(const std::vector<Record>& records, std::uint64_t token) {
  const auto found = std::find_if(records.begin(), records.end(), [=](const Record& r) { return r.token == token; });
  return found == records.end() ? std::nullopt : std::optional<Record>(*found);
}
}  // namespace

std::vector<RecordedLog> FakePluginHost::logs() const { return locked_copy(impl_->lock, impl_->logs); }
std::map<std::string, double> FakePluginHost::metrics() const { return locked_copy(impl_->lock, impl_->metrics); }
std::vector<Completion> FakePluginHost::completions() const { return locked_copy(impl_->lock, impl_->completions); }
std::vector<CheckCompletion> FakePluginHost::checks() const { return locked_copy(impl_->lock, impl_->checks); }
std::vector<StateReport> FakePluginHost::states() const { return locked_copy(impl_->lock, impl_->states); }
std::vector<RecordedMessage> FakePluginHost::incoming() const { return locked_copy(impl_->lock, impl_->incoming); }
std::map<std::uint64_t, std::uint64_t> FakePluginHost::slow_consumers() const {
  return locked_copy(impl_->lock, impl_->slow_consumers);
}
std::vector<std::uint32_t> FakePluginHost::back_pressure() const {
  return locked_copy(impl_->lock, impl_->back_pressure);
}
std::optional<Completion> FakePluginHost::completion(std::uint64_t token) const {
  return with_token(completions(), token);
}
std::optional<CheckCompletion> FakePluginHost::check(std::uint64_t token) const { return with_token(checks(), token); }

void FakePluginHost::clear_records() {
  const std::lock_guard hold(impl_->lock);
  impl_->completed_tokens.clear();
  impl_->completions.clear();
  impl_->checks.clear();
  impl_->states.clear();
  impl_->incoming.clear();
}

std::vector<std::string> FakePluginHost::take_violations() {
  const std::lock_guard hold(impl_->lock);
  return std::exchange(impl_->violations, {});
}

void FakePluginHost::when_back_pressure(std::function<void(std::uint32_t on)> react) {
  impl_->when_back_pressure = std::move(react);
}

void FakePluginHost::answer_incoming_with(tenon_status status) {
  const std::lock_guard hold(impl_->lock);
  impl_->incoming_answer = status;
}

void FakePluginHost::answer_round_trips(tenon_status how) {
  for (const auto& answer : std::exchange(impl_->waiting_round_trips, {})) answer(how);
}

const std::vector<std::string>& FakePluginHost::round_trips() const { return impl_->round_trips; }

}  // namespace tenon::test_support
