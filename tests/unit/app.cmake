# The floor's own headers are what is tested here.
function(app_test name)
  unit_test(${name} app)
  target_include_directories(test_${name} PRIVATE ${CMAKE_SOURCE_DIR}/src/app)
endfunction()

app_test(settings)
app_test(settings_file)
app_test(settings_command)
app_test(options)
app_test(mounts)
app_test(busy)
app_test(why)
app_test(callback)
app_test(sfdx_url)
app_test(listener)
app_test(figures)
app_test(status_text)
app_test(doctor)
app_test(fetch)
app_test(quoted)

# The built program, where no mount is needed.
app_test(commands)
target_compile_definitions(test_commands PRIVATE FORCEFS="$<TARGET_FILE:forcefs>")
add_dependencies(test_commands forcefs)

# The same on real mounts.
app_test(demo)
target_compile_definitions(test_demo PRIVATE FORCEFS="$<TARGET_FILE:forcefs>")
add_dependencies(test_demo forcefs)
set_tests_properties(unit/demo PROPERTIES TIMEOUT 300)
