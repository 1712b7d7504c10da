// Writes an event as one receiver wants it.
//
// Same format: the sender's bytes with the host's attributes spliced in front, nothing decoded. Changed attributes:
// written anew, data untouched. Other format: attributes written anew and the data transcoded; what the receiver's
// format cannot express is refused as errc::untranslatable, naming it. JSON and MessagePack values become values of the
// receiver's format unless the receiver wants bytes; every other content type passes as bytes.
#pragma once

#include <string_view>

#include "message/event.hpp"
#include "message/serialization.hpp"

namespace tenon::message {

struct EncodeOptions {
  bool data_as_bytes = false;   // the channel says "data": "bytes"
  bool redelivered = false;     // adds the attribute `redelivered`
};

class Encoder {
 public:
  // Both must outlive the encoder. `scratch_limit`: octets that transcoded data may take.
  Encoder(MessageSerializer& target, SerializerDirectory& serializers, std::size_t scratch_limit);

  // Appends the encoded event to `out`; on failure its size is as before. [loop]
  Status encode(const Event& event, const EncodeOptions& options, OutputBuffer& out);

 private:
  Status pass_on(const Event& event, const EncodeOptions& options, OutputBuffer& out);
  Status rewrite(const Event& event, const EncodeOptions& options, OutputBuffer& out);
  Status convert_data(BaseMessageEnvelope& envelope, const EncodeOptions& options);
  Status convert_value(BaseMessageEnvelope& envelope, const EncodeOptions& options);
  Status transcode(BaseMessageEnvelope& envelope, SerializationFormat from, std::string_view value);

  MessageSerializer& target_;
  SerializerDirectory& serializers_;
  GrowingBuffer data_;
  std::vector<Attribute> extensions_;
  std::string decoded_;
};

}  // namespace tenon::message
