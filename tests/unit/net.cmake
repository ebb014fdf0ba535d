unit_test(retry net)
unit_test(redirect net)
unit_test(http_escape net)
unit_test(http net)
