// The config of a fake host's instance: values of a JSON document by RFC 6901 pointer, with the answers of host.h.
#pragma once

#include <tenon/host.h>

#include <string>
#include <string_view>

#include "common/json_document.hpp"

namespace tenon::test_support {

class FakeConfig {
 public:
  // A text that is no JSON ends the program.
  explicit FakeConfig(std::string text);

  std::string_view text() const noexcept { return document_.text(); }
  // Each as its namesake in tenon_host; text lives as long as this object.
  tenon_status string(std::string_view pointer, tenon_str& out) const;
  tenon_status integer(std::string_view pointer, std::int64_t& out) const;
  tenon_status number(std::string_view pointer, double& out) const;
  tenon_status boolean(std::string_view pointer, std::uint32_t& out) const;
  tenon_status duration(std::string_view pointer, std::uint64_t& out_ns) const;
  tenon_status size(std::string_view pointer, std::uint64_t& out_octets) const;
  tenon_status count(std::string_view pointer, std::size_t& out) const;
  tenon_status key(std::string_view pointer, std::size_t index, tenon_str& out) const;

 private:
  std::optional<JsonValue> find(std::string_view pointer) const;
  JsonDocument document_;
};

}  // namespace tenon::test_support
