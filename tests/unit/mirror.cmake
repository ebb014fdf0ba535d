foreach(name mirror_listing mirror_check mirror_gather mirror_offline mirror_news mirror_save
    mirror_races)
  unit_test(${name} mirror)
  target_sources(test_${name} PRIVATE unit/fake_org.c)
  target_link_libraries(test_${name} PRIVATE PkgConfig::JANSSON)
  target_include_directories(test_${name} PRIVATE ${CMAKE_SOURCE_DIR}/src/mirror)
endforeach()
