# SPDX-License-Identifier: BSD-2-Clause
# Run by cpack on what was installed for a package, before the package is made of it: pages of
# the manual are compressed, and the package gets a changelog.

find_program(GZIP_PROGRAM gzip)
find_program(AWK_PROGRAM NAMES awk mawk gawk)
if(NOT GZIP_PROGRAM OR NOT AWK_PROGRAM)
	message(FATAL_ERROR "a package needs gzip and awk")
endif()
set(root "${CPACK_TEMPORARY_DIRECTORY}")

file(GLOB pages "${root}${CPACK_SLIRPD_MANDIR}/man[1-9]/*.[1-9]")
execute_process(COMMAND "${GZIP_PROGRAM}" -9 -n -f ${pages} RESULT_VARIABLE status)
if(NOT status EQUAL 0)
	message(FATAL_ERROR "gzip: the pages of the manual are not compressed")
endif()

# For a version that is not released; SOURCE_DATE_EPOCH counts.
string(TIMESTAMP today "%Y-%m-%d" UTC)
string(TOLOWER "${CPACK_GENERATOR}" format)
set(changelog "${CPACK_SLIRPD_CHANGELOG_DIR}/changelog")
execute_process(
	COMMAND "${AWK_PROGRAM}" -v "format=${format}" -v "name=${CPACK_PACKAGE_NAME}"
		-v "contact=${CPACK_PACKAGE_CONTACT}" -v "date=${today}"
		-f "${CPACK_SLIRPD_SOURCE_DIR}/packaging/changelog.awk"
		"${CPACK_SLIRPD_SOURCE_DIR}/NEWS.md"
	OUTPUT_FILE "${changelog}"
	RESULT_VARIABLE status)
if(NOT status EQUAL 0)
	message(FATAL_ERROR "awk: no changelog of NEWS.md")
endif()

# CPACK_RPM_CHANGELOG_FILE names the changelog of an RPM package.
if(format STREQUAL "deb")
	execute_process(COMMAND "${GZIP_PROGRAM}" -9 -n -f -k "${changelog}" RESULT_VARIABLE status)
	if(NOT status EQUAL 0)
		message(FATAL_ERROR "gzip: the changelog is not compressed")
	endif()
	file(COPY "${changelog}.gz" DESTINATION "${root}${CPACK_SLIRPD_DOCDIR}"
		FILE_PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
endif()
