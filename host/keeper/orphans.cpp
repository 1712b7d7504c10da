#include "keeper/orphans.hpp"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <dirent.h>
#include <utility>
#include <unistd.h>

#include "common/system.hpp"
#include "common/text.hpp"

namespace tenon::keeper {
namespace {

constexpr std::size_t kMaxEnvironment = 8 * 1024 * 1024;

void for_each_process(const std::function<void(pid_t, const std::string&)>& visit) {
  DIR* const directory = ::opendir("/proc");
  if (directory == nullptr) return;
  while (const dirent* entry = ::readdir(directory)) {
    const std::string_view name = entry->d_name;
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error == std::errc() && end == name.data() + name.size()) visit(pid, "/proc/" + std::string(name));
  }
  ::closedir(directory);
}

Result<std::string> environment_of(pid_t pid) {
  return read_file("/proc/" + std::to_string(pid) + "/environ", kMaxEnvironment);
}

// "123 (comm) S 1 …": the name may hold anything, so the last parenthesis counts. 0: it does not live.
pid_t living_parent(const std::string& stat) {
  const std::size_t end = stat.rfind(')');
  if (end == stat.npos || stat.size() < end + 5 || stat[end + 2] == 'Z' || stat[end + 2] == 'X') return 0;
  pid_t found = 0;
  std::from_chars(stat.data() + end + 4, stat.data() + stat.size(), found);
  return found;
}

}  // namespace

std::string run_cookie(std::string_view run, const ProcessKey& key) {
  return std::string(kRunVariable) + "=" + std::string(run) + "/" + to_string(key);
}

std::optional<ProcessKey> owner_by_cookie(std::string_view environment, std::string_view run) {
  for (std::string_view entry : split(environment, '\0')) {
    if (!entry.starts_with(kRunVariable) || entry.size() <= kRunVariable.size() || entry[kRunVariable.size()] != '=') {
      continue;
    }
    entry.remove_prefix(kRunVariable.size() + 1);
    const std::size_t hash = entry.rfind('#');
    if (!entry.starts_with(run) || entry.size() <= run.size() || entry[run.size()] != '/' || hash == entry.npos) continue;
    ProcessKey key;
    key.id = entry.substr(run.size() + 1, hash - run.size() - 1);
    const auto [end, error] = std::from_chars(entry.data() + hash + 1, entry.data() + entry.size(), key.generation);
    if (error == std::errc() && end == entry.data() + entry.size()) return key;
  }
  return std::nullopt;
}

std::optional<ProcessKey> owner_of(pid_t pid, std::string_view run) {
  const auto environment = environment_of(pid);
  return environment.ok() ? owner_by_cookie(*environment, run) : std::nullopt;
}

std::optional<ProcessKey> OwnerSearch::owner_of(pid_t pid) {
  const auto environment = environment_of(pid);
  if (!environment.ok()) return std::nullopt;
  if (environment->empty()) bare_.insert(pid);
  return owner_by_cookie(*environment, run_);
}

bool OwnerSearch::may_have_missed_one() {
  const bool any_new = !std::includes(bare_before_.begin(), bare_before_.end(), bare_.begin(), bare_.end());
  bare_before_ = std::exchange(bare_, {});
  return any_new;
}

bool has_no_environment(pid_t pid) {
  const auto environment = environment_of(pid);
  return !environment.ok() || environment->empty();
}

pid_t parent_pid(pid_t pid) {
  const auto stat = read_file("/proc/" + std::to_string(pid) + "/stat", 4096);
  return stat.ok() ? living_parent(*stat) : 0;
}

std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> children;
  for_each_process([&](pid_t pid, const std::string& directory) {
    const auto stat = read_file(directory + "/stat", 4096);
    if (stat.ok() && living_parent(*stat) == parent) children.push_back(pid);
  });
  return children;
}

std::size_t kill_whole_run(std::string_view run, int rounds) {
  OwnerSearch search{std::string(run)};
  std::size_t found = 0;
  for (int round = 0; round < rounds; ++round) {
    found = 0;
    for_each_process([&](pid_t pid, const std::string&) {
      if (pid == ::getpid() || !search.owner_of(pid)) return;
      ++found;
      ::kill(pid, SIGKILL);
    });
    const bool missed = search.may_have_missed_one();
    if (found == 0 && !missed) break;
  }
  return found;
}

}  // namespace tenon::keeper
