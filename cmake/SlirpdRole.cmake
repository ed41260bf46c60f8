# SPDX-License-Identifier: BSD-2-Clause
# slirpd_role(<program> <core library> <directory below the prefix>)
#
# One program: main.c and the role's core library, put into the build tree at the
# place that it has when installed, so that the build tree runs as it is.
function(slirpd_role program core directory)
	add_executable(${program} main.c)
	if(SLIRPD_STATIC AND NOT program IN_LIST SLIRPD_SHARED_PROGRAMS)
		set(kind slirpd_link_static)
	else()
		set(kind slirpd_link_dynamic)
	endif()
	target_link_libraries(${program} PRIVATE ${core} slirpd_link_flags ${kind})
	set_target_properties(${program} PROPERTIES
		RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/${directory}")
	install(TARGETS ${program} RUNTIME DESTINATION "${directory}")
endfunction()

# Where the parent finds the other programs: relative to its own, so that an
# installation can be moved, and a build tree used, without a change.
set(SLIRPD_LIBEXEC_DIR "${CMAKE_INSTALL_LIBEXECDIR}/slirpd")
file(RELATIVE_PATH SLIRPD_LIBEXEC_FROM_BIN
	"${CMAKE_INSTALL_FULL_BINDIR}" "${CMAKE_INSTALL_FULL_LIBEXECDIR}/slirpd")
