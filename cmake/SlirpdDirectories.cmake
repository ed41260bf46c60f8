# SPDX-License-Identifier: BSD-2-Clause
# Where an installation puts what other programs look for. A relative directory is below the
# prefix.

# Managers of users look for units there, whatever the library directory is.
set(SLIRPD_SYSTEMD_USER_UNIT_DIR lib/systemd/user
	CACHE STRING "Directory of the units of systemd --user")
set(SLIRPD_BASH_COMPLETION_DIR "${CMAKE_INSTALL_DATADIR}/bash-completion/completions"
	CACHE STRING "Directory of completions for bash")
# Debian's zsh looks into site-functions below /usr/local only.
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr" AND EXISTS /etc/debian_version)
	set(zsh_functions vendor-completions)
else()
	set(zsh_functions site-functions)
endif()
set(SLIRPD_ZSH_COMPLETION_DIR "${CMAKE_INSTALL_DATADIR}/zsh/${zsh_functions}"
	CACHE STRING "Directory of completions for zsh")
set(SLIRPD_FISH_COMPLETION_DIR "${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d"
	CACHE STRING "Directory of completions for fish")

# slirpd_full_directory(<variable> <directory>): with the prefix in front, if it is relative.
function(slirpd_full_directory variable directory)
	if(NOT IS_ABSOLUTE "${directory}")
		set(directory "${CMAKE_INSTALL_PREFIX}/${directory}")
	endif()
	set(${variable} "${directory}" PARENT_SCOPE)
endfunction()
