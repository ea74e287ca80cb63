#!/bin/sh
# Adds a caller, or gives one a new secret. Prints the secret; the old one ends at once.
# Usage: ./callers.sh add NAME [ROLE...]    ./callers.sh rotate NAME
set -eu
cd "$(dirname "$0")"
set -a
# shellcheck source=/dev/null
. ./.env
set +a
exec docker compose exec -T --env KEYCLOAK_ADMIN_PASSWORD n8n node /provision/callers.mjs "$@"
