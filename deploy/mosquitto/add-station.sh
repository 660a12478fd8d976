#!/bin/sh
# Give a station its broker user, with a new random password that is printed once and kept only as a hash:
#   docker compose exec mosquitto sh /mosquitto/config/add-station.sh bgs-hulu
# Run again it replaces the password; `mosquitto_passwd -D FILE STATION` and a SIGHUP take the user away.
set -eu
LC_ALL=C
umask 077
station=${1:-}
passwords=${MOSQUITTO_DATA:-/mosquitto/data}/passwords
bad() {
    echo "station id '$station': a lower-case letter, then 1 to 39 of a-z, 0-9 and -" >&2
    exit 2
}
case $station in
    '' | *[!a-z0-9-]* | [!a-z]* | ?) bad ;;
esac
[ "${#station}" -le 40 ] || bad
password=$(head -c 24 /dev/urandom | base64 | tr '+/' '-_')
touch "$passwords"
mosquitto_passwd -b "$passwords" "$station" "$password"
kill -HUP "${MOSQUITTO_PID:-1}"
echo "$password"
