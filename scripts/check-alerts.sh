#!/usr/bin/env bash
# Prometheus' own promtool reads the alert rules, runs their unit tests, and
# reads each query of the Grafana dashboard.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

promtool=$(scripts/install-observers.sh)/usr/bin/promtool
need python3 "Debian: apt-get install python3"
"$promtool" check rules deploy/prometheus/alerts.yaml
"$promtool" test rules deploy/prometheus/alerts.test.yaml

# Grafana's variables stand for these values.
queries=$(mktemp)
trap 'rm -f "$queries"' EXIT
python3 - deploy/grafana/dashboard.json >"$queries" <<'PY'
import json
import sys

with open(sys.argv[1]) as file:
    panels = json.load(file)["panels"]
rules = []
for panel in panels:
    for target in panel.get("targets", []):
        expr = target["expr"].replace("$__rate_interval", "5m")
        for name in ("job", "instance", "cluster"):
            expr = expr.replace("$" + name, "x")
        rules.append({"record": "query:%d" % len(rules), "expr": expr})
json.dump({"groups": [{"name": "dashboard", "rules": rules}]}, sys.stdout)
PY
"$promtool" check rules "$queries"
