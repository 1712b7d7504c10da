#include "support/loaded_plugin.hpp"

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

namespace tenon::test_support {
namespace {

[[noreturn]] void give_up(const std::string& what) {
  std::fprintf(stderr, "loaded_plugin: %s\n", what.c_str());
  std::abort();
}

std::string_view view(tenon_str text) { return {text.data == nullptr ? "" : text.data, text.size}; }

}  // namespace

LoadedPlugin LoadedPlugin::open_file(const std::string& path) {
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) give_up("cannot open " + path + ": " + ::dlerror() + "; build the plugin's target first");
  using Entry = const tenon_plugin* (*)();
  auto entry = reinterpret_cast<Entry>(::dlsym(library, "tenon_plugin_v1"));
  if (entry == nullptr) give_up(path + " does not export tenon_plugin_v1");
  const tenon_plugin* plugin = entry();
  if (plugin == nullptr) give_up(path + ": tenon_plugin_v1 returned NULL");
  return {path, plugin};
}

const void* LoadedPlugin::table(std::string_view kind, std::string_view name) const {
  for (std::uint32_t i = 0; i < plugin_->component_count; ++i) {
    const tenon_component& component = *plugin_->components[i];
    if (view(component.kind) == kind && view(component.name) == name) return component.table;
  }
  give_up(path_ + " offers no " + std::string(kind) + "/" + std::string(name));
}

std::string LoadedPlugin::note() const {
  std::ifstream file(path_, std::ios::binary);
  const std::string octets((std::istreambuf_iterator<char>(file)), {});
  // The header of an ELF note: size of the owner with its NUL, size of the text, type, then the owner padded to 8.
  const std::string owner(TENON_NOTE_OWNER "\0\0\0{", 9);
  for (std::size_t at = octets.find(owner); at != std::string::npos; at = octets.find(owner, at + 1)) {
    if (at < 12) continue;
    std::uint32_t head[3];
    std::memcpy(head, octets.data() + at - 12, sizeof head);
    if (head[0] != sizeof(TENON_NOTE_OWNER) || head[2] != TENON_NOTE_TYPE) continue;
    if (head[1] == 0 || head[1] > octets.size() - at - 8) continue;
    return octets.substr(at + 8, head[1] - 1);  // without the NUL
  }
  give_up(path_ + " has no Tenon note");
}

}  // namespace tenon::test_support
