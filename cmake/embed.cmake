# SPDX-License-Identifier: MIT
# tandem_embed(TARGET FILE NAME): the bytes of FILE as `NAME` and `NAME_size` in TARGET, through a C
# file that is made anew when FILE changes; the header of NAME without tdm_ beside FILE declares them.
# As a script: cmake -DFROM=file -DTO=file.c -DNAME=symbol -DFOLDER=engine -P embed.cmake
if(CMAKE_SCRIPT_MODE_FILE)
  file(READ ${FROM} bytes HEX)
  string(REGEX REPLACE "(................................)" "\\1\n" bytes "${bytes}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${bytes}")
  get_filename_component(header ${TO} NAME_WE)
  file(WRITE ${TO} "/* Made from ${FROM}. */
#include \"${FOLDER}/${header}.h\"

const char ${NAME}[] = {
${bytes}};
const size_t ${NAME}_size = sizeof ${NAME};
")
  return()
endif()

function(tandem_embed target from name)
  string(REGEX REPLACE "^tdm_" "" file ${name})
  set(to ${CMAKE_CURRENT_BINARY_DIR}/${file}.c)
  file(RELATIVE_PATH folder ${PROJECT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR})
  add_custom_command(OUTPUT ${to}
    COMMAND ${CMAKE_COMMAND} -DFROM=${from} -DTO=${to} -DNAME=${name} -DFOLDER=${folder}
      -P ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
    DEPENDS ${from} ${PROJECT_SOURCE_DIR}/cmake/embed.cmake VERBATIM)
  target_sources(${target} PRIVATE ${to})
endfunction()
