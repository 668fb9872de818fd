# What the scripts of this image share.
# shellcheck shell=bash disable=SC2034
build=/tmp/build
cache=${CACHE_PATH:-/tmp/cache}
env=${ENV_PATH:-/tmp/env}
packs=/tmp/buildpacks
user=${USER:-herokuishuser}
export HOME=/app

unprivileged() {
	setpriv --reuid="$user" --regid="$user" --clear-groups "$@"
}

load_environment() {
	local file
	shopt -s nullglob
	for file in "$env"/*; do
		export "${file##*/}=$(cat "$file")"
	done
	for file in /app/.profile.d/*.sh; do
		# shellcheck source=/dev/null
		. "$file"
	done
	cd /app || exit
}
