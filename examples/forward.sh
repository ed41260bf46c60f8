#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Adds, lists and removes forwards through the control socket of slirpd, or of slirp4netns; see
# slirpd-api(7). One request is one connection. Needs jq, and nc of OpenBSD.
#
#   forward.sh SOCKET add PROTO HOST_PORT GUEST_PORT    prints the id; HOST_PORT may be 8000-8009
#   forward.sh SOCKET list
#   forward.sh SOCKET remove ID
#
# Exit status: 1 if the request was refused, 2 if there was no reply or the usage is wrong.
set -eu

usage() {
	sed -n 's/^#   //p' "$0" >&2
	exit 2
}

# ask REQUEST FILTER: prints what FILTER makes of the reply, or why it was refused.
ask() {
	reply=$(printf '%s' "$1" | nc -N -U "$socket") || reply=
	if [ -z "$reply" ]; then
		echo "forward.sh: no reply from $socket" >&2
		exit 2
	fi
	printf '%s' "$reply" | jq -r "
		if .error then .error.detail // .error.desc | . + \"\\n\" | halt_error(1)
		else $2 end"
}

[ $# -ge 2 ] || usage
socket=$1
case $2,$# in
add,5)
	# The request is made by jq, which quotes what it is given.
	ask "$(jq -cn --arg proto "$3" --arg host "$4" --arg guest "$5" '
		def port: tonumber? // .;
		{execute: "add_hostfwd", arguments: {
			proto: $proto, host_addr: "127.0.0.1", host_port: ($host | port),
			guest_port: ($guest | port)}}')" .return.id
	;;
list,2)
	# slirp4netns has the entries beside "return" only.
	# shellcheck disable=SC2016
	ask '{"execute":"list_hostfwd"}' '(.return.entries // .entries)[] |
		"\(.id) \(.proto) \(.host_addr):\(.host_port) -> \(.guest_addr):\(.guest_port)"'
	;;
remove,3)
	ask "$(jq -cn --arg id "$3" \
		'{execute: "remove_hostfwd", arguments: {id: ($id | tonumber? // .)}}')" empty
	;;
*)
	usage
	;;
esac
