#include "app/reloader.hpp"

#include <algorithm>
#include <unordered_map>

#include "app/config_check.hpp"
#include "app/descriptor_budget.hpp"
#include "app/host_documents.hpp"
#include "app/host_stash.hpp"
#include "app/schema_texts.hpp"
#include "app/stop_bound.hpp"
#include "common/logging.hpp"
#include "common/system.hpp"
#include "common/text.hpp"
#include "loader/plugin_directory.hpp"

namespace tenon::app {

namespace {

constexpr Duration kReadBound = std::chrono::minutes(2);

Error busy() {
  return Error(errc::wrong_state, "another change of the configuration is being read; try again when it is done");
}

Error refused(const std::vector<ConfigChange>& changes) {
  std::string what;
  for (const ConfigChange& change : changes) {
    if (change.effect != ChangeEffect::next_run) continue;
    std::string name = change.section == "host" ? join(change.keys, ", ") : change.section + " " + change.name;
    what += (what.empty() ? "" : ", ") + name;
  }
  return Error(errc::wrong_state, "nothing was changed: only a restart of the host brings another " + what +
                                      "; take that back in the config, or stop the host and run it again");
}

// Out of descriptors neither keeper nor engine could be talked to any more.
Status descriptors_suffice(const integration::HostConfig& now, const integration::HostConfig& fresh) {
  const auto limit = descriptor_limit();
  const std::uint64_t needed = descriptors_needed(fresh, Outputs::shared);
  if (!limit.ok() || needed <= limit->maximum || needed <= descriptors_needed(now, Outputs::shared)) return {};
  return Error(errc::wrong_state, "nothing was changed: it may need " + std::to_string(needed) +
                                    " descriptors, and the limit is " + std::to_string(limit->maximum) +
                                    "; run fewer processes, or raise it (ulimit -Hn, LimitNOFILE=) and run the host "
                                    "again");
}

std::string document_of(const std::vector<ConfigChange>& changes) {
  JsonWriter json;
  json.begin_object().key("changes");
  write_changes(json, changes);
  return json.end_object().take();
}

std::string document_of(Host& host, const std::vector<ConfigChange>& changes,
                        const std::vector<runtime::VerbOutcome>& outcomes) {
  JsonWriter json;
  json.begin_object().key("changes");
  write_changes(json, changes);
  json.key("results");
  write_outcomes(json, host, outcomes);
  return json.end_object().take();
}

void log_changes(const std::vector<ConfigChange>& changes) {
  std::size_t started = 0, stopped = 0, restarted = 0, postponed = 0, applied = 0;
  for (const ConfigChange& change : changes) {
    started += change.effect == ChangeEffect::started;
    stopped += change.effect == ChangeEffect::stopped;
    restarted += change.effect == ChangeEffect::restarted;
    postponed += change.effect == ChangeEffect::next_start;
    applied += change.effect == ChangeEffect::applied;
  }
  log::info("engine", "the configuration changed",
            {{"started", started}, {"stopped", stopped}, {"restarted", restarted}, {"next_start", postponed},
             {"applied", applied}});
}

}  // namespace

// One configuration, from the worker thread to the loop.
struct Reloader::Reading {
  bool from_disk = false;
  LoadedConfig loaded;
  Scales scales;
  std::optional<Result<SchemaTexts>> schemas;  // absent: they stay
  Status failed;                               // to read the kept sources, or to compile the schemas
  std::vector<ConfigChange> changes;
};

Reloader::Reloader(Host& host, std::string config_path, std::string socket, KeptBytes sources, Scales scales)
    : host_(host), config_path_(std::move(config_path)), socket_(std::move(socket)), sources_(std::move(sources)),
      scales_(std::move(scales)) {}
Reloader::~Reloader() = default;

// --- reading ---

void Reloader::read(Source source, std::string path, Scales scales, std::function<void(Reading&)> then, Done done) {
  if (std::exchange(reading_, true)) return done(busy());
  const auto reading = std::make_shared<Reading>();
  reading->from_disk = source == Source::disk;
  reading->scales = std::move(scales);
  const std::string only = host_.safe_mode() ? host_.config().own_plugin_directory : std::string();
  auto job = [reading, path = std::move(path), kept = sources_, only] {
    LoadOptions options = load_options(!reading->from_disk);
    // In safe mode no other plugin is there for what changes.
    if (!only.empty())
      options.survey = [only](const std::vector<std::string>&) { return loader::survey_plugins({only}); };
    options.scales = reading->scales;
    // What the machine lacks for one process alone is that process's problem, as when the host started.
    options.forgiving = true;
    ConfigSources sources;
    if (reading->from_disk) {
      sources = load_sources(path);
    } else {
      const auto bytes = kept.read();
      auto restored = bytes.ok() ? ConfigSources::from_bytes(*bytes) : Result<ConfigSources>(bytes.error());
      if (!restored.ok()) return void(reading->failed = std::move(restored).error());
      sources = std::move(*restored);
    }
    reading->loaded = load_config(std::move(sources), options);
    const integration::HostConfig& config = reading->loaded.config;
    if (!reading->from_disk || !reading->loaded.ok()) return;
    reading->schemas = SchemaTexts();
    if (config.schema_mode != integration::SchemaMode::off)
      reading->schemas = read_schema_texts(config.schema_directories);
    // Compiled once to see whether they can be: what is accepted must not fail any more.
    message::SchemaRegistry trial;
    if (!reading->schemas->ok()) return;
    for (const message::SchemaText& schema : **reading->schemas)
      if (reading->failed.ok()) reading->failed = trial.add(schema.text, schema.file);
  };
  auto finished = [this, alive = std::weak_ptr<int>(alive_), reading, then = std::move(then), done](Status read) {
    if (alive.expired()) return;
    reading_ = false;
    if (std::exchange(again_, false)) host_.loop().post([this, alive] {
      if (!alive.expired()) reload_soon();
    });
    if (read.ok()) read = reading->failed;
    if (read.ok() && reading->schemas && !reading->schemas->ok()) read = reading->schemas->error();
    if (!read.ok()) return done(std::move(read).error().with_context("the config cannot be used"));
    if (!reading->loaded.ok()) {
      const std::string lines = format_problems(reading->loaded.problems, reading->loaded.warnings);
      return done(Error(errc::invalid_argument, "the config cannot be used, mend it:\n" + lines, fault::caller));
    }
    if (!socket_.empty()) reading->loaded.config.control.socket = socket_;
    reading->changes = changes_of(*reading);
    then(*reading);
  };
  if (Status queued = host_.worker_pool().submit(std::move(job), kReadBound, std::move(finished)); !queued.ok()) {
    reading_ = false;
    done(std::move(queued).error());
  }
}

std::vector<ConfigChange> Reloader::changes_of(const Reading& reading) const {
  std::vector<ConfigChange> changes = compare_configs(host_.config(), reading.loaded.config);
  const bool told = std::any_of(changes.begin(), changes.end(), [](const auto& c) { return c.section == "schemas"; });
  if (!told && reading.schemas && loader::digest_of(encode_schema_texts(**reading.schemas)) != host_.schemas_digest())
    changes.insert(changes.begin(), {"schemas", "schemas", ChangeEffect::applied, {"files"}});
  judge_by_what_runs(changes, *reading.loaded.config.supervision);
  return changes;
}

// Two configs do not tell what runs by neither of them: a process that was paused when an earlier change came. Nor who
// is paused or stopped now.
void Reloader::judge_by_what_runs(std::vector<ConfigChange>& changes, const runtime::SupervisorConfig& fresh) const {
  std::unordered_map<std::string, std::size_t> listed;
  for (std::size_t i = 0; i < changes.size(); ++i)
    if (changes[i].section == "process") listed.emplace(changes[i].name, i);
  runtime::for_each_process(fresh, [&](const auto& process) {
    const runtime::ProcessHandle* const handle = host_.processes().find(process->id);
    if (handle == nullptr) return;
    const bool is_up = handle->desired == runtime::Desired::up;
    const auto started_with = host_.processes().started_with(process->id);
    const bool is_stale = started_with && *started_with != process->start_digest;
    const ChangeEffect effect = is_up ? ChangeEffect::restarted : ChangeEffect::next_start;
    const auto known = listed.find(process->id);
    if (known == listed.end()) {
      if (is_stale) changes.push_back({"process", process->id, effect, {}});
      return;
    }
    ConfigChange& change = changes[known->second];
    const bool restarts = change.effect == ChangeEffect::restarted;
    if (is_stale || (restarts && !started_with)) change.effect = effect;
    else if (restarts) change.effect = ChangeEffect::applied;  // it runs with that already
  });
}

// --- what operators ask for ---

void Reloader::diff(std::string path, Done done) {
  if (path.empty()) path = config_path_;
  read(Source::disk, std::move(path), scales_, [done](Reading& reading) { done(document_of(reading.changes)); }, done);
}

void Reloader::reload_soon() {
  if (reading_) {
    again_ = true;  // the file may have changed since it was read
    return;
  }
  reload(true, [](const Result<std::string>& changed) {
    if (!changed.ok()) log::error("engine", "the reload was refused", {{"why", changed.error().message}});
  });
}

void Reloader::reload(bool wait, Done done) {
  read(Source::disk, config_path_, scales_, [this, wait, done](Reading& reading) { apply(reading, wait, done); }, done);
}

void Reloader::scale(std::string id, std::uint32_t replicas, bool wait, Done done) {
  if (replicas > kMaxReplicas) {
    return done(Error(errc::invalid_argument, "found " + std::to_string(replicas) + " replicas, expected at most " +
                                                  std::to_string(kMaxReplicas) + " of one child; ask for fewer",
                      fault::caller));
  }
  // Read once to know what the file says, which load_config tells of every child.
  read(Source::kept, {}, scales_, [this, id, replicas, wait, done](Reading& now) {
    if (Status may = scalable(now, id); !may.ok()) return done(std::move(may).error());
    Scales wanted = scales_;
    wanted[id] = {replicas, now.loaded.replicas.at(id)};
    if (wanted[id].replicas == wanted[id].instead_of) wanted.erase(id);
    read(Source::kept, {}, std::move(wanted), [this, wait, done](Reading& fresh) { apply(fresh, wait, done); }, done);
  }, done);
}

Status Reloader::scalable(const Reading& reading, const std::string& id) const {
  if (reading.loaded.replicas.contains(id)) return {};
  bool known = false;
  std::vector<std::string> names;
  runtime::for_each_process(*reading.loaded.config.supervision, [&](const auto& process) {
    known = known || process->id == id || process->base_id == id;
  });
  if (known)
    return Error(errc::wrong_state, quote_for_message(id) + " has no replicas that could be more or fewer; give the "
                                    "child \"replicas\" in the config, reload, and scale it by the child's id");
  for (const auto& [name, count] : reading.loaded.replicas) names.push_back(name);
  const auto near = nearest_name(id, names);
  return Error(errc::not_found, "there is no child " + quote_for_message(id) + " with replicas" +
                                    (near ? "; did you mean " + quote_for_message(*near) + "?"
                                          : "; `tenon ps` lists what there is"),
               fault::caller);
}

// --- applying ---

void Reloader::apply(Reading& reading, bool wait, Done done) {
  const bool refuses = std::any_of(reading.changes.begin(), reading.changes.end(), [](const ConfigChange& change) {
    return change.effect == ChangeEffect::next_run;
  });
  if (refuses) return done(refused(reading.changes));
  if (Status may = host_.tree().may_reload(*reading.loaded.config.supervision); !may.ok())
    return done(std::move(may).error().with_context("nothing was changed"));
  if (Status fits = descriptors_suffice(host_.config(), reading.loaded.config); !fits.ok())
    return done(std::move(fits).error());
  if (Status accepted = accept(reading); !accepted.ok()) return done(std::move(accepted).error());
  for (const ConfigProblem& warning : reading.loaded.warnings) log::warn("config", to_string(warning));
  std::optional<SchemaTexts> schemas;
  for (const ConfigChange& change : reading.changes)
    if (change.section == "schemas") schemas = **reading.schemas;
  auto report = [this, alive = std::weak_ptr<int>(alive_), changes = reading.changes, wait,
                 done](std::vector<runtime::VerbOutcome> outcomes) {
    if (wait && !alive.expired()) done(document_of(host_, changes, outcomes));
  };
  Status changed = host_.reload(std::make_shared<const integration::HostConfig>(std::move(reading.loaded.config)),
                                std::move(schemas), std::move(report));
  if (!changed.ok()) return done(std::move(changed).error().with_context("nothing was changed"));
  settings_changed();
  log_changes(reading.changes);
  if (!wait) done(document_of(host_, reading.changes, {}));
}

// With the keeper first: from here on a successor works by the new one.
Status Reloader::accept(Reading& reading) {
  Scales scales;
  for (const auto& [id, scale] : reading.scales) {
    const auto file = reading.loaded.replicas.find(id);
    if (file != reading.loaded.replicas.end() && file->second == scale.instead_of) scales.emplace(id, scale);
  }
  if (reading.from_disk) {
    auto bytes = KeptBytes::make(reading.loaded.sources.to_bytes());
    if (!bytes.ok()) return std::move(bytes).error();
    TENON_TRY(host_.client().put(std::string(kConfigKey), {}, {bytes->descriptor()}));
    sources_ = std::move(*bytes);
  }
  scales_ = std::move(scales);
  return host_.client().put(std::string(kScalesKey), encode_scales(scales_));
}

// What the keeper must know of the new config, and this engine of itself.
void Reloader::settings_changed() {
  const integration::HostConfig& config = host_.config();
  log::set_level(config.log_level);
  log::set_format(config.log_format);
  host_.client().vitals()->set_hang_timeout(config.hang_timeout);
  Status told = host_.client().log_as(config.log_level, config.log_format);
  if (told.ok()) {
    const Duration bound = stop_bound(*config.supervision) + std::chrono::seconds(5);
    told = host_.client().set_shutdown_bound(std::chrono::duration_cast<std::chrono::milliseconds>(bound));
  }
  if (!told.ok()) log::warn("engine", "the keeper was not told of the new config", {{"why", told.error().message}});
}

}  // namespace tenon::app
