// A copy of a message that has to wait for the loop, with the padding that readers of its event need.
#pragma once

#include <string>

#include <tenon/serializer.h>

#include "integration/plugin_instance.hpp"

namespace tenon::integration {

class OwnedMessage {
 public:
  explicit OwnedMessage(const tenon_message& m)
      : topic_(from_abi(m.topic)), encoded_(reinterpret_cast<const char*>(m.encoded.data), m.encoded.size),
        content_type_(from_abi(m.content_type)), reply_(from_abi(m.reply)), origin_(from_abi(m.origin)), hops_(m.hops) {
    encoded_.resize(encoded_.size() + TENON_READ_PADDING);
  }
  // Valid as long as this.
  tenon_message view() const {
    tenon_message m;
    TENON_INIT(&m);
    m.hops = hops_;
    m.topic = to_abi(topic_);
    m.encoded = {reinterpret_cast<const uint8_t*>(encoded_.data()), encoded_.size() - TENON_READ_PADDING};
    m.content_type = to_abi(content_type_);
    m.reply = to_abi(reply_);
    m.origin = to_abi(origin_);
    return m;
  }

 private:
  std::string topic_, encoded_, content_type_, reply_, origin_;
  std::uint32_t hops_;
};

}  // namespace tenon::integration
