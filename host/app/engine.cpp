#include "app/engine.hpp"

#include <algorithm>
#include <cstdio>
#include <malloc.h>

#include "app/config_check.hpp"
#include "app/crash_handlers.hpp"
#include "app/descriptor_budget.hpp"
#include "app/host_stash.hpp"
#include "app/safe_mode.hpp"
#include "app/stop_bound.hpp"
#include "common/logging.hpp"
#include "common/system.hpp"
#include "common/text.hpp"

namespace tenon::app {

namespace {

constexpr std::string_view kControlListener = "control";
constexpr Duration kIdleLook = std::chrono::milliseconds(50);

}  // namespace

int run_engine() {
  take_engine_signals();
  auto link = keeper::KeeperClient::take_link_from_environment();
  if (!link.ok()) {
    std::fprintf(stderr, "tenon: %s\n", link.error().message.c_str());
    return 2;
  }
  int exit_code = 0;
  {
    const std::unique_ptr<event::Loop> loop = event::make_loop();
    Engine engine(*loop, std::move(*link));
    exit_code = engine.run();
  }
  leave_when_destroyed(exit_code);
}

Engine::Engine(event::Loop& loop, unique_fd link) : loop_(loop), client_(std::move(link), *this) {
  loop_.set_turn_observer(this);
}

Engine::~Engine() {
  loop_.set_turn_observer(nullptr);
  server_.reset();
  view_.reset();
  reloader_.reset();
  host_.reset();
  set_crash_page(nullptr);
}

int Engine::run() {
  auto watch = loop_.watch(client_.fd(), event::Interest::read, [this](event::Interest ready) {
    const auto bits = static_cast<unsigned>(ready);
    if ((bits & 2) != 0) client_.on_writable();
    if ((bits & 1) != 0) client_.on_readable();
  });
  if (!watch.ok()) {
    log::error("engine", watch.error().message);
    return 1;
  }
  link_watch_ = std::move(*watch);
  loop_.run();
  return exit_code_;
}

// --- beginning ---

void Engine::on_adopted(keeper::Adoption adoption) {
  set_crash_page(client_.breadcrumbs());
  first_ = !adoption.stash.contains(kStartedKey);
  if (Status begun = begin(adoption); !begun.ok()) fail(begun.error());
}

// What cannot start is the operator's to mend. What cannot take over leaves the processes alone: the keeper starts
// the next engine, later each time, and stops everything when it is told to.
void Engine::fail(const Error& why) {
  if (first_) {
    std::fprintf(stderr, "tenon: %s\n", why.message.c_str());
    return end(1);
  }
  log::error("engine", "cannot take over from the engine before; the processes go on, and another engine tries again",
             {{"why", why.message}});
  leave_at_once(1);
}

Result<std::shared_ptr<const integration::HostConfig>> Engine::load(keeper::Adoption& adoption) {
  const auto kept = adoption.stash.find(kConfigKey);
  const bool first = kept == adoption.stash.end();
  ConfigSources sources;
  if (first) {
    sources = load_sources(options_.config);
  } else {
    if (!kept->second.descriptors.empty()) sources_ = KeptBytes(std::move(kept->second.descriptors.front()));
    const auto bytes = sources_.read();
    auto restored = bytes.ok() ? ConfigSources::from_bytes(*bytes) : Result<ConfigSources>(bytes.error());
    if (!restored.ok()) return std::move(restored).error().with_context("the config kept by the keeper");
    sources = std::move(*restored);
  }
  LoadOptions load = load_options(!first);
  load.forgiving = true;
  if (const auto scales = adoption.stash.find(kScalesKey); scales != adoption.stash.end()) {
    auto decoded = decode_scales(scales->second.bytes);
    if (decoded.ok()) load.scales = scales_ = std::move(*decoded);
    else log::warn("engine", decoded.error().message);
  }
  LoadedConfig loaded = load_config(std::move(sources), load);
  if (!loaded.problems.empty()) {
    std::fprintf(stderr, "%s", format_problems(loaded.problems, loaded.warnings).c_str());
    return Error(
        errc::invalid_argument,
        options_.config + " was not accepted; mend the errors above and run `tenon check " + options_.config + "`",
        fault::caller);
  }
  if (first) {
    for (const ConfigProblem& warning : loaded.warnings) log::warn("config", to_string(warning));
    if (const std::string few = descriptor_warning(loaded.config); !few.empty()) log::warn("config", few);
    auto bytes = KeptBytes::make(loaded.sources.to_bytes());
    if (!bytes.ok()) return std::move(bytes).error();
    sources_ = std::move(*bytes);
    TENON_TRY(client_.put(std::string(kConfigKey), {}, {sources_.descriptor()}));
  }
  if (!options_.socket.empty()) loaded.config.control.socket = options_.socket;
  return std::make_shared<const integration::HostConfig>(std::move(loaded.config));
}

Status Engine::begin(keeper::Adoption& adoption) {
  auto options = RunOptions::decode(adoption.hello.host_parameters);
  if (!options.ok()) return std::move(options).error();
  options_ = std::move(*options);
  auto config = load(adoption);
  if (!config.ok()) return std::move(config).error();
  log::set_level((*config)->log_level);
  log::set_format((*config)->log_format);
  TENON_TRY(client_.log_as((*config)->log_level, (*config)->log_format));
  // To load and take over is one turn, and longer than those that the config speaks of.
  client_.vitals()->set_hang_timeout(std::max(keeper::kDefaultHangTimeout, (*config)->hang_timeout));

  TENON_TRY(load_token(adoption, **config));
  const bool safe = wants_safe_mode(adoption.hello.recent_restarts, **config);
  if (safe)
    log::error("engine", "safe mode: the engine could not stay up; only the host's own plugins are used",
               {{"ends_in_a_minute", adoption.hello.recent_restarts}, {"directory", (*config)->own_plugin_directory}});
  host_ = std::make_unique<Host>(loop_, client_, *config, adoption.hello.engine_ordinal, safe,
                                 HostCallbacks{[this] { end(exit_code_); },
                                               [this](int code, const std::string& reason) {
                                                 stop(reason, code, code == 0 ? std::string_view()
                                                      : "mend the process, or let its supervisor allow more restarts "
                                                        "(supervision.intensity), and run the host again");
                                               }});
  TENON_TRY(host_->prepare(adoption, first_));
  TENON_TRY(client_.set_shutdown_bound(std::chrono::duration_cast<std::chrono::milliseconds>(
      stop_bound(*(*config)->supervision) + std::chrono::seconds(5))));
  const HostView::Identity identity{adoption.hello.keeper_pid, adoption.hello.engine_restarts,
                                    MonotonicTime{Duration(adoption.hello.keeper_started_ns)},
                                    (*config)->control.socket};
  reloader_ = std::make_unique<Reloader>(*host_, options_.config, options_.socket, sources_,
                                         std::move(scales_));
  view_ = std::make_unique<HostView>(*host_, *reloader_, identity,
                                     [this] { stop("asked to by an operator", exit_code_); }, [this] { return upgrade(); });
  server_ = std::make_unique<control::ControlServer>(loop_, *view_, host_->metrics());

  adoption_ = std::move(adoption);
  return listen();
}

// Kept, so that a file that has gone since shuts nobody out.
Status Engine::load_token(const keeper::Adoption& adoption, const integration::HostConfig& config) {
  if (config.control.http_listen.empty()) return {};
  if (const auto kept = adoption.stash.find(kTokenKey); kept != adoption.stash.end()) {
    token_ = kept->second.bytes;
    return {};
  }
  auto token = read_file(config.control.http_token_file, 4096);
  if (!token.ok()) return std::move(token).error().with_context("control.http.token_file");
  token_ = trim(*token);
  return client_.put(std::string(kTokenKey), token_);
}

// The control socket first: a second host on the same socket is refused before it has started anything.
Status Engine::listen() {
  const integration::HostConfig& config = host_->config();
  keeper::ListenSpec spec;
  spec.name = kControlListener;
  spec.address = config.control.socket;
  spec.http = true;
  wanted_listeners_.push_back(spec);
  if (!config.control.http_listen.empty()) {
    keeper::ListenSpec tcp;
    tcp.name = "control-http";
    tcp.family = keeper::ListenFamily::tcp;
    const std::size_t colon = config.control.http_listen.rfind(':');
    tcp.address = config.control.http_listen.substr(0, colon);
    if (tcp.address.starts_with('[')) tcp.address = tcp.address.substr(1, tcp.address.size() - 2);
    tcp.port = static_cast<std::uint16_t>(std::stoul(config.control.http_listen.substr(colon + 1)));
    tcp.http = true;
    wanted_listeners_.push_back(tcp);
  }
  for (keeper::AdoptedListener& listener : adoption_.listeners) {
    if (integration::PluginListeners::owns(listener.spec.name)) {
      host_->plugin_listeners().adopt(listener.spec);
      continue;
    }
    if (integration::ProcessSockets::owns(listener.spec.name)) continue;  // adopted with the processes
    std::erase_if(wanted_listeners_, [&](const keeper::ListenSpec& s) { return s.name == listener.spec.name; });
    serve(listener.spec.name, std::move(listener.socket));
  }
  for (const keeper::ListenSpec& wanted : wanted_listeners_) TENON_TRY(client_.listen(wanted));
  if (wanted_listeners_.empty()) start_host();
  return {};
}

void Engine::serve(const std::string& name, unique_fd socket) {
  const Status served = name == kControlListener ? server_->serve_unix(std::move(socket))
                                                 : server_->serve_tcp(std::move(socket), token_);
  if (!served.ok())
    log::error("control", "a listener is not served", {{"listener", name}, {"why", served.error().message}});
}

void Engine::on_listening(keeper::Listening listening) {
  if (integration::PluginListeners::owns(listening.name)) {
    if (host_ != nullptr) host_->plugin_listeners().on_listening(std::move(listening));
    return;
  }
  serve(listening.name, std::move(listening.socket));
  std::erase_if(wanted_listeners_, [&](const keeper::ListenSpec& s) { return s.name == listening.name; });
  if (wanted_listeners_.empty() && phase_ == Phase::greeting) start_host();
}

void Engine::on_listen_failed(keeper::ListenFailed failure) {
  if (integration::PluginListeners::owns(failure.name)) {
    if (host_ != nullptr) host_->plugin_listeners().on_listen_failed(failure);
    return;
  }
  fail(Error(static_cast<errc>(failure.code), std::move(failure.message)));
}

void Engine::start_host() {
  phase_ = Phase::running;
  keeper::Adoption adoption = std::move(adoption_);
  // Before the first spawn: from here on an engine has something to take over.
  Status started = first_ ? client_.put(std::string(kStartedKey), {}) : Status();
  if (started.ok()) started = host_->start(adoption, first_);
  if (!started.ok()) {
    if (!first_) return fail(started.error());
    last_words_ = started.error().message;
    return stop(last_words_, 1);
  }
  view_->note_upgrade(adoption.hello.upgrades, adoption.hello.upgrade_failure);
  if (Status told = client_.works(); !told.ok())
    log::warn("engine", "the keeper does not know that this engine works", {{"why", told.error().message}});
  // In a turn of its own: this one is the long one.
  loop_.post([this] { client_.vitals()->set_hang_timeout(host_->config().hang_timeout); });
  log::info("engine", "running",
            {{"node", host_->config().node},
             {"processes", host_->processes().size()},
             {"socket", host_->config().control.socket},
             {"engine", adoption.hello.engine_ordinal}});
  if (options_.end_at)
    end_timer_ = loop_.after(*options_.end_at - loop_.clock().monotonic(),
                             [this] { stop("the time of --for is over", exit_code_); });
  if (options_.until_idle) idle_timer_ = loop_.every(kIdleLook, [this] { look_whether_idle(); });
}

// --- ending ---

// Twice in a row, because an event may be between a worker's pipe and us at the moment of the first look.
void Engine::look_whether_idle() {
  if (phase_ != Phase::running) return;
  idle_looks_ = host_->idle() ? idle_looks_ + 1 : 0;
  if (idle_looks_ < 2) return;
  if (!host_->tree().any_in_error()) return stop("nothing is left to do", 0);
  stop("nothing is left to do; in error: " + host_->failed_processes(), 1,
       "mend what the lines above say of it, and run the host again");
}

void Engine::stop(std::string reason, int exit_code, std::string_view advice) {
  if (phase_ == Phase::stopping || phase_ == Phase::ended) return;
  exit_code_ = exit_code;
  if (!advice.empty()) last_words_ = reason + "; " + std::string(advice);
  if (phase_ == Phase::greeting) return end(exit_code);
  phase_ = Phase::stopping;
  idle_timer_.reset();
  end_timer_.reset();
  log::info("engine", "stopping", {{"why", reason}});
  // From here on the keeper ends what we begin, should we not live to do it.
  if (Status told = client_.stopping(exit_code); !told.ok())
    log::warn("engine", "the keeper does not know of the stop", {{"why", told.error().message}});
  // Not from within whoever asks: it may be the process whose end is the reason.
  loop_.post([this] { host_->stop(stop_bound(*host_->config().supervision)); });
}

void Engine::end(int exit_code) {
  if (phase_ == Phase::ended) return;
  phase_ = Phase::ended;
  exit_code_ = exit_code;
  if (!last_words_.empty()) std::fprintf(stderr, "tenon: %s\n", last_words_.c_str());
  // The keeper ends us once nothing is left; what cannot be sent any more, it finds out by itself.
  if (Status sent = client_.quit(exit_code); !sent.ok()) loop_.stop();
}

void Engine::on_shutdown_requested(keeper::ShutdownRequested) { stop("asked to by a signal", exit_code_); }
void Engine::on_reload_requested() {
  if (phase_ != Phase::running) return;
  reloader_->reload_soon();
}

// --- another binary ---

Status Engine::upgrade() {
  if (phase_ != Phase::running || upgrade_asked_)
    return Error(errc::wrong_state, "the host starts, stops or changes its engine already; wait for that");
  TENON_TRY(client_.upgrade({}));
  upgrade_asked_ = true;
  return {};
}

void Engine::on_leave() {
  leaving_ = true;
  log::info("engine", "leaving, for an engine of another binary");
  loop_.post([this] { leave_if_flushed(); });  // behind what this turn has still to say
}

void Engine::leave_if_flushed() {
  if (leaving_ && !client_.wants_write()) leave_at_once(0);
}

void Engine::on_upgrade_refused(keeper::UpgradeRefused refused) {
  log::error("engine", "no upgrade", {{"why", refused.failure}});
  upgrade_asked_ = false;
  if (view_ != nullptr) view_->note_upgrade(refused.upgrades, std::move(refused.failure));
}

void Engine::on_link_lost(const Error& why) {
  link_watch_.reset();
  if (phase_ == Phase::ended) return loop_.stop();  // the keeper has taken leave; it waits for us, for a while
  log::error("engine", "the keeper is gone", {{"why", why.message}});
  leave_at_once(1);  // nothing is left to hand over
}

void Engine::on_interest_changed(bool wants_write) {
  if (link_watch_ != nullptr)
    link_watch_->set_interest(wants_write ? event::Interest::read_write : event::Interest::read);
  if (leaving_) loop_.post([this] { leave_if_flushed(); });
  // The last of thousands of requests has left the queue, whose memory lies between what stays.
  if (!wants_write && phase_ == Phase::running && !std::exchange(trimmed_, true))
    loop_.post([] { ::malloc_trim(0); });
}

// --- what the keeper tells ---

void Engine::on_spawned(keeper::Spawned spawned) {
  if (host_ != nullptr) host_->bridge().on_spawned(std::move(spawned));
}
void Engine::on_spawn_failed(keeper::SpawnFailed failure) {
  if (host_ != nullptr) host_->bridge().on_spawn_failed(failure);
}
void Engine::on_exited(keeper::Exited exited) {
  if (host_ != nullptr) host_->bridge().on_exited(exited);
}
void Engine::on_handed_over(keeper::HandedOver handed) {
  if (host_ != nullptr) host_->bridge().on_handed_over(handed);
}
void Engine::on_main_process_refused(keeper::MainProcessRefused refused) {
  if (host_ != nullptr) host_->bridge().on_main_process_refused(refused);
}
void Engine::on_signal_failed(keeper::SignalFailed failed) {
  log::debug("engine", "a signal found no process",
             {{"process", keeper::to_string(failed.key)}, {"signal", failed.signal_number}});
}
void Engine::on_stash_refused(keeper::StashRefused refused) {
  log::warn("engine", "the keeper did not keep a value; it is lost if the engine ends",
            {{"key", refused.key}, {"why", refused.message}});
}

// --- turns of the loop ---

void Engine::turn_began() noexcept {
  client_.enter_turn(loop_.clock().monotonic());
}

void Engine::turn_ended() noexcept {
  if (host_ != nullptr && phase_ != Phase::ended) host_->rearm_message_timer();
  if (client_.vitals() != nullptr) client_.vitals()->leave_turn(loop_.clock().monotonic());
}

}  // namespace tenon::app
