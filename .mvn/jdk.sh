# Sourced by mvnw and by every script of ours: leaves JAVA_HOME at a JDK of level 21 or newer, first on PATH.
# Keeps JAVA_HOME if it is new enough, else takes the newest JDK under the usual folders.

tulle_jdk_level() { # prints the feature level of the JDK in $1, or nothing
  [ -x "$1/bin/javac" ] && [ -r "$1/release" ] || return 0
  sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release"
}

tulle_find_jdk() {
  best= best_level=20
  level=$(tulle_jdk_level "${JAVA_HOME:-/nonexistent}")
  if [ "${level:-0}" -ge 21 ]; then return 0; fi
  for home in ${TULLE_JDK_DIRS:-/usr/lib/jvm/* /usr/java/* /opt/java/* /opt/jdk* "$HOME"/.sdkman/candidates/java/* \
      "$HOME"/.jdks/* /Library/Java/JavaVirtualMachines/*/Contents/Home}; do
    level=$(tulle_jdk_level "$home")
    if [ "${level:-0}" -gt "$best_level" ]; then best=$home best_level=$level; fi
  done
  if [ -z "$best" ]; then
    echo "tulle: no JDK of level 21 or newer found: install one (for example the package temurin-25-jdk or openjdk-21-jdk) or set JAVA_HOME" >&2
    return 1
  fi
  JAVA_HOME=$best
}

tulle_find_jdk || exit 1
export JAVA_HOME
PATH=$JAVA_HOME/bin:$PATH
