"""A storm over the demonstration region, from rain to what every sensor reads."""

from serayu.standalone.storm.playback import write_series
from serayu.standalone.storm.simulate import Storm

__all__ = ["Storm", "write_series"]
