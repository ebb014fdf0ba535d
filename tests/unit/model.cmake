foreach(t id names body stamp json_text catalog schema render model_chaos json_quote limits patch patch_text
    patch_merge patch_chaos)
  unit_test(${t} model)
  target_compile_definitions(test_${t} PRIVATE
    RECORDED_DIR="${CMAKE_SOURCE_DIR}/../shared/recorded")
endforeach()
# Their allocations fail on demand.
target_link_options(test_model_chaos PRIVATE -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
  -Wl,--wrap=reallocarray,--wrap=strdup,--wrap=strndup)
target_link_options(test_patch_chaos PRIVATE -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc)
