# What `cmake --install` lays down: headers, both libraries, and how CMake and pkg-config find them.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/mobilebert_rt)
install(FILES ../include/mobilebert_rt.h ../include/mobilebert_rt.hpp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS mobilebert_rt mobilebert_rt_static EXPORT mobilebert_rt
        RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT mobilebert_rt NAMESPACE mobilebert_rt:: FILE mobilebert_rt-targets.cmake DESTINATION ${package_dir})

configure_package_config_file(mobilebert_rt-config.cmake.in mobilebert_rt-config.cmake
                              INSTALL_DESTINATION ${package_dir}
                              NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(mobilebert_rt-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/mobilebert_rt-config.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/mobilebert_rt-config-version.cmake
        DESTINATION ${package_dir})

# The prefix is relative to the .pc file, so that the tree can be moved.
set(pkgconfig_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH up_to_prefix /prefix/${pkgconfig_dir} /prefix)
# What the static library needs of the C++ compiler's own libraries.
set(private_libraries -pthread)
foreach(library ${CMAKE_CXX_IMPLICIT_LINK_LIBRARIES})
  if(library MATCHES "^(stdc\\+\\+|c\\+\\+|c\\+\\+abi|m)$")
    string(APPEND private_libraries " -l${library}")
  endif()
endforeach()
configure_file(mobilebert_rt.pc.in mobilebert_rt.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/mobilebert_rt.pc DESTINATION ${pkgconfig_dir})
