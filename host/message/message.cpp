#include "message/message.hpp"

#include <cstring>
#include <memory_resource>
#include <new>

namespace tenon::message {

// Layout of the memory behind it: Block, extension attributes, added attributes, texts.
struct MessageRef::Block {
  std::uint32_t references;
  std::size_t total;
  EventBudget* budget;
  Event event;
};

namespace {

// Blocks of similar sizes come and go by the million: pooled, without locks, like the loop that owns them. Never
// destroyed: messages in objects of static storage may outlive any other order of destruction.
std::pmr::unsynchronized_pool_resource& pool() {
  static auto* resource = new std::pmr::unsynchronized_pool_resource(
      std::pmr::pool_options{.max_blocks_per_chunk = 256, .largest_required_pool_block = 16 * 1024});
  return *resource;
}

// Sums or copies the texts that do not lie inside `encoded`, and moves those that do along with it.
class TextArea {
 public:
  TextArea(std::string_view encoded, char* memory) noexcept : old_(encoded), memory_(memory) {
    if (!encoded.empty()) std::memcpy(memory_, encoded.data(), encoded.size());
    used_ = encoded.size();
    pad();
  }
  // Readers may look a little past the end of what they read (simdjson does); the bytes must exist, not mean anything.
  void pad() noexcept {
    std::memset(memory_ + used_, 0, kReadPadding);
    used_ += kReadPadding;
  }
  void take(std::string_view& text) noexcept {
    if (text.empty()) return;
    if (inside(old_, text)) {
      text = {memory_ + (text.data() - old_.data()), text.size()};
      return;
    }
    std::memcpy(memory_ + used_, text.data(), text.size());
    text = {memory_ + used_, text.size()};
    used_ += text.size();
  }
  static bool inside(std::string_view whole, std::string_view part) noexcept {
    return !whole.empty() && part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
  }
  static constexpr std::size_t kReadPadding = 64;  // TENON_READ_PADDING of the plugin ABI

 private:
  std::string_view old_;
  char* memory_;
  std::size_t used_ = 0;
};

std::size_t texts_outside(const Event& event) noexcept {
  std::size_t sum = 0;
  const auto count = [&](std::string_view text) {
    if (!TextArea::inside(event.encoded, text)) sum += text.size();
  };
  for (const EnvelopeField& f : envelope_fields()) count(event.envelope.*f.field);
  count(event.envelope.data);
  if (!event.envelope.data.empty() && !TextArea::inside(event.encoded, event.envelope.data))
    sum += TextArea::kReadPadding;
  for (const Attribute& a : event.envelope.extensions) count(a.name), count(a.value);
  for (const Attribute& a : event.added) sum += a.name.size() + a.value.size();
  return sum;
}

}  // namespace

std::size_t MessageRef::cost(const Event& event) noexcept {
  return sizeof(Block) + (event.envelope.extensions.size() + event.added.size()) * sizeof(Attribute) +
         event.encoded.size() + TextArea::kReadPadding + texts_outside(event);
}

MessageRef MessageRef::copy(const Event& event, EventBudget& budget, std::size_t total) {
  auto* memory = static_cast<char*>(pool().allocate(total, alignof(Block)));
  auto* block = new (memory) Block{1, total, &budget, event};

  auto* attributes = reinterpret_cast<Attribute*>(memory + sizeof(Block));
  const std::size_t extension_count = event.envelope.extensions.size();
  const std::size_t added_count = event.added.size();
  TextArea texts(event.encoded, reinterpret_cast<char*>(attributes + extension_count + added_count));

  Event& own = block->event;
  own.encoded = {reinterpret_cast<char*>(attributes + extension_count + added_count), event.encoded.size()};
  for (const EnvelopeField& f : envelope_fields()) texts.take(own.envelope.*f.field);
  for (std::size_t i = 0; i < extension_count + added_count; ++i) {
    const Attribute& from = i < extension_count ? event.envelope.extensions[i] : event.added[i - extension_count];
    auto* to = new (attributes + i) Attribute(from);
    texts.take(to->name);
    texts.take(to->value);
  }
  texts.take(own.envelope.data);  // last, before the padding that its readers may look at
  if (!own.envelope.data.empty() && !TextArea::inside(own.encoded, own.envelope.data)) texts.pad();
  own.envelope.extensions = {attributes, extension_count};
  own.added = {attributes + extension_count, added_count};
  budget.used_ += total;
  return MessageRef(block);
}

const Event& MessageRef::event() const noexcept { return block_->event; }
std::size_t MessageRef::size() const noexcept { return block_ == nullptr ? 0 : block_->total; }

void MessageRef::retain() noexcept {
  if (block_ != nullptr) ++block_->references;
}

void MessageRef::release() noexcept {
  if (block_ == nullptr || --block_->references != 0) return;
  block_->budget->used_ -= block_->total;
  pool().deallocate(block_, block_->total, alignof(Block));
  block_ = nullptr;
}

}  // namespace tenon::message
