// How a fuzz target says that a rule does not hold: in words, then by abort, which the fuzzer keeps as a finding.
#pragma once

#include <cstdlib>
#include <iostream>
#include <string>

namespace tenon::fuzz {

[[noreturn]] inline void violated(const char* rule, const std::string& detail) {
  std::cerr << "violated: " << rule << "\n" << detail << "\n";
  std::abort();
}

inline void must(bool holds, const char* rule, const std::string& detail = {}) {
  if (!holds) violated(rule, detail);
}

}  // namespace tenon::fuzz
