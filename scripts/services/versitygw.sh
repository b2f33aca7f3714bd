#!/usr/bin/env bash
# Versity's S3 gateway over a folder, built from its Go module: versitygw.sh start DIR PORT | stop DIR | kill DIR | install | version
# Endpoint http://127.0.0.1:PORT, path style, region us-east-1; access key testkey, secret key testsecret.
#   S3_KEY, S3_SECRET   other keys
# The first build takes minutes. It obeys conditions on PUT and on DELETE.
SVC=versitygw
source "$(dirname "$0")/lib.sh"
need_args "$@"

install() { go_need versitygw github.com/versity/versitygw/cmd/versitygw@v1.8.0; }

start() {
  install
  running "$dir" && { say "already running"; return; }
  port_free "$port" || die "port $port is taken"
  mkdir -p "$dir/data" "$dir/iam"
  local key=${S3_KEY:-testkey} secret=${S3_SECRET:-testsecret}
  export ROOT_ACCESS_KEY=$key ROOT_SECRET_KEY=$secret
  spawn "$dir" "$SVC_CACHE/bin/versitygw" --quiet --keep-alive --port "127.0.0.1:$port" --iam-dir "$dir/iam" posix "$dir/data"
  wait_ready "$dir" 15 tcp "$port"
  say "ready http://$key:$secret@127.0.0.1:$port"
}

dir=$(realpath -m "${2:-.}") port=${3:-}
case $1 in
  install) install ;;
  version) go_version versitygw ;;
  start) start ;;
  kill) kill_pid "$dir" ;;
  stop) stop_pid "$dir" ;;
esac
