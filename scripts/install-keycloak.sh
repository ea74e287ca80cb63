#!/usr/bin/env bash
# Installs Keycloak, as Maven Central has it, into .local/keycloak, and builds it
# once for the end-to-end tests: a database in memory, so that each start is a
# new one. Prints the directory.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

version=26.7.3
checksum=27a6535553c3cdcd083872ba40629efafb3475e3b758e0c6f691395561dd0f1f

final="$LOCAL/keycloak"
new="$final.new"
zip="$LOCAL/keycloak.zip"

locked keycloak
if ! stamped keycloak "$version" || [ ! -f "$final/lib/quarkus-run.jar" ]; then
  need java "Debian: apt-get install openjdk-17-jre-headless"
  need mvn "Debian: apt-get install maven"
  need python3 "Debian: apt-get install python3"
  say "installing Keycloak $version (about 1 minute, 190 MB)"
  fresh_log keycloak
  rm -rf "$new" "$zip"
  # A repository of its own: what Maven needs to fetch one file goes with it.
  logged keycloak mvn --batch-mode --no-transfer-progress -Dmaven.repo.local="$new/maven" \
    org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
    -Dartifact="org.keycloak:keycloak-quarkus-dist:$version:zip" \
    -DoutputDirectory="$new" -Dmdep.stripVersion=true ||
    die "Keycloak $version could not be fetched" "Maven must reach Maven Central" \
      "the whole log: .local/log/keycloak.log"
  mv "$new/keycloak-quarkus-dist.zip" "$zip"
  rm -rf "$new"
  printf '%s  %s\n' "$checksum" "$zip" | sha256sum --check --quiet - ||
    die "Keycloak $version is not the file that it was" "it was fetched to .local/keycloak.zip"
  mkdir -p "$new"
  logged keycloak python3 -m zipfile -e "$zip" "$new"
  rm -f "$zip"
  mv "$new/keycloak-$version"/* "$new"
  rmdir "$new/keycloak-$version"
  logged keycloak sh "$new/bin/kc.sh" build --db=dev-mem ||
    die "Keycloak $version could not be built" "it needs Java 17 or newer" \
      "the whole log: .local/log/keycloak.log"
  put_in_place "$new" "$final"
  stamp keycloak "$version"
fi
printf '%s\n' "$final"
