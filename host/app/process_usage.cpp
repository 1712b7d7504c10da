#include "app/process_usage.hpp"

#include <cstdlib>
#include <string>

#include <unistd.h>

#include "common/system.hpp"

namespace tenon::app {

Status read_process_usage(pid_t pid, tenon_usage& out) {
  const auto stat = read_file("/proc/" + std::to_string(pid) + "/stat", 4096);
  if (!stat.ok()) return Error(errc::not_found, "process " + std::to_string(pid) + " is gone");
  // The command's name stands in parentheses and may hold anything, so fields are counted from the last ')'.
  const std::size_t close = stat->rfind(')');
  if (close == std::string::npos) return Error(errc::bad_data, "/proc/" + std::to_string(pid) + "/stat is not readable");
  static const long ticks = ::sysconf(_SC_CLK_TCK);
  static const long page = ::sysconf(_SC_PAGESIZE);
  const char* at = stat->c_str() + close + 1;
  unsigned long long user = 0, system = 0, pages = 0;
  for (int field = 3; *at != '\0' && field <= 24; ++field) {
    while (*at == ' ') ++at;
    if (field == 14) user = std::strtoull(at, nullptr, 10);
    if (field == 15) system = std::strtoull(at, nullptr, 10);
    if (field == 24) pages = std::strtoull(at, nullptr, 10);
    while (*at != ' ' && *at != '\0') ++at;
  }
  out.process_count = 1;
  out.memory_bytes = pages * static_cast<unsigned long long>(page);
  out.cpu_ns = (user + system) * (1'000'000'000ull / static_cast<unsigned long long>(ticks));
  return {};
}

}  // namespace tenon::app
