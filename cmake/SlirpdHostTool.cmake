# SPDX-License-Identifier: BSD-2-Clause
# slirpd_host_tool(<variable> <target> <option>)
#
# Sets the variable to a tool that runs on the machine that builds. A cross build gets it from
# outside, made by an ordinary build: -D<option>=/path/to/<target>.
set(SLIRPD_POLICYC "" CACHE FILEPATH "policyc of this machine, for a cross build")
set(SLIRPD_SCHEMAC "" CACHE FILEPATH "schemac of this machine, for a cross build")

function(slirpd_host_tool variable target option)
	if(${option})
		set(${variable} "${${option}}" PARENT_SCOPE)
	elseif(CMAKE_CROSSCOMPILING)
		message(FATAL_ERROR "a cross build needs -D${option}=, a ${target} of this machine")
	else()
		set(${variable} ${target} PARENT_SCOPE)
	endif()
endfunction()
