foreach(t error buf clock cancel thread pool paths hash log)
  unit_test(${t} base)
endforeach()
