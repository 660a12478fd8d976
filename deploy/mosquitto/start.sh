#!/bin/sh
# Set the passwords of the service users from the environment, keep those of the stations, start the broker.
# A service user without a password in the environment is removed: it cannot log in.
set -eu
umask 077
data=${MOSQUITTO_DATA:-/mosquitto/data}
config=${MOSQUITTO_CONFIG:-/mosquitto/config/mosquitto.conf}
passwords=$data/passwords
: "${SERAYU_MQTT_INGEST_PASSWORD:?a password for ingest is needed}"
touch "$passwords"

service_user() {
    if [ -n "$2" ]; then
        mosquitto_passwd -b "$passwords" "$1" "$2"
    elif grep -q "^$1:" "$passwords"; then
        mosquitto_passwd -D "$passwords" "$1"
    fi
}

service_user svc.ingest "$SERAYU_MQTT_INGEST_PASSWORD"
service_user svc.api "${SERAYU_MQTT_API_PASSWORD:-}"
service_user svc.simulator "${SERAYU_MQTT_SIMULATOR_PASSWORD:-}"
unset SERAYU_MQTT_INGEST_PASSWORD SERAYU_MQTT_API_PASSWORD SERAYU_MQTT_SIMULATOR_PASSWORD
exec mosquitto -c "$config"
