"""A bare subscriber on stock paho that only counts: the measure of what a Python consumer could reach.

Prints ``ready`` once subscribed (QoS 1), and one JSON line when it has counted enough or has waited for too long.
"""

import argparse
import json
import threading
import time
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from serayu.models.topics import PREFIX

STALL_S = 10.0


class Counter:
    """Counts messages and notes when each came."""

    def __init__(self, expected: int) -> None:
        self.came_ns: list[int] = []
        self.cpu_s = [0.0, 0.0]
        self.done = threading.Event()
        self._expected = expected

    def on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        if message.retain:  # what an earlier subject left on the broker
            return
        came_ns = self.came_ns
        if not came_ns:
            self.cpu_s[0] = time.process_time()
        came_ns.append(time.monotonic_ns())
        if len(came_ns) == self._expected:
            self.cpu_s[1] = time.process_time()
            self.done.set()


def _report_when_done(client: Client, counter: Counter) -> None:
    """Print the result; gives up when nothing has come for `STALL_S`."""
    seen = -1
    while not counter.done.wait(STALL_S) and seen != len(counter.came_ns):
        seen = len(counter.came_ns)
    cpu_s = (counter.cpu_s[1] or time.process_time()) - counter.cpu_s[0]
    print(json.dumps({"came_ns": counter.came_ns, "cpu_s": cpu_s}), flush=True)
    client.disconnect()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.paho_bare", description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--messages", type=int, required=True)
    options = parser.parse_args()
    counter = Counter(options.messages)
    client = Client(CallbackAPIVersion.VERSION2, client_id="bench-bare")

    def on_connect(client: Client, *_: Any) -> None:  # noqa: ANN401 -- paho's
        client.subscribe(f"{PREFIX}/+/+/+", qos=1)

    client.on_connect = on_connect
    client.on_subscribe = lambda *_: print("ready", flush=True)
    client.on_message = counter.on_message
    client.connect("127.0.0.1", options.port)
    threading.Thread(target=_report_when_done, args=(client, counter), daemon=True).start()
    client.loop_forever()


if __name__ == "__main__":
    main()
