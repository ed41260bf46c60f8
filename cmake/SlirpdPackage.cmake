# SPDX-License-Identifier: BSD-2-Clause
# The packages that cpack makes of an installation: DEB and RPM. ci/package runs it.

set(SLIRPD_PACKAGE_CONTACT "The slirpd authors" CACHE STRING "Name and address of the packager")

set(CPACK_PACKAGE_NAME slirpd)
set(CPACK_PACKAGE_CONTACT "${SLIRPD_PACKAGE_CONTACT}")
set(CPACK_PACKAGE_VENDOR "${SLIRPD_PACKAGE_CONTACT}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGE_DESCRIPTION
	"A TAP device inside a network namespace is joined to a TCP/IP stack outside it, so that
what runs in the namespace reaches the network with the rights of an ordinary user. Takes
the command line of slirp4netns. Every process is confined.")
set(CPACK_STRIP_FILES ON)
set(CPACK_RESOURCE_FILE_LICENSE "${PROJECT_SOURCE_DIR}/LICENSE")
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}" RENAME copyright)
install(FILES AUTHORS NEWS.md README.md SECURITY.md ARCHITECTURE.md DESTINATION "${CMAKE_INSTALL_DOCDIR}")
install(PROGRAMS examples/forward.sh examples/session.py DESTINATION "${CMAKE_INSTALL_DOCDIR}/examples")
install(DIRECTORY docs/ DESTINATION "${CMAKE_INSTALL_DOCDIR}/docs" FILES_MATCHING PATTERN "*.md")

# What is run when a package is installed and removed.
set(bindir "${CMAKE_INSTALL_FULL_BINDIR}")
set(mandir "${CMAKE_INSTALL_FULL_MANDIR}")
set(scripts "${CMAKE_CURRENT_BINARY_DIR}/packaging")
foreach(script IN ITEMS postinst prerm triggers rpm-post rpm-preun)
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
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# The version whose command line and control socket it has.
set(CPACK_DEBIAN_PACKAGE_PROVIDES "slirp4netns (= 1.3.2)")

set(CPACK_RPM_FILE_NAME RPM-DEFAULT)
set(CPACK_RPM_PACKAGE_LICENSE BSD-2-Clause)
set(CPACK_RPM_PACKAGE_PROVIDES "slirp4netns = 1.3.2")
set(CPACK_RPM_POST_INSTALL_SCRIPT_FILE "${scripts}/rpm-post")
set(CPACK_RPM_PRE_UNINSTALL_SCRIPT_FILE "${scripts}/rpm-preun")
# Directories that are the distribution's.
set(CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION
	"${CMAKE_INSTALL_PREFIX}/lib/systemd" "${CMAKE_INSTALL_PREFIX}/lib/systemd/user"
	"${CMAKE_INSTALL_FULL_DATADIR}/zsh" "${CMAKE_INSTALL_FULL_DATADIR}/zsh/site-functions"
	"${CMAKE_INSTALL_FULL_DATADIR}/fish"
	"${CMAKE_INSTALL_FULL_DATADIR}/fish/vendor_completions.d"
	"${CMAKE_INSTALL_FULL_DATADIR}/bash-completion"
	"${CMAKE_INSTALL_FULL_DATADIR}/bash-completion/completions"
	"/etc/apparmor.d" "/etc/apparmor.d/abstractions")

include(CPack)
