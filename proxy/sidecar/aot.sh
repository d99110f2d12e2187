#!/usr/bin/env bash
# Writes a cache of loaded classes beside the proxy's jar, so that it starts in a fraction of the time: a training run carries a few
# requests through both halves of one proxy. JDK 25: an AOT cache; JDK 21 to 24: a CDS archive. Prints the flag that uses it.
# A cache fits one JDK and one jar only; with another the JVM ignores it.
set -eu -o pipefail

usage="Usage: proxy/sidecar/aot.sh [JAR [PORT]]   (JAR: the shaded jar; PORT: first of three free ports, default 15990)"
case ${1:-} in -h | --help) echo "$usage" && exit 0 ;; esac

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../../.mvn/jdk.sh
. "$here/../../.mvn/jdk.sh"

jar=${1:-$(ls "$here"/target/tulle-sidecar-*-all.jar 2>/dev/null | sed -n 1p)}
port=${2:-15990}
[ -r "${jar:-}" ] || {
  echo "aot.sh: no jar: build it first with ./mvnw -pl proxy/sidecar -am package" >&2
  exit 1
}
level=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$JAVA_HOME/release")
if [ "$level" -ge 25 ]; then
  cache=${jar%.jar}.aot write=-XX:AOTCacheOutput=$cache use=-XX:AOTCache=$cache
else
  cache=${jar%.jar}.jsa write=-XX:ArchiveClassesAtExit=$cache use=-XX:SharedArchiveFile=$cache
fi

work=$(mktemp -d)
proxy=
end() {
  if [ -n "$proxy" ]; then kill "$proxy" 2>/dev/null || true; fi
  rm -rf "$work"
}
trap end EXIT INT TERM

# The application is the proxy's own admin server; the destination is the proxy's own inbound port.
cat >"$work/config.json" <<JSON
{"version":1,
 "workload":{"workload":"default/training","owner":"training","identity":"spiffe://cluster.local/ns/default/sa/training",
  "inbound":[{"name":"http","port":80,"servicePorts":[],"protocol":"http","listen":"127.0.0.1:$((port + 1))","application":"127.0.0.1:$port"}],
  "outbound":[{"listen":"127.0.0.1:$((port + 2))","destination":"svc:default/training:80"}],
  "policy":{"access":"open","unmeshed":"allow","sameIdentity":false,"grants":[]},"meshNetworks":[],"healthCheck":null},
 "destinations":[{"kind":"service","key":"svc:default/training:80","service":"default/training","protocol":"http",
  "routes":[{"name":"","matches":null,"clusters":[{"cluster":"default/training","weight":1}]}],
  "clusters":[{"name":"default/training","endpoints":[{"address":"127.0.0.1:$((port + 1))","workload":"","identity":null,"zone":""}]}]}],
 "trust":{"trustDomain":"cluster.local","anchors":[],"issuer":""}}
JSON

rm -f "$cache"
"$JAVA_HOME/bin/java" "$write" -XX:+UseSerialGC -Xmx64m -XX:-UsePerfData --enable-native-access=ALL-UNNAMED \
  -jar "$jar" --config "$work/config.json" --admin "127.0.0.1:$port" --admin-local off --drain-delay 0s --drain-timeout 1s \
  >"$work/log" 2>&1 &
proxy=$!

ask() { # one request over a plain socket; prints the status line
  (exec 3<>"/dev/tcp/127.0.0.1/$1" && printf 'GET %s HTTP/1.1\r\nHost: training\r\nConnection: close\r\n\r\n' "$2" >&3 && head -n 1 <&3) 2>/dev/null
}
for _ in $(seq 1 120); do
  case $(ask $((port + 2)) /livez) in *" 200 "*) ready=yes && break ;; esac
  kill -0 "$proxy" 2>/dev/null || break
  sleep 0.5
done
[ "${ready:-}" = yes ] || {
  echo "aot.sh: the training run did not answer:" >&2
  tail -n 5 "$work/log" >&2
  exit 1
}
for _ in $(seq 1 100); do ask $((port + 2)) /metrics >/dev/null; done
kill -TERM "$proxy"
wait "$proxy" || true
proxy=
[ -s "$cache" ] || {
  echo "aot.sh: the JVM wrote no cache:" >&2
  tail -n 5 "$work/log" >&2
  exit 1
}
echo "$use"
