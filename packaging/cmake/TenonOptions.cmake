# Language level, warnings, sanitizers and ccache: what every target of the project shares.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 99)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(TENON_PLUGIN_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/plugins")

set(TENON_SANITIZE "" CACHE STRING "Value for -fsanitize=, empty for none")
option(TENON_CHECK_POINTERS "With UBSan, check each pointer before its use too (compiles a third longer)" OFF)
option(TENON_FUZZ "Build the libFuzzer targets (needs clang)" OFF)
option(TENON_TESTS "Build the tests and benches" ON)

find_program(TENON_CCACHE ccache)
if(TENON_CCACHE)
  # Without the sloppiness ccache refuses whatever uses a precompiled header.
  set(launcher "${CMAKE_COMMAND}" -E env CCACHE_SLOPPINESS=pch_defines,time_macros "${TENON_CCACHE}")
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()

# -g1 keeps line numbers in backtraces at a fraction of the link time and size of -g.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")
# -Og: under the sanitizers g++ compiles in little more than half of the time that -O1 takes.
set(CMAKE_CXX_FLAGS_DEBUG "-Og -g1")
set(CMAKE_C_FLAGS_DEBUG "-Og -g1")

add_library(tenon_options INTERFACE)
target_compile_options(tenon_options INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor
                       -Wno-missing-field-initializers -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 sees overlaps and bounds that are none where optimised code adds strings (its bugs 105329 and 105651).
  target_compile_options(tenon_options INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict>
                         $<$<COMPILE_LANGUAGE:CXX>:-Wno-array-bounds>)
endif()
if(TENON_SANITIZE)
  target_compile_options(tenon_options INTERFACE -fsanitize=${TENON_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(tenon_options INTERFACE -fsanitize=${TENON_SANITIZE})
endif()
if(TENON_SANITIZE MATCHES "undefined" AND NOT TENON_FUZZ AND NOT TENON_CHECK_POINTERS)
  # The dearest of UBSan's checks for the compiler, twofold where templates are deep. Of what they find AddressSanitizer
  # sees most, the parsers keep them in the fuzz tree, and packaging/test --long turns them on.
  target_compile_options(tenon_options INTERFACE -fno-sanitize=vptr,null,alignment,object-size)
endif()
if(TENON_SANITIZE STREQUAL "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(tenon_options INTERFACE -Wno-tsan)  # Asio's fences, which it pairs with atomics
endif()
if(TENON_FUZZ)
  # RapidJSON's stack adds to a null pointer; harmless, and not ours to mend.
  target_compile_options(tenon_options INTERFACE -fsanitize=fuzzer-no-link -fno-sanitize=pointer-overflow)
endif()
# ccache and precompiled headers agree only with this (ccache manual, "Precompiled headers").
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(tenon_options INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-fpch-preprocess>)
endif()

find_package(Threads REQUIRED)
