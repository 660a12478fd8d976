"""Drivers: one small class each, imported only where a station has that sensor."""

from serayu.edge.drivers.driver import Driver, EndOfData, Sample, Setup
from serayu.edge.drivers.registry import KINDS, make_driver

__all__ = ["KINDS", "Driver", "EndOfData", "Sample", "Setup", "make_driver"]
