"""The siren of a station: a relay that closes on high water from the station's own readings and limits.

It works without network, broker, clock or outbox. A level is the work of `SiagaMachine` on values that have gone
through the streaming quality control; a minimum duration above 0 keeps single values from sounding it, and a value
that fails its tests later is taken back. Each cause sounds for so long at most; what has sounded, and what has been
silenced, outlives a restart.
"""

import contextlib
import logging
import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import msgspec

from serayu.edge.outbox import Stamped
from serayu.edge.relay import Relay
from serayu.edge.siren_config import SirenConfig
from serayu.models.errors import RefusedError
from serayu.models.properties import OBSERVED_PROPERTIES
from serayu.models.quality.defaults import DEFAULT_PROFILES
from serayu.models.quality.flags import QualityFlag
from serayu.models.quality.streaming import StreamingQc
from serayu.models.siaga import SiagaMachine, SiagaState
from serayu.models.siaga_levels import Siaga
from serayu.models.times import US_PER_S, parse_rfc3339

__all__ = ["COMMAND_FILE", "STATE_FILE", "Siren", "SirenCommand", "SirenState"]

STATE_FILE, COMMAND_FILE = "siren.json", "siren-command.json"
OWN = "own"
_SAVE_S = 30.0  # of sounding may be forgotten by a power cut
_PULSE_MAX_S = 10.0
_ALERTS_MAX = 20
_log = logging.getLogger(__name__)


class SirenCommand(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody at the station wants: silence for some seconds (0 ends it), or a short try of the relay."""

    action: Literal["silence", "test"]
    seconds: float


class RemoteAlert(msgspec.Struct, frozen=True):
    """The part of a bulletin's document that a siren reads."""

    id: str
    station: str
    type: str
    status: str
    level: str
    expires: str


class SirenState(msgspec.Struct):
    """What outlives a restart.

    Parameters
    ----------
    boot_id, shift_us
        Start of the device, and what is added to its time so that the machine's time goes on over starts; how long
        it was switched off is not known and counts as nothing.
    machine
        What the machine remembers.
    causes
        What asks for sound: ``own``, and alerts by id.
    on_s
        Seconds that they have sounded.
    silence_s
        Seconds of silence left.
    alerts
        Bulletins in force by alert: identifier and end (microseconds UTC).
    """

    boot_id: str = ""
    shift_us: int = 0
    machine: SiagaState = msgspec.field(default_factory=SiagaState)
    causes: list[str] = msgspec.field(default_factory=list)
    on_s: float = 0.0
    silence_s: float = 0.0
    alerts: dict[str, tuple[str, int]] = msgspec.field(default_factory=dict)


class Siren:
    """Decides, and moves the relay.

    Parameters
    ----------
    config
        Limits and behaviour.
    relay
        The contact.
    station, folder
        Whose, and where its state lies.
    boot_id, boot_us
        The device's start and the time since then, microseconds.
    """

    def __init__(
        self, config: SirenConfig, *, relay: Relay, station: str, folder: Path, boot_id: str, boot_us: int
    ) -> None:
        self._config = config
        self._relay = relay
        self._station = station
        self._file, self._commands = folder / STATE_FILE, folder / COMMAND_FILE
        self.fault: str | None = None
        self._state = self._load()
        if self._state.boot_id != boot_id:
            last_us = self._state.machine.last_us
            self._state.shift_us = (
                0 if last_us is None or config.times == "reading" else last_us + 1 - boot_us
            )
            self._state.boot_id = boot_id
        self._machine = SiagaMachine(config.thresholds, config.settings(), state=self._state.machine)
        self._qc = StreamingQc(DEFAULT_PROFILES["stage"])
        self._last_us: int | None = None
        self._at_us, self._saved_us = boot_us, boot_us
        self._pulse_until_us = -1
        self._pulsed: tuple[str, ...] = ()
        self._on = False
        self._kept: bytes = b""
        self.sounded = 0

    @property
    def on(self) -> bool:
        """Whether the contact is closed."""
        return self._on

    @property
    def level(self) -> Siaga:
        """The level by the station's own readings."""
        return self._machine.level

    def take(self, samples: Iterable[Stamped]) -> None:
        """Look at readings; those of other properties are passed over."""
        for sample in samples:
            if sample.property != self._config.observed:
                continue
            value = _metres(sample)
            t_us = sample.t_us if self._config.times == "reading" else sample.boot_us + self._state.shift_us
            if value is not None and t_us is not None and (self._last_us is None or t_us > self._last_us):
                self._judge(t_us, value)

    def hear(self, payload: bytes, *, alert: str) -> None:
        """Take what stands under an alert's retained topic; an empty payload ends the alert here.

        Only a bulletin with status Actual, for this station and of the siren's level or above counts.
        """
        if not self._config.listen:
            return
        known = self._state.alerts
        if not payload:
            known.pop(alert, None)
            return
        try:
            told = msgspec.json.decode(payload, type=RemoteAlert)
            level, expires_us = Siaga(told.level), parse_rfc3339(told.expires)
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
            _log.warning("a bulletin was not understood: %s", error)
            return
        if told.station != self._station:
            return
        if told.status != "Actual" or told.type == "Cancel" or level.rank < self._config.siaga.rank:
            known.pop(alert, None)
        elif alert in known or len(known) < _ALERTS_MAX:
            known[alert] = (told.id, expires_us)

    def tend(self, boot_us: int, *, wall_us: int | None) -> None:
        """Move the relay to where it belongs now.

        Parameters
        ----------
        boot_us
            Time since the device started, microseconds.
        wall_us
            Time of day; None while the clock is not believed: then no alert lapses but by its longest sounding.
        """
        passed_s = max(0, boot_us - self._at_us) / US_PER_S
        self._at_us = boot_us
        state = self._state
        self._obey(boot_us)
        state.silence_s = max(0.0, state.silence_s - passed_s)
        if self._config.times == "boot":  # a sensor that comes back after days brings a flood of its own
            self._machine.lapse(boot_us + state.shift_us)
        causes = self._causes(wall_us)
        if set(causes) - set(state.causes) or not causes:
            state.on_s = 0.0  # something new, or all is over: the next cause has its full time
        elif self._on and not self._config.test:
            state.on_s += passed_s
        state.causes = causes
        self._move(self._wanted(boot_us))
        self._save(boot_us)

    def next_due_us(self) -> int | None:
        """Return when, by the device's time, the relay may have to move without a reading; None: not foreseen."""
        if self._pulse_until_us > self._at_us:
            return self._pulse_until_us
        if self._on:
            return self._at_us + max(1, round((self._config.max_on_s - self._state.on_s) * US_PER_S))
        return None

    def status(self) -> dict[str, object]:
        """Return what the siren does and why."""
        state = self._state
        return {
            "on": self._on,
            "level": self.level.value,
            "verified": self._machine.verified,
            "causes": list(state.causes),
            "on_s": round(state.on_s, 1),
            "spent": self._spent,
            "sounded": self.sounded,
            "mode": "silent" if self._config.silent else "test" if self._config.test else "live",
            "silence_s": round(state.silence_s),
            "fault": self.fault,
        }

    def close(self) -> None:
        """Keep the state and let go of the relay, which opens."""
        self._state.machine = self._machine.state
        self._write(msgspec.json.encode(self._state))
        try:
            self._relay.close()
        except (OSError, ValueError) as error:
            self._note(f"relay: {error}")
        self._on = False

    @property
    def _spent(self) -> bool:
        return self._state.on_s >= self._config.max_on_s

    def _judge(self, t_us: int, value: float) -> None:
        result = self._qc.push(t_us, value)
        if result.revised is not None and result.revised[0] is QualityFlag.FAIL and self._last_us is not None:
            self._machine.retract(self._last_us)
        self._machine.step(t_us, value, result.flag)
        self._last_us = t_us

    def _causes(self, wall_us: int | None) -> list[str]:
        alerts = self._state.alerts
        if wall_us is not None:
            for alert in [alert for alert, (_, end_us) in alerts.items() if end_us <= wall_us]:
                del alerts[alert]
        own = [OWN] if self._machine.level.rank >= self._config.siaga.rank else []
        return [*own, *sorted(alerts)]

    def _wanted(self, boot_us: int) -> bool:
        if boot_us < self._pulse_until_us:
            return True
        causes, config = self._state.causes, self._config
        if not causes or config.silent or self._state.silence_s > 0 or self._spent:
            self._pulsed = () if not causes else self._pulsed
            return False
        if not config.test:
            return True
        if set(causes) <= set(self._pulsed):
            return False
        self._pulsed = tuple(causes)
        self._pulse_until_us = boot_us + round(config.pulse_s * US_PER_S)
        return True

    def _move(self, wanted: bool) -> None:  # noqa: FBT001 -- the state is the whole message
        if wanted == self._on:
            return
        try:
            self._relay.set(wanted)
        except (OSError, ValueError) as error:
            self._note(f"relay: {error}")
            return
        self._on = wanted
        self.sounded += wanted
        causes = ", ".join(self._state.causes) or "test"
        _log.warning("siren %s: %s, level %s", "on" if wanted else "off", causes, self.level.value)

    def _obey(self, boot_us: int) -> None:
        """Carry out a command left in the folder, once."""
        try:
            payload = self._commands.read_bytes()
            self._commands.unlink()
        except FileNotFoundError:
            return
        except OSError as error:
            self._note(f"command: {error.strerror or error}")
            return
        try:
            command = msgspec.json.decode(payload, type=SirenCommand)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self._note(f"command: {error}")
            return
        seconds = command.seconds if math.isfinite(command.seconds) else 0.0
        if command.action == "silence":
            self._state.silence_s = max(0.0, seconds)
        elif not self._config.silent:
            self._pulse_until_us = boot_us + round(min(max(seconds, 0.0), _PULSE_MAX_S) * US_PER_S)

    def _load(self) -> SirenState:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=SirenState)
        except FileNotFoundError:
            return SirenState()
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            self._note(f"state: {error}")
            return SirenState()

    def _save(self, boot_us: int) -> None:
        """Keep what has changed in substance, and the seconds of sounding and silence now and then."""
        state = self._state
        state.machine = self._machine.state  # a value taken back gives the machine another
        limits = [(one.active, one.above_since_us, one.below_since_us) for one in state.machine.limits]
        kept = msgspec.json.encode((limits, state.causes, state.alerts, state.silence_s > 0, self._spent))
        running = (self._on or state.silence_s > 0) and boot_us - self._saved_us >= _SAVE_S * US_PER_S
        if kept != self._kept or running:
            self._kept, self._saved_us = kept, boot_us
            self._write(msgspec.json.encode(state))

    def _write(self, content: bytes) -> None:
        new = self._file.with_name(f"{self._file.name}.new")
        try:
            with new.open("wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            new.replace(self._file)
        except OSError as error:
            self._note(
                f"state: {error.strerror or error}"
            )  # a full card must not keep the siren from sounding
            with contextlib.suppress(OSError):
                new.unlink()

    def _note(self, reason: str) -> None:
        if self.fault != reason:
            _log.error("siren: %s", reason)
        self.fault = reason


def _metres(sample: Stamped) -> float | None:
    """Return a water level in metres, or None in a unit that it cannot have."""
    try:
        return OBSERVED_PROPERTIES["stage"].to_canonical(sample.value, sample.unit)
    except RefusedError:
        return None
