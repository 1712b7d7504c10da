// Judges a server's answer as it comes in, piece by piece.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "request.hpp"

namespace tenon::health {

// The request as it goes over the wire.
std::string request_text(const HttpRequest& wanted);

class AnswerJudge {
 public:
  // `wanted` outlives the judge.
  explicit AnswerJudge(const HttpRequest& wanted);
  ~AnswerJudge();
  AnswerJudge(const AnswerJudge&) = delete;
  AnswerJudge& operator=(const AnswerJudge&) = delete;

  // A verdict ends it: empty if the answer is as expected, else why not, for people. None: more is needed. Of a body at
  // most a mebibyte is looked at, of a header 64 KiB.
  std::optional<std::string> take(std::string_view octets);
  // The server has closed the connection.
  std::string end();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tenon::health
