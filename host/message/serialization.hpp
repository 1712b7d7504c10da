// How the host sees a serializer: bytes to an envelope and back. The plugin behind it is integration's business.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "common/result.hpp"
#include "message/envelope.hpp"

namespace tenon::message {

// Octets behind every input of a reader that must be readable; equals TENON_READ_PADDING of the plugin ABI.
inline constexpr std::size_t kReadPadding = 64;

// Output that grows up to a limit of its owner. Appending never moves what lies before size().
class OutputBuffer {
 public:
  virtual ~OutputBuffer() = default;
  // Makes room for at least `additional` more octets; false at the limit, with everything as it was.
  virtual bool grow(std::size_t additional) = 0;

  bool append(std::string_view octets) {
    if (capacity_ - size_ < octets.size() && !grow(octets.size())) return false;
    std::memcpy(data_ + size_, octets.data(), octets.size());
    size_ += octets.size();
    return true;
  }
  std::uint8_t* data() noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }
  std::size_t capacity() const noexcept { return capacity_; }
  void set_size(std::size_t size) noexcept { size_ = size; }  // at most capacity()
  std::string_view view() const noexcept { return {reinterpret_cast<const char*>(data_), size_}; }

 protected:
  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

// An OutputBuffer on the heap, for whoever has no better place. Keeps its memory over clear().
class GrowingBuffer final : public OutputBuffer {
 public:
  static constexpr std::size_t kKept = 1024 * 1024;
  explicit GrowingBuffer(std::size_t limit) noexcept : limit_(limit) {}
  bool grow(std::size_t additional) override {
    if (size_ + additional > limit_) return false;
    std::size_t wanted = capacity_ == 0 ? 1024 : capacity_ * 2;
    while (wanted < size_ + additional) wanted *= 2;
    if (wanted > limit_) wanted = limit_;  // appending looks at the capacity alone
    auto bigger = std::make_unique_for_overwrite<std::uint8_t[]>(wanted + kReadPadding);
    if (size_ != 0) std::memcpy(bigger.get(), data_, size_);
    memory_ = std::move(bigger);
    data_ = memory_.get();
    capacity_ = wanted;
    return true;
  }
  void clear() noexcept { size_ = 0; }
  // The same, and gives the memory of a large event back, which may be the only one for long.
  void clear_large() noexcept {
    size_ = 0;
    if (capacity_ <= kKept) return;
    memory_.reset();
    data_ = nullptr;
    capacity_ = 0;
  }

 private:
  std::size_t limit_;
  std::unique_ptr<std::uint8_t[]> memory_;
};

// One use of a serializer (a channel, a transport). [loop] Views that read_event returns point into the input or into
// the serializer, until its next call.
class MessageSerializer {
 public:
  virtual ~MessageSerializer() = default;
  virtual SerializationFormat format() const noexcept = 0;
  // An event of this encoding fits on a line once CR and LF are replaced by spaces.
  virtual bool line_safe() const noexcept = 0;

  // Whose event the calls that follow are for, until it is said anew; the views stay valid as long. For whoever traces
  // calls: what goes wrong in them is the matter of that sender, not of this use.
  virtual void on_behalf_of(std::string_view /*event_id*/, std::string_view /*source*/) {}

  // `input` is one whole event, with kReadPadding readable octets behind it. errc::bad_data says what is wrong and
  // where.
  virtual Status read_event(std::string_view input, BaseMessageEnvelope& out) = 0;
  // Appends the event. Data of kind `value` must be in this format. errc::untranslatable names what the format cannot
  // express, errc::exhausted that the buffer's limit was met; its size is then as before.
  virtual Status write_event(const BaseMessageEnvelope& event, OutputBuffer& out) = 0;
  // Appends what replaces the first *skip octets of `encoded` to put the attributes in front. errc::unsupported: use
  // write_event.
  virtual Status splice(std::string_view encoded, std::span<const Attribute> added, OutputBuffer& out,
                        std::size_t& skip) = 0;
  // Appends `value`, one value in the encoding of `source`, in this one's. Same errors as write_event.
  virtual Status transcode_from(MessageSerializer& source, std::string_view value, OutputBuffer& out) = 0;
};

// Finds the serializer that reads a format, for transcoding; nullptr if none is loaded.
class SerializerDirectory {
 public:
  virtual ~SerializerDirectory() = default;
  virtual MessageSerializer* reader_for(SerializationFormat format) = 0;
};

}  // namespace tenon::message
