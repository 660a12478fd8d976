"""MQTT in: decode, quality control, store, acknowledge; evaluate alerts; forward to the long store."""
