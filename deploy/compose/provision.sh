#!/bin/sh
# ./provision.sh          starts n8n, adds an owner and the provisioning key, and writes that key and a new
#                         seed to keys.env. Once: a second run fails, because the owner exists.
# ./provision.sh rotate   makes a new provisioning key, hands it to Envoy, and deletes the old one.
set -eu
cd "$(dirname "$0")"
set -a
# shellcheck source=/dev/null
. ./.env
set +a
umask 077
in_n8n() {
  docker compose exec -T --env N8N_OWNER_EMAIL --env N8N_OWNER_PASSWORD --env N8N_GATE_SEED n8n \
    node /provision/provision.mjs "$@"
}
case "${1-}" in
  "")
    docker compose up --detach --wait n8n
    in_n8n >keys.env.new
    mv keys.env.new keys.env
    ./apply.sh >/dev/null
    echo "keys.env is written. Next: docker compose up --detach"
    ;;
  rotate)
    # shellcheck source=/dev/null
    . ./keys.env
    export N8N_GATE_SEED
    in_n8n rotate >keys.env.new
    mv keys.env.new keys.env
    # The environment has changed, so this starts Envoy anew. The old key is good until Envoy serves again.
    docker compose up --detach --wait envoy
    in_n8n retire
    ;;
  *)
    echo "usage: ./provision.sh [rotate]" >&2
    exit 2
    ;;
esac
