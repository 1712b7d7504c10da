// Reads an event in MessagePack: one map with text keys.
//
// Attributes are text, integers, booleans or, as CloudEvents' Binary, `bin` (handed on as base64). nil means absent.
// `data` of type `bin` is the payload's octets; any other type is a value, checked to its end and kept as it is.
#pragma once

#include <string_view>

#include <tenon/event.h>

#include "../shared/envelope.hpp"
#include "objects.hpp"

namespace tenon::msgpack_plugin {

class EventReader {
 public:
  // The spans in `out` live as long as the input, and until the next call. Throws TENON_ERR_BAD_DATA.
  void read(std::string_view input, tenon_event& out);

 private:
  void member(Objects& objects);
  void attribute(Objects& objects, serializers::Attribute which);
  void extension(const Object& object, std::size_t offset);
  void data(Objects& objects);
  std::string_view base64(std::string_view octets);

  serializers::Envelope envelope_;
};

}  // namespace tenon::msgpack_plugin
