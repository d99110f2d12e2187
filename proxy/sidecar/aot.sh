#!/usr/bin/env bash
# Writes a cache beside the proxy's jar, so that it starts in a fraction of the time and compiles the right code first: a rehearsal puts
# HTTP/1.1, HTTP/2 and opaque bytes over mutual TLS through two proxies in one process. JDK 25: an AOT cache with method profiles;
# JDK 21 to 24: a CDS archive. Prints the flag that uses it. A cache fits one JDK, one jar and one set of flags; else the JVM ignores it.
set -eu -o pipefail

usage="Usage: proxy/sidecar/aot.sh [JAR [TIME]]   (JAR: the shaded jar; TIME: of the rehearsal, default 20s)"
case ${1:-} in -h | --help) echo "$usage" && exit 0 ;; esac

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
for finder in "$here/jdk.sh" "$here/../../.mvn/jdk.sh"; do
  if [ -r "$finder" ]; then
    # shellcheck source=../../.mvn/jdk.sh
    . "$finder"
    break
  fi
done

jar=${1:-$(ls "$here"/target/tulle-sidecar-*-all.jar "$here"/tulle-sidecar.jar 2>/dev/null | sed -n 1p || true)}
time=${2:-20s}
[ -r "${jar:-}" ] || {
  echo "aot.sh: no jar: build it first with ./mvnw -pl proxy/sidecar -am package" >&2
  exit 1
}
level=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$JAVA_HOME/release")
if [ "$level" -ge 25 ]; then
  cache=${jar%.jar}.aot write=-XX:AOTCacheOutput use=-XX:AOTCache
else
  cache=${jar%.jar}.jsa write=-XX:ArchiveClassesAtExit use=-XX:SharedArchiveFile
fi

# Written beside and moved, so that a proxy that starts meanwhile never sees half of it.
log=$(mktemp)
trap 'rm -f "$log" "$cache.new"' EXIT
if ! timeout 600 "$JAVA_HOME/bin/java" "@$here/jvm.options" "$write=$cache.new" -jar "$jar" --rehearse "$time" >"$log" 2>&1 ||
  grep -q 'rehearsed 0 ' "$log" || [ ! -s "$cache.new" ]; then
  echo "aot.sh: the rehearsal wrote no cache:" >&2
  tail -n 5 "$log" >&2
  exit 1
fi
mv -f "$cache.new" "$cache"
echo "$use=$cache"
