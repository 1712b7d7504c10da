// The engine on another binary: the one that runs is asked to leave, one of the other is tried, and if that does not take
// over in time, one of the old goes on. No process notices.
#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/logging.hpp"
#include "common/system.hpp"
#include "common/units.hpp"
#include "keeper/keeper_core.hpp"

namespace tenon::keeper {
namespace {

constexpr Duration kUpgradePatience = std::chrono::seconds(5);  // for the new one to work
constexpr Duration kLeavePatience = std::chrono::seconds(2);    // for the old one to go

// What is executed with all our rights must be nobody else's to write.
Result<unique_fd> open_binary(std::string path) {
  if (path.empty()) {
    auto own = executable_path();
    if (!own) return std::move(own).error();
    path = std::move(*own);
  }
  unique_fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return Error::from_errno(errno, "open the binary " + path + "; install it first");
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return Error::from_errno(errno, "look at the binary " + path);
  if (!S_ISREG(info.st_mode) || (info.st_mode & 0111) == 0)
    return Error(errc::invalid_argument, path + " is not a file that can be executed; install it first");
  if ((info.st_uid != 0 && info.st_uid != ::geteuid()) || (info.st_mode & 022) != 0)
    return Error(errc::permission, "others than root and the host's user may write " + path + "; run chown and chmod go-w");
  return file;
}

}  // namespace

void KeeperCore::handle_upgrade(const UpgradeRequest& request) {
  const auto refuse = [&](std::string why) {
    upgrade_failure_ = std::move(why);
    tell(UpgradeRefused{++upgrades_, upgrade_failure_});
  };
  if (upgrade_ != Upgrade::none) return refuse("another upgrade is under way; wait for it");
  if (phase_ != Phase::running) return refuse("the host is stopping");
  auto binary = open_binary(request.binary);
  if (!binary) return refuse(binary.error().message);
  log::info("keeper", "upgrade: the engine is asked to leave", {{"pid", engine_->pid()}});
  candidate_ = std::move(*binary);
  upgrade_ = Upgrade::leaving;
  upgrade_deadline_ = now_ + kLeavePatience;
  tell(Leave{});
}

void KeeperCore::note_works() {
  if (upgrade_ != Upgrade::trying) return;
  log::info("keeper", "upgrade: the new engine has taken over", {{"pid", engine_->pid()}});
  host_.binary = std::move(candidate_);
  upgrade_ = Upgrade::none;
  upgrade_failure_.clear();
}

// True if the exit is part of an upgrade, and what follows has been seen to.
bool KeeperCore::upgrade_on_engine_exit(const std::string& how) {
  if (upgrade_ == Upgrade::none || phase_ != Phase::running) return false;
  // Neither one that was asked to leave nor one that never worked says anything about the plugins.
  previous_exit_.reset();
  previous_hung_ = false;
  if (upgrade_ == Upgrade::leaving) {
    upgrade_ = Upgrade::trying;
    upgrade_deadline_ = now_ + kUpgradePatience;
    upgrade_late_.clear();
    ++upgrades_;
    upgrade_failure_.clear();
    start_engine();
  } else {
    roll_back(upgrade_late_.empty() ? "it ended before it had taken over: " + how : upgrade_late_);
  }
  return true;
}

void KeeperCore::advance_upgrade() {
  if (upgrade_ == Upgrade::none || !engine_ || now_ < upgrade_deadline_) return;
  if (phase_ != Phase::running) {  // a stop has its own bound, and needs whichever engine there is
    upgrade_deadline_ = MonotonicTime::max();
    return;
  }
  if (upgrade_ == Upgrade::trying) {
    upgrade_late_ = "it did not take over within " + format_duration(kUpgradePatience);
  }
  ::kill(engine_->pid(), SIGKILL);
  upgrade_deadline_ = MonotonicTime::max();
}

void KeeperCore::roll_back(const std::string& why) {
  log::error("keeper", "upgrade: rolled back, the engine goes on as it was", {{"why", why}});
  upgrade_failure_ = why;
  upgrade_ = Upgrade::none;
  candidate_.reset();
  start_engine();
}

}  // namespace tenon::keeper
