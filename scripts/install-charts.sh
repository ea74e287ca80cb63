#!/usr/bin/env bash
# Installs the Helm charts of Istio's gateway and of Envoy Gateway into
# .local/charts, as their Go modules carry them, and compiles tests/real/helm,
# which writes their objects with Helm's own packages. Prints the directory.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
source scripts/lib-go.sh

# The module, its version and its checksum, the files in it, and their name here.
charts=(
  # Istio's own module has no versions: this is its development towards 1.32.
  "istio.io/istio v0.0.0-20260827124520-eed52ebb66ad h1:ui9TJjRMAV/hb5ehQaZDq7IUGxuQP6dra9lapT/VjHI= manifests/charts/gateway istio-gateway"
  "github.com/envoyproxy/gateway v1.9.1 h1:vAVp6/AlBXJ1aOhp1mxL7fNEzVEfjADUguUhm2wzxQY= charts/gateway-helm envoy-gateway"
)

from="tests/real/helm"
final="$LOCAL/charts"
new="$final.new"
want=$(key scripts/install-charts.sh scripts/lib-go.sh "$from/go.mod" "$from/go.sum" "$from/main.go")

# A release of this chart has its own image in the values. Its definitions are in
# .local/crds.
release() {
  local chart="$new/envoy-gateway"
  sed -e "s|\${GatewayImage}|envoyproxy/gateway:v1.9.1|" -e "s|\${GatewayImagePullPolicy}|IfNotPresent|" \
    "$chart/values.tmpl.yaml" >"$chart/values.yaml"
  rm -rf "$chart/charts"
}

locked charts
if ! stamped charts "$want" || [ ! -x "$final/template" ]; then
  need go "install Go 1.26 or newer from https://go.dev/dl"
  say "compiling what writes charts, of Helm's packages (about 1 minute, 30 MB)"
  fresh_log charts
  rm -rf "$new"
  mkdir -p "$new"
  for chart in "${charts[@]}"; do
    read -r path version sum files name <<<"$chart"
    logged charts go_files "$path" "$version" "$sum" "$files" "$name" ||
      die "the chart in $path $version could not be had, or has another checksum" \
        "go must reach its module proxy, and be 1.26.7 or newer; the whole log: .local/log/charts.log"
  done
  release
  # It runs for a moment. Without optimisations it compiles in three quarters of the time.
  logged charts go_program "$from" template . '-gcflags=all=-N -l' -ldflags '-s -w' ||
    die "what writes charts could not be compiled" \
      "go must reach its module proxy, and be 1.26.7 or newer; the whole log: .local/log/charts.log"
  go_done
  put_in_place "$new" "$final"
  stamp charts "$want"
fi
printf '%s\n' "$final"
