#include "loader/component_table.hpp"

#include <algorithm>
#include <cstring>

namespace tenon::loader {
namespace {

// No table of functions comes near this; more is a struct_size that was never set.
constexpr std::uint32_t kMaxTable = 64 * 1024;

Error refused(std::string_view component, std::string sentence) {
  return Error(errc::bad_data, "component " + std::string(component) + " " + std::move(sentence), fault::plugin);
}

}  // namespace

std::uint32_t KindDescription::table_size() const noexcept {
  std::uint32_t size = min_table_size;
  for (const SlotDescription& slot : slots) {
    size = std::max<std::uint32_t>(size, slot.offset + sizeof(AnyFunction));
  }
  return size;
}

const KindDescription* find_kind(const std::vector<KindDescription>& kinds, std::string_view kind) noexcept {
  const auto found = std::find_if(kinds.begin(), kinds.end(), [&](const auto& entry) { return entry.kind == kind; });
  return found == kinds.end() ? nullptr : &*found;
}

ComponentTable::ComponentTable(std::size_t size)
    : octets_(std::make_unique<std::max_align_t[]>((size + sizeof(std::max_align_t) - 1) / sizeof(std::max_align_t))) {}

Result<ComponentTable> ComponentTable::complete(const KindDescription& kind, const void* table,
                                                std::string_view component) {
  if (table == nullptr) return refused(component, "has no table: set tenon_component.table");
  std::uint32_t given = 0;
  std::memcpy(&given, table, sizeof given);
  if (given < kind.min_table_size || given > kMaxTable) {
    return refused(component, "has a table whose struct_size is " + std::to_string(given) + ", version 1.0 of " +
                                  kind.kind + " has " + std::to_string(kind.min_table_size) +
                                  ": initialise struct_size with sizeof of the table");
  }
  const std::uint32_t full = kind.table_size();
  ComponentTable completed(full);
  auto* octets = reinterpret_cast<unsigned char*>(completed.octets_.get());
  std::memcpy(octets, table, std::min(given, full));
  std::memcpy(octets, &full, sizeof full);

  for (const SlotDescription& slot : kind.slots) {
    AnyFunction function = nullptr;
    // A slot that the plugin's table holds only in part does not exist in it.
    if (given >= slot.offset + sizeof function) std::memcpy(&function, octets + slot.offset, sizeof function);
    if (function == nullptr && slot.required) {
      return refused(component, "lacks the required slot " + kind.kind + "." + slot.name +
                                    ": implement it and set it in the table");
    }
    if (function == nullptr) function = slot.stub;
    std::memcpy(octets + slot.offset, &function, sizeof function);
  }
  return completed;
}

}  // namespace tenon::loader
