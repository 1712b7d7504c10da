#include "app/config_confinement.hpp"

#include <array>
#include <linux/ioprio.h>

namespace tenon::app {

namespace {

// By number, as capabilities(7) and linux/capability.h have them up to Linux 6.1.
constexpr std::array<std::string_view, 41> kCapabilities = {
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID",
    "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN",
    "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE"};

constexpr Choice<int> kIoClasses[] = {
    {"realtime", IOPRIO_CLASS_RT}, {"best_effort", IOPRIO_CLASS_BE}, {"idle", IOPRIO_CLASS_IDLE}};
constexpr int kUsualIoPriority = 4;  // the kernel's

int class_of(const runtime::ProcessConfig& process) { return process.io_priority.value_or(0) >> IOPRIO_CLASS_SHIFT; }
int level_of(const runtime::ProcessConfig& process) {
  return process.io_priority ? *process.io_priority & ((1 << IOPRIO_CLASS_SHIFT) - 1) : kUsualIoPriority;
}

bool needs_root(ConfigReader& reader, const JsonValue& at, std::string_view what) {
  const std::string wrong = reader.machine().wrong_with_confining();
  return wrong.empty() || reader.refuse(at, "only a host that runs as root " + std::string(what) + "; " + wrong);
}

}  // namespace

void read_capabilities(ConfigReader& reader, const JsonValue& at, runtime::ProcessConfig& out) {
  std::uint64_t kept = 0;
  constexpr std::string_view kThings = "capabilities such as \"CAP_NET_BIND_SERVICE\"";
  bool right = reader.array(at, kCapabilities.size(), kThings, [&](const JsonValue& one) {
    for (std::size_t i = 0; i < kCapabilities.size(); ++i)
      if (one.as_string() == kCapabilities[i]) return void(kept |= std::uint64_t{1} << i);
    reader.wrong_name(one, "one of", {kCapabilities.begin(), kCapabilities.end()});
  });
  right = right && needs_root(reader, at, "bounds capabilities");
  if (right) out.capabilities = kept;
}

void read_private_tmp(ConfigReader& reader, const JsonValue& at, runtime::ProcessConfig& out) {
  bool wanted = false;
  if (!reader.boolean(at, wanted) || !wanted || !needs_root(reader, at, "gives a process a /tmp of its own")) return;
  out.private_tmp = true;
}

void read_io_class(ConfigReader& reader, const JsonValue& at, runtime::ProcessConfig& out) {
  int value = 0;
  if (!reader.choice<int>(at, value, kIoClasses)) return;
  if (value == IOPRIO_CLASS_RT && !needs_root(reader, at, "starts processes of the class realtime")) return;
  out.io_priority = value << IOPRIO_CLASS_SHIFT | level_of(out);
}

void read_io_priority(ConfigReader& reader, const JsonValue& at, runtime::ProcessConfig& out) {
  int level = 0;
  if (reader.whole(at, level, 0, 7)) out.io_priority = class_of(out) << IOPRIO_CLASS_SHIFT | level;
}

void check_io(ConfigReader& reader, const JsonValue& child) {
  const auto level = child.find("io_priority"), io_class = child.find("io_class");
  if (!level) return;
  if (!io_class) {
    reader.refuse(*level, "says nothing without an \"io_class\"; add one of \"realtime\" and \"best_effort\"",
                  "an \"io_class\" beside it");
  } else if (io_class->as_string() == "idle") {
    reader.refuse(*level, "the class \"idle\" has no priorities; leave it out", "nothing");
  }
}

}  // namespace tenon::app
