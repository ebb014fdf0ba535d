foreach(t sf_error sf_upload sf_usage sf_soql sf_page sf_composite sf_token sf_versions)
  unit_test(${t} sf)
  target_include_directories(test_${t} PRIVATE ${CMAKE_SOURCE_DIR}/src/sf)
  target_compile_definitions(test_${t} PRIVATE RECORDED_DIR="${CMAKE_SOURCE_DIR}/../shared/recorded")
endforeach()

# These start the practice org.
find_program(PYTHON3 NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH REQUIRED)
foreach(t sf_login sf_org)
  unit_test(${t} sf)
  target_sources(test_${t} PRIVATE unit/practice.c unit/sf_org.c)
  target_link_libraries(test_${t} PRIVATE PkgConfig::JANSSON)
  target_compile_definitions(test_${t} PRIVATE PYTHON3="${PYTHON3}"
    PRACTICE_ORG="${CMAKE_SOURCE_DIR}/tests/practice_org")
  set_tests_properties(unit/${t} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300)
endforeach()
foreach(t sf_update sf_create)
  unit_test(${t} sf)
  target_sources(test_${t} PRIVATE unit/practice.c unit/sf_org.c unit/write_org.c)
  target_link_libraries(test_${t} PRIVATE PkgConfig::JANSSON)
  target_compile_definitions(test_${t} PRIVATE PYTHON3="${PYTHON3}"
    PRACTICE_ORG="${CMAKE_SOURCE_DIR}/tests/practice_org")
  set_tests_properties(unit/${t} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300)
endforeach()
