# Tests are found by glob, so that none drops out silently.

if(NOT TENON_TESTS)
  return()
endif()
find_package(GTest REQUIRED)

# What tests themselves do costs next to nothing; to optimise it is half of a tree's build. The host and the plugins are
# compiled as ever; what their headers define inline is taken from the tests' objects here.
add_library(tenon_test_options INTERFACE)
if(NOT TENON_FUZZ)
  target_compile_options(tenon_test_options INTERFACE $<$<CONFIG:Debug>:-O0>)
endif()

# Only there to hold the precompiled header of all tests: an executable, since g++ takes no header of -fPIC for -fPIE.
add_executable(tenon_test_pch "${CMAKE_SOURCE_DIR}/packaging/cmake/test_pch.cpp")
target_link_libraries(tenon_test_pch PRIVATE tenon_options tenon_test_options GTest::gmock GTest::gtest)
target_precompile_headers(tenon_test_pch PRIVATE "${CMAKE_SOURCE_DIR}/packaging/cmake/test_pch.hpp")
set_target_properties(tenon_test_pch PROPERTIES EXCLUDE_FROM_ALL TRUE)

# tenon_test(NAME SOURCES file… [LIBRARIES target…] [LABELS label…] [TIMEOUT seconds])
# One GoogleTest executable and one ctest entry.
function(tenon_test NAME)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LIBRARIES;LABELS;ENVIRONMENT" ${ARGN})
  add_executable(${NAME} ${ARG_SOURCES})
  target_link_libraries(${NAME} PRIVATE tenon_options tenon_test_options GTest::gmock GTest::gtest GTest::gtest_main
                        ${ARG_LIBRARIES})
  target_include_directories(${NAME} PRIVATE "${CMAKE_SOURCE_DIR}/tests" "${CMAKE_SOURCE_DIR}/host")
  target_precompile_headers(${NAME} REUSE_FROM tenon_test_pch)
  add_test(NAME ${NAME} COMMAND ${NAME} --gtest_brief=1)
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  set_tests_properties(${NAME} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}" ENVIRONMENT "${ARG_ENVIRONMENT}")
endfunction()
