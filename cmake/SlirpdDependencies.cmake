# What is linked, each library as an imported target that only the role named here
# may use; ci/check-includes holds the same rule for the headers.

find_package(PkgConfig REQUIRED)
if(SLIRPD_STATIC)
	list(APPEND PKG_CONFIG_EXECUTABLE "--static")
endif()
pkg_check_modules(LIBBSD REQUIRED IMPORTED_TARGET libbsd)          # base
pkg_check_modules(GLIB REQUIRED IMPORTED_TARGET glib-2.0)          # slirp-worker
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson>=2.11)  # api, slirpctl
pkg_check_modules(LIBSLIRP REQUIRED IMPORTED_TARGET slirp>=4.7.0)  # slirp-worker

# Not linked: --version tells which libseccomp the system-call policies belong to.
pkg_check_modules(LIBSECCOMP REQUIRED libseccomp)
