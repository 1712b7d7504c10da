// The schemas of events between the disk and the engine that checks by them.
//
// The first engine of a host reads them and leaves the texts with the keeper; a successor takes those, so that what
// somebody puts into a schema folder meanwhile changes nothing before a restart of the host.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/result.hpp"
#include "message/validation.hpp"

namespace tenon::app {

using SchemaTexts = std::vector<message::SchemaText>;

// Every schema file of the directories, in order. The first directory or file that cannot be read is the error.
Result<SchemaTexts> read_schema_texts(const std::vector<std::string>& directories);

std::string encode_schema_texts(const SchemaTexts& texts);
// errc::bad_data for what encode_schema_texts did not make.
Result<SchemaTexts> decode_schema_texts(std::string_view bytes);

}  // namespace tenon::app
