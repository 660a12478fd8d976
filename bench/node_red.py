"""Node-RED as a peer: one flow from MQTT to InfluxDB, writing per message or batched by hand.

Configured with care for what it can do: fixed client id, no clean session, QoS 1. Install it outside the
repository: ``npm install node-red@4 node-red-contrib-influxdb``.
"""

import json
from pathlib import Path
from typing import Any

from serayu.models.topics import PREFIX

MEASUREMENT = "reading"
JOIN_MESSAGES, JOIN_S = 500, 1
_READINGS = """
const base = message[0];
const station = base.bn.split('/')[1];
"""
_PER_MESSAGE = (
    "const message = msg.payload;"
    + _READINGS
    + """
msg.payload = message.map(r => [
    {value: r.v, time: new Date((base.bt + (r.t || 0)) * 1000)}, {station, property: r.n}]);
return msg;
"""
)
_BATCH = (
    "const points = [];\nfor (const message of msg.payload) {"
    + _READINGS
    + """
    for (const r of message) {
        points.push({measurement: 'reading', fields: {value: r.v}, tags: {station, property: r.n},
                     timestamp: new Date((base.bt + (r.t || 0)) * 1000)});
    }
}
msg.payload = points;
return msg;
"""
)


def flows(
    *, broker_port: int, influx_port: int, database: str, batch: bool, client_id: str
) -> list[dict[str, Any]]:
    """Return the flow with its two configuration nodes."""
    broker = {
        "id": "broker", "type": "mqtt-broker", "broker": "127.0.0.1", "port": str(broker_port), "clientid": client_id,
        "cleansession": False, "autoConnect": True, "protocolVersion": "4", "keepalive": "60", "usetls": False,
    }  # fmt: skip
    influx = {
        "id": "influx", "type": "influxdb", "influxdbVersion": "1.x", "hostname": "127.0.0.1",
        "port": str(influx_port), "database": database, "usetls": False,
    }  # fmt: skip
    source: dict[str, Any] = {
        "id": "in", "z": "tab", "type": "mqtt in", "topic": f"{PREFIX}/+/+/+", "qos": "1", "datatype": "json",
        "broker": "broker", "wires": [["join" if batch else "convert"]],
    }  # fmt: skip
    join: dict[str, Any] = {
        "id": "join", "z": "tab", "type": "join", "mode": "custom", "build": "array", "property": "payload",
        "propertyType": "msg", "key": "topic", "count": str(JOIN_MESSAGES), "timeout": str(JOIN_S),
        "wires": [["convert"]],
    }  # fmt: skip
    convert: dict[str, Any] = {
        "id": "convert", "z": "tab", "type": "function", "func": _BATCH if batch else _PER_MESSAGE, "outputs": 1,
        "wires": [["out"]],
    }  # fmt: skip
    sink: dict[str, Any] = {"id": "out", "z": "tab", "influxdb": "influx", "precision": "", "wires": []}
    sink |= {"type": "influxdb batch"} if batch else {"type": "influxdb out", "measurement": MEASUREMENT}
    chain = [source, *([join] if batch else []), convert, sink]
    for place, node in enumerate(chain):  # without a place on the page it would be taken for a configuration
        node |= {"x": 100 + 150 * place, "y": 100}
    return [{"id": "tab", "type": "tab", "label": "bench"}, broker, influx, *chain]


def argv(modules: Path, folder: Path, *, port: int, flows: list[dict[str, Any]]) -> list[str]:
    """Write settings and flows below *folder* and return the command line.

    Parameters
    ----------
    modules
        Folder where npm installed Node-RED, the parent of ``node_modules``.
    folder
        Node-RED's user directory.
    port
        Where its own page would be.
    """
    (folder / "flows.json").write_text(json.dumps(flows), encoding="utf-8")
    settings = folder / "settings.js"
    settings.write_text(
        "module.exports = {uiHost: '127.0.0.1', flowFile: 'flows.json', disableEditor: true, credentialSecret: false,"
        " logging: {console: {level: 'info', metrics: false, audit: false}}};\n",
        encoding="utf-8",
    )
    program = modules.resolve() / "node_modules" / "node-red" / "red.js"
    return ["node", str(program), "--userDir", str(folder), "--settings", str(settings), "--port", str(port)]


def absent(modules: Path | None) -> str | None:
    """Return why it cannot be measured; None where it can."""
    if modules is None:
        return "no --node-red folder given"
    for name in ("node-red", "node-red-contrib-influxdb"):
        if not (modules / "node_modules" / name).is_dir():
            return f"no {name} in {modules.name}/node_modules"
    return None
