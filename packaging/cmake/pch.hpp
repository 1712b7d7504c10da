// Precompiled for every module of the host: standard headers that nearly every file reads anyway. Nothing of the
// project and nothing heavy (Asio, Beast, valijson) belongs here: each header must compile alone without it.
#pragma once
#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>
