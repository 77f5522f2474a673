# Headers, both libraries, libspf.pc and the CMake package libspf.
include(CMakePackageConfigHelpers)

install(FILES include/spf.h include/spf_resolver.h include/spf_tools.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS spf_shared spf_static EXPORT libspf
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})

cmake_path(IS_ABSOLUTE CMAKE_INSTALL_LIBDIR spf_libdir_is_absolute)
if(spf_libdir_is_absolute)
    set(SPF_PC_LIBDIR ${CMAKE_INSTALL_LIBDIR})
    set(SPF_PC_INCLUDEDIR ${CMAKE_INSTALL_INCLUDEDIR})
else()
    set(SPF_PC_LIBDIR "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
    set(SPF_PC_INCLUDEDIR "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
endif()
# The prefix is filled in at install time, so that `cmake --install --prefix` counts.
set(SPF_PC_PREFIX "@SPF_PC_PREFIX@")
set(spf_pc ${CMAKE_CURRENT_BINARY_DIR}/libspf.pc)
configure_file(libspf.pc.in ${spf_pc}.in @ONLY)
install(CODE "
    get_filename_component(SPF_PC_PREFIX \"\${CMAKE_INSTALL_PREFIX}\" ABSOLUTE)
    configure_file(\"${spf_pc}.in\" \"${spf_pc}\" @ONLY)")
install(FILES ${spf_pc} DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

set(spf_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/libspf)
install(EXPORT libspf NAMESPACE libspf:: FILE libspf-targets.cmake DESTINATION ${spf_package_dir})
write_basic_package_version_file(libspf-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_SOURCE_DIR}/cmake/libspf-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/libspf-config-version.cmake
    DESTINATION ${spf_package_dir})
