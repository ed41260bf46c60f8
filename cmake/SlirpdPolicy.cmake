# SPDX-License-Identifier: BSD-2-Clause
# slirpd_policy(<target> <role> [<other role>...])
#
# Compiles seccomp/<role>.policy, with those of roles that inherit its filter behind it, and
# in a sanitizer build seccomp/sanitizer.policy, to <role>_policy.h, and lets <target> include
# it as "seccomp/<role>_policy.h". Several targets may ask for the same role; one does not
# name the others.

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
	slirpd_host_tool(policyc policyc SLIRPD_POLICYC)
	set(dependencies ${policies})
	list(TRANSFORM dependencies PREPEND "${PROJECT_SOURCE_DIR}/")
	# Run where the sources are, so that errors and listings name seccomp/<role>.policy.
	add_custom_command(OUTPUT "${header}"
		COMMAND "${policyc}" "${role}" ${policies} -o "${header}"
		DEPENDS ${policyc_depends} ${dependencies}
		WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
		COMMENT "Compiling seccomp/${role}.policy"
		VERBATIM)
	add_custom_target(policy_${role} DEPENDS "${header}")
endfunction()
