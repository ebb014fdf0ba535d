foreach(t error buf clock cancel thread hold pool paths hash log spawn)
  unit_test(${t} base)
endforeach()
