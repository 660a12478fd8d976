"""What can go wrong on a station, beside the errors of `serayu.models.errors`.

::

    SerayuError
    └── SensorFault      a sensor gave nothing that could be a reading; the next try may succeed
"""

from serayu.models.errors import SerayuError


class SensorFault(SerayuError):  # noqa: N818 -- a fault of the sensor, told in the status; the agent goes on
    """A sensor gave nothing that could be a reading."""
