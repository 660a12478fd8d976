"""What closes and opens a siren's contact."""

import importlib
from pathlib import Path
from typing import Protocol

from serayu.edge.siren_config import SirenConfig
from serayu.models.errors import BadInputError

__all__ = ["PinRelay", "Relay", "make_relay"]


class Relay(Protocol):
    """A contact; open after it is made."""

    def set(self, on: bool) -> None:  # noqa: FBT001 -- the state is the whole message
        """Close or open the contact; OSError or ValueError where that is not possible."""
        ...

    def close(self) -> None:
        """Open the contact and let go of it."""
        ...


class PinRelay:
    """A relay on a GPIO pin; open when the agent ends, as gpiozero lets go of the pin.

    Raises
    ------
    ValueError
        No pin library, no such pin, or pin in use.
    """

    def __init__(self, pin: int | str, *, active_high: bool = True) -> None:
        import gpiozero  # noqa: PLC0415 -- stations without a pin relay need no gpiozero

        from serayu.edge.drivers.pins import pins_in_use  # noqa: PLC0415 -- the same

        self._in_use = pins_in_use
        with pins_in_use():
            self._output = gpiozero.OutputDevice(pin, active_high=active_high, initial_value=False)

    def set(self, on: bool) -> None:  # noqa: FBT001 -- as the protocol
        """Close or open the contact."""
        with self._in_use():
            if on:
                self._output.on()
            else:
                self._output.off()

    def close(self) -> None:
        """Open the contact and let go of the pin."""
        with self._in_use():
            self._output.off()
            self._output.close()


def make_relay(config: SirenConfig, *, file: Path | None = None) -> Relay:
    """Return the relay of some settings.

    Raises
    ------
    BadInputError
        The class or the pin cannot be had; names the field.
    """
    if config.driver is None:
        try:
            return PinRelay(config.pin or 0, active_high=config.active_high)
        except (ValueError, ImportError) as error:
            raise BadInputError(str(error), file=file, field="siren.pin") from None
    module, _, attribute = config.driver.partition(":")
    try:
        relay: Relay = getattr(importlib.import_module(module), attribute)(dict(config.options))
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise BadInputError(f"{config.driver!r}: {error}", file=file, field="siren.driver") from None
    return relay
