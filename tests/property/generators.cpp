#include "property/generators.hpp"

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <set>

#include "plugins/serializer_rig.hpp"

namespace tenon::property {

namespace {

constexpr tenon_str tenon_event::*kTexts[] = {
    &tenon_event::specversion, &tenon_event::id,          &tenon_event::source,          &tenon_event::type,
    &tenon_event::time,        &tenon_event::subject,     &tenon_event::datacontenttype, &tenon_event::dataschema,
    &tenon_event::topic,       &tenon_event::target,      &tenon_event::replyto,         &tenon_event::correlationid,
    &tenon_event::expirytime,  &tenon_event::traceparent, &tenon_event::tracestate};

std::string encode(std::uint32_t character) {
  std::string out;
  const auto put = [&out](std::uint32_t octet) { out += static_cast<char>(octet); };
  if (character < 0x80) {
    put(character);
  } else if (character < 0x800) {
    put(0xc0 | character >> 6), put(0x80 | (character & 63));
  } else if (character < 0x10000) {
    put(0xe0 | character >> 12), put(0x80 | (character >> 6 & 63)), put(0x80 | (character & 63));
  } else {
    put(0xf0 | character >> 18), put(0x80 | (character >> 12 & 63)), put(0x80 | (character >> 6 & 63)),
        put(0x80 | (character & 63));
  }
  return out;
}

rc::Gen<std::uint32_t> any_character() {
  return rc::gen::oneOf(rc::gen::inRange<std::uint32_t>(0x20, 0x7f), rc::gen::inRange<std::uint32_t>(0, 0x20),
                        rc::gen::element<std::uint32_t>('"', '\\', '/', 0x7f, 0xd7ff, 0xe000, 0xffff, 0x10ffff),
                        rc::gen::inRange<std::uint32_t>(0x80, 0xd800),
                        rc::gen::inRange<std::uint32_t>(0x10000, 0x110000));
}

std::string two(int number) { return {static_cast<char>('0' + number / 10), static_cast<char>('0' + number % 10)}; }

rc::Gen<std::string> timestamp() {
  return rc::gen::map(
      rc::gen::tuple(rc::gen::inRange(1, 13), rc::gen::inRange(1, 29), rc::gen::inRange(0, 24), rc::gen::inRange(0, 60),
                     rc::gen::element<std::string>("Z", ".5Z", ".000001+01:30")),
      [](const std::tuple<int, int, int, int, std::string>& t) {
        return "2026-" + two(std::get<0>(t)) + "-" + two(std::get<1>(t)) + "T" + two(std::get<2>(t)) + ":" +
               two(std::get<3>(t)) + ":07" + std::get<4>(t);
      });
}

rc::Gen<std::string> name() {
  return rc::gen::map(rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::element('a', 'b', 'z', '0', '9'))),
                      [](const std::string& random) { return "x" + random.substr(0, 20); });  // no core name begins so
}

rc::Gen<OwnedEvent::Extension> extension() {
  return rc::gen::mapcat(rc::gen::inRange<std::uint32_t>(0, 3), [](std::uint32_t type) {
    rc::Gen<std::string> value = attribute_text();
    if (type == TENON_ATTRIBUTE_INTEGER) {
      value = rc::gen::map(rc::gen::arbitrary<std::int32_t>(), [](std::int32_t v) { return std::to_string(v); });
    } else if (type == TENON_ATTRIBUTE_BOOLEAN) {
      value = rc::gen::element<std::string>("true", "false");
    }
    return rc::gen::map(rc::gen::pair(name(), value), [type](const std::pair<std::string, std::string>& both) {
      return OwnedEvent::Extension{both.first, both.second, type};
    });
  });
}

rc::Gen<double> any_double() {
  return rc::gen::oneOf(
      rc::gen::element(0.0, -0.0, 3.0, 0.1, 5e-324, -5e-324, 2.2250738585072011e-308, 1.7976931348623157e308,
                       18446744073709551616.0, 9007199254740993.0, -1e22),
      rc::gen::map(rc::gen::arbitrary<std::uint64_t>(), [](std::uint64_t bits) {
        const auto value = std::bit_cast<double>(bits * 0x9e3779b97f4a7c15ull);  // all exponents, not only small ones
        return std::isfinite(value) ? value : 1.5;
      }));
}

rc::Gen<Value> scalar() {
  using Kind = Value::Kind;
  return rc::gen::oneOf(
      rc::gen::just(Value{}), rc::gen::map(rc::gen::arbitrary<bool>(), [](bool v) { return Value{Kind::boolean, v}; }),
      rc::gen::map(rc::gen::oneOf(rc::gen::element<std::uint64_t>(0, 1, 127, 128, 255, 256, 65535, 65536, 4294967295u,
                                                                  4294967296u, INT64_MAX, UINT64_MAX),
                                  rc::gen::arbitrary<std::uint64_t>()),
                   [](std::uint64_t v) { return Value{Kind::natural, false, -1, v}; }),
      rc::gen::map(rc::gen::element<std::int64_t>(-1, -32, -33, -128, -129, -32768, -32769, -2147483648, -2147483649,
                                                  INT64_MIN),
                   [](std::int64_t v) { return Value{Kind::negative, false, v}; }),
      rc::gen::map(any_double(), [](double v) { return Value{Kind::real, false, -1, 0, v}; }),
      rc::gen::map(utf8_text(), [](const std::string& v) { return Value{Kind::text, false, -1, 0, 0, v}; }));
}

// A key comes once: what has it twice is passed on by nobody.
void keep_first_of_each_key(std::vector<std::pair<std::string, Value>>& members) {
  std::set<std::string> seen;
  std::erase_if(members, [&](const std::pair<std::string, Value>& each) { return !seen.insert(each.first).second; });
}

rc::Gen<Value> value_of_depth(int depth) {
  if (depth == 0) return scalar();
  const rc::Gen<std::size_t> sizes =
      rc::gen::oneOf(rc::gen::inRange<std::size_t>(0, 4), rc::gen::element<std::size_t>(15, 16, 17));
  const auto container = [=](Value::Kind kind) {
    return rc::gen::mapcat(sizes, [=](std::size_t size) {
      const rc::Gen<Value> inner = size > 4 ? scalar() : value_of_depth(depth - 1);
      const rc::Gen<std::string> key = kind == Value::Kind::map ? utf8_text() : rc::gen::just(std::string());
      return rc::gen::map(
          rc::gen::container<std::vector<std::pair<std::string, Value>>>(size, rc::gen::pair(key, inner)),
          [kind](const std::vector<std::pair<std::string, Value>>& members) {
            Value value;
            value.kind = kind;
            value.members = members;
            if (kind == Value::Kind::map) keep_first_of_each_key(value.members);
            return value;
          });
    });
  };
  return rc::gen::oneOf(scalar(), container(Value::Kind::array), container(Value::Kind::map));
}

std::string shortest(double value) {
  char text[32];
  return std::string(text, std::to_chars(text, text + sizeof text, value).ptr);
}

}  // namespace

tenon_event OwnedEvent::view(std::vector<tenon_attribute>& attributes) const {
  tenon_event event;
  TENON_INIT(&event);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (!texts[i].empty()) event.*kTexts[i] = test_support::str(texts[i]);
  }
  event.priority = priority;
  attributes.clear();
  for (const Extension& each : extensions)
    attributes.push_back(test_support::attribute(each.name, each.value, each.type));
  event.extensions = attributes.data();
  event.extension_count = static_cast<std::uint32_t>(attributes.size());
  if (has_data) {
    event.data_kind = TENON_DATA_BYTES;
    event.data = test_support::bytes(data);
  }
  return event;
}

std::string record_of(const Value& value) {
  switch (value.kind) {
    case Value::Kind::null: return "null";
    case Value::Kind::boolean: return value.truth ? "true" : "false";
    case Value::Kind::negative: return "i" + std::to_string(value.negative);
    case Value::Kind::natural: return "u" + std::to_string(value.natural);
    case Value::Kind::real: return "n" + shortest(value.real);
    case Value::Kind::text: return '"' + value.text + '"';
    case Value::Kind::array:
    case Value::Kind::map: break;
  }
  const bool map = value.kind == Value::Kind::map;
  std::string out = map ? "{" : "[";
  for (const auto& [key, member] : value.members) out += (map ? " " + key + ": " : " ") + record_of(member);
  return out + (map ? " }" : " ]");
}

// Records differ in the counts that only MessagePack knows beforehand; text may hold brackets, so both sides are
// compared through the same serializer instead of edited.
static void drive(const Value& value, const tenon_value_sink& sink) {
  using Kind = Value::Kind;
  const auto must = [](tenon_status status) { RC_ASSERT(status == TENON_OK); };
  switch (value.kind) {
    case Kind::null: return must(sink.null_value(sink.context));
    case Kind::boolean: return must(sink.boolean(sink.context, value.truth ? 1 : 0));
    case Kind::negative: return must(sink.signed_integer(sink.context, value.negative));
    case Kind::natural: return must(sink.unsigned_integer(sink.context, value.natural));
    case Kind::real: return must(sink.number(sink.context, value.real));
    case Kind::text: return must(sink.string(sink.context, test_support::str(value.text)));
    case Kind::array:
      must(sink.begin_array(sink.context, value.members.size()));
      for (const auto& [key, member] : value.members) drive(member, sink);
      return must(sink.end_array(sink.context));
    case Kind::map:
      must(sink.begin_map(sink.context, UINT64_MAX));
      for (const auto& [key, member] : value.members) {
        must(sink.key(sink.context, test_support::str(key)));
        drive(member, sink);
      }
      return must(sink.end_map(sink.context));
  }
}

std::string written(test_support::Instance& serializer, const Value& value) {
  test_support::Buffer out;
  tenon_value_sink sink;
  RC_ASSERT(serializer.write_value(out, sink).ok());
  drive(value, sink);
  const test_support::Outcome outcome = serializer.finish_value();
  if (!outcome.ok()) RC_FAIL(outcome.text);
  return out.text();
}

rc::Gen<std::string> attribute_text() {
  const auto legal = [](std::uint32_t c) {
    return c >= 0x20 && !(c >= 0x7f && c < 0xa0) && !(c >= 0xfdd0 && c < 0xfdf0) && (c & 0xfffe) != 0xfffe;
  };
  return rc::gen::map(rc::gen::container<std::vector<std::uint32_t>>(rc::gen::suchThat(any_character(), legal)),
                      [](const std::vector<std::uint32_t>& characters) {
                        std::string out;
                        for (const std::uint32_t each : characters) out += encode(each);
                        return out;
                      });
}

rc::Gen<std::string> utf8_text() {
  return rc::gen::map(rc::gen::container<std::vector<std::uint32_t>>(any_character()),
                      [](const std::vector<std::uint32_t>& characters) {
                        std::string out;
                        for (const std::uint32_t each : characters) out += encode(each);
                        return out;
                      });
}

rc::Gen<OwnedEvent> any_event() {
  const auto text = rc::gen::container<std::vector<std::string>>(15, attribute_text());
  const auto times = rc::gen::pair(timestamp(), timestamp());
  const auto extensions = rc::gen::uniqueBy<std::vector<OwnedEvent::Extension>>(
      extension(), [](const OwnedEvent::Extension& each) { return each.name; });
  const auto type = rc::gen::element<std::string>("", "application/json", "text/plain", "application/octet-stream");
  const auto octets = rc::gen::oneOf(utf8_text(), rc::gen::string<std::string>());
  return rc::gen::map(rc::gen::tuple(text, times, rc::gen::inRange<std::uint32_t>(0, 11), extensions, type,
                                     rc::gen::arbitrary<bool>(), octets),
                      [](auto&& t) {
                        OwnedEvent event;
                        event.texts = std::get<0>(t);
                        if (!event.texts[0].empty()) event.texts[0] = "1.0";
                        if (!event.texts[4].empty()) event.texts[4] = std::get<1>(t).first;
                        event.texts[6] = std::get<4>(t);
                        if (!event.texts[12].empty()) event.texts[12] = std::get<1>(t).second;
                        event.priority = std::get<2>(t);
                        event.extensions = std::get<3>(t);
                        if (event.extensions.size() > TENON_EXTENSIONS_MAX)
                          event.extensions.resize(TENON_EXTENSIONS_MAX);
                        event.has_data = std::get<5>(t);
                        event.data = std::get<6>(t);
                        return event;
                      });
}

rc::Gen<Value> any_value() { return value_of_depth(4); }

}  // namespace tenon::property
