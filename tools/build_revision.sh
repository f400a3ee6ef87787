#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# tools/build_revision.sh REVISION: builds an earlier revision under build/revision and prints its executable's path.
# An executable instead of a revision is printed as it is.
set -euo pipefail

if [ -f "$1" ] && [ -x "$1" ]; then
    realpath "$1"
    exit 0
fi
cd "$(dirname "$0")/.."
commit=$(git rev-parse --verify --quiet "$1^{commit}") || {
    echo "build_revision: '$1' is neither an executable nor a revision in this repository" >&2
    exit 1
}
folder=$PWD/build/revision/${commit:0:12}
if [ ! -x "$folder/build/aloft" ]; then
    echo "build_revision: building $1 in $folder" >&2
    rm -rf "$folder"
    mkdir -p "$folder"
    git archive "$commit" | tar -x -C "$folder"
    {
        /usr/bin/meson setup "$folder/build" "$folder"
        /usr/bin/meson compile -C "$folder/build" aloft
    } >&2
fi
echo "$folder/build/aloft"
