# SPDX-License-Identifier: BSD-2-Clause
# What is linked, each library as an imported target that only the role named here
# may use; ci/check-includes holds the same rule for the headers.

find_package(PkgConfig REQUIRED)
if(SLIRPD_STATIC)
	set(shared_suffixes ${CMAKE_FIND_LIBRARY_SUFFIXES})
	set(archive_suffixes ".a" ${shared_suffixes})
	set(CMAKE_FIND_LIBRARY_SUFFIXES ${archive_suffixes})
	list(APPEND PKG_CONFIG_EXECUTABLE "--static")
	# Debian and Fedora have no archive of libslirp. What is linked with its shared library
	# has to take glib's as well, or there would be two of them in one process.
	find_library(SLIRPD_LIBSLIRP_ARCHIVE libslirp.a)
endif()
pkg_check_modules(LIBBSD REQUIRED IMPORTED_TARGET libbsd)          # base
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson>=2.11)  # api, slirpctl
if(SLIRPD_STATIC AND NOT SLIRPD_LIBSLIRP_ARCHIVE)
	message(STATUS "no libslirp.a: slirpd-slirp-worker is linked with shared libraries")
	set(SLIRPD_SHARED_PROGRAMS slirpd-slirp-worker)
	set(CMAKE_FIND_LIBRARY_SUFFIXES ${shared_suffixes})
endif()
pkg_check_modules(GLIB REQUIRED IMPORTED_TARGET glib-2.0)          # slirp-worker
pkg_check_modules(LIBSLIRP REQUIRED IMPORTED_TARGET slirp>=4.7.0)  # slirp-worker
if(SLIRPD_STATIC)
	set(CMAKE_FIND_LIBRARY_SUFFIXES ${archive_suffixes})
endif()

# Not linked: --version tells which libseccomp the system-call policies belong to.
pkg_check_modules(LIBSECCOMP REQUIRED libseccomp)
