# SPDX-License-Identifier: BSD-2-Clause
# What is built and where it goes, at the end of the configuration.

slirpd_full_directory(unit_dir "${SLIRPD_SYSTEMD_USER_UNIT_DIR}")
slirpd_full_directory(bash_dir "${SLIRPD_BASH_COMPLETION_DIR}")
slirpd_full_directory(zsh_dir "${SLIRPD_ZSH_COMPLETION_DIR}")
slirpd_full_directory(fish_dir "${SLIRPD_FISH_COMPLETION_DIR}")
if(SLIRPD_WITH_TESTS)
	set(tests "on")
else()
	set(tests "off: ${SLIRPD_NO_TESTS_REASON}")
endif()
if(SLIRPD_INSTALL_SLIRP4NETNS)
	set(slirp4netns ", slirp4netns")
endif()
set(lsm)
foreach(name IN ITEMS APPARMOR SELINUX)
	if(SLIRPD_INSTALL_${name})
		list(APPEND lsm "${name}")
	endif()
endforeach()
list(JOIN lsm ", " lsm)
string(TOLOWER "${lsm}" lsm)
if(NOT lsm)
	set(lsm "none")
endif()

foreach(line IN ITEMS
	"slirpd ${PROJECT_VERSION}:"
	"  build             ${CMAKE_BUILD_TYPE}, ${CMAKE_C_COMPILER_ID} ${CMAKE_C_COMPILER_VERSION}, ${CMAKE_SYSTEM_PROCESSOR}"
	"  libraries         libslirp ${LIBSLIRP_VERSION}, glib ${GLIB_VERSION}, jansson ${JANSSON_VERSION}, libbsd ${LIBBSD_VERSION}, libseccomp ${LIBSECCOMP_VERSION}"
	"  confinement       ${SLIRPD_CONFINEMENT}"
	"  tests             ${tests}"
	"  slirpd, slirpctl${slirp4netns}"
	"                    ${CMAKE_INSTALL_FULL_BINDIR}"
	"  other programs    ${CMAKE_INSTALL_FULL_LIBEXECDIR}/slirpd"
	"  manual            ${CMAKE_INSTALL_FULL_MANDIR}"
	"  unit of systemd   ${unit_dir}"
	"  completions       ${bash_dir}"
	"                    ${zsh_dir}"
	"                    ${fish_dir}"
	"  AppArmor, SELinux ${lsm}")
	message(STATUS "${line}")
endforeach()

# Debian's fish looks below /usr and /etc only, unless XDG_DATA_DIRS says more.
pkg_get_variable(fish_looks fish completionsdir)
if(fish_looks AND NOT CMAKE_CROSSCOMPILING AND
		NOT fish_dir STREQUAL fish_looks AND NOT fish_dir STREQUAL "/etc/fish/completions")
	message(STATUS "  fish may not look there; -DSLIRPD_FISH_COMPLETION_DIR=/etc/fish/completions helps")
endif()
