unit_test(blobs store)
unit_test(store_open store)
unit_test(store_object store)
unit_test(store_record store)
unit_test(store_evict store)
unit_test(store_damage store)
unit_test(store_threads store)

# Timings, built only when asked for.
add_executable(bench_store EXCLUDE_FROM_ALL ${CMAKE_CURRENT_LIST_DIR}/../bench/bench_store.c)
target_link_libraries(bench_store PRIVATE store)
