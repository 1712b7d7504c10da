#include "keeper/cgroup_layout.hpp"

#include <map>
#include <optional>
#include <vector>

#include "common/text.hpp"

namespace tenon::keeper {
namespace {

// Space, tab, line feed and backslash are written as \ooo there.
std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool octal = text[i] == '\\' && i + 3 < text.size() && text.substr(i + 1, 3).find_first_not_of("01234567") ==
                                                                   std::string_view::npos;
    if (!octal) {
      out.push_back(text[i]);
      continue;
    }
    out.push_back(static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0')));
    i += 3;
  }
  return out;
}

struct Mount {
  std::string root;   // the directory of the hierarchy that is mounted
  std::string point;  // where
};

// The group `path` as seen through the mount; empty if it lies outside of what is mounted.
std::string directory_in(const Mount& mount, std::string_view path) {
  if (mount.root != "/") {
    if (!path.starts_with(mount.root)) return {};
    path.remove_prefix(mount.root.size());
    if (!path.empty() && path.front() != '/') return {};
  }
  std::string directory = mount.point;
  if (path != "/") directory += path;
  return directory;
}

bool names(std::string_view options, std::string_view one) {
  for (const std::string_view option : split(options, ',')) {
    if (option == one) return true;
  }
  return false;
}

struct Mounts {
  std::optional<Mount> unified, legacy[kCgroupControllers];

  // "36 35 98:0 /root /point rw,noatime master:1 - type source options"
  void take(std::string_view line) {
    const std::size_t dash = line.find(" - ");
    if (dash == line.npos) return;
    const auto before = split(line.substr(0, dash), ' '), after = split(line.substr(dash + 3), ' ');
    if (before.size() < 6 || after.size() < 3) return;
    const Mount mount{unescaped(before[3]), unescaped(before[4])};
    if (after[0] == "cgroup2" && !unified) unified = mount;
    if (after[0] != "cgroup") return;
    for (std::size_t i = 0; i < kCgroupControllers; ++i) {
      if (!legacy[i] && names(after[2], to_string(static_cast<CgroupController>(i)))) legacy[i] = mount;
    }
  }
};

}  // namespace

std::string_view to_string(CgroupController controller) noexcept {
  switch (controller) {
    case CgroupController::memory: return "memory";
    case CgroupController::processes: return "pids";
    case CgroupController::cpu: return "cpu";
  }
  return "unknown";
}

CgroupLayout parse_cgroup_layout(std::string_view mountinfo, std::string_view cgroup) {
  Mounts mounts;
  for (const std::string_view line : split(mountinfo, '\n')) mounts.take(line);
  CgroupLayout layout;
  for (const std::string_view line : split(cgroup, '\n')) {  // "4:memory:/a/b"; of version 2 "0::/a/b"
    const std::size_t first = line.find(':'), second = line.find(':', first == line.npos ? first : first + 1);
    if (second == line.npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1), path = line.substr(second + 1);
    if (controllers.empty() && line.starts_with("0:") && mounts.unified) {
      layout.unified = directory_in(*mounts.unified, path);
    }
    for (std::size_t i = 0; i < kCgroupControllers; ++i) {
      if (mounts.legacy[i] && names(controllers, to_string(static_cast<CgroupController>(i)))) {
        layout.legacy[i] = directory_in(*mounts.legacy[i], path);
      }
    }
  }
  return layout;
}

}  // namespace tenon::keeper
