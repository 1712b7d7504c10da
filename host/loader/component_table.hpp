// A component's table of functions, completed to the size that this host knows.
//
// The model. The loader knows no kind. Whoever does (integration) describes each as data: which slot lies where, which
// are required, what stands in for one that is missing. The plugin's table may be shorter (an older minor) or longer (a
// newer one); the host works on its own full-size copy, so no caller ever asks how long a table is, and nothing that
// the plugin writes to its table later changes what was checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.hpp"

namespace tenon::loader {

using AnyFunction = void (*)();

struct SlotDescription {
  std::string name;          // as in the header, for messages: "on_exit"
  std::uint32_t offset = 0;  // of the function pointer inside the table
  bool required = false;
  AnyFunction stub = nullptr;  // replaces an optional slot that is missing or null; null: the slot stays null
};

struct KindDescription {
  std::string kind;                  // "transport"
  std::uint32_t min_table_size = 0;  // the table's size in version 1.0 of the ABI
  std::vector<SlotDescription> slots;

  // What a completed table has: the end of the last slot, at least min_table_size.
  std::uint32_t table_size() const noexcept;
};

// Null if the kind is unknown.
const KindDescription* find_kind(const std::vector<KindDescription>& kinds, std::string_view kind) noexcept;

class ComponentTable {
 public:
  // Completes the table at `table`, whose first member is its struct_size. `component` names it in messages.
  // errc::bad_data, fault::plugin: the table is shorter than version 1.0 requires, or lacks a required slot, which is
  // named.
  static Result<ComponentTable> complete(const KindDescription& kind, const void* table, std::string_view component);

  // The host's copy: kind.table_size() octets, its struct_size says so. Lives as long as this object, and does not move
  // with it.
  const void* get() const noexcept { return octets_.get(); }

 private:
  explicit ComponentTable(std::size_t size);
  std::unique_ptr<std::max_align_t[]> octets_;
};

}  // namespace tenon::loader
