#!/usr/bin/env bash
# Builds the pinned tools of tools/ into build/bin, once per pinned version.
# golangci-lint takes about three minutes of one core when the build cache is cold.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

# build_tool NAME PACKAGE
build_tool() {
  local dir=$root/tools/$1 stamp=$build/stamp/tool-$1 want
  want="$(digest "$dir/go.mod" "$dir/go.sum") $(go env GOVERSION)"
  if [ -x "$bin/$1" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$want" ]; then return; fi
  say "building $1 (pinned in tools/$1/go.mod)"
  (cd "$dir" && go build -o "$bin/$1" "$2")
  echo "$want" > "$stamp"
}

build_tool golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint
