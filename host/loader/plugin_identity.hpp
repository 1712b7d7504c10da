// What a plugin's note says: name, version, ABI and the components with their config schemas.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.hpp"
#include "loader/semantic_version.hpp"

namespace tenon::loader {

struct AbiVersion {
  std::uint16_t major = 0;
  std::uint16_t minor = 0;
  friend bool operator==(const AbiVersion&, const AbiVersion&) = default;
};
// "1.0"
std::string to_string(AbiVersion abi);
// What this host was built with.
AbiVersion host_abi() noexcept;

inline constexpr std::size_t kMaxComponents = 64;

struct ComponentIdentity {
  std::string kind;    // [a-z0-9_]{1,64}; may be a kind that this host does not know
  std::string name;    // [a-z0-9_]{1,64}
  std::string schema;  // JSON Schema of its config as compact JSON text: an object, or true/false
  friend bool operator==(const ComponentIdentity&, const ComponentIdentity&) = default;
};
// "transport/nats"
std::string component_id(std::string_view kind, std::string_view name);

struct PluginIdentity {
  std::string name;  // [a-z0-9_-]{1,64}
  SemanticVersion version;
  std::string vendor;   // printable, at most 256 octets
  std::string licence;  // likewise
  AbiVersion abi;
  std::vector<ComponentIdentity> components;  // 1 … kMaxComponents, no two alike; none of another major

  std::vector<std::string> component_ids() const;
  // Of everything that is written in the note, the version's build metadata included.
  friend bool operator==(const PluginIdentity& a, const PluginIdentity& b) {
    return a.name == b.name && a.version.text() == b.version.text() && a.vendor == b.vendor && a.licence == b.licence &&
           a.abi == b.abi && a.components == b.components;
  }
};

// Letters of [a-z0-9_], 1 to 64 of them.
bool is_component_name(std::string_view text) noexcept;

// From the note's JSON text. Unknown members are ignored: a newer minor version may have more to say. errc::bad_data,
// fault::plugin, with the place inside the note, what stands there and what was expected.
Result<PluginIdentity> parse_identity(std::string note_text);

}  // namespace tenon::loader
