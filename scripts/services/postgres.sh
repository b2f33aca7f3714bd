#!/usr/bin/env bash
# PostgreSQL: postgres.sh start DIR PORT | stop DIR | kill DIR | install | version
# URL postgres://app:app@127.0.0.1:PORT/app; superuser postgres, password postgres.
#   PG_FSYNC=on|off                off: for tests that do not cut the power
#   PG_EXTRA='-c name=value ...'   more settings
#   PG_STANDBY_OF=PORT             a hot standby of the server on that port
# DIR must be reachable by the user postgres: as root, the server runs as that user.
SVC=postgres
source "$(dirname "$0")/lib.sh"
need_args "$@"

newest() { ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1; }

install() {
  [ -x "$(newest)/postgres" ] || apt_need postgresql-15
  bin=$(newest)
  [ "$(id -u)" != 0 ] || id -u postgres >/dev/null 2>&1 || useradd -r -m postgres
}

user=()
[ "$(id -u)" != 0 ] || user=(setpriv --reuid=postgres --regid=postgres --init-groups --)

init() { # makes the cluster
  if [ -n "${PG_STANDBY_OF:-}" ]; then
    (cd "$dir" && PGPASSWORD=postgres "${user[@]}" "$bin/pg_basebackup" -h 127.0.0.1 -p "$PG_STANDBY_OF" -U postgres -D "$dir/data" -R -X stream -c fast --no-sync) >"$dir/initdb.log" 2>&1 ||
      { tail -5 "$dir/initdb.log" >&2; die "pg_basebackup failed"; }
    return
  fi
  printf postgres >"$dir/pw"
  chmod 644 "$dir/pw"
  (cd "$dir" && "${user[@]}" "$bin/initdb" -D "$dir/data" -U postgres -E UTF8 --locale=C.UTF-8 -A scram-sha-256 --auth-local=trust --pwfile="$dir/pw" --no-sync) >"$dir/initdb.log" 2>&1 ||
    { tail -5 "$dir/initdb.log" >&2; die "initdb failed"; }
}

sql() { "$bin/psql" -qAtX -h "$dir/sock" -p "$port" -U postgres "$@"; }

start() {
  install
  running "$dir" && { say "already running"; return; }
  reaped "$dir"
  port_free "$port" || die "port $port is taken"
  mkdir -p "$dir/sock"
  if [ "$(id -u)" = 0 ]; then
    chown -R postgres "$dir"
    chmod 700 "$dir"
    "${user[@]}" test -x "$dir" || die "user postgres cannot reach $dir (a folder above is closed to it)"
  fi
  [ -s "$dir/data/PG_VERSION" ] || init
  local fsync=${PG_FSYNC:-on}
  # shellcheck disable=SC2086
  (cd "$dir" && spawn "$dir" "${user[@]}" "$bin/postgres" -D "$dir/data" -p "$port" -h 127.0.0.1 -k "$dir/sock" \
    -c max_prepared_transactions=64 -c max_connections=200 -c wal_level=logical -c shared_buffers=128MB \
    -c fsync="$fsync" -c full_page_writes="$fsync" ${PG_EXTRA:-})
  wait_ready "$dir" 60 "$bin/pg_isready" -q -h 127.0.0.1 -p "$port"
  [ "$(sql -c "select 1 from pg_roles where rolname = 'app'")" = 1 ] || sql -c "create role app login createdb password 'app'"
  [ "$(sql -c "select 1 from pg_database where datname = 'app'")" = 1 ] || {
    sql -c 'create database app owner app'
    sql -d app -c 'create extension if not exists citext; create extension if not exists pg_trgm'
  }
  say "ready postgres://app:app@127.0.0.1:$port/app"
}

dir=$(realpath -m "${2:-.}") port=${3:-}
case $1 in
  install) install ;;
  version) "$(newest)/postgres" --version | awk '{ print $3 }' ;;
  start) start ;;
  kill) kill_pid "$dir" ;;
  stop) stop_pid "$dir" 20 INT ;; # INT is its fast shutdown
esac
