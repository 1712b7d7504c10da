#include "app/process_usage.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <unistd.h>

#include "common/system.hpp"
#include "common/text.hpp"

namespace tenon::app {

namespace {

constexpr std::size_t kMaxChildrenText = 64 * 1024;

struct Stat {
  unsigned long long ticks = 0;  // its own and those of the children it waited for
  unsigned long long pages = 0;
  unsigned long long threads = 0;
};

std::string directory_of(pid_t pid) { return "/proc/" + std::to_string(pid); }

std::optional<Stat> read_stat(pid_t pid) {
  const auto text = read_file(directory_of(pid) + "/stat", 4096);
  if (!text.ok()) return std::nullopt;
  // The command's name stands in parentheses and may hold anything, so fields are counted from the last ')'.
  const std::size_t close = text->rfind(')');
  if (close == std::string::npos) return std::nullopt;
  Stat stat;
  const char* at = text->c_str() + close + 1;
  for (int field = 3; *at != '\0' && field <= 24; ++field) {
    while (*at == ' ') ++at;
    if (field >= 14 && field <= 17) stat.ticks += std::strtoull(at, nullptr, 10);  // utime, stime, cutime, cstime
    if (field == 20) stat.threads = std::strtoull(at, nullptr, 10);
    if (field == 24) stat.pages = std::strtoull(at, nullptr, 10);
    while (*at != ' ' && *at != '\0') ++at;
  }
  return stat;
}

// Those whose parent is this thread: the one that forked them.
void add_children(const std::string& thread, std::vector<pid_t>& out) {
  const auto text = read_file(thread + "/children", kMaxChildrenText);
  if (!text.ok()) return;  // gone, or a kernel without CONFIG_PROC_CHILDREN
  for (const std::string_view word : split(*text, ' ')) {
    pid_t child = 0;
    const auto [end, failed] = std::from_chars(word.data(), word.data() + word.size(), child);
    if (failed == std::errc() && child > 0 && out.size() < kMaxProcesses) out.push_back(child);
  }
}

void add_children(pid_t pid, bool one_thread, std::vector<pid_t>& out) {
  const std::string tasks = directory_of(pid) + "/task";
  if (one_thread) return add_children(tasks + "/" + std::to_string(pid), out);
  std::error_code gone;
  std::size_t looked_at = 0;
  for (std::filesystem::directory_iterator task(tasks, gone), end; !gone && task != end; task.increment(gone)) {
    if (++looked_at > kMaxProcesses) return;
    add_children(task->path().string(), out);
  }
}

}  // namespace

Status read_process_usage(pid_t pid, tenon_usage& out) {
  static const auto ticks = static_cast<unsigned long long>(::sysconf(_SC_CLK_TCK));
  static const auto page = static_cast<unsigned long long>(::sysconf(_SC_PAGESIZE));
  std::vector<pid_t> tree{pid};
  Stat sum;
  std::uint32_t count = 0;
  for (std::size_t i = 0; i < tree.size(); ++i) {
    const auto stat = read_stat(tree[i]);
    if (!stat && i == 0) return Error(errc::not_found, "process " + std::to_string(pid) + " is gone");
    if (!stat) continue;
    ++count;
    sum.ticks += stat->ticks, sum.pages += stat->pages;
    add_children(tree[i], stat->threads <= 1, tree);
  }
  out.process_count = count;
  out.memory_bytes = sum.pages * page;
  out.cpu_ns = sum.ticks * (1'000'000'000ull / ticks);
  return {};
}

}  // namespace tenon::app
