#include "keeper/child_table.hpp"

#include <cerrno>

namespace tenon::keeper {

Child* ChildTable::find(const ProcessKey& key) {
  const auto found = children_.find(key);
  return found == children_.end() ? nullptr : &found->second;
}

Child* ChildTable::find_running(pid_t pid) {
  const auto found = by_pid_.find(pid);
  return found == by_pid_.end() ? nullptr : found->second;
}

bool ChildTable::knows(const std::string& id) const {
  const auto first = children_.lower_bound({id, 0});
  return first != children_.end() && first->first.id == id;
}

Child& ChildTable::add(Child child) {
  const ProcessKey key = child.key;
  Child& added = children_.insert_or_assign(key, std::move(child)).first->second;
  by_pid_[added.pid] = &added;
  return added;
}

void ChildTable::note_exit(Child& child, ExitReport report) {
  by_pid_.erase(child.pid);
  child.exit = std::make_unique<ExitReport>(std::move(report));
}

void ChildTable::erase(const ProcessKey& key) {
  const auto found = children_.find(key);
  if (found == children_.end()) return;
  if (found->second.runs()) by_pid_.erase(found->second.pid);
  children_.erase(found);
}

void ChildTable::hand_over(Child& child) {
  by_pid_.erase(child.pid);
  child.pid = std::exchange(child.successor, -1);
  child.main_fd = std::move(child.successor_fd);
  child.succession_until.reset();
  by_pid_[child.pid] = &child;
}

Result<ChildDescriptors> duplicate_ends(const Child& child) {
  ChildDescriptors copies;
  const std::pair<const unique_fd*, unique_fd*> pairs[] = {{&child.ends.input, &copies.input},
                                                           {&child.ends.output, &copies.output},
                                                           {&child.ends.error, &copies.error},
                                                           {&child.ends.channel, &copies.channel},
                                                           {&child.ends.notify, &copies.notify}};
  for (const auto& [from, to] : pairs) {
    if (!from->valid()) continue;
    *to = from->duplicate();
    if (!to->valid()) return Error::from_errno(errno, "duplicate the descriptors of " + to_string(child.key));
  }
  return copies;
}

unique_fd& end_of(ChildDescriptors& ends, ChannelEnd which) {
  switch (which) {
    case ChannelEnd::input: return ends.input;
    case ChannelEnd::output: return ends.output;
    case ChannelEnd::error: return ends.error;
    case ChannelEnd::channel: break;
  }
  return ends.channel;
}

}  // namespace tenon::keeper
