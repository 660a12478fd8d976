"""Writes an agent's settings as the TOML that `serayu.edge.config.load_config` reads."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from serayu.edge.config import AgentConfig

__all__ = ["to_toml", "write_config"]


def to_toml(config: AgentConfig) -> str:
    """Return the settings as TOML; what stands at its default is left out.

    Examples
    --------
    >>> from serayu.edge.config import AgentConfig, DriverConfig
    >>> print(to_toml(AgentConfig("33.02", "bgs-hulu", Path("/s"), (DriverConfig("simulated", "stage"),))))
    region = "33.02"
    station = "bgs-hulu"
    state = "/s"
    <BLANKLINE>
    [[driver]]
    kind = "simulated"
    property = "stage"
    interval_s = 60.0
    <BLANKLINE>
    """
    table: dict[str, Any] = msgspec.to_builtins(config, enc_hook=_plain)
    default: dict[str, Any] = msgspec.to_builtins(AgentConfig("0", "default", Path(), ()), enc_hook=_plain)
    drivers = table.pop("driver")
    lines = _lines({name: v for name, v in table.items() if not isinstance(v, dict) and v != default[name]})
    for name, inner in table.items():
        if isinstance(inner, dict):
            usual = default[name] or {}
            changed = {key: value for key, value in inner.items() if key not in usual or value != usual[key]}
            lines += _section(name, changed) if changed else []
    for driver in drivers:
        options = driver.pop("options")
        lines += ["", "[[driver]]", *_lines(driver)]
        lines += ["", "[driver.options]", *_lines(options)] if options else []
    return "\n".join(lines) + "\n"


def write_config(config: AgentConfig, file: Path) -> None:
    """Write the settings to a file."""
    file.write_text(to_toml(config), encoding="utf-8")


def _plain(value: object) -> str:
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(f"{type(value).__name__} cannot stand in TOML")


def _section(name: str, table: Mapping[str, Any]) -> list[str]:
    """Return a table and the tables in it."""
    lines = ["", f"[{name}]", *_lines({key: v for key, v in table.items() if not isinstance(v, dict)})]
    for key, inner in table.items():
        lines += _section(f"{name}.{key}", inner) if isinstance(inner, dict) and inner else []
    return lines


def _lines(table: Mapping[str, Any]) -> list[str]:
    return [f"{name} = {_value(value)}" for name, value in table.items() if value is not None]


def _value(value: object) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else f"{'-' if value < 0 else ''}inf"
    if isinstance(value, Path):
        value = str(value)
    if isinstance(value, str):
        # JSON's strings are TOML's too, but for escaped surrogate pairs and a bare DEL.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(item) for item in value)}]"
    raise NotImplementedError(f"{type(value).__name__} cannot stand in a driver's options")
