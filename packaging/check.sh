#!/bin/sh
# check.sh [TOOL…]: looks at the source with cppcheck, clang-tidy, gcc's analyzer (and clang-format, if named), as far
# as they are installed, and at the release build with hardening-check. Fails if one of them finds something.
set -eu
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- cppcheck tidy analyzer hardening
status=0

have() {
	command -v "$1" >/dev/null || { echo "$1 is not installed: left out" >&2; return 1; }
}

# It knows neither the cleanup attribute (uninitvar, memleak) nor GNU's a ?: b.
check_cppcheck() {
	have cppcheck || return 0
	cppcheck -q --enable=warning,performance,portability --std=c11 --inline-suppr -Iinclude -D_GNU_SOURCE \
		'-DFORCEFS_VERSION="0"' --suppress=missingIncludeSystem --suppress=internalAstError --suppress=uninitvar \
		--suppress=memleak --suppress=normalCheckLevelMaxBranches --error-exitcode=1 src
}

# Left out: style, and what it does not understand: variable arguments after va_start, counted tables, the cleanup
# attribute (it takes the "-1" that disarms it for a dead store), a thread that waits for its SIGTERM, texts that are put
# together piece by piece, and that a function of another file which returns 0 has filled what it was given (core.*: it
# follows paths on which error_set returns 0). Sanitizers and valgrind look after those.
no_tidy=$(printf ',-%s' bugprone-easily-swappable-parameters bugprone-reserved-identifier bugprone-narrowing-conversions \
	bugprone-branch-clone bugprone-assignment-in-if-condition bugprone-macro-parentheses bugprone-sizeof-expression \
	bugprone-implicit-widening-of-multiplication-result bugprone-suspicious-include \
	clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling clang-analyzer-security.insecureAPI.strcpy \
	clang-analyzer-valist.Uninitialized clang-analyzer-core.NonNullParamChecker clang-analyzer-unix.Malloc \
	bugprone-suspicious-string-compare bugprone-misplaced-widening-cast bugprone-not-null-terminated-result \
	bugprone-bad-signal-to-kill-thread clang-analyzer-deadcode.DeadStores clang-analyzer-core.NullDereference \
	clang-analyzer-core.CallAndMessage clang-analyzer-core.uninitialized.Branch \
	clang-analyzer-core.UndefinedBinaryOperatorResult clang-analyzer-core.DivideZero \
	clang-analyzer-optin.portability.UnixAPI)

check_tidy() {
	have clang-tidy && have clang || return 0
	cmake -S . -B build/tidy -G Ninja -DCMAKE_C_COMPILER=clang -DBUILD_TESTING=OFF >/dev/null
	find src -name '*.c' -print0 | xargs -0 -n 8 -P 2 clang-tidy -p build/tidy --quiet --warnings-as-errors='*' \
		--checks="-*,clang-analyzer-*,bugprone-*$no_tidy" 2>/dev/null
}

# Debug, because what is inlined confuses it. It follows neither reference counts nor what is handed over through a pointer.
check_analyzer() {
	have gcc || return 0
	cmake -S . -B build/analyze -G Ninja -DCMAKE_C_COMPILER=gcc -DCMAKE_BUILD_TYPE=Debug -DBUILD_TESTING=OFF \
		-DCMAKE_C_FLAGS="-fanalyzer -Wno-analyzer-malloc-leak -Wno-analyzer-null-dereference -Wno-analyzer-use-after-free -Wno-analyzer-use-of-uninitialized-value -Werror" >/dev/null
	cmake --build build/analyze
}

check_format() {
	have clang-format || return 0
	find src include tests/fuzz \( -name '*.c' -o -name '*.h' \) -print0 | xargs -0 clang-format --dry-run -Werror
}

# What CET needs besides is in libc's start files, which not every system has.
check_hardening() {
	have hardening-check || return 0
	cmake --preset release -DBUILD_TESTING=OFF >/dev/null
	cmake --build --preset release --target forcefs >/dev/null
	hardening-check --nocfprotection build/release/src/app/forcefs
}

for tool; do
	echo "== $tool"
	"check_$tool" || { status=1; echo "   $tool found something"; }
done
exit $status
