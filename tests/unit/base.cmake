foreach(t error buf clock cancel thread pool paths hash log spawn)
  unit_test(${t} base)
endforeach()
