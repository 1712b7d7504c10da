#include "keeper/keeper.hpp"

#include <unistd.h>

#include "common/logging.hpp"
#include "keeper/breadcrumb.hpp"
#include "keeper/keeper_core.hpp"
#include "keeper/mapped_page.hpp"

namespace tenon::keeper {
namespace {

constexpr std::size_t kMaxHostParameters = 1024 * 1024;

int refuse(const Error& error) {
  log::error("keeper", "the host cannot start", {{"reason", error.message}});
  return 1;
}

}  // namespace

int run_keeper(const KeeperOptions& given) {
  KeeperOptions options = given;
  if (options.host_parameters.size() > kMaxHostParameters) {
    return refuse(Error(errc::invalid_argument, "the host's parameters are over 1 MiB"));
  }
  auto host = prepare_host_process();
  if (!host) return refuse(host.error());
  if (options.engine_environment.empty()) {
    for (char** entry = environ; *entry != nullptr; ++entry) options.engine_environment.emplace_back(*entry);
  }
  auto poller = Poller::make();
  if (!poller) return refuse(poller.error());
  auto breadcrumbs = make_shared_memory("tenon-breadcrumbs", sizeof(BreadcrumbPage));
  if (!breadcrumbs) return refuse(breadcrumbs.error());
  return KeeperCore(options, std::move(*host), std::move(*poller), std::move(*breadcrumbs)).run();
}

}  // namespace tenon::keeper
