# find_package(libspf): the targets libspf::spf (shared) and libspf::spf_static.
include(CMakeFindDependencyMacro)
find_dependency(Threads)
include(${CMAKE_CURRENT_LIST_DIR}/libspf-targets.cmake)
