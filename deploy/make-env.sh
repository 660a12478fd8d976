#!/bin/sh
# Make .env from .env.example, with a new random value for every empty secret. Never overwrites one.
#   sh deploy/make-env.sh                   production: the broker knows no simulator
#   sh deploy/make-env.sh --with-simulator  also for profile edge-sim
set -eu
umask 077
cd "$(dirname "$0")/.."
target=${SERAYU_ENV_FILE:-.env}
if [ -e "$target" ]; then
    echo "$target exists and is left as it is" >&2
    exit 2
fi
simulator=no
[ "${1:-}" = --with-simulator ] && simulator=yes
while IFS= read -r line; do
    case $line in
        SERAYU_MQTT_SIMULATOR_PASSWORD=)
            [ $simulator = yes ] && line=$line$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n') ;;
        [A-Z]*=) line=$line$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n') ;;
    esac
    printf '%s\n' "$line"
done < .env.example > "$target.new"
mv "$target.new" "$target"
echo "$target written, readable by its owner only" >&2
