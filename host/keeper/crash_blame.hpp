// Who is to blame for an engine's end: a pure function of how it ended and of what its breadcrumbs say.
//
// The model. The dying thread's own word decides: whoever it was calling is to blame, and if it was calling nobody,
// nobody is, however many other threads were inside plugins at that moment. An engine that hung is the loop's affair
// alone: what worker threads wait in is bounded by their deadlines. A signal that another process sent (kill, the OOM
// killer, an operator, a terminal) blames nobody. Only when no thread could say anything (somebody called _exit, or
// took our handlers away) is each call under way a suspect, and a suspicion that several share condemns none of them
// at once.
#pragma once

#include <vector>

#include "common/exit_status.hpp"
#include "keeper/breadcrumb.hpp"

namespace tenon::keeper {

struct Blame {
  std::vector<Breadcrumb> suspects;  // empty: no plugin had a part in it
  bool certain = false;              // there is one, and it was he
};

// `hung`: the keeper ended it because it hung.
Blame blame_for(const CrashTrail& trail, const ExitStatus& exit, bool hung);

}  // namespace tenon::keeper
