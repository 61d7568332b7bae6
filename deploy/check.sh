#!/bin/sh
# Checks everything in deploy/ with the tools that will read it: deploy/check.sh [BINARY]. Says what is missing.
# Ends with 0 if everything is right, 1 if something is wrong, 3 if what it looked at is right and tools are missing.
set -u

root=$(cd "$(dirname "$0")/.." && pwd)
binary=${1:-$root/target/release/rampart}
case $binary in /*) ;; *) binary=$PWD/$binary ;; esac
failed=0
missing=0

say() { printf '%-8s %s\n' "$1" "$2"; }
have() {
    command -v "$1" >/dev/null && return 0
    say MISSING "$1: apt-get install $2"
    missing=$((missing + 1))
    return 1
}
try() {
    what=$1
    shift
    if output=$("$@" 2>&1); then say ok "$what"; else
        say FAILED "$what"
        printf '%s\n' "$output"
        failed=$((failed + 1))
    fi
}

for script in "$root"/deploy/*.sh "$root"/deploy/deb/*.sh; do try "sh: $(basename "$script")" sh -n "$script"; done
have bash bash && try "bash: lab/sweep.slurm" bash -n "$root/deploy/lab/sweep.slurm"
have python3 python3 && try "dashboard is JSON" python3 -m json.tool "$root/deploy/grafana/rampart.json" /dev/null
if have promtool prometheus; then
    try "alert rules" promtool check rules "$root/deploy/prometheus/rampart.rules.yml"
    try "alert rules fire when they should" sh -c "cd '$root/deploy/prometheus' && promtool test rules rampart.test.yml"
    if [ -x "$binary" ]; then
        # Names, units and help texts as Prometheus wants them. What it checks is the older form of the text, in which
        # the help of a counter stands under the name with its suffix.
        older='/^# HELP / { help = $0; name = $3; next }
            /^# TYPE / && $4 == "counter" { sub(name, name "_total", help); $3 = name "_total" }
            /^# TYPE / { print help }
            { print }'
        try "metrics" sh -c "'$binary' metrics | awk '$older' | promtool check metrics"
    fi
fi
if have systemd-analyze systemd && [ -x "$binary" ]; then
    unit=$(mktemp -d)
    for name in rampart.service rampart-refit.service rampart-refit.timer; do
        sed "s|/usr/bin/rampart|$binary|" "$root/deploy/systemd/$name" >"$unit/$name"
    done
    for name in rampart.service rampart-refit.service rampart-refit.timer; do
        try "systemd unit $name" systemd-analyze verify --man=no "$unit/$name"
    done
    exposure=$(systemd-analyze security --offline=true "$unit/rampart.service" 2>/dev/null | tail -1)
    [ -z "$exposure" ] || say info "$exposure"
    rm -rf "$unit"
fi
if [ ! -x "$binary" ]; then
    say MISSING "$binary: cargo build --release --package rampart-keeper"
    missing=$((missing + 1))
elif have dpkg-deb dpkg; then
    out=$(mktemp -d)
    if package=$(RAMPART_DEB_FLAGS="-Zgzip -z1" "$root/deploy/deb/build.sh" "$binary" "$out"); then
        try "package unpacks" dpkg-deb --extract "$package" "$out/tree"
        try "package has unit, settings and completions" sh -c "cd '$out/tree' && ls lib/systemd/system/rampart.service \
            etc/rampart/rampart.toml usr/share/bash-completion/completions/rampart usr/share/doc/rampart/operating.md"
        try "package runs" "$out/tree/usr/bin/rampart" version
        # Only the guard and the endpoint are left to the operator: the rest of the packaged settings has to load.
        try "packaged settings load" env "RAMPART_CONFIG=$out/tree/etc/rampart/rampart.toml" "$out/tree/usr/bin/rampart" config print
        # its word is advice: nobody has to install it
        command -v lintian >/dev/null && say info "$(lintian --no-tag-display-limit "$package" 2>/dev/null | grep -c '^E:') errors by lintian"
    else
        say FAILED "package"
        failed=$((failed + 1))
    fi
    rm -rf "$out"
fi

[ "$failed" -eq 0 ] || exit 1
if [ "$missing" -gt 0 ]; then
    say info "$missing tools are missing; what needs them was not checked"
    exit 3
fi
