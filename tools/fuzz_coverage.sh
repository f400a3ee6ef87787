#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Line coverage of each parser by the corpus of its own fuzz target. A target names its parsers in a
# line `Parsers: <file> ...`. Fails when one of them is below the bar.
set -euo pipefail
cd "$(dirname "$0")/.."

bar_percent=90
build=build-coverage
if [ ! -f "$build/build.ninja" ]; then
    CC=clang /usr/bin/meson setup "$build" --buildtype=debug \
        -Dc_args='-fprofile-instr-generate -fcoverage-mapping' \
        -Dc_link_args=-fprofile-instr-generate >/dev/null
fi
/usr/bin/meson compile -C "$build" >"$build/compile.log" || { tail -n 40 "$build/compile.log"; exit 1; }

result=0
for target in tests/fuzz/fuzz_*.c; do
    name=$(basename "$target" .c)
    name=${name#fuzz_}
    parsers=$(sed -n 's,^/\* Parsers: \(.*\) \*/$,\1,p' "$target")
    program=$build/tests/fuzz/replay_$name
    if [ -z "$parsers" ] || [ ! -x "$program" ]; then
        echo "$target: has no 'Parsers:' line or is not in tests/fuzz/meson.build"
        result=1
        continue
    fi
    LLVM_PROFILE_FILE=$build/$name.profraw "$program" "tests/fuzz/corpus/$name" >"$build/$name.log"
    llvm-profdata-14 merge -o "$build/$name.profdata" "$build/$name.profraw"
    for parser in $parsers; do
        # A row: file name (how much of its path differs), and as 10th column the lines in percent.
        percent=$(llvm-cov-14 report "$program" -instr-profile="$build/$name.profdata" |
            awk -v file="${parser##*/}" '{ n = split($1, part, "/") }
                part[n] == file { sub("%", "", $10); print $10 }')
        verdict=ok
        if awk "BEGIN { exit !(${percent:-0} < $bar_percent) }"; then
            verdict="below $bar_percent"
            result=1
        fi
        printf '%-16s %-40s %6s %%  %s\n' "$name" "$parser" "${percent:-0}" "$verdict"
    done
done
exit $result
