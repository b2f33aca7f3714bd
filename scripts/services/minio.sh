#!/usr/bin/env bash
# MinIO, an S3 server, built from its Go module: minio.sh start DIR PORT | stop DIR | kill DIR | install | version
# Endpoint http://127.0.0.1:PORT, path style, region us-east-1; access key testkey, secret key testsecret.
#   S3_KEY, S3_SECRET   other keys
# The first build takes minutes. It obeys conditions on PUT, and ignores them on DELETE: it deletes.
SVC=minio
source "$(dirname "$0")/lib.sh"
need_args "$@"

# The last release of its source.
install() { go_need minio github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c; }

start() {
  install
  running "$dir" && { say "already running"; return; }
  port_free "$port" || die "port $port is taken"
  mkdir -p "$dir/data"
  local key=${S3_KEY:-testkey} secret=${S3_SECRET:-testsecret}
  export MINIO_ROOT_USER=$key MINIO_ROOT_PASSWORD=$secret MINIO_REGION=us-east-1 MINIO_BROWSER=off MINIO_UPDATE=off
  # A fixed key, no secret, so that encryption by the server works.
  MINIO_KMS_SECRET_KEY="test-key:$(head -c32 /dev/zero | base64)"
  export MINIO_KMS_SECRET_KEY
  spawn "$dir" "$SVC_CACHE/bin/minio" server --quiet --address "127.0.0.1:$port" "$dir/data"
  wait_ready "$dir" 30 curl -fsS "http://127.0.0.1:$port/minio/health/ready"
  say "ready http://$key:$secret@127.0.0.1:$port"
}

dir=$(realpath -m "${2:-.}") port=${3:-}
case $1 in
  install) install ;;
  version) go_version minio ;;
  start) start ;;
  kill) kill_pid "$dir" ;;
  stop) stop_pid "$dir" ;;
esac
