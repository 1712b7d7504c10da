#include "loader/plugin_library.hpp"

#include <algorithm>
#include <cstddef>
#include <span>

#include <tenon/plugin.h>

#include "common/text.hpp"
#include "loader/shared_object.hpp"

namespace tenon::loader {
namespace {

Error refused(std::string sentence) { return Error(errc::bad_data, std::move(sentence), fault::plugin); }

// Sizes in version 1.0, written as ends of fields: they stay when the structs grow.
constexpr std::size_t kMinPlugin = offsetof(tenon_plugin, components) + sizeof(tenon_plugin::components);
constexpr std::size_t kMinComponent = offsetof(tenon_component, table) + sizeof(tenon_component::table);

std::string_view view(tenon_str text) {
  return text.data == nullptr ? std::string_view() : std::string_view(text.data, std::min<std::size_t>(text.size, 256));
}

Error too_small(std::string_view what, std::uint32_t given, std::size_t expected) {
  return refused(std::string(what) + ".struct_size is " + std::to_string(given) + ", version 1.0 has " +
                 std::to_string(expected) + ": initialise it with sizeof of the struct");
}

Error differs(std::string_view what, std::string_view code, std::string_view note) {
  return refused("tenon_plugin_v1 says " + std::string(what) + " " + quote_for_message(code) + ", the note says " +
                 quote_for_message(note) + ": give both from the same macro");
}

// A plugin built without hidden visibility binds its inline variables to an older version of itself that is still
// mapped: a reload that runs the old code, which nobody would understand.
Error bound_elsewhere(std::string_view what) {
  return refused(std::string(what) +
                 " lies in another loaded library, so an older version of this plugin would run: "
                 "link it with -fvisibility=hidden and the version script tenon_plugin.map");
}

Status compare_head(const tenon_plugin& plugin, const PluginIdentity& note) {
  const AbiVersion abi{plugin.abi_major, plugin.abi_minor};
  if (abi != note.abi) return differs("ABI", to_string(abi), to_string(note.abi));
  if (view(plugin.name) != note.name) return differs("name", view(plugin.name), note.name);
  if (view(plugin.version) != note.version.text()) {
    return differs("version", view(plugin.version), note.version.text());
  }
  if (plugin.component_count != note.components.size() || plugin.components == nullptr) {
    return refused("tenon_plugin_v1 offers " + std::to_string(plugin.component_count) + " components, the note lists " +
                   std::to_string(note.components.size()) + ": list the same in both");
  }
  return {};
}

// The entry of the plugin's list that the note calls kind/name.
Result<const tenon_component*> find_component(const tenon_plugin& plugin, const ComponentIdentity& wanted) {
  for (const tenon_component* entry : std::span(plugin.components, plugin.component_count)) {
    if (entry == nullptr) return refused("tenon_plugin_v1 has a null entry in its components: remove it");
    if (entry->struct_size < kMinComponent) return too_small("tenon_component", entry->struct_size, kMinComponent);
    if (view(entry->kind) == wanted.kind && view(entry->name) == wanted.name) return entry;
  }
  return refused("the note lists component " + component_id(wanted.kind, wanted.name) +
                 ", but tenon_plugin_v1 does not offer it: list the same in both");
}

// A plugin must not throw across the ABI; one that does is refused, not the end of the host.
Result<const tenon_plugin*> describe(const SharedObject& object) noexcept {
  try {
    const tenon_plugin* plugin = object.describe();
    if (plugin != nullptr) return plugin;
  } catch (...) {
    return refused("tenon_plugin_v1 threw an exception: catch everything inside it and return NULL");
  }
  return refused(
      "tenon_plugin_v1 returned NULL: the plugin says that it cannot work here; see its documentation for what "
      "it needs");
}

}  // namespace

PluginLibrary::PluginLibrary(PluginIdentity identity, std::string path, Digest content)
    : identity_(std::move(identity)),
      path_(std::move(path)),
      content_(content),
      traced_as_(trace_name(content_, path_)) {}

Result<std::shared_ptr<const PluginLibrary>> PluginLibrary::load(const PrivateCopy& copy, const std::string& path,
                                                                 PluginIdentity identity,
                                                                 const std::vector<KindDescription>& kinds,
                                                                 CallTrace& trace) {
  std::shared_ptr<PluginLibrary> library(new PluginLibrary(std::move(identity), path, copy.content()));
  const auto object = [&] {
    const CallScope scope(trace, library->traced_as_, {}, kCallLoad);
    return map_shared_object(copy.path());
  }();
  if (!object) return object.error();
  const auto described = [&] {
    const CallScope scope(trace, library->traced_as_, {}, kCallDescribe);
    return describe(*object);
  }();
  if (!described) return described.error();
  const tenon_plugin& plugin = **described;
  if (!owns_address(*object, &plugin)) return bound_elsewhere("what tenon_plugin_v1 returns");
  if (plugin.struct_size < kMinPlugin) return too_small("tenon_plugin", plugin.struct_size, kMinPlugin);
  TENON_TRY(compare_head(plugin, library->identity_));

  for (const ComponentIdentity& listed : library->identity_.components) {
    const auto entry = find_component(plugin, listed);
    if (!entry) return entry.error();
    const std::string id = component_id(listed.kind, listed.name);
    const KindDescription* kind = find_kind(kinds, listed.kind);
    if (kind == nullptr) {
      library->unknown_components_.push_back(id);
      continue;
    }
    if (!owns_address(*object, (*entry)->table)) return bound_elsewhere("the table of " + id);
    auto table = ComponentTable::complete(*kind, (*entry)->table, id);
    if (!table) return std::move(table).error();
    library->components_.push_back({listed.kind, listed.name, listed.schema, std::move(table).value()});
  }
  if (library->components_.empty()) {
    return Error(errc::unsupported,
                 "this host knows none of the plugin's kinds (" + join(library->unknown_components_, ", ") +
                     "): update the host",
                 fault::plugin);
  }
  return std::shared_ptr<const PluginLibrary>(std::move(library));
}

}  // namespace tenon::loader
