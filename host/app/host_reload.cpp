// Another configuration for a host that runs: each module is told what of it changed.
#include "app/descriptor_budget.hpp"
#include "app/host.hpp"
#include "app/host_stash.hpp"
#include "common/logging.hpp"

namespace tenon::app {

namespace {

constexpr std::size_t kMaxKeptSchemas = 16 * 1024 * 1024;

using ProcessesById = std::map<std::string, std::shared_ptr<const runtime::ProcessConfig>>;

ProcessesById by_id(const runtime::SupervisorConfig& root) {
  ProcessesById all;
  runtime::for_each_process(root, [&](const auto& process) { all.emplace(process->id, process); });
  return all;
}

const integration::WorkerConfig& worker_of(const integration::HostConfig& config, const std::string& id) {
  static const integration::WorkerConfig none;
  const auto found = config.workers.find(id);
  return found == config.workers.end() ? none : *found->second;
}

bool has_channel(const integration::WorkerConfig& worker) {
  return worker.channel.kind != runtime::ChannelKind::none;
}

}  // namespace

void Host::keep_schemas(const SchemaTexts& texts) {
  std::string bytes = encode_schema_texts(texts);
  schemas_digest_ = loader::digest_of(bytes);
  if (bytes.size() <= kMaxKeptSchemas) return store_.put(std::string(kSchemasKey), std::move(bytes));
  store_.erase(std::string(kSchemasKey));
  log::warn("message", "the schemas are too large for the keeper; a restarted engine reads them from the disk again");
}

Status Host::reload(std::shared_ptr<const integration::HostConfig> fresh, std::optional<SchemaTexts> schemas,
                    runtime::SupervisionTree::VerbDone done) {
  TENON_TRY(tree_.may_reload(*fresh->supervision));
  if (schemas) {
    TENON_TRY(validation_.replace(fresh->schema_mode, *schemas));
    keep_schemas(*schemas);
  }
  const std::shared_ptr<const integration::HostConfig> former = std::exchange(config_, std::move(fresh));
  budget_.set_limit(config_->event_limit);
  bridge_.share_outputs(outputs_for(*config_) == Outputs::shared);
  dead_letters_.store().set_capacity(config_->dead_letter_capacity);
  router_.set_config({config_->request_timeout, config_->block_for});
  Status changed = tree_.reload(
      *config_->supervision,
      [this](const runtime::ProcessId& id) {
        hub_.remove(id);
        logs_.remove(id);
      },
      std::move(done));
  if (!changed.ok()) return changed;  // the config was checked before: only a graph that nobody checked gets here
  reconfigure_workers(*former);  // in the same turn: what is spawned above runs in a later one
  if (former->transports != config_->transports || former->routes != config_->routes)
    transports_.reload(config_->transports, config_->routes);
  loader_.rescan();
  return {};
}

void Host::reconfigure_workers(const integration::HostConfig& former) {
  const ProcessesById before = by_id(*former.supervision);
  runtime::for_each_process(*config_->supervision, [&](const std::shared_ptr<const runtime::ProcessConfig>& process) {
    const std::string& id = process->id;
    const integration::WorkerConfig& worker = worker_of(*config_, id);
    const integration::WorkerConfig& old_worker = worker_of(former, id);
    const auto known = before.find(id);
    if (known == before.end() || known->second->log != process->log) logs_.configure(id, process->log);
    Status told;
    if (known == before.end() || has_channel(worker) != has_channel(old_worker)) {
      hub_.remove(id);
      told = hub_.add(id, process->base_id, worker);
      announce(*manager_.find(id));
    } else if (worker != old_worker) {
      told = hub_.configure(id, worker);
    }
    if (!told.ok()) log::error("engine", told.error().message, {{"process", id}});
  });
}

}  // namespace tenon::app
