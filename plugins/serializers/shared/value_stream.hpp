// The C side of a value writer: turns a C++ writer into a tenon_value_sink and keeps the first failure for
// finish_value.
//
// The model. closed -> begin() -> open -> finish() -> closed. While open, each call of the sink runs one function of
// the writer; the first that throws ends the stream: its status goes back to whoever drives the sink, its text waits
// for finish(), and all later calls get the same status without touching the output.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include <tenon/sdk/serializer.hpp>

#include "output.hpp"
#include "value_order.hpp"

namespace tenon::serializers {

// Writer derives from ValueStream<Writer> and has a function for each slot of tenon_value_sink, on_begin() and
// on_finish().
template <class Writer>
class ValueStream {
 public:
  // Starts a value that is appended to `buffer`, which must live until finish(). Throws if one is open already.
  void begin(tenon_buffer& buffer, tenon_value_sink& sink) {
    if (output_.has_value()) {
      throw sdk::Error(TENON_ERR_WRONG_STATE, "a value is being written already; call finish_value first",
                       TENON_FAULT_CALLER);
    }
    output_.emplace(buffer);
    start_ = output_->size();
    failure_ = TENON_OK;
    failure_text_.clear();
    order_.start();
    self().on_begin();
    connect(sink);
  }

  // Throws unless exactly one whole value came; the output is then as before begin().
  void finish() {
    if (!output_.has_value()) {
      throw sdk::Error(TENON_ERR_WRONG_STATE, "no value is being written; call write_value first", TENON_FAULT_CALLER);
    }
    if (failure_ == TENON_OK) {
      run(this, [](Writer& writer) {
        if (!writer.order_.whole()) {
          throw sdk::Error(TENON_ERR_WRONG_STATE, "the value is not complete; end every array and map that was begun",
                           TENON_FAULT_CALLER);
        }
        writer.on_finish();
      });
    }
    if (failure_ != TENON_OK) output_->resize(start_);
    output_.reset();
    if (failure_ != TENON_OK) throw sdk::Error(failure_, failure_text_, TENON_FAULT_CALLER);
  }

 protected:
  Output& output() noexcept { return *output_; }
  ValueOrder& order() noexcept { return order_; }
  std::size_t start() const noexcept { return start_; }

 private:
  friend Writer;
  Writer& self() noexcept { return static_cast<Writer&>(*this); }

  template <class Call>
  static tenon_status run(void* context, Call&& call) noexcept {
    auto* stream = static_cast<ValueStream*>(context);
    if (stream->failure_ != TENON_OK) [[unlikely]] return stream->failure_;
    try {
      if (!stream->output_.has_value()) [[unlikely]] return TENON_ERR_WRONG_STATE;  // driven after finish_value
      call(stream->self());
      return TENON_OK;
    } catch (const sdk::Error& error) {
      return stream->fail(error.code(), error.what());
    } catch (const std::exception& error) {
      return stream->fail(TENON_ERR_INTERNAL, error.what());
    }
  }

  tenon_status fail(tenon_status code, const char* text) noexcept {
    failure_ = code;
    try {
      failure_text_ = text;
    } catch (...) {  // without memory for the text the code must do
    }
    return code;
  }

  // Keeps the caller's struct_size: it may know more slots than this plugin.
  void connect(tenon_value_sink& sink) noexcept {
    sink.context = this;
    sink.null_value = [](void* c) { return run(c, [](Writer& w) { w.null_value(); }); };
    sink.boolean = [](void* c, std::uint32_t v) { return run(c, [v](Writer& w) { w.boolean(v != 0); }); };
    sink.signed_integer = [](void* c, std::int64_t v) { return run(c, [v](Writer& w) { w.signed_integer(v); }); };
    sink.unsigned_integer = [](void* c, std::uint64_t v) { return run(c, [v](Writer& w) { w.unsigned_integer(v); }); };
    sink.number = [](void* c, double v) { return run(c, [v](Writer& w) { w.number(v); }); };
    sink.string = [](void* c, tenon_str v) { return run(c, [v](Writer& w) { w.string(sdk::from_abi(v)); }); };
    sink.binary = [](void* c, tenon_bytes v) { return run(c, [v](Writer& w) { w.binary(v); }); };
    sink.timestamp = [](void* c, std::int64_t s, std::uint32_t n) {
      return run(c, [s, n](Writer& w) { w.timestamp(s, n); });
    };
    sink.extension = [](void* c, std::int32_t t, tenon_bytes v) {
      return run(c, [t, v](Writer& w) { w.extension(t, v); });
    };
    sink.begin_array = [](void* c, std::uint64_t n) { return run(c, [n](Writer& w) { w.begin_array(n); }); };
    sink.end_array = [](void* c) { return run(c, [](Writer& w) { w.end_array(); }); };
    sink.begin_map = [](void* c, std::uint64_t n) { return run(c, [n](Writer& w) { w.begin_map(n); }); };
    sink.key = [](void* c, tenon_str v) { return run(c, [v](Writer& w) { w.key(sdk::from_abi(v)); }); };
    sink.end_map = [](void* c) { return run(c, [](Writer& w) { w.end_map(); }); };
  }

  std::optional<Output> output_;
  std::size_t start_ = 0;
  tenon_status failure_ = TENON_OK;
  std::string failure_text_;
  ValueOrder order_;
};

}  // namespace tenon::serializers
