#!/bin/sh
# Starts n8n, puts users and API keys into it, and writes the keys to keys.env. Once only: a
# second run fails, because the owner is there already.
set -eu
cd "$(dirname "$0")"
set -a
# shellcheck source=/dev/null
. ./.env
set +a
umask 077
docker compose up --detach --wait n8n
docker compose exec -T --env N8N_OWNER_EMAIL --env N8N_OWNER_PASSWORD n8n \
  node /provision/provision.mjs >keys.env.new
mv keys.env.new keys.env
echo "keys.env is written. Next: docker compose up --detach"
