#!/usr/bin/env bash
# Installs the custom resource definitions of Istio, of the Gateway API and of Envoy Gateway into
# .local/crds/definitions, as their Go modules carry them, and compiles tests/real/crds, which judges
# manifests by them as an API server does. Prints the directory.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

# The module, its version and its checksum, the files in it, and their name here.
modules=(
  "istio.io/api v1.32.0 h1:37mJvg9I0biYZAEQF+MATs4FNeCpXEIVO3LFpVb6iNM= kubernetes/customresourcedefinitions.gen.yaml istio.yaml"
  # Gateway API 1.6.1 is among these.
  "github.com/envoyproxy/gateway v1.9.1 h1:vAVp6/AlBXJ1aOhp1mxL7fNEzVEfjADUguUhm2wzxQY= charts/gateway-helm/charts/crds/crds envoy-gateway"
)

from="tests/real/crds"
final="$LOCAL/crds"
new="$final.new"
want=$(key scripts/install-crds.sh "$from/go.mod" "$from/go.sum" "$from/main.go")

go_here() { env GOTOOLCHAIN=local GOMODCACHE="$new/modules" GOCACHE="$new/objects" "$@"; }

# -mod=readonly holds every module to the checksums in go.sum.
compile() {
  (cd "$from" && go_here GOFLAGS='-mod=readonly -modcacherw' CGO_ENABLED=0 \
    go build -trimpath -ldflags '-s -w' -o "$new/crds" .)
}

# definitions MODULE VERSION SUM FILES NAME
definitions() {
  local said="$new/said.json"
  # The checksum is compared here.
  (cd "$new" && go_here GOFLAGS=-modcacherw GOSUMDB=off go mod download -json "$1@$2" >"$said") || return 1
  grep -F "\"Sum\": \"$3\"" "$said" || return 1
  cp -r "$new/modules/$1@$2/$4" "$new/definitions/$5"
}

locked crds
if ! stamped crds "$want" || [ ! -x "$final/crds" ]; then
  need go "install Go 1.26 or newer from https://go.dev/dl"
  say "compiling the judge of manifests (about 1 minute, 20 MB)"
  fresh_log crds
  rm -rf "$new"
  mkdir -p "$new/definitions"
  for module in "${modules[@]}"; do
    read -r path version sum files name <<<"$module"
    logged crds definitions "$path" "$version" "$sum" "$files" "$name" ||
      die "the definitions in $path $version could not be had, or have another checksum" \
        "go must reach its module proxy, and be 1.26.7 or newer; the whole log: .local/log/crds.log"
  done
  logged crds compile ||
    die "the judge of manifests could not be compiled" \
      "go must reach its module proxy, and be 1.26.7 or newer; the whole log: .local/log/crds.log"
  rm -rf "$new/modules" "$new/objects" "$new/said.json"
  put_in_place "$new" "$final"
  stamp crds "$want"
fi
printf '%s\n' "$final"
