// Lets valijson read simdjson's DOM: the adapter that valijson does not bring.
//
// The classes are what valijson's BasicAdapter asks for (see adapters/nlohmann_json_adapter.hpp of valijson 1.0); all
// are views into the document of a simdjson parser, which must outlive them. They never throw, but for what valijson
// asks of values of the wrong kind.
//
// A number without a fraction is an integer however it is written (JSON Schema draft 6 and later: 1.0 is one).
//
// Heavy: only validation's own sources may include it, and VALIJSON_USE_EXCEPTIONS must be 1 (else valijson aborts).
#pragma once

#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <simdjson.h>

#include "message/schema_work.hpp"

#ifndef VALIJSON_USE_EXCEPTIONS
#define VALIJSON_USE_EXCEPTIONS 1
#endif
#include <valijson/internal/adapter.hpp>
#include <valijson/internal/basic_adapter.hpp>
#include <valijson/internal/frozen_value.hpp>

namespace tenon::message {

class SimdjsonAdapter;
class SimdjsonArrayIterator;
class SimdjsonObjectIterator;
using SimdjsonMember = std::pair<std::string, SimdjsonAdapter>;

class SimdjsonArray {
 public:
  using const_iterator = SimdjsonArrayIterator;
  using iterator = SimdjsonArrayIterator;
  SimdjsonArray() = default;
  explicit SimdjsonArray(simdjson::dom::array array) noexcept : array_(array) {}
  SimdjsonArrayIterator begin() const;
  SimdjsonArrayIterator end() const;
  std::size_t size() const noexcept { return array_ ? array_->size() : 0; }

 private:
  std::optional<simdjson::dom::array> array_;  // none: an empty array
};

class SimdjsonObject {
 public:
  using const_iterator = SimdjsonObjectIterator;
  using iterator = SimdjsonObjectIterator;
  SimdjsonObject() = default;
  explicit SimdjsonObject(simdjson::dom::object object) noexcept : object_(object) {}
  SimdjsonObjectIterator begin() const;
  SimdjsonObjectIterator end() const;
  SimdjsonObjectIterator find(const std::string& name) const;  // linear, as in every simdjson document
  std::size_t size() const noexcept { return object_ ? object_->size() : 0; }

 private:
  std::optional<simdjson::dom::object> object_;  // none: an empty object
};

class SimdjsonValue {
 public:
  SimdjsonValue() {
  }  // user-provided: valijson's base holds a const one, which clang wants initialised by a constructor
  explicit SimdjsonValue(simdjson::dom::element element) noexcept : element_(element) {}
  const std::optional<simdjson::dom::element>& element() const noexcept { return element_; }

  valijson::adapters::FrozenValue* freeze() const;
  std::optional<SimdjsonArray> getArrayOptional() const {
    simdjson::dom::array array;
    if (!element_ || element_->get(array) != simdjson::SUCCESS) return std::nullopt;
    return SimdjsonArray(array);
  }
  std::optional<SimdjsonObject> getObjectOptional() const {
    simdjson::dom::object object;
    if (!element_ || element_->get(object) != simdjson::SUCCESS) return std::nullopt;
    return SimdjsonObject(object);
  }
  bool getArraySize(std::size_t& result) const {
    const auto array = getArrayOptional();
    return array ? (result = array->size(), true) : false;
  }
  bool getObjectSize(std::size_t& result) const {
    const auto object = getObjectOptional();
    return object ? (result = object->size(), true) : false;
  }
  bool getBool(bool& result) const { return element_ && element_->get(result) == simdjson::SUCCESS; }
  bool getDouble(double& result) const { return element_ && element_->get(result) == simdjson::SUCCESS; }
  // False also for integers that int64_t cannot hold; those count as doubles as well.
  bool getInteger(std::int64_t& result) const {
    if (!element_) return false;
    if (element_->get(result) == simdjson::SUCCESS) return true;
    double number;
    if (!isInteger() || !getDouble(number) || std::abs(number) >= 0x1p63) return false;
    result = static_cast<std::int64_t>(number);
    return true;
  }
  bool getString(std::string& result) const {
    std::string_view text;
    if (!element_ || element_->get(text) != simdjson::SUCCESS) return false;
    result = text;
    return true;
  }
  static bool hasStrictTypes() { return true; }
  bool isArray() const { return type_is(simdjson::dom::element_type::ARRAY); }
  bool isBool() const { return type_is(simdjson::dom::element_type::BOOL); }
  bool isDouble() const {
    return type_is(simdjson::dom::element_type::DOUBLE) || type_is(simdjson::dom::element_type::UINT64);
  }
  bool isInteger() const {
    if (type_is(simdjson::dom::element_type::INT64) || type_is(simdjson::dom::element_type::UINT64)) return true;
    double number;
    return type_is(simdjson::dom::element_type::DOUBLE) && getDouble(number) && std::trunc(number) == number;
  }
  bool isNull() const { return type_is(simdjson::dom::element_type::NULL_VALUE); }
  bool isNumber() const { return isInteger() || isDouble(); }
  bool isObject() const { return !element_ || type_is(simdjson::dom::element_type::OBJECT); }
  bool isString() const { return type_is(simdjson::dom::element_type::STRING); }

 private:
  bool type_is(simdjson::dom::element_type type) const noexcept { return element_ && element_->type() == type; }
  std::optional<simdjson::dom::element> element_;  // none: an empty object, as valijson's default-made adapters are
};

// Each made or copied adapter is work: valijson does one of that for every schema object that it applies to a value, before
// anything else.
class SimdjsonAdapter final : public valijson::adapters::BasicAdapter<SimdjsonAdapter, SimdjsonArray, SimdjsonMember,
                                                                      SimdjsonObject, SimdjsonValue> {
 public:
  SimdjsonAdapter() = default;
  SimdjsonAdapter(simdjson::dom::element element) : BasicAdapter(SimdjsonValue(element)), element_(element) {
    SchemaWork::count_step();
  }
  SimdjsonAdapter(const SimdjsonAdapter& other) : BasicAdapter(other), element_(other.element_) { SchemaWork::count_step(); }
  const std::optional<simdjson::dom::element>& element() const noexcept { return element_; }

 private:
  std::optional<simdjson::dom::element> element_;
};

// valijson keeps values of a schema (enum, const) this way. Ours keeps a view: schemas are compiled from a document
// that holds no such values (schema_source.hpp), so that none outlives it.
class SimdjsonFrozenValue final : public valijson::adapters::FrozenValue {
 public:
  explicit SimdjsonFrozenValue(SimdjsonAdapter value) : value_(std::move(value)) {}
  FrozenValue* clone() const override { return new SimdjsonFrozenValue(value_); }
  bool equalTo(const valijson::adapters::Adapter& other, bool strict) const override {
    return value_.equalTo(other, strict);
  }

 private:
  SimdjsonAdapter value_;
};

// simdjson's iterators go forward only; valijson wants bidirectional ones but steps back only for `uniqueItems`, which
// value_rules.hpp checks instead. Stepping back starts over, so it is right, and slow.
class SimdjsonArrayIterator {
 public:
  using iterator_category = std::bidirectional_iterator_tag;
  using value_type = SimdjsonAdapter;
  using difference_type = std::ptrdiff_t;
  using pointer = SimdjsonAdapter*;
  using reference = SimdjsonAdapter&;
  using Position = simdjson::dom::array::iterator;

  SimdjsonArrayIterator() = default;  // the only place in an empty array
  SimdjsonArrayIterator(Position first, Position at) noexcept : first_(first), at_(at) {}
  SimdjsonAdapter operator*() const { return SimdjsonAdapter(**at_); }
  valijson::adapters::DerefProxy<SimdjsonAdapter> operator->() const {
    return valijson::adapters::DerefProxy<SimdjsonAdapter>(**this);
  }
  bool operator==(const SimdjsonArrayIterator& other) const noexcept {
    return at_.has_value() == other.at_.has_value() && (!at_ || *at_ == *other.at_);
  }
  bool operator!=(const SimdjsonArrayIterator& other) const noexcept { return !(*this == other); }
  SimdjsonArrayIterator& operator++() noexcept { return ++*at_, *this; }
  SimdjsonArrayIterator operator++(int) noexcept {
    const SimdjsonArrayIterator before = *this;
    return ++*at_, before;
  }
  SimdjsonArrayIterator& operator--() noexcept {
    Position before = *first_;
    for (Position next = before; ++next, next != *at_;) before = next;
    at_ = before;
    return *this;
  }
  void advance(std::ptrdiff_t n) noexcept {
    for (; n > 0; --n) ++*at_;
  }

 private:
  std::optional<Position> first_, at_;
};

class SimdjsonObjectIterator {
 public:
  using iterator_category = std::forward_iterator_tag;
  using value_type = SimdjsonMember;
  using difference_type = std::ptrdiff_t;
  using pointer = SimdjsonMember*;
  using reference = SimdjsonMember&;
  using Position = simdjson::dom::object::iterator;

  SimdjsonObjectIterator() = default;  // the only place in an empty object
  explicit SimdjsonObjectIterator(Position at) noexcept : at_(at) {}
  SimdjsonMember operator*() const { return {std::string(at_->key()), SimdjsonAdapter(at_->value())}; }
  valijson::adapters::DerefProxy<SimdjsonMember> operator->() const {
    return valijson::adapters::DerefProxy<SimdjsonMember>(**this);
  }
  bool operator==(const SimdjsonObjectIterator& other) const noexcept {
    return at_.has_value() == other.at_.has_value() && (!at_ || *at_ == *other.at_);
  }
  bool operator!=(const SimdjsonObjectIterator& other) const noexcept { return !(*this == other); }
  SimdjsonObjectIterator& operator++() noexcept { return ++*at_, *this; }
  SimdjsonObjectIterator operator++(int) noexcept {
    const SimdjsonObjectIterator before = *this;
    return ++*at_, before;
  }

 private:
  std::optional<Position> at_;
};

inline SimdjsonArrayIterator SimdjsonArray::begin() const {
  return array_ ? SimdjsonArrayIterator(array_->begin(), array_->begin()) : SimdjsonArrayIterator();
}
inline SimdjsonArrayIterator SimdjsonArray::end() const {
  return array_ ? SimdjsonArrayIterator(array_->begin(), array_->end()) : SimdjsonArrayIterator();
}
inline SimdjsonObjectIterator SimdjsonObject::begin() const {
  return object_ ? SimdjsonObjectIterator(object_->begin()) : SimdjsonObjectIterator();
}
inline SimdjsonObjectIterator SimdjsonObject::end() const {
  return object_ ? SimdjsonObjectIterator(object_->end()) : SimdjsonObjectIterator();
}
inline SimdjsonObjectIterator SimdjsonObject::find(const std::string& name) const {
  if (!object_) return {};
  auto at = object_->begin();
  while (at != object_->end() && !at.key_equals(name)) ++at;
  return SimdjsonObjectIterator(at);
}
inline valijson::adapters::FrozenValue* SimdjsonValue::freeze() const {
  return new SimdjsonFrozenValue(element_ ? SimdjsonAdapter(*element_) : SimdjsonAdapter());
}

}  // namespace tenon::message

namespace valijson::adapters {
template <>
struct AdapterTraits<tenon::message::SimdjsonAdapter> {
  using DocumentType = simdjson::dom::element;
  static std::string adapterName() { return "SimdjsonAdapter"; }
};
}  // namespace valijson::adapters
