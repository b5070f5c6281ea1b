#!/usr/bin/env bash
# Builds the console and the binaries. Only two packages need the built console,
# which one of them embeds; all others compile while Vite works.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$root"

"$root/scripts/console.sh" &
console=$!
go list ./internal/... | grep -vE '/internal/(app|web/console)$' | xargs go build || { wait $console || true; exit 1; }
wait $console
# The client's window needs the libraries that windows are drawn with; a server has none of them.
can_draw() { command -v gcc >/dev/null && command -v pkg-config >/dev/null && pkg-config --exists wayland-client wayland-egl wayland-cursor x11 xkbcommon-x11 xcursor x11-xcb xfixes egl glesv2; }
for command in cmd/*/; do
  if [ "$command" = cmd/skyconnect-window/ ] && ! can_draw; then
    say "not building the client's window: scripts/setup.sh window installs what it takes"
    continue
  fi
  go build -o "build/$(basename "$command")" "./$command"
done
