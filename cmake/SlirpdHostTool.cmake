# SPDX-License-Identifier: BSD-2-Clause
# slirpd_host_tool(<variable> <target> <option>)
#
# Sets the variable to a tool that runs on the machine that builds, and <variable>_depends to
# what a command that runs it depends on. A cross build makes the tool by an ordinary build of
# this project, for which that machine needs the libraries too, or takes one that is there
# already: -D<option>=/path/to/<target>.
set(SLIRPD_POLICYC "" CACHE FILEPATH "policyc of this machine, for a cross build")
set(SLIRPD_SCHEMAC "" CACHE FILEPATH "schemac of this machine, for a cross build")
set(SLIRPD_BUILD_CC "cc" CACHE STRING "Compiler for this machine, for a cross build")

function(slirpd_host_tool variable target option)
	if(${option})
		set(tool "${${option}}")
		set(depends "${tool}")
	elseif(CMAKE_CROSSCOMPILING)
		if(NOT TARGET native)
			slirpd_native_build(policyc schemac)
		endif()
		set(tool "${PROJECT_BINARY_DIR}/native/tools/${target}")
		set(depends "${tool}" native)
	else()
		set(tool ${target})
		set(depends ${target})
	endif()
	set(${variable} "${tool}" PARENT_SCOPE)
	set(${variable}_depends ${depends} PARENT_SCOPE)
endfunction()

# slirpd_native_build(<target>...): the target native, which makes these programs.
function(slirpd_native_build)
	include(ExternalProject)
	# What the environment says of compilers and libraries is meant for the other machine.
	set(native_env "${CMAKE_COMMAND}" -E env)
	foreach(name IN ITEMS CC CFLAGS CPPFLAGS LDFLAGS PKG_CONFIG PKG_CONFIG_PATH PKG_CONFIG_LIBDIR
			PKG_CONFIG_SYSROOT_DIR CMAKE_TOOLCHAIN_FILE)
		list(APPEND native_env "--unset=${name}")
	endforeach()
	set(programs ${ARGN})
	list(TRANSFORM programs PREPEND "${PROJECT_BINARY_DIR}/native/tools/")
	ExternalProject_Add(native
		SOURCE_DIR "${PROJECT_SOURCE_DIR}"
		BINARY_DIR "${PROJECT_BINARY_DIR}/native"
		CONFIGURE_COMMAND ${native_env} "${CMAKE_COMMAND}" -S <SOURCE_DIR> -B <BINARY_DIR>
			-G "${CMAKE_GENERATOR}" "-DCMAKE_MAKE_PROGRAM=${CMAKE_MAKE_PROGRAM}"
			"-DCMAKE_C_COMPILER=${SLIRPD_BUILD_CC}"
			"-DCMAKE_RUNTIME_OUTPUT_DIRECTORY=<BINARY_DIR>/tools" -DBUILD_TESTING=OFF
		BUILD_COMMAND ${native_env} "${CMAKE_COMMAND}" --build <BINARY_DIR> --target ${ARGN}
		INSTALL_COMMAND ""
		# A change of its sources is seen.
		BUILD_ALWAYS ON
		BUILD_BYPRODUCTS ${programs})
endfunction()
