# Debian's libunbound.pc asks for libevent's, which libunbound-dev does not bring: it is found by its header instead.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(IDN2 REQUIRED IMPORTED_TARGET libidn2)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)

find_path(UNBOUND_INCLUDE_DIR unbound-event.h REQUIRED)
find_library(UNBOUND_LIBRARY unbound REQUIRED)
mark_as_advanced(UNBOUND_INCLUDE_DIR UNBOUND_LIBRARY)

add_library(spf_dependencies INTERFACE)
target_include_directories(spf_dependencies INTERFACE ${UNBOUND_INCLUDE_DIR})
target_link_libraries(spf_dependencies INTERFACE ${UNBOUND_LIBRARY} PkgConfig::IDN2 PkgConfig::JANSSON resolv Threads::Threads)
