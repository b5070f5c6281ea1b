#!/usr/bin/env bash
# Installs what a bare Debian 12 with Go, Node and root lacks, and says so.
# Does nothing, quickly, where nothing is missing.
#
#   scripts/setup.sh run      to build and run the service and its demo
#   scripts/setup.sh window   the above, and what the client's window is built with
#   scripts/setup.sh test     all of the above, and what the tests use
set -euo pipefail
. "$(dirname "$0")/lib.sh"

profile=${1:-run}
# openconnect is the peer that the demo connects with; iperf3 serves on its LAN.
packages=(ca-certificates curl openssl iproute2 nftables openconnect iperf3)
if [ "$profile" = window ] || [ "$profile" = test ]; then
  # The last two draw it: Mesa also where there is no graphics card, and no display.
  packages+=(gcc libc6-dev pkg-config libwayland-dev libx11-dev libx11-xcb-dev libxkbcommon-x11-dev libgles-dev libegl-dev
    libffi-dev libxcursor-dev libxfixes-dev libvulkan-dev libegl-mesa0 libgl1-mesa-dri)
fi
if [ "$profile" = test ]; then
  # gcc (above) is for the race detector too, stoken for software tokens, ping for the benchmark, dbus-daemon for the client's resolvers and key store,
  # xvfb, xdotool and xclip for the client's window on a display, the shells for its completion, dovecot for the desk's mailboxes, poppler reads the PDFs that we write, the last three for the browser test.
  packages+=(ocserv stoken xvfb xdotool xclip bash-completion zsh fish dovecot-imapd iputils-ping dbus-daemon postgresql poppler-utils poppler-data unzip chromium fonts-noto-cjk)
fi

# version_at_least HAVE WANT
version_at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

check_toolchains() {
  command -v go >/dev/null || die "Go is missing: install Go 1.26 or later and put it in PATH"
  command -v node >/dev/null || die "Node is missing: install Node 20.19 or later and put it in PATH"
  local go_has node_has
  go_has=$(cd "$root" && go env GOVERSION)
  version_at_least "${go_has#go}" 1.26 || die "Go is ${go_has#go}; 1.26 or later is needed"
  node_has=$(node --version)
  version_at_least "${node_has#v}" 20.19 || die "Node is ${node_has#v}; 20.19 or later is needed"
}

missing_packages() {
  local p
  for p in "${packages[@]}"; do
    case " $installed " in *" $p "*) ;; *) echo "$p" ;; esac
  done
}

# Without this, installing ocserv, dovecot and postgresql would start servers that nobody asked for.
forbid_service_starts() {
  [ -e /usr/sbin/policy-rc.d ] && return
  printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
  chmod 755 /usr/sbin/policy-rc.d
  cleanup rm -f /usr/sbin/policy-rc.d
}

install_packages() {
  # dpkg-query fails where it does not know one of the names, which is what we came for.
  installed=$({ dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${packages[@]}" 2>/dev/null || true; } | sed -n 's/^installed //p' | tr '\n' ' ')
  local missing
  mapfile -t missing < <(missing_packages)
  [ ${#missing[@]} = 0 ] && return
  if ! is_root; then
    echo "warning: Debian packages are missing and only root can install them: apt-get install ${missing[*]}" >&2
    [ "$profile" = run ] && return
    exit 1
  fi
  command -v apt-get >/dev/null || die "this is not Debian; install the counterparts of: ${missing[*]}"
  say "installing Debian packages: ${missing[*]}"
  forbid_service_starts
  mkdir -p "$build/log"
  export DEBIAN_FRONTEND=noninteractive
  { apt-get update -q && apt-get install -y -q --no-install-recommends "${missing[@]}"; } >"$build/log/apt.log" 2>&1 ||
    { tail -n 20 "$build/log/apt.log" >&2; die "apt-get failed; the whole log is in build/log/apt.log"; }
  keep_ocserv_off "${missing[@]}"
}

# ocserv would take port 443 at the next boot; the bench starts its own.
keep_ocserv_off() {
  case " $* " in *" ocserv "*) ;; *) return 0 ;; esac
  if command -v systemctl >/dev/null; then
    systemctl disable ocserv.service ocserv.socket >/dev/null 2>&1 || true
  fi
}

# What would take over this machine (its resolv.conf, a person's key store) is not installed: the client's tests run it
# from build/unpacked, in namespaces and on buses of their own. The two programs called resolvconf exclude each other.
unpack_programs() {
  [ "$profile" = test ] && command -v apt-get >/dev/null || return 0
  local p dir=$build/unpacked
  mkdir -p "$dir" "$build/log"
  for p in openresolv resolvconf systemd-resolved libsystemd-shared gnome-keyring libgck-1-0 libgcr-base-3-1; do
    [ -d "$dir/$p" ] && continue
    rm -rf "$dir/$p.new"
    (cd "$dir" && { apt-get download -q "$p" || { apt-get update -q && apt-get download -q "$p"; }; } &&
      dpkg-deb -x "$p"_*.deb "$p.new" && mv "$p.new" "$p") >>"$build/log/apt.log" 2>&1 ||
      die "apt-get could not download $p; the whole log is in build/log/apt.log"
  done
}

# The stamp lies among the packages, so that it goes when they go.
install_node_packages() {
  local lock=$root/console/package-lock.json stamp=$root/console/node_modules/.skybridge-lock want
  [ -f "$lock" ] || die "console/package-lock.json is missing"
  want=$(digest "$lock" "$root/console/package.json")
  [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] && return
  say "installing Node packages of console/ (npm ci)"
  (cd "$root/console" && npm ci --no-audit --no-fund --loglevel=error)
  echo "$want" > "$stamp"
}

download_modules() {
  local stamp=$build/stamp/go-modules want
  want=$(digest "$root/go.sum")
  [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] && return
  say "downloading Go modules"
  (cd "$root" && go mod download)
  echo "$want" > "$stamp"
}

check_toolchains
install_packages
unpack_programs
download_modules
install_node_packages
