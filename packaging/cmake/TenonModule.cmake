# One function per kind of thing that the project builds, so that a folder's CMakeLists.txt is one call.

# tenon_module(NAME [DEPENDS module…] [LIBRARIES target…])
# A folder of host/ as the static library tenon_NAME, made of all its .cpp files (but main.cpp). DEPENDS names the
# modules that the folder may use; the link graph is the dependency rule of ARCHITECTURE.md.
function(tenon_module NAME)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${NAME}/*.cpp")
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  if(NOT sources)
    add_library(tenon_${NAME} INTERFACE)
    set(scope INTERFACE)
  else()
    add_library(tenon_${NAME} STATIC ${sources})
    set(scope PUBLIC)
    # Compiled once, for the module that every other one uses.
    if(NAME STREQUAL common)
      target_precompile_headers(tenon_common PRIVATE "${CMAKE_SOURCE_DIR}/packaging/cmake/pch.hpp")
    else()
      target_precompile_headers(tenon_${NAME} REUSE_FROM tenon_common)
    endif()
  endif()
  target_include_directories(tenon_${NAME} ${scope} "${CMAKE_SOURCE_DIR}/host")
  list(TRANSFORM ARG_DEPENDS PREPEND tenon_)
  target_link_libraries(tenon_${NAME} ${scope} tenon_options ${ARG_DEPENDS} ${ARG_LIBRARIES})
endfunction()

# tenon_plugin(NAME [LIBRARIES target…])
# The current folder as the plugin NAME.so in the build's plugin directory.
function(tenon_plugin NAME)
  cmake_parse_arguments(ARG "" "" "LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp" "${CMAKE_CURRENT_SOURCE_DIR}/*.c")
  if(NOT sources)
    message(FATAL_ERROR "${CMAKE_CURRENT_SOURCE_DIR} has no sources: a plugin's folder holds at least one .cpp or .c file")
  endif()
  add_library(plugin_${NAME} MODULE ${sources})
  set_target_properties(plugin_${NAME} PROPERTIES
    PREFIX "" OUTPUT_NAME "${NAME}" LIBRARY_OUTPUT_DIRECTORY "${TENON_PLUGIN_OUTPUT_DIRECTORY}"
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  target_link_libraries(plugin_${NAME} PRIVATE tenon_options tenon::plugin_api ${ARG_LIBRARIES})
  # An engine copies and hashes its plugins when it starts. Names are enough for a backtrace, and where templates are deep,
  # debug info is fifty times the code.
  target_compile_options(plugin_${NAME} PRIVATE $<$<CONFIG:RelWithDebInfo>:-g0>)
  # Only tenon_plugin_v1 leaves the file, so that two plugins never bind to each other's symbols.
  target_link_options(plugin_${NAME} PRIVATE
    "-Wl,--version-script=${CMAKE_SOURCE_DIR}/plugin-api/tenon_plugin.map" -Wl,--no-undefined-version)
  set_property(GLOBAL APPEND PROPERTY TENON_PLUGINS plugin_${NAME})
  install(TARGETS plugin_${NAME} LIBRARY DESTINATION lib/tenon/plugins)
endfunction()
