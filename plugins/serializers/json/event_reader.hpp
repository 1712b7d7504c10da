// Reads an event in the CloudEvents JSON format (JSON Event Format 1.0.2).
//
// Attributes become views of the input, unescaped into the instance's memory only where they hold a backslash. `data`
// is checked to the last octet and kept as it is. A string `data` under a datacontenttype that is not JSON *is* the
// payload (section 3.1.1), so it is returned as TENON_DATA_BYTES without its quotes.
#pragma once

#include <string_view>

#include <tenon/event.h>

#include "../shared/envelope.hpp"
#include "cursor.hpp"

namespace tenon::json_plugin {

class EventReader {
 public:
  // The spans in `out` live as long as the input, and until the next call. Throws TENON_ERR_BAD_DATA.
  void read(const Tokens& tokens, tenon_event& out);

 private:
  void member(Cursor& cursor);
  void text(Cursor& cursor, serializers::Attribute which);
  void priority(Cursor& cursor);
  void extension(Cursor& cursor);
  void data(Cursor& cursor);
  void data_base64(Cursor& cursor);
  void settle_data(Cursor& cursor);
  std::string_view value_of(Cursor& cursor, const RawString& string);

  serializers::Envelope envelope_;
  RawString payload_{nullptr, nullptr, nullptr};  // `data` if it is a string
};

}  // namespace tenon::json_plugin
