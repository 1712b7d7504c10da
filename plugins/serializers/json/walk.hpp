// Walks one JSON value and tells a handler what it meets, in document order. Without recursion, so the nesting of the
// input costs a bit a level and never stack; more than kMaxDepth levels are refused.
//
// A handler has null_value(), boolean(bool), number(NumberToken), string(RawString), key(RawString), begin_map(),
// end_map(), begin_array() and end_array(). One that does nothing makes this the check of `data`.
#pragma once

#include <bitset>

#include "../shared/value_order.hpp"
#include "cursor.hpp"

namespace tenon::json_plugin {

template <class Handler>
class Walk {
 public:
  // Takes exactly one value. Throws TENON_ERR_BAD_DATA, or what the handler throws; the cursor is then where it was.
  static void run(Cursor& cursor, Handler& handler) {
    Walk walk(cursor, handler);
    do {
      while (!walk.begin_value()) {
      }
    } while (walk.next_value());
    cursor = walk.cursor_;
  }

 private:
  Walk(const Cursor& cursor, Handler& handler) noexcept : cursor_(cursor), handler_(handler) {}

  // Takes a scalar or an empty container and returns true; or enters a container (and takes its first key) and returns
  // false.
  bool begin_value() {
    switch (cursor_.peek()) {
      case '"': handler_.string(cursor_.take_string()); return true;
      case '{': return enter_map();
      case '[': return enter_array();
      case 't': cursor_.take_word("true"); handler_.boolean(true); return true;
      case 'f': cursor_.take_word("false"); handler_.boolean(false); return true;
      case 'n': cursor_.take_word("null"); handler_.null_value(); return true;
      case '-': case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9':
        handler_.number(cursor_.take_number());
        return true;
      default: cursor_.fail("expected a JSON value");
    }
  }

  bool enter_map() {
    enter(true);
    handler_.begin_map();
    if (cursor_.peek() != '}') {
      take_key();
      return false;
    }
    leave_map();
    return true;
  }

  bool enter_array() {
    enter(false);
    handler_.begin_array();
    if (cursor_.peek() != ']') return false;
    leave_array();
    return true;
  }

  // After a value: ends the containers that it was the last of. True if another value follows, its key taken.
  bool next_value() {
    while (depth_ != 0) {
      const char next = cursor_.peek();
      if (maps_[depth_ - 1]) {
        if (next == ',') {
          cursor_.take_operator();
          take_key();
          return true;
        }
        if (next != '}') cursor_.fail("expected ',' or '}' after a member's value");
        leave_map();
      } else {
        if (next == ',') {
          cursor_.take_operator();
          return true;
        }
        if (next != ']') cursor_.fail("expected ',' or ']' after an element");
        leave_array();
      }
    }
    return false;
  }

  void take_key() {
    if (cursor_.peek() != '"') cursor_.fail("expected a member's name in quotes");
    handler_.key(cursor_.take_string());
    cursor_.expect(':', "expected ':' after a member's name");
  }

  void enter(bool map) {
    if (depth_ == serializers::kMaxDepth) {
      serializers::refuse("nested deeper than 512 levels; flatten the value", cursor_.offset());
    }
    maps_[depth_++] = map;
    cursor_.take_operator();
  }
  void leave_map() {
    --depth_;
    cursor_.take_operator();
    handler_.end_map();
  }
  void leave_array() {
    --depth_;
    cursor_.take_operator();
    handler_.end_array();
  }

  Cursor cursor_;  // a copy: its fields then live in registers
  Handler& handler_;
  std::size_t depth_ = 0;
  std::bitset<serializers::kMaxDepth> maps_;  // which of the open containers are maps
};

}  // namespace tenon::json_plugin
