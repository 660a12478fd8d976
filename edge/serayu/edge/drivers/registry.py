"""Which class drives which kind of sensor; a class is imported when a station names its kind."""

import importlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from serayu.edge.config import DriverConfig, converted
from serayu.edge.drivers.driver import Driver, Setup
from serayu.models.errors import BadInputError
from serayu.models.properties import OBSERVED_PROPERTIES

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "bucket": "serayu.edge.drivers.bucket:TippingBucket",
        "csv_replay": "serayu.edge.drivers.csv_replay:CsvReplay",
        "simulated": "serayu.edge.drivers.simulated:Simulated",
        "ultrasonic": "serayu.edge.drivers.ultrasonic:Ultrasonic",
    }
)


def make_driver(config: DriverConfig, setup: Setup, *, field: str, file: Path | None = None) -> Driver:
    """Return a driver for a table of the settings.

    Parameters
    ----------
    config, setup
        The table, and what the agent gives.
    field, file
        Where the table stands, for messages.

    Raises
    ------
    BadInputError
        Unknown kind, property or option, or a value out of range.
    """
    if config.property is not None and config.property not in OBSERVED_PROPERTIES:
        known = ", ".join(OBSERVED_PROPERTIES)
        reason = f"unknown property {config.property!r}; known: {known}"
        raise BadInputError(reason, file=file, field=f"{field}.property")
    name = KINDS.get(config.kind, config.kind)
    module, _, attribute = name.partition(":")
    if not attribute:
        reason = f"unknown kind {config.kind!r}; known: {', '.join(KINDS)}, or module:Class"
        raise BadInputError(reason, file=file, field=f"{field}.kind")
    try:
        kind = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise BadInputError(f"{config.kind!r}: {error}", file=file, field=f"{field}.kind") from None
    options = converted(dict(config.options), kind.Options, file=file, prefix=f"{field}.options")
    try:
        driver: Driver = kind(options, setup)
    except ValueError as error:
        raise BadInputError(str(error), file=file, field=f"{field}.options") from None
    return driver
