#!/usr/bin/env bash
# Makes a Java runtime of only what the proxy needs (jlink), and prints what an image of it would hold, in MB.
set -eu -o pipefail

usage="Usage: proxy/sidecar/runtime.sh [FOLDER]   (FOLDER: for the runtime, must not exist; default proxy/sidecar/target/runtime)"
case ${1:-} in -h | --help) echo "$usage" && exit 0 ;; esac

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../../.mvn/jdk.sh
. "$here/../../.mvn/jdk.sh"

runtime=${1:-$here/target/runtime}
jar=$(ls "$here"/target/tulle-sidecar-*-all.jar 2>/dev/null | sed -n 1p || true)
[ -r "${jar:-}" ] || {
  echo "runtime.sh: no jar: build it first with ./mvnw -pl proxy/sidecar -am package" >&2
  exit 1
}
[ ! -e "$runtime" ] || {
  echo "runtime.sh: $runtime exists: remove it or choose another folder" >&2
  exit 1
}
# What jdeps finds in the jar, and the providers of elliptic curves and names that are found at run time only.
"$JAVA_HOME/bin/jlink" --add-modules java.base,java.logging,java.naming,java.sql,jdk.crypto.ec,jdk.jfr,jdk.unsupported \
  --strip-debug --no-header-files --no-man-pages --compress zip-6 --output "$runtime"
"$runtime/bin/java" -Xshare:dump >/dev/null
"$runtime/bin/java" "@$here/jvm.options" -jar "$jar" --version
mb() { du -sm "$1" | cut -f 1; }
printf '| %s | %s MB |\n' "runtime (jlink)" "$(mb "$runtime")" "jar" "$(mb "$jar")"
for cache in "${jar%.jar}.aot" "${jar%.jar}.jsa"; do
  if [ -r "$cache" ]; then printf '| %s | %s MB |\n' "cache ${cache##*.}" "$(mb "$cache")"; fi
done
