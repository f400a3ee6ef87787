#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Installs Debian packages (Debian 12; as root or through sudo): those that the build and the demo need.
# `tools/setup.sh check` adds what tests and gates need, `tools/setup.sh bench` the benchmark's peer and generator.
set -euo pipefail

packages=(
    # build, demo
    gcc libc6-dev meson ninja-build pkg-config
    libssl-dev libmbedtls-dev libsqlite3-dev libmicrohttpd-dev libsodium-dev libjansson-dev
    libcurl4-openssl-dev liblzma-dev libarchive-dev libcmocka-dev
    python3
)
case ${1:-} in
check)
    packages+=(
        # gates and tests
        clang clang-format libclang-rt-14-dev llvm-14
        python3-pytest python3-pytest-xdist python3-pexpect python3-yaml
        git iproute2 openssl
        # browser tests
        chromium chromium-driver python3-selenium fonts-noto-cjk
    )
    ;;
bench) packages+=(nginx-light wrk git iproute2) ;;
esac

missing=()
for package in "${packages[@]}"; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
    echo "setup: all packages are there"
    exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "setup: missing: ${missing[*]}" >&2
        echo "setup: neither root nor sudo; have them installed: apt-get install ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi

# The benchmark starts its own nginx. Installing the package would also start one on port 80 and
# at each boot: policy-rc.d (Debian policy 9.3.3) holds back the start, and the unit is disabled
# below. A policy that stands already belongs to the machine and is left alone.
policy=/usr/sbin/policy-rc.d
hold_services() {
    if [ ! -e "$policy" ]; then
        trap '"${as_root[@]}" rm -f "$policy"' EXIT
        printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
        "${as_root[@]}" chmod 755 "$policy"
    fi
}

echo "setup: installing through apt: ${missing[*]}"
has_new_nginx=no
if [[ " ${missing[*]} " == *" nginx-light "* ]] && ! command -v /usr/sbin/nginx >/dev/null; then
    has_new_nginx=yes
    hold_services
fi
"${as_root[@]}" apt-get -qq update
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -qq -y --no-install-recommends install "${missing[@]}"
if [ "$has_new_nginx" = yes ] && [ -d /run/systemd/system ]; then
    "${as_root[@]}" systemctl disable --quiet nginx
fi
echo "setup: done"
