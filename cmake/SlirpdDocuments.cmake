# SPDX-License-Identifier: BSD-2-Clause
# The documents of the tree that are installed. In them, a link to what is not installed becomes
# its text.

file(GLOB documents CONFIGURE_DEPENDS RELATIVE "${PROJECT_SOURCE_DIR}"
	AUTHORS *.md lsm/*.md docs/*.md docs/decisions/*.md)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${documents})
foreach(document IN LISTS documents)
	file(READ "${document}" text)
	string(REGEX REPLACE "\\]\\(((\\.\\./)*)LICENSE\\)" "](\\1copyright)" text "${text}")
	string(REGEX REPLACE "\\[([^]]*)\\]\\((\\.\\./)*(man|src|seccomp|tests|ci)/[^)]*\\)" "\\1" text "${text}")
	file(WRITE "${PROJECT_BINARY_DIR}/documents/${document}" "${text}")
endforeach()
install(DIRECTORY "${PROJECT_BINARY_DIR}/documents/" DESTINATION "${CMAKE_INSTALL_DOCDIR}"
	COMPONENT documents)
install(DIRECTORY docs/ DESTINATION "${CMAKE_INSTALL_DOCDIR}/docs" COMPONENT documents
	FILES_MATCHING PATTERN "*.svg" PATTERN "*.json")
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}" RENAME copyright COMPONENT documents)
# Examples are documents: not executable, so that no package is asked for their interpreters.
install(FILES examples/forward.sh examples/session.py DESTINATION "${CMAKE_INSTALL_DOCDIR}/examples"
	COMPONENT documents)
