# SPDX-License-Identifier: MIT
# libtandem as others see it: one shared library that shows what include/tandem declares and
# nothing else, its headers, its pkg-config file, and the command.
include(GNUInstallDirs)

# tandem_shared_library(NAME ENGINE [FLOOR...]): NAME is a shared library of the objects of the static
# libraries ENGINE and FLOOR, which define what include/tandem declares, and of what they need from
# the floors below. Only tandem_* can be seen from outside.
function(tandem_shared_library name engine)
  set(map ${PROJECT_SOURCE_DIR}/cmake/libtandem.map)
  add_library(${name} SHARED $<TARGET_OBJECTS:${engine}>)
  foreach(floor ${ARGN})
    target_sources(${name} PRIVATE $<TARGET_OBJECTS:${floor}>)
  endforeach()
  target_link_libraries(${name} PRIVATE ${engine})
  target_include_directories(${name} INTERFACE ${PROJECT_SOURCE_DIR}/include)
  target_link_options(${name} PRIVATE -Wl,--version-script=${map})
  if(NOT TANDEM_SANITIZE)
    target_link_options(${name} PRIVATE -Wl,--no-undefined)
  endif()
  set_target_properties(${name} PROPERTIES
    OUTPUT_NAME tandem
    LINKER_LANGUAGE C
    LINK_DEPENDS ${map}
    VERSION ${PROJECT_VERSION}
    SOVERSION ${PROJECT_VERSION_MAJOR})
endfunction()

# tandem_install(LIBRARY [COMMAND target]): the install rules, relocatable as a whole.
function(tandem_install library)
  cmake_parse_arguments(I "" "COMMAND" "" ${ARGN})
  install(TARGETS ${library} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/tandem
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

  set(pc_folder ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
  file(RELATIVE_PATH TANDEM_PC_TO_PREFIX /prefix/${pc_folder} /prefix)
  string(REGEX REPLACE "/$" "" TANDEM_PC_TO_PREFIX ${TANDEM_PC_TO_PREFIX})
  configure_file(${PROJECT_SOURCE_DIR}/cmake/tandem.pc.in ${PROJECT_BINARY_DIR}/tandem.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/tandem.pc DESTINATION ${pc_folder})

  if(I_COMMAND)
    file(RELATIVE_PATH to_lib /prefix/${CMAKE_INSTALL_BINDIR} /prefix/${CMAKE_INSTALL_LIBDIR})
    set_target_properties(${I_COMMAND} PROPERTIES INSTALL_RPATH "$ORIGIN/${to_lib}")
    install(TARGETS ${I_COMMAND} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
endfunction()
