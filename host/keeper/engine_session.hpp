// One engine: its process, its link, the handing over of what the keeper holds, and the watch over its life.
//
// The model. A session is *greeting* until the engine acknowledges the Hello, *adopting* until all that is held has
// been queued, *live* from then on. Adopting is lazy: the next item is made when the link has room, so that ten
// thousand children do not double their descriptors; meanwhile nothing is read, so that no answer overtakes the
// adoption.
//
// A session that hangs or speaks nonsense is *condemned*: SIGABRT (a core says where it hung), SIGKILL
// kAbortPatience later. Its link stays open until its process has been reaped: a living engine takes a closed link
// for the keeper's death and would kill every child.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/clock.hpp"
#include "keeper/child_table.hpp"
#include "keeper/engine_supervisor.hpp"
#include "keeper/link.hpp"
#include "keeper/listeners.hpp"
#include "keeper/mapped_page.hpp"
#include "keeper/spawner.hpp"
#include "keeper/stash.hpp"
#include "keeper/vitals.hpp"

namespace tenon::keeper {

// All that outlives an engine.
struct Holdings {
  ChildTable children;
  Stash stash;
  Listeners listeners;
};

struct EngineStart {
  int binary = -1;
  const std::vector<std::string>& argv;
  const std::vector<std::string>& environment;  // without the link
  int breadcrumbs = -1;
  HangLimits limits;
};

class EngineSession {
 public:
  static constexpr Duration kAbortPatience = std::chrono::seconds(1);

  // Starts the process and says hello. `hello` comes without its pages.
  static Result<std::unique_ptr<EngineSession>> start(const Spawner& spawner, const EngineStart& what, Hello hello,
                                                      MonotonicTime now);
  ~EngineSession();

  pid_t pid() const { return pid_; }
  MonotonicTime started() const { return started_; }
  int link_fd() const { return link_.fd(); }
  bool live() const { return state_ == State::live && !condemned_ && link_.open(); }
  bool condemned() const { return condemned_; }
  bool hung() const { return hung_; }
  bool malformed() const { return malformed_; }
  bool wants_read() const { return state_ != State::adopting && !deaf_; }
  bool wants_write() const { return link_.wants_write() && !deaf_; }
  bool deaf() const { return deaf_; }  // the link is of no more use: take it out of epoll

  // The engine acknowledged: begins the adoption, or condemns an engine of another version.
  void acknowledge(const HelloAck& ack, Holdings& holdings, MonotonicTime now);
  // Tells the engine, if it is live. A full queue condemns it.
  void tell(Message message, MonotonicTime now);
  // Tells by which pid a child goes on, if the engine is live and knows it by another.
  void tell_pid(Child& child, MonotonicTime now);
  // Tells of the exit of a child, once, if the engine is live.
  void tell_exit(Child& child, MonotonicTime now);
  // Sends what is queued and goes on with the adoption.
  void pump(Holdings& holdings, MonotonicTime now);
  // The next request. Empty: none now. A malformed one condemns the engine.
  std::optional<Message> next_request(MonotonicTime now);

  void note_stopped(bool stopped, MonotonicTime now);
  // Its loop works again: it is looked at again.
  void note_awake(MonotonicTime now);
  // Judges, kills. Call at next_deadline(), and after each batch of events.
  void look(MonotonicTime awake_since, MonotonicTime now);
  MonotonicTime next_deadline() const { return look_at_; }
  void condemn(const std::string& why, MonotonicTime now);
  // Lets the engine see that the keeper is done. Only with no child left.
  void close_link() { link_.close(); }

 private:
  enum class State : std::uint8_t { greeting, adopting, live };
  using Item = std::variant<std::string, ProcessKey>;  // a stash key or a child

  EngineSession(Link link, MappedPage<VitalsPage> vitals, HangLimits limits)
      : link_(std::move(link)), vitals_(std::move(vitals)), limits_(limits) {}
  void send(Message message, MonotonicTime now);
  void send_next_item(Holdings& holdings, MonotonicTime now);
  void finish_adoption(Holdings& holdings, MonotonicTime now);
  void note_progress(bool progress, MonotonicTime now);
  EngineSigns signs(MonotonicTime now) const;
  bool may_rest(const EngineSigns& signs, MonotonicTime now);

  Link link_;
  MappedPage<VitalsPage> vitals_;
  HangLimits limits_;
  pid_t pid_ = -1;
  MonotonicTime started_;
  State state_ = State::greeting;
  bool condemned_ = false, killed_ = false, hung_ = false, malformed_ = false, deaf_ = false;
  std::deque<Item> to_hand_over_;
  std::optional<MonotonicTime> stopped_since_, stalled_since_, closed_since_;
  MonotonicTime look_at_;
  MonotonicTime rest_at_;  // when to see whether the engine sleeps
  bool unwatched_ = false;
};

}  // namespace tenon::keeper
