"""Rain, runoff, rivers and the scores of their forecasts: pure functions of numbers and arrays.

Nothing is imported here, so that a program that needs only :mod:`~serayu.models.hydrology.rise` or
:mod:`~serayu.models.hydrology.rain` on a small device does not load numpy.
"""
