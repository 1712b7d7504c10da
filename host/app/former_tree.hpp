// What the keeper held when this engine came, as the runtime wants to know it.
#pragma once

#include <string>
#include <string_view>

#include "keeper/keeper_client.hpp"
#include "runtime/supervision_tree.hpp"

namespace tenon::app {

// Labels and children by process. An unreadable label is logged and its process treated as unlabelled; of two
// children of one id (the exit of the older was not yet forgotten) the newer counts.
runtime::TreeAdoption former_tree(const keeper::Adoption& adoption);

// The worker's own subscriptions, as its label has them; empty: none.
std::string_view kept_subscriptions(const runtime::TreeAdoption& former, const std::string& id);

// The process that a breadcrumb's subject names: an instance's name or an event's source ("//node/counter.1"). Empty:
// none.
std::string worker_named(std::string_view subject, std::string_view node);

}  // namespace tenon::app
