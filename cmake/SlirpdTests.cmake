# SPDX-License-Identifier: BSD-2-Clause
# Whether the tests are built (SLIRPD_WITH_TESTS), or why they are not (SLIRPD_NO_TESTS_REASON).

# No targets for a dashboard; the module is here for BUILD_TESTING.
set_property(GLOBAL PROPERTY CTEST_TARGETS_ADDED 1)
include(CTest)
set(SLIRPD_TESTS AUTO CACHE STRING "Build the tests: ON, OFF, or AUTO for if their libraries are there")
set_property(CACHE SLIRPD_TESTS PROPERTY STRINGS AUTO ON OFF)

set(SLIRPD_WITH_TESTS OFF)
if(NOT BUILD_TESTING)
	set(SLIRPD_NO_TESTS_REASON "BUILD_TESTING is off")
	return()
elseif(NOT SLIRPD_TESTS)
	set(SLIRPD_NO_TESTS_REASON "SLIRPD_TESTS is off")
	return()
endif()

pkg_check_modules(CMOCKA QUIET IMPORTED_TARGET cmocka)
pkg_check_modules(LDNS QUIET IMPORTED_TARGET ldns)  # test_dns_ldns
# The system's python, which is the one that Debian's pytest belongs to.
find_program(SLIRPD_PYTHON NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH)
set(pytest_status 1)
if(SLIRPD_PYTHON)
	execute_process(COMMAND "${SLIRPD_PYTHON}" -B -c "import pytest"
		RESULT_VARIABLE pytest_status OUTPUT_QUIET ERROR_QUIET)
endif()
set(missing)
if(NOT CMOCKA_FOUND)
	list(APPEND missing cmocka)
endif()
if(NOT LDNS_FOUND)
	list(APPEND missing ldns)
endif()
if(NOT pytest_status EQUAL 0)
	list(APPEND missing "pytest of /usr/bin/python3")
endif()
list(JOIN missing ", " missing)
if(NOT missing)
	set(SLIRPD_WITH_TESTS ON)
elseif(SLIRPD_TESTS STREQUAL "AUTO")
	set(SLIRPD_NO_TESTS_REASON "not found: ${missing}")
else()
	message(FATAL_ERROR "SLIRPD_TESTS is ${SLIRPD_TESTS}, but this is not found: ${missing}")
endif()
