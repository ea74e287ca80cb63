#!/bin/sh
# Starts n8n, adds an owner and the provisioning key, and writes that key and a new seed to keys.env.
# Run it once: a second run fails, because the owner exists.
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
