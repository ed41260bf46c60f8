# SPDX-License-Identifier: BSD-2-Clause
# Build options, and the one interface target (slirpd_flags) through which every
# target gets its warnings and hardening.

include(CheckCCompilerFlag)
include(CheckCSourceCompiles)

option(SLIRPD_WERROR "Treat warnings as errors" OFF)
option(SLIRPD_FUZZ "Build the libFuzzer targets (clang only)" OFF)
option(SLIRPD_INSTALL_SLIRP4NETNS "Install slirpd also as slirp4netns, with its manual" OFF)
option(SLIRPD_STATIC "Link as static-pie every program whose libraries are there as archives" OFF)
set(SLIRPD_SANITIZE "" CACHE STRING "Sanitizers to build with, e.g. address;undefined")

if(NOT CMAKE_BUILD_TYPE)
	set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

add_library(slirpd_flags INTERFACE)
target_compile_definitions(slirpd_flags INTERFACE _GNU_SOURCE)
target_include_directories(slirpd_flags INTERFACE "${PROJECT_SOURCE_DIR}/src")
target_compile_options(slirpd_flags INTERFACE
	-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes
	-Wpointer-arith -Wwrite-strings -Wformat=2 -Wundef -Wvla
	-fno-strict-aliasing -fstack-protector-strong)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
	target_compile_options(slirpd_flags INTERFACE -fstack-clash-protection)
endif()
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
	target_compile_options(slirpd_flags INTERFACE -fcf-protection=full)
endif()
if(SLIRPD_WERROR)
	target_compile_options(slirpd_flags INTERFACE -Werror)
endif()

if(SLIRPD_SANITIZE)
	string(REPLACE ";" "," sanitizers "${SLIRPD_SANITIZE}")
	target_compile_options(slirpd_flags INTERFACE
		-fsanitize=${sanitizers} -fno-sanitize-recover=all -fno-omit-frame-pointer)
	target_link_options(slirpd_flags INTERFACE -fsanitize=${sanitizers})
	# A sanitizer reports on standard error, which a role otherwise does not have.
	target_compile_definitions(slirpd_flags INTERFACE SLIRPD_ROLES_KEEP_STDERR=1)
else()
	# FORTIFY and the sanitizers' own interceptors get in each other's way.
	# Level 3 checks sizes that are known at run time only. It needs GCC 12 or clang 9, and
	# glibc 2.34; headers that can't do it say so in a warning.
	set(CMAKE_REQUIRED_FLAGS "-O2 -Werror -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3")
	check_c_source_compiles("#include <string.h>
		int main(void) { return 0; }" SLIRPD_HAS_FORTIFY_3)
	unset(CMAKE_REQUIRED_FLAGS)
	if(SLIRPD_HAS_FORTIFY_3)
		set(fortify_level 3)
	else()
		set(fortify_level 2)
	endif()
	target_compile_options(slirpd_flags INTERFACE
		-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=${fortify_level})
	# A variable that was forgotten is zero, and no secret from the stack.
	check_c_compiler_flag(-ftrivial-auto-var-init=zero SLIRPD_HAS_AUTO_VAR_INIT)
	if(SLIRPD_HAS_AUTO_VAR_INIT)
		target_compile_options(slirpd_flags INTERFACE -ftrivial-auto-var-init=zero)
	endif()
endif()
# The same bytes, debugging information and build-id included, wherever source and build are. Of
# two that match, gcc and clang take the later: the build may lie in the source. A debugger of
# the preset debug finds the sources by their full names.
check_c_compiler_flag(-ffile-prefix-map=/a=. SLIRPD_HAS_FILE_PREFIX_MAP)
if(SLIRPD_HAS_FILE_PREFIX_MAP AND NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
	target_compile_options(slirpd_flags INTERFACE
		"-ffile-prefix-map=${PROJECT_SOURCE_DIR}=."
		"-ffile-prefix-map=${PROJECT_BINARY_DIR}=./build")
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Debug")
	# FORTIFY, and many warnings, need an optimiser that looks at the flow of values.
	target_compile_options(slirpd_flags INTERFACE -O1)
endif()
if(SLIRPD_FUZZ)
	target_compile_options(slirpd_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

add_library(slirpd_link_flags INTERFACE)
target_link_options(slirpd_link_flags INTERFACE -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack
	-Wl,--as-needed)
# A program has one of these two besides; see slirpd_role.
add_library(slirpd_link_dynamic INTERFACE)
target_link_options(slirpd_link_dynamic INTERFACE -pie)
add_library(slirpd_link_static INTERFACE)
target_link_options(slirpd_link_static INTERFACE -static-pie)

# base and ipc handle lengths and byte orders for everybody, so a silent narrowing
# there is everybody's bug.
add_library(slirpd_strict_flags INTERFACE)
target_compile_options(slirpd_strict_flags INTERFACE -Wconversion)
