#include "keeper/cgroups.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

#include "common/logging.hpp"
#include "common/system.hpp"
#include "common/text.hpp"
#include "keeper/random_name.hpp"

namespace tenon::keeper {
namespace {

constexpr std::string_view kPrefix = "tenon.";
constexpr std::string_view kOwnLeaf = "tenon-host.";
constexpr std::size_t kPendingRemovals = 64;
constexpr std::uint64_t kCpuPeriod = 100'000;  // microseconds, the kernel's default

// One write, as the kernel's control files want it. errno on failure.
bool write_control(const std::string& path, std::string_view value) {
  const unique_fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return file.valid() && ::write(file.get(), value.data(), value.size()) == static_cast<ssize_t>(value.size());
}

std::string read_control(const std::string& path) {
  auto text = read_file(path, 1024 * 1024);
  return text.ok() ? std::move(*text) : std::string();
}

bool has_word(std::string_view text, std::string_view word) {
  for (const std::string_view line : split(text, '\n')) {
    const auto words = split(line, ' ');
    if (std::find(words.begin(), words.end(), word) != words.end()) return true;
  }
  return false;
}

// Groups are removed one by one and empty, those that processes made within theirs first: their files are the kernel's.
bool remove_tree(const std::string& directory) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(directory, ignored)) {
    if (entry.is_directory(ignored)) remove_tree(entry.path().string());
  }
  return ::rmdir(directory.c_str()) == 0;
}

// By the run's directory: a path through /sys/fs/cgroup costs as much as a system call or two.
unique_fd enter_group(const unique_fd& run, const std::string& name) {
  if (!run.valid() || (::mkdirat(run.get(), name.c_str(), 0755) != 0 && errno != EEXIST)) return {};
  return unique_fd(::openat(run.get(), name.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

bool make_directory(const std::string& path) { return ::mkdir(path.c_str(), 0755) == 0 || errno == EEXIST; }

// "tenon.123-…" of a process that is no more. Only what is empty: the number may be that of a living host in another PID
// namespace. Such a one makes its directory again when it needs it.
void remove_leftovers(const std::string& parent) {
  std::error_code ignored;
  std::vector<std::string> dead;
  for (const auto& entry : std::filesystem::directory_iterator(parent, ignored)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kPrefix)) continue;
    pid_t pid = 0;
    std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), pid);
    if (pid > 0 && ::kill(pid, 0) != 0 && errno == ESRCH) dead.push_back(entry.path().string());
  }
  for (const std::string& directory : dead) remove_tree(directory);
}

CgroupLayout here() {
  return parse_cgroup_layout(read_control("/proc/self/mountinfo"), read_control("/proc/self/cgroup"));
}

std::uint64_t counter(const std::string& text, std::string_view name) {
  for (const std::string_view line : split(text, '\n')) {
    if (!line.starts_with(name) || line.size() <= name.size() || line[name.size()] != ' ') continue;
    std::uint64_t value = 0;
    std::from_chars(line.data() + name.size() + 1, line.data() + line.size(), value);
    return value;
  }
  return 0;
}

void forget(std::set<std::string, std::less<>>& ids, std::string_view id) {
  if (const auto known = ids.find(id); known != ids.end()) ids.erase(known);
}

// Ids have no '/', but those of an engine's commands are its own affair.
std::string name_of(std::string_view id) {
  std::string name = "p." + std::string(id);  // no control file is called so
  std::replace(name.begin(), name.end(), '/', '_');
  return name;
}

}  // namespace

Cgroups Cgroups::make(const CgroupLayout& layout, const std::string& name) {
  Cgroups made;
  if (!layout.unified.empty()) {
    remove_leftovers(layout.unified);
    made.unified_ = layout.unified + "/" + name;
    // Version 2 without cgroup.kill is of Linux before 5.14: a group that cannot be killed as one is of no use here.
    if (!make_directory(made.unified_) || ::access((made.unified_ + "/cgroup.kill").c_str(), W_OK) != 0) {
      ::rmdir(made.unified_.c_str());
      made.unified_.clear();
    } else {
      made.take_controllers(layout.unified);
    }
  }
  for (std::size_t i = 0; i < kCgroupControllers; ++i) {
    if (made.version_2_[i] || layout.legacy[i].empty()) continue;
    remove_leftovers(layout.legacy[i]);
    const std::string directory = layout.legacy[i] + "/" + name;
    if (make_directory(directory)) made.limiting_[i] = directory;
  }
  return made;
}

Cgroups Cgroups::make_here() {
  // The number alone would not be unique: every PID namespace has its first process.
  return make(here(), std::string(kPrefix) + std::to_string(::getpid()) + "-" + random_hex(4));
}

// Controllers are handed down only by a group without processes of its own, so the host's own move into a leaf first.
// If others are in it too, it is not ours to use so.
void Cgroups::take_controllers(const std::string& own) {
  const std::string available = read_control(own + "/cgroup.controllers");
  std::string wanted;
  for (std::size_t i = 0; i < kCgroupControllers; ++i) {
    const auto name = to_string(static_cast<CgroupController>(i));
    if (has_word(available, name)) wanted += std::string(wanted.empty() ? "+" : " +") + std::string(name);
  }
  if (wanted.empty()) return;
  const std::string control = "/cgroup.subtree_control";
  if (!write_control(own + control, wanted)) {
    const std::string leaf = own + "/" + std::string(kOwnLeaf) + std::to_string(::getpid());
    if (!make_directory(leaf) || !write_control(leaf + "/cgroup.procs", "0") || !write_control(own + control, wanted)) {
      (void)write_control(own + "/cgroup.procs", "0");
      ::rmdir(leaf.c_str());
      return;
    }
  }
  if (!write_control(unified_ + control, wanted)) return;
  const std::string granted = read_control(unified_ + "/cgroup.controllers");
  for (std::size_t i = 0; i < kCgroupControllers; ++i) {
    if (!has_word(granted, to_string(static_cast<CgroupController>(i)))) continue;
    version_2_[i] = true;
    limiting_[i] = unified_;
  }
}

void Cgroups::remove_all() {
  for (const std::string& directory : directories()) remove_tree(directory);
  *this = {};
}

bool Cgroups::limit(const std::string& directory, CgroupController controller, const GroupLimits& limits) {
  const bool unified = version_2_[static_cast<std::size_t>(controller)];
  switch (controller) {
    case CgroupController::memory:
      return write_control(directory + (unified ? "/memory.max" : "/memory.limit_in_bytes"),
                           std::to_string(*limits.memory_bytes));
    case CgroupController::processes:
      return write_control(directory + "/pids.max", std::to_string(*limits.processes));
    case CgroupController::cpu: {
      const std::uint64_t microseconds = std::uint64_t{*limits.cpu_millicores} * kCpuPeriod / 1000;
      const std::string quota = std::to_string(std::max<std::uint64_t>(microseconds, 1000));  // the kernel's least
      if (unified) return write_control(directory + "/cpu.max", quota + " " + std::to_string(kCpuPeriod));
      return write_control(directory + "/cpu.cfs_quota_us", quota);
    }
  }
  return false;
}

Cgroups::Membership Cgroups::join(std::string_view id, const GroupLimits& limits) {
  Membership joined;
  const auto enter = [&](const std::string& run, bool and_limit, CgroupController controller) {
    const std::string name = name_of(id);
    unique_fd& at = run_directories_[run];
    unique_fd entered = enter_group(at, name);
    if (!entered.valid() && make_directory(run)) {  // it was not open yet, or somebody tidied up
      at.reset(::open(run.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
      entered = enter_group(at, name);
    }
    if (entered.valid() && and_limit && !limit(run + "/" + name, controller, limits)) entered.reset();
    if (!entered.valid() && !std::exchange(complained_, true)) {
      log::warn("keeper", "a control group cannot be used; processes run without it",
                {{"group", run + "/" + name}, {"why", Error::from_errno(errno, "use it").message}});
    }
    return entered;
  };
  if (frozen_.contains(id)) freeze(id, false);
  if (contains()) joined.group = enter(unified_, false, {});
  joined.to_be_born_in = joined.contained() && !killed_.contains(id);
  const bool wanted[kCgroupControllers] = {limits.memory_bytes.has_value(), limits.processes.has_value(),
                                           limits.cpu_millicores.has_value()};
  for (std::size_t i = 0; i < kCgroupControllers; ++i) {
    const auto controller = static_cast<CgroupController>(i);
    if (!wanted[i]) lift(id, controller);
    if (!wanted[i] || !this->limits(controller)) continue;
    if (version_2_[i]) {
      joined.limited[i] = joined.contained() && limit(unified_ + "/" + name_of(id), controller, limits);
      if (joined.limited[i]) limited_[i].emplace(id);
    } else if (unique_fd entered = enter(limiting_[i], true, controller); entered.valid()) {
      joined.others.push_back(std::move(entered));
      joined.limited[i] = true;
    }
  }
  return joined;
}

Cgroups::Membership Cgroups::join_anew(std::string_view id, const GroupLimits& limits) {
  if (contains() && remove_tree(unified_ + "/" + name_of(id)))
    forget(killed_, id);
  return join(id, limits);
}

// A process whose config names no limit any more is no longer in the groups of version 1.
void Cgroups::lift(std::string_view id, CgroupController controller) {
  auto& limited = limited_[static_cast<std::size_t>(controller)];
  const auto known = limited.find(id);
  if (known == limited.end()) return;
  constexpr std::string_view kFiles[] = {"/memory.max", "/pids.max", "/cpu.max"};
  static_assert(std::size(kFiles) == kCgroupControllers);
  const auto file = kFiles[static_cast<std::size_t>(controller)];
  if (write_control(unified_ + "/" + name_of(id) + std::string(file), "max")) limited.erase(known);
}

bool Cgroups::kill(std::string_view id) {
  if (contains()) killed_.emplace(id);
  return contains() && write_control(unified_ + "/" + name_of(id) + "/cgroup.kill", "1");
}

bool Cgroups::freeze(std::string_view id, bool on) {
  if (!contains() || !write_control(unified_ + "/" + name_of(id) + "/cgroup.freeze", on ? "1" : "0")) return false;
  if (on) frozen_.emplace(id);
  else forget(frozen_, id);
  return true;
}

bool Cgroups::holds(std::string_view id, pid_t pid) const {
  if (!contains()) return false;
  const std::string within = unified_.substr(unified_.rfind('/')) + "/" + name_of(id);
  const std::string groups = read_control("/proc/" + std::to_string(pid) + "/cgroup");
  for (const std::string_view line : split(groups, '\n')) {
    const std::size_t at = line.starts_with("0::") ? line.find(within) : line.npos;
    if (at == line.npos) continue;
    const std::size_t end = at + within.size();
    return end == line.size() || line[end] == '/';
  }
  return false;
}

bool Cgroups::populated(std::string_view id) const {
  return contains() && counter(read_control(unified_ + "/" + name_of(id) + "/cgroup.events"), "populated") != 0;
}

std::uint64_t Cgroups::out_of_memory_kills(std::string_view id) const {
  constexpr auto memory = static_cast<std::size_t>(CgroupController::memory);
  if (limiting_[memory].empty()) return 0;
  const std::string directory = limiting_[memory] + "/" + name_of(id);
  return counter(read_control(directory + (version_2_[memory] ? "/memory.events" : "/memory.oom_control")), "oom_kill");
}

void Cgroups::remove(std::string_view id) {
  forget(frozen_, id);
  for (auto& ids : limited_) forget(ids, id);
  std::erase_if(to_remove_, [](const std::string& path) { return ::rmdir(path.c_str()) == 0 || errno == ENOENT; });
  for (const std::string& run : directories()) {
    const std::string path = run + "/" + name_of(id);
    if (::rmdir(path.c_str()) == 0 || errno != EBUSY) {
      if (run == unified_) forget(killed_, id);
      continue;
    }
    remove_tree(path);
    const bool busy = ::access(path.c_str(), F_OK) == 0;
    const bool known = std::find(to_remove_.begin(), to_remove_.end(), path) != to_remove_.end();
    if (busy && !known && to_remove_.size() < kPendingRemovals) to_remove_.push_back(path);
  }
}

std::vector<std::string> Cgroups::directories() const {
  std::vector<std::string> all;
  if (contains()) all.push_back(unified_);
  for (const std::string& one : limiting_) {
    if (!one.empty() && std::find(all.begin(), all.end(), one) == all.end()) all.push_back(one);
  }
  return all;
}

std::string wrong_with_cgroup_limit(CgroupController controller) {
  const CgroupLayout layout = here();
  const std::string& legacy = layout.legacy[static_cast<std::size_t>(controller)];
  if (!legacy.empty() && ::access(legacy.c_str(), W_OK) == 0) return {};
  const bool offered = !layout.unified.empty() &&
                       has_word(read_control(layout.unified + "/cgroup.controllers"), to_string(controller)) &&
                       ::access((layout.unified + "/cgroup.subtree_control").c_str(), W_OK) == 0;
  if (offered) return {};
  return "needs the cgroup controller \"" + std::string(to_string(controller)) +
         "\", which this process may not use here; run the host as root, or as a service with Delegate=yes";
}

void end_cgroups(const std::vector<std::string>& directories) {
  for (const std::string& directory : directories) {
    (void)write_control(directory + "/cgroup.freeze", "0");
    (void)write_control(directory + "/cgroup.kill", "1");
    remove_tree(directory);
  }
}

}  // namespace tenon::keeper
