# shellcheck shell=bash
# What the service scripts share. Sourced, not run. Each script is called as
#   NAME.sh start DIR PORT | stop DIR | kill DIR | install | version
# and starts its server on 127.0.0.1 only, waits until it is ready, and stops it by its own process ID.
# What is built or downloaded is kept in $SVC_CACHE, for all DIRs and all runs.
set -euo pipefail
: "${SVC_CACHE:=${XDG_CACHE_HOME:-$HOME/.cache}/dataknobs-services}"

say() { echo "[$SVC] $*" >&2; }
die() { say "$*"; exit 1; }

need_args() {
  case "${1-}" in
    start) [ $# -ge 3 ] || die "usage: $0 start DIR PORT" ;;
    stop | kill) [ $# -ge 2 ] || die "usage: $0 $1 DIR" ;;
    install | version) ;;
    *) die "usage: $0 start DIR PORT | stop DIR | kill DIR | install | version" ;;
  esac
}

# One installer at a time.
lock() { mkdir -p "$SVC_CACHE"; exec 9>"$SVC_CACHE/$1.lock"; flock 9; }
unlock() { flock -u 9; exec 9>&-; }

apt_has() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }

# apt_need PKG...: installs what is missing, without letting Debian start the service itself.
apt_need() {
  local missing=() p made=0 rc=0
  for p in "$@"; do apt_has "$p" || missing+=("$p"); done
  [ ${#missing[@]} -eq 0 ] && return 0
  [ "$(id -u)" = 0 ] || die "needs the Debian packages ${missing[*]}: install them, or run this as root"
  lock apt
  [ -e /usr/sbin/policy-rc.d ] || { printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d; chmod +x /usr/sbin/policy-rc.d; made=1; }
  {
    apt-get update -qq &&
      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 "${missing[@]}"
  } >"$SVC_CACHE/apt.log" 2>&1 || rc=$?
  [ $made = 0 ] || rm -f /usr/sbin/policy-rc.d
  unlock
  [ $rc = 0 ] || { tail -5 "$SVC_CACHE/apt.log" >&2; die "apt-get failed"; }
}

# go_version BIN: the version of the module that a server was built from.
go_version() { go version -m "$SVC_CACHE/bin/$1" 2>/dev/null | awk '$1 == "mod" { print $3 }'; }

# go_need BIN PKG@VERSION: builds a server from its Go module.
go_need() {
  [ "$(go_version "$1")" != "${2#*@}" ] || return 0
  lock "go-$1"
  if [ "$(go_version "$1")" != "${2#*@}" ]; then
    say "building $2 (minutes)"
    GOBIN="$SVC_CACHE/bin" GOFLAGS='' CGO_ENABLED=0 GOTOOLCHAIN=local go install -ldflags='-s -w' "$2" >"$SVC_CACHE/$1.build.log" 2>&1 ||
      { tail -5 "$SVC_CACHE/$1.build.log" >&2; die "go install $2 failed"; }
  fi
  unlock
}

# venv_need NAME PYTHON MARKER REQ...: a virtual environment that holds exactly these requirements.
venv_need() {
  local name=$1 python=$2 marker=$3
  shift 3
  local v="$SVC_CACHE/venv-$name" want="$*"
  venv_ready() { [ -x "$v/bin/$marker" ] && [ "$(cat "$v/.want" 2>/dev/null)" = "$want" ]; }
  venv_ready && return 0
  lock "venv-$name"
  if ! venv_ready; then
    say "pip install $want"
    rm -rf "$v"
    { "$python" -m venv "$v" && "$v/bin/pip" install -q --disable-pip-version-check "$@"; } >"$SVC_CACHE/venv-$name.log" 2>&1 ||
      { tail -5 "$SVC_CACHE/venv-$name.log" >&2; die "pip install failed"; }
    echo "$want" >"$v/.want"
  fi
  unlock
}

# born PID: when a live process started; nothing for a zombie (a container's first process may never reap them).
born() {
  local s
  s=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  s=${s##*) }
  # shellcheck disable=SC2086
  set -- $s
  [ "$1" != Z ] && [ "$1" != X ] && echo "${20}"
}

# running DIR: the very process that spawn started lives, not a later one with its number.
running() {
  local p
  [ -s "$1/pid" ] && [ -s "$1/pid.born" ] || return 1
  p=$(cat "$1/pid")
  [ "$(born "$p")" = "$(cat "$1/pid.born")" ]
}

# reaped DIR: waits until a killed server's zombie is gone, which PostgreSQL takes for a live one.
reaped() {
  local p i
  [ -s "$1/pid" ] || return 0
  p=$(cat "$1/pid")
  for ((i = 0; i < 100; i++)); do
    { [ -e "/proc/$p" ] && [ -z "$(born "$p")" ]; } || return 0
    sleep 0.1
  done
}

tcp() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
port_free() { ! tcp "$1"; }

# spawn DIR CMD...: in the background, in a session of its own; process ID in DIR/pid, output in DIR/log.
spawn() {
  local d=$1
  shift
  (
    for fd in /proc/self/fd/*; do # nothing of the caller's, such as a lock, is held by the server
      fd=${fd##*/}
      [ "$fd" -le 2 ] || eval "exec $fd>&-"
    done
    exec setsid nohup "$@" >"$d/log" 2>&1 </dev/null
  ) &
  echo $! >"$d/pid"
  born $! >"$d/pid.born" || true
}

# wait_ready DIR SECONDS TEST...: until TEST succeeds; fails at once if the process has ended.
wait_ready() {
  local d=$1 n=$(($2 * 10)) i
  shift 2
  for ((i = 0; i < n; i++)); do
    "$@" >/dev/null 2>&1 && return 0
    running "$d" || { tail -15 "$d/log" >&2; die "ended before it was ready"; }
    sleep 0.1
  done
  tail -15 "$d/log" >&2
  die "not ready in time"
}

# stop_pid DIR [SECONDS] [SIGNAL]: signals, waits, kills; only the very process that spawn started.
stop_pid() {
  local d=$1 n=$((${2:-20} * 10)) sig=${3:-TERM} p i
  if running "$d"; then
    p=$(cat "$d/pid")
    kill "-$sig" "$p" 2>/dev/null || true
    for ((i = 0; i < n; i++)); do running "$d" || break; sleep 0.1; done
    if running "$d"; then kill -9 "$p" 2>/dev/null || true; fi
  fi
  rm -f "$d/pid" "$d/pid.born"
}

# kill_pid DIR: ends the server and all that it has started at once, as a crash would.
kill_pid() {
  local d=$1 p all i
  running "$d" || return 0
  p=$(cat "$d/pid")
  all="$p $(tr ' ' '\n' <"/proc/$p/task/$p/children" | xargs)"
  # shellcheck disable=SC2086
  kill -9 $all 2>/dev/null || true
  for ((i = 0; i < 100; i++)); do
    for q in $all; do [ -z "$(born "$q")" ] || { sleep 0.1; continue 2; }; done
    return 0
  done
  die "did not die"
}
