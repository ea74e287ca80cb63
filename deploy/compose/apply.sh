#!/bin/sh
# Puts listener.yaml into effect without a restart. Envoy takes it, or refuses it and serves on with the
# last good one; then the last good one also stays in live/, so that a restart finds it.
set -eu
cd "$(dirname "$0")"
metrics=${METRICS:-http://127.0.0.1:9902/metrics}
count() {
  curl -fsS -m 5 "$metrics" 2>/dev/null | sed -n "s/^envoy_listener_manager_lds_update_$1{} //p"
}
mkdir -p live
good=$(count success)
if [ -z "$good" ]; then
  cp listener.yaml live/listener.yaml.new
  mv live/listener.yaml.new live/listener.yaml
  echo "Envoy does not run: it reads listener.yaml when it starts"
  exit 0
fi
bad=$(count rejected) unread=$(count failure)
[ ! -f live/listener.yaml ] || cp live/listener.yaml live/listener.yaml.before
# Envoy looks at a file that is moved here, not at one that is written here.
cp listener.yaml live/listener.yaml.new
mv live/listener.yaml.new live/listener.yaml
tries=0
while [ "$tries" -lt 60 ]; do
  if [ "$(count success)" != "$good" ]; then
    rm -f live/listener.yaml.before
    echo "listener.yaml is in effect"
    exit 0
  fi
  if [ "$(count rejected)" != "$bad" ] || [ "$(count failure)" != "$unread" ]; then break; fi
  tries=$((tries + 1))
  sleep 0.5
done
if [ -f live/listener.yaml.before ]; then
  mv live/listener.yaml.before live/listener.yaml
  # Envoy takes it once more. The next run of this script must not count that as its own.
  tries=0
  while [ "$(count success)" = "$good" ] && [ "$tries" -lt 40 ]; do
    tries=$((tries + 1))
    sleep 0.5
  done
fi
echo "error: Envoy did not take listener.yaml; the last good one serves on" >&2
echo "       docker compose logs --tail 20 envoy    says why" >&2
exit 1
