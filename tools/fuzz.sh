#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs the fuzz targets for a time: fuzz.sh [SECONDS [TARGET...]], 300 seconds and all targets by default; one per
# core at a time. Starts from the corpora of the tree and leaves them as they are; a finding is kept in
# build-fuzz/found/ and fails the run. Reproduce it with build-fuzz/tests/fuzz/fuzz_<target> <file>.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-300}
shift || true
build=build-fuzz
if [ ! -f "$build/build.ninja" ]; then
    CC=clang /usr/bin/meson setup "$build" -Dfuzz=true >/dev/null
fi
/usr/bin/meson compile -C "$build" >"$build/compile.log" || { tail -n 40 "$build/compile.log"; exit 1; }
mkdir -p "$build/found" "$build/logs"

targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
    for file in tests/fuzz/fuzz_*.c; do
        name=$(basename "$file" .c)
        targets+=("${name#fuzz_}")
    done
fi

# One target: grows a corpus of its own, so that the tree's stays small.
run_one() {
    local name=$1 grown=$2/corpora/$1 verdict=ok
    mkdir -p "$grown"
    if ! "$2/tests/fuzz/fuzz_$name" -max_total_time="$3" -timeout=20 -rss_limit_mb=4096 -print_final_stats=1 \
        -artifact_prefix="$2/found/$name-" "$grown" "tests/fuzz/corpus/$name" >"$2/logs/$name.log" 2>&1; then
        verdict=FOUND
        tail -n 30 "$2/logs/$name.log"
    fi
    printf '%-18s %-6s %12s runs in %s s\n' "$name" "$verdict" \
        "$(sed -n 's/^stat::number_of_executed_units: *//p' "$2/logs/$name.log")" "$3"
    [ "$verdict" = ok ]
}
export -f run_one

if ! printf '%s\n' "${targets[@]}" |
    xargs -P "$(nproc)" -I TARGET bash -c 'run_one TARGET "$1" "$2"' run "$build" "$seconds"; then
    echo "fuzz: something was found, see $build/found/ and $build/logs/"
    exit 1
fi
echo "fuzz: ok, ${#targets[@]} targets"
