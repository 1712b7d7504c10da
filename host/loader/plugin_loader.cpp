#include "loader/plugin_loader.hpp"

#include <algorithm>
#include <utility>

#include "common/logging.hpp"
#include "loader/negotiation.hpp"
#include "loader/plugin_directory.hpp"
#include "loader/plugin_file.hpp"

namespace tenon::loader {

PluginLoader::PluginLoader(LoaderOptions options, event::Loop& loop, Quarantine& quarantine, CallTrace& trace)
    : options_(std::move(options)), loop_(loop), quarantine_(quarantine), trace_(trace) {}

PluginLoader::~PluginLoader() = default;

Status PluginLoader::open_copies() {
  auto copies = PrivateCopies::open(options_.copy_bases);
  if (!copies) return std::move(copies).error();
  copies_.emplace(std::move(copies).value());
  for (const std::string& path : options_.directories) {
    auto directory = std::make_unique<Directory>();
    directory->path = path;
    directory->position = static_cast<std::uint32_t>(directories_.size());
    directories_.push_back(std::move(directory));
  }
  return {};
}

Status PluginLoader::start() {
  for (const std::string& path : options_.directories) TENON_TRY(check_plugin_directory(path));
  TENON_TRY(open_copies());
  for (const auto& directory : directories_) TENON_TRY(use(*directory));
  rescan();
  return {};
}

Status PluginLoader::take_over(std::vector<KeptPlugin> former) {
  TENON_TRY(open_copies());
  restore(std::move(former));
  for (const auto& directory : directories_) {
    const Status usable = use(*directory);
    if (usable.ok()) {
      scan(*directory);
      continue;
    }
    log::error("loader",
               "a plugin directory cannot be used; its plugins stay in use, and it is read as soon as it can be",
               {{"directory", directory->path}, {"why", usable.error().message}});
    await(*directory);
  }
  load_wanted();
  return {};
}

// Watched before it is read: a file that comes in between is reported, not missed.
Status PluginLoader::use(Directory& directory) {
  TENON_TRY(check_plugin_directory(directory.path));
  return options_.watch ? open_watch(directory) : Status();
}

void PluginLoader::restore(std::vector<KeptPlugin> former) {
  former_ = std::move(former);
  for (const KeptPlugin& kept : former_) {
    kept_.insert(kept.place.path);
    const auto file = PluginFile::adopt(kept.place.path, kept.copy.duplicate());
    auto identity = file ? file->identity() : Result<PluginIdentity>(file.error());
    Status acceptable = identity ? negotiate(*identity, host_abi()) : Status(identity.error());
    if (acceptable.ok()) {
      registry_.offer(kept.place, kept.stamp, std::move(identity).value());
      continue;
    }
    log::warn("loader", "a plugin that the engine before had loaded cannot be taken over",
              {{"file", kept.place.path}, {"why", acceptable.error().message}});
  }
  load_wanted();
  former_.clear();
}

void PluginLoader::rescan() {
  for (const auto& directory : directories_) scan(*directory);
  load_wanted();
}

void PluginLoader::look_again(const std::string& path) {
  for (const PluginPlace& place : registry_.places()) {
    if (place.path != path) continue;
    look_at(place, Known::look_anyway);
  }
  load_wanted();
}

bool PluginLoader::roll_back(const PluginLibrary& library, std::string reason) {
  if (!registry_.roll_back(library, std::move(reason))) return false;
  load_wanted();
  return true;
}

// --- watching ---

Status PluginLoader::open_watch(Directory& directory) {
  auto watch = event::FileWatch::open(
      loop_, directory.path,
      [this, &directory](event::FileChange change, std::string_view name) { on_change(directory, change, name); });
  if (!watch) return std::move(watch).error();
  directory.watch = std::move(watch).value();
  return {};
}

void PluginLoader::on_change(Directory& directory, event::FileChange change, std::string_view name) {
  switch (change) {
    case event::FileChange::directory_gone:
      log::warn("loader", "a plugin directory went away; its plugins stay in use, and it is read again when it is back",
                {{"directory", directory.path}});
      return await(directory);
    case event::FileChange::rescan:
      scan(directory);
      break;
    default:
      if (!is_plugin_file_name(name)) return;
      // Which change it was does not matter: what lies there now does. A known stamp does not count, because two writes
      // within one tick of the kernel's clock leave the same.
      look_at({directory.position, directory.path + "/" + std::string(name)}, Known::look_anyway);
  }
  load_wanted();
}

void PluginLoader::await(Directory& directory) {
  directory.watch.reset();
  directory.return_timer = loop_.every(kReturnPeriod, [this, &directory] {
    if (!use(directory).ok()) return;
    directory.return_timer.reset();
    scan(directory);
    load_wanted();
  });
}

// --- looking ---

void PluginLoader::scan(const Directory& directory) {
  const auto places = list_plugin_files(directory.path, directory.position);
  if (!places) {
    log::warn("loader", places.error().message, {{"directory", directory.path}});
    return;
  }
  for (const PluginPlace& known : registry_.places()) {
    if (known.directory == directory.position && !std::binary_search(places->begin(), places->end(), known)) {
      registry_.remove(known.path);
    }
  }
  for (const PluginPlace& place : *places) look_at(place, Known::pass_over);
}

void PluginLoader::look_at(const PluginPlace& place, Known known) {
  const auto stamp = stamp_of(place.path);
  if (!stamp && stamp.error().code == errc::not_found) return registry_.remove(place.path);
  if (known == Known::pass_over && stamp && registry_.knows(place.path, *stamp)) return;
  const auto places = registry_.places();
  if (places.size() >= PluginRegistry::kMaxFiles && std::find(places.begin(), places.end(), place) == places.end()) {
    log::warn("loader", "too many plugin files: this one is ignored; move those that are not needed elsewhere",
              {{"file", place.path}, {"limit", PluginRegistry::kMaxFiles}});
    return;
  }
  const auto file = PluginFile::open(place.path);
  // Without a stamp: what keeps a file from being opened (mode, descriptors) may pass without the file changing.
  if (!file) return registry_.reject(place, std::nullopt, file.error().message, std::nullopt);
  auto identity = file->identity();
  if (!identity) return registry_.reject(place, file->stamp(), identity.error().message, std::nullopt);
  if (const Status accepted = negotiate(*identity, host_abi()); !accepted) {
    return registry_.reject(place, file->stamp(), accepted.error().message, std::move(identity).value());
  }
  registry_.offer(place, file->stamp(), std::move(identity).value());
}

// --- loading ---

void PluginLoader::load_wanted() {
  while (const auto wanted = registry_.next_wanted()) load(*wanted);
  registry_.settle();
  forget_unused();
}

void PluginLoader::forget_unused() {
  const std::set<std::string> needed = registry_.needed_paths();
  std::erase_if(kept_, [&](const std::string& path) {
    if (needed.contains(path)) return false;
    if (options_.forget) options_.forget(path);
    return true;
  });
}

// From what the engine before left, while that is restored; else from the disk.
Result<PluginFile> PluginLoader::open(const PluginRegistry::Wanted& wanted) const {
  for (const KeptPlugin& kept : former_)
    if (kept.place.path == wanted.path) return PluginFile::adopt(wanted.path, kept.copy.duplicate());
  return PluginFile::open(wanted.path);
}

void PluginLoader::load(const PluginRegistry::Wanted& wanted) {
  const auto file = open(wanted);
  if (!file) return registry_.refused(wanted.entry, file.error().message);
  const auto copy = copies_->copy(*file);
  if (!copy) return registry_.refused(wanted.entry, copy.error().message);

  const PluginLibrary* mapped = registry_.mapped_at(wanted.path);
  if (mapped != nullptr && mapped->content() == copy->content()) return registry_.keep_content(wanted.entry);
  if (const Quarantine::Entry* entry = quarantine_.find(copy->content())) {
    return registry_.quarantined(wanted.entry, entry->reason());
  }
  auto identity = copy->identity();
  if (!identity) return registry_.refused(wanted.entry, identity.error().message);
  if (*identity != wanted.identity) {
    return registry_.refused(wanted.entry,
                             "the file was replaced while it was read; it is read again when it is complete");
  }
  auto library = PluginLibrary::load(*copy, wanted.path, std::move(identity).value(), options_.kinds, trace_);
  if (!library) return registry_.refused(wanted.entry, library.error().message);
  registry_.loaded(wanted.entry, std::move(library).value());
  if (!options_.keep) return;
  for (const PluginPlace& place : registry_.places())
    if (place.path == wanted.path) options_.keep(place, wanted.stamp, copy->fd()), kept_.insert(place.path);
}

}  // namespace tenon::loader
