// Collects what a reader finds into a tenon_event and holds it against CloudEvents' rules, the same for every format.
//
// The model. A reader calls start(), then for every member claim() (which refuses names that are illegal or came
// before) and one of the setters, or none if the value means "absent"; finish() hands the event over. Nothing reaches
// the caller's event before finish(), so an error leaves it untouched. All spans are views of the input or of
// scratch().
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include <tenon/event.h>

#include "attribute_text.hpp"
#include "attributes.hpp"
#include "refuse.hpp"
#include "scratch.hpp"
#include "timestamp.hpp"

namespace tenon::serializers {

class Envelope {
 public:
  void start() noexcept {
    event_ = {};
    seen_ = 0;
    extensions_.clear();
    scratch_.clear();
  }

  Scratch& scratch() noexcept { return scratch_; }

  // Notes that the member came; `offset` is where its name begins. Returns which one it is.
  Attribute claim(std::string_view name, std::size_t offset) {
    const Attribute which = find_attribute(name);
    if (which == Attribute::extension) {
      claim_extension(name, offset);
    } else {
      const std::uint32_t bit = 1u << static_cast<unsigned>(which);
      if ((seen_ & bit) != 0) refuse_duplicate(name, offset);
      seen_ |= bit;
    }
    return which;
  }

  // Requires which < kTextAttributes and UTF-8.
  void set_text(Attribute which, std::string_view value, std::size_t offset) {
    const TextAttribute& attribute = kText[static_cast<std::size_t>(which)];
    if (attribute.rule != Rule::any) check_rule(attribute, value, offset);
    check_text(attribute.name, value, offset);
    event_.*attribute.field = {value.data(), value.size()};
  }

  void set_priority(std::int64_t value, std::size_t offset) {
    if (value < 1 || value > 10) refuse_attribute("priority", offset, "must be an integer from 1 (highest) to 10");
    event_.priority = static_cast<std::uint32_t>(value);
  }

  // The value of the extension that was claimed last. `type` is TENON_ATTRIBUTE_…; of a STRING it must be UTF-8.
  void set_text_extension(std::string_view value, std::size_t offset) {
    check_text(claimed_extension(), value, offset);
    set_extension(value, TENON_ATTRIBUTE_STRING);
  }
  void set_extension(std::string_view value, std::uint32_t type) noexcept {
    extensions_.back().value = {value.data(), value.size()};
    extensions_.back().type = type;
  }
  std::string_view claimed_extension() const noexcept {
    return {extensions_.back().name.data, extensions_.back().name.size};
  }

  bool has_data() const noexcept { return event_.data_kind != TENON_DATA_NONE; }
  std::string_view datacontenttype() const noexcept {
    return {event_.datacontenttype.data, event_.datacontenttype.size};
  }
  void set_data(std::uint32_t kind, std::string_view octets) noexcept {
    event_.data_kind = kind;
    event_.data = {reinterpret_cast<const std::uint8_t*>(octets.data()), octets.size()};
  }

  // `format` must be static.
  void finish(std::string_view format, tenon_event& out) noexcept {
    std::erase_if(extensions_, [](const tenon_attribute& extension) { return extension.value.data == nullptr; });
    event_.extension_count = static_cast<std::uint32_t>(extensions_.size());
    event_.extensions = extensions_.empty() ? nullptr : extensions_.data();
    event_.format = {format.data(), format.size()};
    event_.struct_size = out.struct_size;  // the caller's struct may be of a later minor version
    out = event_;
  }

 private:
  void claim_extension(std::string_view name, std::size_t offset) {
    if (!is_attribute_name(name)) {
      refuse_attribute(name, offset, "is no legal attribute name; use only the letters a-z and digits");
    }
    for (const tenon_attribute& other : extensions_) {
      if (std::string_view(other.name.data, other.name.size) == name) refuse_duplicate(name, offset);
    }
    if (extensions_.size() == TENON_EXTENSIONS_MAX) {
      refuse_attribute(name, offset,
                       "is one extension attribute too many; an event carries at most 64, put the rest in data");
    }
    extensions_.push_back({{name.data(), name.size()}, {nullptr, 0}, TENON_ATTRIBUTE_STRING, 0});
  }

  static void check_text(std::string_view name, std::string_view value, std::size_t offset) {
    if (!is_attribute_text(value)) [[unlikely]]
      refuse_attribute(name, offset,
                       "has a control character, which CloudEvents forbids in attributes; put such text in data");
  }

  static void check_rule(const TextAttribute& attribute, std::string_view value, std::size_t offset) {
    if (attribute.rule == Rule::version) {
      if (value != "1.0") refuse_attribute(attribute.name, offset, "must be \"1.0\", the only version read here");
    } else if (attribute.rule == Rule::timestamp) {
      if (!is_timestamp(value)) {
        refuse_attribute(attribute.name, offset, "must be an RFC 3339 timestamp such as 2026-11-22T10:18:32Z");
      }
    } else if (value.empty()) {
      refuse_attribute(attribute.name, offset, "must not be empty; leave it out or give it a value");
    }
  }

  [[noreturn, gnu::cold]] static void refuse_duplicate(std::string_view name, std::size_t offset) {
    refuse_attribute(name, offset, "appears twice; keep one of the two");
  }

  tenon_event event_{};
  std::uint32_t seen_ = 0;  // a bit for each Attribute but extension
  std::vector<tenon_attribute> extensions_;
  Scratch scratch_;
};

}  // namespace tenon::serializers
