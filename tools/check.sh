#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Everything that can be checked (make check): gates, sanitizer build and its tests, clang build,
# integration and browser tests. Goes on after a failed step, so that one run shows all; ends with a summary.
set -uo pipefail
cd "$(dirname "$0")/.."

python=/usr/bin/python3
meson=/usr/bin/meson
logs=build-check
rm -rf "$logs"
mkdir -p "$logs"

# A finding ends the program that made it, in unit tests and in the server under test alike.
export ASAN_OPTIONS=abort_on_error=1:detect_stack_use_after_return=1
export UBSAN_OPTIONS=halt_on_error=1:abort_on_error=1:print_stacktrace=1
export ALOFT=$PWD/build-asan/aloft

n_failed=0
summary=()

# step NAME COMMAND...: its output goes to a log, and is shown when it fails.
step() {
    local name=$1 start=$SECONDS result=ok
    shift
    echo "== $name"
    if ! "$@" >"$logs/$name.log" 2>&1; then
        result=FAILED
        n_failed=$((n_failed + 1))
        tail -n 150 "$logs/$name.log"
    fi
    summary+=("$(printf '%-12s %-6s %3d s  %s' "$name" "$result" $((SECONDS - start)) \
        "$(closing_line "$name")")")
}

# What the tool itself says at its end.
closing_line() {
    case $1 in
    unit | fuzz) grep -E '^(Ok|Fail):' "$logs/$1.log" | tr -s ' \n' ' ' ;;
    *) grep -v '^[[:space:]]*$' "$logs/$1.log" | tail -n 1 | cut -c 1-100 ;;
    esac
}

check_format() {
    git ls-files -z -co --exclude-standard '*.c' '*.h' |
        xargs -0 -r clang-format --dry-run -Werror && echo "format: nothing to change"
}

# build FOLDER SETUP-ARGUMENTS...
build() {
    local folder=$1
    shift
    [ -f "$folder/build.ninja" ] || "$meson" setup "$folder" "$@" || return
    "$meson" compile -C "$folder"
}

run_integration() {
    timeout --signal=INT 900 "$python" -m pytest -q -n 4 -p no:cacheprovider tests/integration
}

run_browser() {
    timeout --signal=INT 600 "$python" -m pytest -q -n 2 -p no:cacheprovider tests/browser
}

step format check_format
for gate in layers banned length headers freestanding; do
    step $gate "$python" "tools/check_$gate.py"
done
step asan build build-asan -Db_sanitize=address,undefined -Dwerror=true
step unit "$meson" test -C build-asan --no-rebuild --print-errorlogs --suite unit
step fuzz "$meson" test -C build-asan --no-rebuild --print-errorlogs --suite fuzz
CC=clang step clang build build-clang -Dfuzz=true
step integration run_integration
step browser run_browser

echo
printf '%s\n' "${summary[@]}"
if [ "$n_failed" -ne 0 ]; then
    echo "check: $n_failed steps failed, logs in $logs/"
    exit 1
fi
echo "check: ok"
