#!/usr/bin/env bash
# Installs the custom resource definitions of Istio, of the Gateway API and of Envoy Gateway into
# .local/crds/definitions, as their Go modules carry them, and compiles tests/real/crds, which judges
# manifests by them as an API server does. Prints the directory.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
source scripts/lib-go.sh

# The module, its version and its checksum, the files in it, and their name here.
modules=(
  "istio.io/api v1.32.0 h1:37mJvg9I0biYZAEQF+MATs4FNeCpXEIVO3LFpVb6iNM= kubernetes/customresourcedefinitions.gen.yaml istio.yaml"
  # Gateway API 1.6.1 is among these.
  "github.com/envoyproxy/gateway v1.9.1 h1:vAVp6/AlBXJ1aOhp1mxL7fNEzVEfjADUguUhm2wzxQY= charts/gateway-helm/charts/crds/crds envoy-gateway"
)

from="tests/real/crds"
final="$LOCAL/crds"
new="$final.new"
want=$(key scripts/install-crds.sh scripts/lib-go.sh "$from/go.mod" "$from/go.sum" "$from/main.go")

locked crds
if ! stamped crds "$want" || [ ! -x "$final/crds" ]; then
  need go "install Go 1.26 or newer from https://go.dev/dl"
  say "compiling the judge of manifests (about 1 minute, 20 MB)"
  fresh_log crds
  rm -rf "$new"
  mkdir -p "$new/definitions"
  for module in "${modules[@]}"; do
    read -r path version sum files name <<<"$module"
    logged crds go_files "$path" "$version" "$sum" "$files" "definitions/$name" ||
      die "the definitions in $path $version could not be had, or have another checksum" \
        "go must reach its module proxy, and be 1.26.7 or newer; the whole log: .local/log/crds.log"
  done
  logged crds go_program "$from" crds . -ldflags '-s -w' ||
    die "the judge of manifests could not be compiled" \
      "go must reach its module proxy, and be 1.26.7 or newer; the whole log: .local/log/crds.log"
  go_done
  put_in_place "$new" "$final"
  stamp crds "$want"
fi
printf '%s\n' "$final"
