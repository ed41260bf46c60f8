# SPDX-License-Identifier: BSD-2-Clause
# The packages that cpack makes of an installation: DEB and RPM. ci/package runs it.

# As the tools of Debian do it, from the environment. RFC 2606 keeps the other address from being
# anybody's.
set(contact_name "The slirpd authors")
set(contact_address "slirpd@example.org")
if(NOT "$ENV{DEBEMAIL}" STREQUAL "")
	set(contact_address "$ENV{DEBEMAIL}")
	if(NOT "$ENV{DEBFULLNAME}" STREQUAL "")
		set(contact_name "$ENV{DEBFULLNAME}")
	endif()
endif()
set(SLIRPD_PACKAGER "${contact_name} <${contact_address}>"
	CACHE STRING "The packager: Name <address>")
set(SLIRPD_PACKAGE_URL "" CACHE STRING "Where the package and its source are published")

set(CPACK_PACKAGE_NAME slirpd)
set(CPACK_PACKAGE_CONTACT "${SLIRPD_PACKAGER}")
set(CPACK_PACKAGE_VENDOR "${SLIRPD_PACKAGER}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGE_DESCRIPTION
	"A TAP device inside a network namespace is joined to a TCP/IP stack outside
it, so that what runs in the namespace reaches the network with the rights of
an ordinary user. Takes the command line of slirp4netns. Every process is
confined.")
set(CPACK_PACKAGING_INSTALL_PREFIX "${CMAKE_INSTALL_PREFIX}")
set(CPACK_STRIP_FILES ON)
set(CPACK_RESOURCE_FILE_LICENSE "${PROJECT_SOURCE_DIR}/LICENSE")
# Read by packaging/stage.cmake.
set(CPACK_PRE_BUILD_SCRIPTS "${PROJECT_SOURCE_DIR}/packaging/stage.cmake")
set(CPACK_SLIRPD_SOURCE_DIR "${PROJECT_SOURCE_DIR}")
set(CPACK_SLIRPD_CHANGELOG_DIR "${CMAKE_CURRENT_BINARY_DIR}/packaging")
set(CPACK_SLIRPD_MANDIR "${CMAKE_INSTALL_FULL_MANDIR}")
set(CPACK_SLIRPD_DOCDIR "${CMAKE_INSTALL_FULL_DOCDIR}")

# What is run when a package is installed and removed.
set(bindir "${CMAKE_INSTALL_FULL_BINDIR}")
set(mandir "${CMAKE_INSTALL_FULL_MANDIR}")
set(scripts "${CMAKE_CURRENT_BINARY_DIR}/packaging")
foreach(script IN ITEMS postinst prerm triggers rpm-post rpm-postun)
	configure_file("packaging/${script}.in" "${scripts}/${script}" @ONLY)
endforeach()
# dpkg and rpm take them as they are; cmake of Debian 12 has no FILE_PERMISSIONS here.
file(COPY "${scripts}/postinst" "${scripts}/prerm" DESTINATION "${scripts}/debian"
	FILE_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
		WORLD_READ WORLD_EXECUTE)
file(COPY "${scripts}/triggers" DESTINATION "${scripts}/debian"
	FILE_PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
	"${scripts}/debian/postinst" "${scripts}/debian/prerm" "${scripts}/debian/triggers")
if(SLIRPD_INSTALL_APPARMOR)
	# What an administrator changes there stays changed.
	set(profiles slirpd abstractions/slirpd abstractions/slirpd-jail)
	list(TRANSFORM profiles PREPEND "${CMAKE_INSTALL_FULL_SYSCONFDIR}/apparmor.d/")
	list(JOIN profiles "\n" conffiles)
	file(WRITE "${scripts}/debian/conffiles" "${conffiles}\n")
	list(APPEND CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA "${scripts}/debian/conffiles")
	list(TRANSFORM profiles PREPEND "%config(noreplace) ")
	set(CPACK_RPM_USER_FILELIST "${profiles}")
endif()

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_HOMEPAGE "${SLIRPD_PACKAGE_URL}")
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# The functions in use are older than the version of SlirpConfig that they are given.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "libslirp0 (>= 4.7)")
# The version whose command line and control socket it has.
set(CPACK_DEBIAN_PACKAGE_PROVIDES "slirp4netns (= 1.3.2)")

set(CPACK_RPM_FILE_NAME RPM-DEFAULT)
set(CPACK_RPM_PACKAGE_LICENSE BSD-2-Clause)
set(CPACK_RPM_PACKAGE_PROVIDES "slirp4netns = 1.3.2")
set(CPACK_RPM_POST_INSTALL_SCRIPT_FILE "${scripts}/rpm-post")
set(CPACK_RPM_POST_UNINSTALL_SCRIPT_FILE "${scripts}/rpm-postun")
set(CPACK_RPM_PACKAGE_REQUIRES_POST "/usr/sbin/update-alternatives")
set(CPACK_RPM_PACKAGE_REQUIRES_POSTUN "/usr/sbin/update-alternatives")
set(CPACK_RPM_PACKAGE_DESCRIPTION "${CPACK_PACKAGE_DESCRIPTION}")
set(CPACK_RPM_PACKAGE_URL "${SLIRPD_PACKAGE_URL}")
set(CPACK_RPM_CHANGELOG_FILE "${CPACK_SLIRPD_CHANGELOG_DIR}/changelog")
set(CPACK_RPM_SPEC_MORE_DEFINE "%define packager ${SLIRPD_PACKAGER}")
# Directories that are the distribution's: all above those where others put files as well.
set(CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION /etc/apparmor.d /etc/apparmor.d/abstractions)
foreach(directory IN ITEMS "${SLIRPD_SYSTEMD_USER_UNIT_DIR}" "${SLIRPD_BASH_COMPLETION_DIR}"
		"${SLIRPD_ZSH_COMPLETION_DIR}" "${SLIRPD_FISH_COMPLETION_DIR}"
		"${CMAKE_INSTALL_MANDIR}/man1" "${CMAKE_INSTALL_MANDIR}/man5"
		"${CMAKE_INSTALL_MANDIR}/man7"
		"${CMAKE_INSTALL_LIBEXECDIR}")
	slirpd_full_directory(directory "${directory}")
	while(NOT directory STREQUAL "/")
		list(APPEND CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION "${directory}")
		get_filename_component(directory "${directory}" DIRECTORY)
	endwhile()
endforeach()
list(REMOVE_DUPLICATES CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION)

include(CPack)
