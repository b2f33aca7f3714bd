#!/usr/bin/env bash
# PgBouncer in transaction mode: pgbouncer.sh start DIR PORT | stop DIR | kill DIR | install | version
# In front of the PostgreSQL server on 127.0.0.1:$PGBOUNCER_TO (see postgres.sh), for the user app.
# DIR must be reachable by the user postgres: as root, it runs as that user.
SVC=pgbouncer
source "$(dirname "$0")/lib.sh"
need_args "$@"

install() {
  bin=/usr/sbin/pgbouncer
  [ -x "$bin" ] || apt_need pgbouncer
}

start() {
  install
  running "$dir" && { say "already running"; return; }
  reaped "$dir"
  port_free "$port" || die "port $port is taken"
  : "${PGBOUNCER_TO:?names the port of the PostgreSQL server}"
  mkdir -p "$dir"
  echo '"app" "app"' >"$dir/users"
  cat >"$dir/ini" <<INI
[databases]
* = host=127.0.0.1 port=$PGBOUNCER_TO
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
unix_socket_dir =
auth_type = plain
auth_file = $dir/users
pool_mode = transaction
default_pool_size = ${PGBOUNCER_POOL:-2}
max_client_conn = 200
query_wait_timeout = 3
server_login_retry = 1
ignore_startup_parameters = extra_float_digits,intervalstyle
INI
  local user=()
  if [ "$(id -u)" = 0 ]; then
    user=(setpriv --reuid=postgres --regid=postgres --init-groups --)
    chown -R postgres "$dir"
  fi
  (cd "$dir" && spawn "$dir" "${user[@]}" "$bin" "$dir/ini")
  wait_ready "$dir" 30 tcp "$port"
  say "ready postgres://app:app@127.0.0.1:$port/app"
}

dir=$(realpath -m "${2:-.}") port=${3:-}
case $1 in
  install) install ;;
  version) /usr/sbin/pgbouncer --version | awk 'NR == 1 { print $2 }' ;;
  start) start ;;
  kill) kill_pid "$dir" ;;
  stop) stop_pid "$dir" 20 INT ;;
esac
