#!/bin/sh
# Builds the Debian package of the keeper from a binary that is there: deploy/deb/build.sh [BINARY] [DIRECTORY].
# Needs dpkg-deb. Prints the path of the package.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
binary=${1:-$root/target/release/rampart}
out=${2:-$root/target/deb}
if ! command -v dpkg-deb >/dev/null; then
    echo "dpkg-deb is missing: apt-get install dpkg" >&2
    exit 1
fi
if [ ! -x "$binary" ]; then
    echo "$binary is missing: cargo build --release --package rampart-keeper" >&2
    exit 1
fi

version=$("$binary" --version | cut -d' ' -f2)
arch=$(dpkg --print-architecture)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
chmod 0755 "$tree"

install -D --mode 0755 "$binary" "$tree/usr/bin/rampart"
strip --strip-unneeded "$tree/usr/bin/rampart" 2>/dev/null || true
install -D --mode 0644 "$root/deploy/systemd/rampart.service" "$tree/lib/systemd/system/rampart.service"
install -D --mode 0644 "$root/deploy/systemd/rampart-refit.service" "$tree/lib/systemd/system/rampart-refit.service"
install -D --mode 0644 "$root/deploy/systemd/rampart-refit.timer" "$tree/lib/systemd/system/rampart-refit.timer"
install -D --mode 0644 "$root/docs/operating.md" "$tree/usr/share/doc/rampart/operating.md"
install -D --mode 0644 "$root/LICENSE" "$tree/usr/share/doc/rampart/copyright"
install -D --mode 0644 "$root/deploy/prometheus/rampart.rules.yml" "$tree/usr/share/rampart/prometheus/rampart.rules.yml"
install -D --mode 0644 "$root/deploy/grafana/rampart.json" "$tree/usr/share/rampart/grafana/rampart.json"
install --directory "$tree/etc/rampart" "$tree/usr/share/bash-completion/completions" \
    "$tree/usr/share/zsh/vendor-completions" "$tree/usr/share/fish/vendor_completions.d"
"$binary" completions bash >"$tree/usr/share/bash-completion/completions/rampart"
"$binary" completions zsh >"$tree/usr/share/zsh/vendor-completions/_rampart"
"$binary" completions fish >"$tree/usr/share/fish/vendor_completions.d/rampart.fish"
# The paths that the unit gives it; the guard and the endpoint are the operator's to fill in.
"$binary" init --print --state-dir /var/lib/rampart --payer-file /run/credentials/rampart.service/payer.json \
    >"$tree/etc/rampart/rampart.toml"
chmod 0644 "$tree/etc/rampart/rampart.toml"

install --directory "$tree/DEBIAN"
cat >"$tree/DEBIAN/control" <<CONTROL
Package: rampart-keeper
Version: $version
Architecture: $arch
Maintainer: The Rampart authors <keeper@rampart.invalid>
Section: net
Priority: optional
Depends: libc6, ca-certificates
Installed-Size: $(du -sk "$tree" | cut -f1)
Description: keeper of the Rampart circuit breaker on Solana
 Watches oracle prices and guarded vaults, and submits circuit-breaker and
 liquidation transactions when a risk limit is crossed.
CONTROL
echo /etc/rampart/rampart.toml >"$tree/DEBIAN/conffiles"
# Nothing starts by itself: first the settings and the key, then `systemctl enable --now rampart`.
cat >"$tree/DEBIAN/postinst" <<'POSTINST'
#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload || true
fi
if [ "$1" = configure ] && [ -z "$2" ]; then
    echo "rampart: set cluster.rpc_url and cluster.guard in /etc/rampart/rampart.toml, put the payer's keypair at"
    echo "rampart: /etc/rampart/payer.json (root, mode 0600), then: systemctl enable --now rampart"
fi
POSTINST
cat >"$tree/DEBIAN/prerm" <<'PRERM'
#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
    systemctl disable --now rampart.service || true
fi
PRERM
chmod 0755 "$tree/DEBIAN/postinst" "$tree/DEBIAN/prerm"
(cd "$tree" && find usr lib etc -type f -exec md5sum {} + >DEBIAN/md5sums)

mkdir -p "$out"
package="$out/rampart-keeper_${version}_$arch.deb"
# RAMPART_DEB_FLAGS: how it is compressed, where a package is only tried.
# shellcheck disable=SC2086
dpkg-deb --root-owner-group ${RAMPART_DEB_FLAGS:-} --build "$tree" "$package" >/dev/null
echo "$package"
