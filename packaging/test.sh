#!/bin/sh
# test.sh [dev|asan|tsan|coverage]: builds forcefs and runs all its tests.
set -eu
cd "$(dirname "$0")/.."
preset=${1:-dev}

sh packaging/need.sh test
cmake --preset "$preset" >/dev/null
cmake --build --preset "$preset"
cd "build/$preset"
ctest --output-on-failure
