#!/usr/bin/env bash
# LocalStack's S3, from PyPI, without Docker: localstack.sh start DIR PORT | stop DIR | kill DIR | install | version
# Endpoint http://127.0.0.1:PORT, path style, region us-east-1; any keys will do.
# Needs Python 3.12 or 3.13. It obeys conditions on PUT, and answers 501 to them on DELETE.
SVC=localstack
source "$(dirname "$0")/lib.sh"
need_args "$@"

python() { # the newest Python that will do: LocalStack's source needs 3.12, its requirements no 3.14
  local p root=${PYENV_ROOT:-$HOME/.pyenv}
  for p in python3.13 python3.12 "$root"/versions/3.13*/bin/python3 "$root"/versions/3.12*/bin/python3 python3; do
    p=$(command -v "$p") && "$p" -c 'import sys, venv, ensurepip; sys.exit(not (3, 12) <= sys.version_info < (3, 14))' 2>/dev/null && { echo "$p"; return; }
  done
  die "needs Python 3.12 or 3.13 with venv: install one, or name pyenv's folder by PYENV_ROOT"
}

version=4.14.0

# Without the pins of the last three it does not start.
install() {
  local p
  p=$(python) || exit 1
  venv_need localstack "$p" python "localstack-core[runtime]==$version" 'pyopenssl>=25,<26' 'cbor2<6' service_identity
}

start() {
  install
  running "$dir" && { say "already running"; return; }
  port_free "$port" || die "port $port is taken"
  mkdir -p "$dir"
  export GATEWAY_LISTEN=127.0.0.1:$port LOCALSTACK_HOST=127.0.0.1:$port LOCALSTACK_VOLUME_DIR="$dir/volume" TMPDIR="$dir"
  export SERVICES=s3 STRICT_SERVICE_LOADING=1 EAGER_SERVICE_LOADING=1 DISABLE_EVENTS=1 SKIP_SSL_CERT_DOWNLOAD=1 DNS_ADDRESS=0
  (cd "$dir" && spawn "$dir" "$SVC_CACHE/venv-localstack/bin/python" -m localstack.runtime.main)
  wait_ready "$dir" 90 curl -fsS "http://127.0.0.1:$port/_localstack/health"
  say "ready http://testkey:testsecret@127.0.0.1:$port"
}

dir=$(realpath -m "${2:-.}") port=${3:-}
case $1 in
  install) install ;;
  version) echo "$version" ;;
  start) start ;;
  kill) kill_pid "$dir" ;;
  stop) stop_pid "$dir" ;;
esac
