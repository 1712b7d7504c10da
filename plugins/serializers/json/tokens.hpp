// Where the tokens of a JSON text begin: simdjson's stage 1 behind a header without simdjson in it.
//
// The model. Stage 1 goes over the text once with the widest vectors the machine has (the library picks them at run
// time) and leaves the offset of every token: each of { } [ ] : , , each opening quote, and the first octet of every
// other run of non-blank octets. It also settles, for the whole text, what no later step looks at again: it is UTF-8,
// every string is closed, and no string holds a raw control character. What is *between* two offsets is judged by
// Cursor.
//
// Why stage 1 and not simdjson's on-demand front end over it: on-demand does not check what it skips, so all of `data`
// would have to be decoded to check it (it has no other walk), recursively, and its errors do not say where. Measured
// side by side the two cost the same at 200 B of data, and on-demand a quarter more at 16 KiB. Nor does a second copy
// of this plugin for a wider instruction set gain anything: the vectors are in stage 1, which the library dispatches
// for on-demand too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include <tenon/types.h>

namespace tenon::json_plugin {

struct Tokens {
  std::string_view text;
  const std::uint32_t* first;
  const std::uint32_t* last;  // *last is readable and equals text.size()
};

// Working memory, four octets for each octet of the largest text; all instances of the plugin share one, which is safe
// because every call is [loop]. What a rare huge text needed is given back after a while of small ones.
class TokenIndex {
 public:
  TokenIndex();
  ~TokenIndex();
  TokenIndex(const TokenIndex&) = delete;
  TokenIndex& operator=(const TokenIndex&) = delete;

  // The tokens of `text`, valid until the next call. Throws TENON_ERR_BAD_DATA with the octet, TENON_ERR_EXHAUSTED
  // without memory or beyond 4 GiB.
  Tokens build(std::string_view text);

 private:
  void make_room(std::size_t size);

  struct Stage;
  std::unique_ptr<Stage> stage_;
  std::uint32_t small_in_a_row_ = 0;  // texts that needed less than a quarter of the memory
};

}  // namespace tenon::json_plugin
