"""Unit hydrographs: the flood that one millimetre (or centimetre) of effective rain makes at the outlet."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["GamaI", "Nakayasu", "ScsUnitHydrograph", "convolve", "scs_lag_h"]

FloatArray = npt.NDArray[np.float64]

_LONG_RIVER_KM = 15.0
_MM_KM2_PER_H_IN_M3S = 1 / 3.6  # 1 mm over 1 km² in one hour is 1000 m³ / 3600 s
_TAIL = 1e-3  # ordinates stop where the recession has fallen to this share of the peak


def _require_positive(**values: float) -> None:
    for name, value in values.items():
        if not (value > 0 and np.isfinite(value)):
            raise ValueError(f"{name} must be a positive number, got {value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Nakayasu:
    """Nakayasu's synthetic unit hydrograph (HSS Nakayasu, SNI 2415:2016).

    Parameters
    ----------
    area_km2
        Area of the catchment A, km².
    length_km
        Length of the main river L, km.
    alpha
        Shape of the recession: 2 usual, 1.5 slow rise and fast fall, 3 fast rise and slow fall.
    rain_mm
        Depth of the unit rain R0, mm.
    duration_ratio
        Duration of the unit rain as a share of the lag (tr / tg): 0.5 to 1 in the method. Field values in
        Indonesia range from 0.13 to 2.67, so any positive ratio is taken.
    runoff_coefficient
        Share of the rain that runs off; 1 when the rain is already effective rain.

    Raises
    ------
    ValueError
        When a parameter is not a positive number.
    """

    area_km2: float
    length_km: float
    alpha: float = 2.0
    rain_mm: float = 1.0
    duration_ratio: float = 0.75
    runoff_coefficient: float = 1.0

    def __post_init__(self) -> None:
        _require_positive(
            area_km2=self.area_km2,
            length_km=self.length_km,
            alpha=self.alpha,
            rain_mm=self.rain_mm,
            duration_ratio=self.duration_ratio,
            runoff_coefficient=self.runoff_coefficient,
        )

    @property
    def lag_h(self) -> float:
        """Lag tg between the centre of the rain and the peak, h; two formulas, parted at 15 km of river."""
        if self.length_km > _LONG_RIVER_KM:
            return 0.4 + 0.058 * self.length_km
        return float(0.21 * self.length_km**0.7)

    @property
    def duration_h(self) -> float:
        """Duration tr of the unit rain, h."""
        return self.duration_ratio * self.lag_h

    @property
    def time_to_peak_h(self) -> float:
        """Time Tp from the start of the rain to the peak, ``tg + 0.8 tr``, h."""
        return self.lag_h + 0.8 * self.duration_h

    @property
    def recession_h(self) -> float:
        """Time T0.3 in which the flow falls from the peak to 0.3 of it, ``alpha · tg``, h."""
        return self.alpha * self.lag_h

    @property
    def peak_m3s(self) -> float:
        """Peak Qp, m³/s for the unit rain: ``C A R0 / (3.6 (0.3 Tp + T0.3))``."""
        volume = self.runoff_coefficient * self.area_km2 * self.rain_mm * _MM_KM2_PER_H_IN_M3S
        return volume / (0.3 * self.time_to_peak_h + self.recession_h)

    def corner_times_h(self) -> tuple[float, ...]:
        """Half the rise, the peak, and where each of three recession limbs has run its own length, h.

        At the last three the flow is 0.3, 0.09 and 0.027 of the peak: the method joins its limbs at the first
        two.
        """
        peak, fall = self.time_to_peak_h, self.recession_h
        return (0.5 * peak, peak, peak + fall, peak + 2.5 * fall, peak + 4.5 * fall)

    def discharge(self, time_h: npt.ArrayLike) -> FloatArray:
        """Flow at times after the start of the rain.

        Parameters
        ----------
        time_h
            Times, h, any shape; before 0 the flow is 0.

        Returns
        -------
        numpy.ndarray
            m³/s for the unit rain, shape of the input. The rise is ``(t / Tp)^2.4``, the recession ``0.3^x``
            with x growing over T0.3, then 1.5 T0.3, then 2 T0.3 (SNI 2415:2016).
        """
        time = np.asarray(time_h, dtype=np.float64)
        peak, fall = self.time_to_peak_h, self.recession_h
        after = time - peak
        exponent = np.select(
            [after <= fall, after <= 2.5 * fall],
            [after / fall, (after + 0.5 * fall) / (1.5 * fall)],
            default=(after + 1.5 * fall) / (2.0 * fall),
        )
        rising = (np.clip(time, 0.0, peak) / peak) ** 2.4
        return self.peak_m3s * np.where(after <= 0, rising, 0.3 ** np.maximum(exponent, 0.0))

    def ordinates(self, *, step_h: float) -> FloatArray:
        """Flow at 0, 1, 2, … steps for convolution, scaled to carry exactly the volume of the unit rain.

        The formula's own volume is within about 2 % of the rain and a table of steps adds its error; a
        simulation that must not make or lose water needs the scaling.

        Parameters
        ----------
        step_h
            Time step, h; at most the time to peak, or the table would miss the flood.

        Returns
        -------
        numpy.ndarray
            Shape (n,), m³/s, the first 0, until the recession is below a thousandth of the peak.
            ``sum · step_h · 3600`` is the volume of the unit rain over the area, m³.

        Raises
        ------
        ValueError
            When the step is not positive or longer than the time to peak.
        """
        if not 0 < step_h <= self.time_to_peak_h:
            raise ValueError(f"step must be above 0 and at most {self.time_to_peak_h:.3f} h, got {step_h}")
        # In the last limb 0.3^((t - Tp + 1.5 T)/(2 T)) reaches _TAIL at:
        end = self.time_to_peak_h + self.recession_h * (2.0 * np.log(_TAIL) / np.log(0.3) - 1.5)
        table = self.discharge(step_h * np.arange(int(np.ceil(end / step_h)) + 1))
        volume = self.runoff_coefficient * self.area_km2 * self.rain_mm * _MM_KM2_PER_H_IN_M3S
        return np.asarray(table * (volume / (float(table.sum()) * step_h)), dtype=np.float64)


def scs_lag_h(*, length_m: float, slope: float, curve_number: float) -> float:
    """Catchment lag of the SCS, from length, slope and curve number.

    Parameters
    ----------
    length_m
        Hydraulic length, m.
    slope
        Mean slope of the catchment, m/m.
    curve_number
        Curve number, above 0 and at most 100.

    Returns
    -------
    float
        ``L^0.8 (2540 - 22.86 CN)^0.7 / (14104 CN^0.7 Y^0.5)``, h (metric form in V. M. Ponce, Engineering
        Hydrology, and his worked examples at San Diego State University).

    Raises
    ------
    ValueError
        When a parameter is out of range.
    """
    _require_positive(length_m=length_m, slope=slope, curve_number=curve_number)
    if curve_number > 100:  # noqa: PLR2004 - the scale ends at 100 by definition
        raise ValueError(f"curve number must be at most 100, got {curve_number}")
    wetness = (2540.0 - 22.86 * curve_number) ** 0.7 / curve_number**0.7
    return float(length_m**0.8 * wetness / (14104.0 * slope**0.5))


@dataclass(frozen=True, slots=True, kw_only=True)
class ScsUnitHydrograph:
    """The SCS unit hydrograph of 1 cm of effective rain, from area and lag.

    Parameters
    ----------
    area_km2
        Area of the catchment, km².
    lag_h
        Lag, h, for instance from :func:`scs_lag_h`.

    Raises
    ------
    ValueError
        When a parameter is not a positive number.
    """

    area_km2: float
    lag_h: float

    def __post_init__(self) -> None:
        _require_positive(area_km2=self.area_km2, lag_h=self.lag_h)

    @property
    def duration_h(self) -> float:
        """Duration of the unit rain, ``2 tl / 9``, h."""
        return 2.0 * self.lag_h / 9.0

    @property
    def time_to_peak_h(self) -> float:
        """Time to peak, ``10 tl / 9``, h."""
        return 10.0 * self.lag_h / 9.0

    @property
    def peak_m3s_per_cm(self) -> float:
        """Peak, ``2.08 A / tp``, m³/s per cm (Ponce, as above)."""
        return 2.08 * self.area_km2 / self.time_to_peak_h

    @property
    def base_h(self) -> float:
        """Time base of the dimensionless hydrograph, ``5 tp``, h."""
        return 5.0 * self.time_to_peak_h

    def discharge(self, time_h: npt.ArrayLike) -> FloatArray:
        """Flow of the triangular form with the same peak; its base is 8/3 of the time to peak.

        Parameters
        ----------
        time_h
            Times after the start of the rain, h, any shape.

        Returns
        -------
        numpy.ndarray
            m³/s per cm, shape of the input.
        """
        peak = self.time_to_peak_h
        corners = np.array([0.0, peak, 8.0 / 3.0 * peak])
        return np.interp(np.asarray(time_h, dtype=np.float64), corners, [0.0, self.peak_m3s_per_cm, 0.0])


@dataclass(frozen=True, slots=True, kw_only=True)
class GamaI:
    """The Gama I synthetic unit hydrograph of Javanese rivers (Sri Harto, UGM; SNI 2415:2016).

    Parameters
    ----------
    area_km2
        Area A, km².
    length_km
        Length of the main river L, km.
    source_factor
        SF: length of first-order streams divided by the length of all streams, 0 to 1.
    symmetry_factor
        SIM: width factor times the relative upstream area.
    junctions
        JN: number of stream junctions.
    slope
        Mean slope of the river S, m/m.
    drainage_density_km_per_km2
        Length of all streams by area D, km/km².

    Raises
    ------
    ValueError
        When a parameter is not a positive number.
    """

    area_km2: float
    length_km: float
    source_factor: float
    symmetry_factor: float
    junctions: float
    slope: float
    drainage_density_km_per_km2: float

    def __post_init__(self) -> None:
        _require_positive(
            area_km2=self.area_km2,
            length_km=self.length_km,
            source_factor=self.source_factor,
            symmetry_factor=self.symmetry_factor,
            junctions=self.junctions,
            slope=self.slope,
            drainage_density_km_per_km2=self.drainage_density_km_per_km2,
        )

    @property
    def time_to_rise_h(self) -> float:
        """Time of rise TR, h: ``0.43 (L / 100 SF)³ + 1.0665 SIM + 1.2775``."""
        ratio = self.length_km / (100.0 * self.source_factor)
        return float(0.43 * ratio**3 + 1.0665 * self.symmetry_factor + 1.2775)

    @property
    def peak_m3s(self) -> float:
        """Peak QP, m³/s per mm: ``0.1836 A^0.5886 TR^-0.4008 JN^0.2381``."""
        size = self.area_km2**0.5886 * self.junctions**0.2381
        return float(0.1836 * size * self.time_to_rise_h**-0.4008)

    @property
    def storage_h(self) -> float:
        """Storage coefficient K of the recession, h: ``0.5617 A^0.1798 S^-0.1446 SF^-1.0697 D^0.0452``."""
        steepness = self.slope**-0.1446 * self.source_factor**-1.0697
        return float(0.5617 * self.area_km2**0.1798 * steepness * self.drainage_density_km_per_km2**0.0452)

    @property
    def base_flow_m3s(self) -> float:
        """Base flow QB, m³/s: ``0.4751 A^0.6444 D^0.9430``."""
        return float(0.4751 * self.area_km2**0.6444 * self.drainage_density_km_per_km2**0.9430)

    def discharge(self, time_h: npt.ArrayLike) -> FloatArray:
        """Direct flow: a straight rise to QP at TR, then ``QP e^(-(t - TR) / K)``.

        Parameters
        ----------
        time_h
            Times after the start of the rain, h, any shape.

        Returns
        -------
        numpy.ndarray
            m³/s per mm without base flow, shape of the input.
        """
        time = np.asarray(time_h, dtype=np.float64)
        rise = self.time_to_rise_h
        recession = np.exp(-np.maximum(time - rise, 0.0) / self.storage_h)
        return self.peak_m3s * np.where(time < rise, np.clip(time / rise, 0.0, 1.0), recession)


def convolve(effective_mm: npt.ArrayLike, ordinates_m3s_per_mm: npt.ArrayLike) -> FloatArray:
    """Direct flood hydrograph of effective rain: the discrete convolution.

    Parameters
    ----------
    effective_mm
        Effective rain of each step, shape (n,), mm.
    ordinates_m3s_per_mm
        Unit hydrograph at the same step, shape (m,), m³/s per mm.

    Returns
    -------
    numpy.ndarray
        Shape (n + m - 1,), m³/s; empty when either input is empty.

    Raises
    ------
    ValueError
        When an input is not one row of numbers.
    """
    rain = np.asarray(effective_mm, dtype=np.float64)
    ordinates = np.asarray(ordinates_m3s_per_mm, dtype=np.float64)
    if rain.ndim != 1 or ordinates.ndim != 1:
        raise ValueError(f"rain and ordinates must be rows, got shapes {rain.shape} and {ordinates.shape}")
    if rain.size == 0 or ordinates.size == 0:
        return np.zeros(0)
    return np.convolve(rain, ordinates)
