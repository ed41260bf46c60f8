# SPDX-License-Identifier: BSD-2-Clause
# slirpd_policy(<target> <role> [<other role>...])
#
# Compiles seccomp/<role>.policy, with those of roles that inherit its filter behind it, and
# in a sanitizer build seccomp/sanitizer.policy, to <role>_policy.h, and lets <target> include
# it as "seccomp/<role>_policy.h". Several targets may ask for the same role; one does not
# name the others.
#
# policyc runs on the machine that builds. A cross build makes one for it (seccomp/native), or
# takes one that is there already: -DSLIRPD_POLICYC=/path/to/policyc.
set(SLIRPD_POLICYC "" CACHE FILEPATH "policyc of this machine, for a cross build")
set(SLIRPD_BUILD_CC "cc" CACHE STRING "Compiler for this machine, for a cross build")

if(SLIRPD_POLICYC)
	set(slirpd_policyc "${SLIRPD_POLICYC}")
elseif(CMAKE_CROSSCOMPILING)
	include(ExternalProject)
	# What the environment says of compilers and libraries is meant for the other machine.
	set(native_env "${CMAKE_COMMAND}" -E env)
	foreach(name IN ITEMS CC CFLAGS CPPFLAGS LDFLAGS PKG_CONFIG PKG_CONFIG_PATH PKG_CONFIG_LIBDIR
			PKG_CONFIG_SYSROOT_DIR CMAKE_TOOLCHAIN_FILE)
		list(APPEND native_env "--unset=${name}")
	endforeach()
	set(native "${PROJECT_BINARY_DIR}/native")
	set(slirpd_policyc "${native}/seccomp/policyc")
	ExternalProject_Add(policyc_native
		SOURCE_DIR "${PROJECT_SOURCE_DIR}/seccomp/native"
		BINARY_DIR "${native}"
		CONFIGURE_COMMAND ${native_env} "${CMAKE_COMMAND}" -S <SOURCE_DIR> -B <BINARY_DIR>
			-G "${CMAKE_GENERATOR}" "-DCMAKE_MAKE_PROGRAM=${CMAKE_MAKE_PROGRAM}"
			"-DCMAKE_C_COMPILER=${SLIRPD_BUILD_CC}"
		BUILD_COMMAND ${native_env} "${CMAKE_COMMAND}" --build <BINARY_DIR>
		INSTALL_COMMAND ""
		# A change of its sources is seen.
		BUILD_ALWAYS ON
		BUILD_BYPRODUCTS "${slirpd_policyc}")
	set(slirpd_policyc_target policyc_native)
else()
	set(slirpd_policyc policyc)
endif()

function(slirpd_policy target role)
	slirpd_policy_compile("${role}" ${ARGN})
	# The header must be there before any file of the target is compiled.
	add_dependencies(${target} policy_${role})
	target_include_directories(${target} PRIVATE "${CMAKE_BINARY_DIR}")
endfunction()

# The target policy_<role>, once.
function(slirpd_policy_compile role)
	if(TARGET policy_${role})
		return()
	endif()
	list(TRANSFORM ARGN APPEND ".policy" OUTPUT_VARIABLE others)
	list(TRANSFORM others PREPEND "seccomp/")
	set(header "${CMAKE_BINARY_DIR}/seccomp/${role}_policy.h")
	set(policies "seccomp/${role}.policy" ${others})
	if(SLIRPD_SANITIZE)
		list(APPEND policies "seccomp/sanitizer.policy")
	endif()
	set(dependencies ${policies})
	list(TRANSFORM dependencies PREPEND "${PROJECT_SOURCE_DIR}/")
	# Run where the sources are, so that errors and listings name seccomp/<role>.policy.
	add_custom_command(OUTPUT "${header}"
		COMMAND "${slirpd_policyc}" "${role}" ${policies} -o "${header}"
		DEPENDS "${slirpd_policyc}" ${slirpd_policyc_target} ${dependencies}
		WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
		COMMENT "Compiling seccomp/${role}.policy"
		VERBATIM)
	add_custom_target(policy_${role} DEPENDS "${header}")
endfunction()
