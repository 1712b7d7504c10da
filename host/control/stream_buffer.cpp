#include "control/stream_buffer.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "control/protocol.hpp"

namespace tenon::control {

namespace {
constexpr std::size_t kFraming = 16;  // "data: " and the line ends, rounded up
}

StreamBuffer::StreamBuffer(Options options, std::shared_ptr<StreamBudget> budget)
    : options_(options), budget_(std::move(budget)) {
  ended_ = options_.items == 0;
}

StreamBuffer::~StreamBuffer() { close(); }

bool StreamBuffer::fits(std::size_t size) const noexcept {
  if (held_ == 0) return true;
  return held_ + size <= options_.limit && budget_->used + size <= budget_->limit;
}

bool StreamBuffer::push(std::string_view json) {
  if (closed_ || ended_) return false;
  if (!fits(json.size() + kFraming)) {
    ++dropped_;
    ++dropped_total_;
    return false;
  }
  if (dropped_ > 0) append_dropped();
  append_item(json);
  if (++items_ == options_.items) ended_ = true;
  account();
  wake();
  return true;
}

void StreamBuffer::append_item(std::string_view json) {
  if (options_.framing == StreamFraming::events) waiting_ += "data: ";
  const std::size_t begin = waiting_.size();
  waiting_ += json;
  // Legal JSON may hold line ends between its tokens; raw, they would forge items.
  for (char& c : std::span(waiting_).subspan(begin)) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  waiting_ += options_.framing == StreamFraming::events ? "\n\n" : "\n";
}

void StreamBuffer::append_dropped() {
  const std::string notice = "{\"dropped\":" + std::to_string(std::exchange(dropped_, 0)) + "}";
  if (options_.framing == StreamFraming::events) waiting_.append("event: ").append(kDroppedEvent).append("\n");
  append_item(notice);
}

void StreamBuffer::end() {
  if (ended_) return;
  ended_ = true;
  wake();
}

void StreamBuffer::heartbeat() {
  if (closed_ || ended_ || held_ > 0 || options_.framing != StreamFraming::events) return;
  waiting_ += ": still here\n\n";
  account();
  wake();
}

void StreamBuffer::set_wake(std::function<void()> wake_callback) {
  wake_ = std::move(wake_callback);
  woken_ = false;
  if (!empty() || ended_) wake();
}

void StreamBuffer::wake() {
  if (!wake_ || std::exchange(woken_, true)) return;
  wake_();
}

std::string StreamBuffer::take() {
  woken_ = false;
  if (dropped_ > 0) append_dropped();
  taken_ += waiting_.size();
  account();
  return std::exchange(waiting_, {});
}

void StreamBuffer::settle() {
  taken_ = 0;
  account();
}

void StreamBuffer::close() {
  closed_ = true;
  waiting_ = {};
  wake_ = nullptr;
  settle();
}

void StreamBuffer::account() {
  const std::size_t now = waiting_.size() + taken_;
  budget_->used = budget_->used - held_ + now;
  held_ = now;
}

}  // namespace tenon::control
