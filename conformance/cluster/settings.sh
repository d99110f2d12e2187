# Sourced by the scripts of this folder: what a cluster is made of. Everything in the first block can be set from outside;
# clusters that differ in CLUSTER_DIR, HOST_LINK and the addresses live side by side and may share CLUSTER_BIN.

: "${CLUSTER_DIR:=${XDG_CACHE_HOME:-$HOME/.cache}/tulle/cluster}" # all that a cluster writes; short, for a socket's path ends at 107 bytes
: "${CLUSTER_BIN:=$CLUSTER_DIR/bin}"                              # what `build` makes
: "${CLUSTER_LOGS:=$CLUSTER_DIR/logs}"                            # a file for each component, and the pods' logs
: "${CLUSTER_KEEP_STATE:=}"                                       # not empty: objects survive down and up
: "${CLUSTER_IPV6:=auto}"                                         # auto: dual-stack if the kernel can; yes; no
: "${HOST_LINK:=kube0}"                                           # the machine's end of the one link to the node
: "${HOST_IP:=10.200.0.1}"                                        # the machine, seen from the cluster
: "${NODE_IP:=10.200.0.2}"                                        # the cluster, seen from the machine
: "${NODE_NAME:=node}"
: "${POD_CIDR:=10.244.0.0/24}"
: "${SERVICE_CIDR:=10.96.0.0/16}"
: "${API_SERVICE_IP:=10.96.0.1}"
: "${DNS_SERVICE_IP:=10.96.0.10}"
: "${CLUSTER_DOMAIN:=cluster.local}"
: "${OCI_RUNTIME:=runc}"

# The IPv6 networks take the first two numbers of their IPv4 sisters, so they differ where those do.
sister() { # an IPv4 address or network
  local a b
  IFS=. read -r a b _ <<<"$1"
  echo "fd00:$a:$b:"
}
: "${HOST_IP6:=$(sister "$HOST_IP"):1}"
: "${NODE_IP6:=$(sister "$NODE_IP"):2}"
: "${POD_CIDR6:=$(sister "$POD_CIDR"):/64}"
: "${SERVICE_CIDR6:=$(sister "$SERVICE_CIDR"):/112}"

export CLUSTER_DIR CLUSTER_BIN CLUSTER_LOGS CLUSTER_KEEP_STATE CLUSTER_IPV6 HOST_LINK HOST_IP NODE_IP NODE_NAME POD_CIDR SERVICE_CIDR \
  API_SERVICE_IP DNS_SERVICE_IP CLUSTER_DOMAIN OCI_RUNTIME HOST_IP6 NODE_IP6 POD_CIDR6 SERVICE_CIDR6

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
me=cluster/$(basename "$0")
certificates=$CLUSTER_DIR/certificates
config=$CLUSTER_DIR/config
run=$CLUSTER_DIR/run
containerd_socket=$run/containerd.sock
node_pid_file=$run/node.pid
ready_file=$run/ready            # there as soon as `up` has seen everything work
cgroup=tulle-$HOST_LINK          # the node's group in every hierarchy: two kubelets must not clean up after each other
pause_image=tulle.test/pause:1
coredns_image=tulle.test/coredns:1
export KUBECONFIG=$CLUSTER_DIR/kubeconfig
export PATH=$CLUSTER_BIN:$PATH:/usr/sbin:/sbin
export CONTAINERD_ADDRESS=$containerd_socket CONTAINERD_NAMESPACE=k8s.io

die() {
  echo "$me: $*" >&2
  exit 1
}

# The comment at the head of the script is its help.
help() {
  awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0"
}

wrong_usage() {
  echo "$me: $*; --help tells more" >&2
  exit 2
}

needs_root() {
  [ "$(id -u)" = 0 ] || die "needs root, for namespaces, links and mounts of the node"
}

# The node's first process as the machine sees it, if it lives. Its environment tells it from another cluster's
# and from a stranger that was given the same number since.
node_pid() {
  local pid
  [ -s "$node_pid_file" ] && read -r pid <"$node_pid_file" && [ -r "/proc/$pid/environ" ] || return 1
  { tr '\0' '\n' <"/proc/$pid/environ" | grep -qxF "CLUSTER_DIR=$CLUSTER_DIR"; } 2>/dev/null || return 1
  { tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q '/node/init'; } 2>/dev/null || return 1
  echo "$pid"
}

# One `up`, `down` or `image` at a time for a cluster. The lock is that of file descriptor 9: what outlives the script must close it.
one_at_a_time() {
  mkdir -p "$run"
  exec 9>"$CLUSTER_DIR/lock"
  flock --wait 120 9 || die "another up, down or image of $CLUSTER_DIR has been busy for two minutes"
}

# The hierarchies of control groups: one each for version 1, a single one for version 2.
cgroup_hierarchies() {
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    echo /sys/fs/cgroup
  else
    local hierarchy
    for hierarchy in /sys/fs/cgroup/*; do
      [ ! -e "$hierarchy/tasks" ] || echo "$hierarchy"
    done
  fi
}
