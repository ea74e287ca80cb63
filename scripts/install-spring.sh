#!/usr/bin/env bash
# Installs Spring Authorization Server, as Maven Central has it and tests/real/spring
# pins it, into .local/spring, and compiles the one class there that starts it.
# Prints the directory.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

from="tests/real/spring"
final="$LOCAL/spring"
new="$final.new"
want=$(key scripts/install-spring.sh "$from/pom.xml" "$from/AuthorizationServer.java")

locked spring
if ! stamped spring "$want" || [ ! -f "$final/classes/AuthorizationServer.class" ]; then
  need javac "Debian: apt-get install openjdk-17-jdk-headless"
  need mvn "Debian: apt-get install maven"
  version=$(sed -n 's/.*<version>\([0-9.]*\)<.*/\1/p' "$from/pom.xml" | head -n 1)
  say "installing Spring Authorization Server of Spring Boot $version (about 30 seconds, 26 MB)"
  fresh_log spring
  rm -rf "$new"
  # A repository of its own: what Maven needs to fetch the rest goes with it.
  logged spring mvn --batch-mode --no-transfer-progress --strict-checksums \
    -Dmaven.repo.local="$new/maven" -f "$from/pom.xml" \
    org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$new/lib" ||
    die "Spring Authorization Server could not be fetched" "Maven must reach Maven Central" \
      "the whole log: .local/log/spring.log"
  rm -rf "$new/maven"
  logged spring javac -cp "$new/lib/*" -d "$new/classes" "$from/AuthorizationServer.java" ||
    die "its class could not be compiled" "it needs a JDK 17 or newer" \
      "the whole log: .local/log/spring.log"
  put_in_place "$new" "$final"
  stamp spring "$want"
fi
printf '%s\n' "$final"
