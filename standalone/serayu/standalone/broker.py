"""The embedded broker: iotcore (rumqttd) in a child process, on loopback only, with bounded memory."""

import logging
import socket
import sys
from pathlib import Path

from serayu.models.broker_url import BrokerUrl
from serayu.models.command import write_atomically
from serayu.models.parent import leave_with_parent

# Bounded segments: a 4-million-message run grew to 1.39 GB without them (iotcore 0.4.0, measured). What the bound
# drops, the outboxes send again. One payload may be larger than ingest accepts, so that ingest can say so.
_CONFIG = """\
id = 0

[router]
id = 0
max_connections = 2000
max_outgoing_packet_count = 200
max_segment_size = 10485760
max_segment_count = 3

[v4.1]
name = "v4-1"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1

[v4.1.connections]
connection_timeout_ms = 60000
max_payload_size = 1048576
max_inflight_count = 100
dynamic_filters = true
"""


def embedded_broker_argv(port: int, folder: Path) -> list[str]:
    """Return the command that runs the broker; with `parent.LEAVE_VARIABLE` it ends with its parent.

    Parameters
    ----------
    port
        TCP port on 127.0.0.1.
    folder
        Where its configuration is written.
    """
    config = folder / "broker.toml"
    write_atomically(config, _CONFIG.format(port=port))
    return [sys.executable, "-m", "serayu.standalone.broker", str(config)]


def accepts(url: BrokerUrl) -> bool:
    """Say whether something listens at the broker's address."""
    try:
        with socket.create_connection((url.host, url.port), timeout=0.5):
            return True
    except OSError:
        return False


def free_port(preferred: int | None = None) -> int:
    """Return a free TCP port on 127.0.0.1: the preferred one if it is free."""
    for port in ([preferred] if preferred else []) + [0]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no free port on 127.0.0.1")


def _main() -> None:
    """Run the broker in this process until SIGTERM."""
    from iotcore import IotCoreBroker  # noqa: PLC0415 -- the broker's own process is the only one that loads it

    logging.basicConfig(level=logging.WARNING)
    logging.getLogger("rumqttd").setLevel(logging.CRITICAL)  # its spans print an ERROR per packet
    leave_with_parent()
    IotCoreBroker(config_path=sys.argv[1]).run_forever()


if __name__ == "__main__":
    _main()
