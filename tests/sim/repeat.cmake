# SPDX-License-Identifier: MIT
# Runs PROGRAM twice with SEED and its whole event log on standard output; the bytes must be equal.
foreach(run 1 2)
  execute_process(COMMAND ${PROGRAM} --log ${SEED} 20 OUTPUT_VARIABLE output${run}
    RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${PROGRAM} --log ${SEED} 20 failed: ${result}")
  endif()
  string(LENGTH "${output${run}}" length)
  if(length LESS 100000)
    message(FATAL_ERROR "the log of seed ${SEED} has only ${length} characters")
  endif()
endforeach()
if(NOT output1 STREQUAL output2)
  message(FATAL_ERROR "seed ${SEED} gave two different event logs")
endif()
