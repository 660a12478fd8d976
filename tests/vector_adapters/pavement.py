"""Vectors of pavements: PCI of ASTM D6433, SDI, IRI, their matrix and soundness."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from serayu.models.pavement import bina_marga, curves, distress, pci
from tests.vector_adapters.values import Adapter


def _deduct_value(*, distress: str, severity: str, density_pct: float) -> Mapping[str, object]:
    return {"deduct": curves.deduct_value(distress, severity, density_pct)}


def _deduct_metric(*, distress: str, severity: str, density_m_per_m2_pct: float) -> Mapping[str, object]:
    return {"deduct": _metric(distress, severity, density_m_per_m2_pct)}


def _metric(name: str, severity: str, metres_per_100_m2: float) -> float:
    return distress.metric_deduct(distress.Distress(name), severity, metres_per_100_m2, area_m2=100)


def _allowable(*, hdv: float) -> Mapping[str, object]:
    return {"m": pci.allowable_deducts(hdv)}


def _cdv(*, total: float, q: int) -> Mapping[str, object]:
    return {"cdv": curves.corrected_deduct(total, q)}


def _compute(*, deducts: Sequence[float]) -> Mapping[str, object]:
    found = pci.pci(deducts)
    return {"pci": found.pci, "max_cdv": found.max_cdv, "rating": found.rating.value}


def _rating(*, pci: float) -> Mapping[str, object]:
    return {"rating": _rating_of(pci)}


def _rating_of(index: float) -> str:
    return pci.rating(index).value


def _sdi(
    *, crack_area_pct: float, crack_width_mm: float, potholes_per_km: float, rut_depth_cm: float
) -> Mapping[str, object]:
    found = bina_marga.sdi(
        crack_area_pct=crack_area_pct,
        crack_width_mm=crack_width_mm,
        potholes_per_km=potholes_per_km,
        rut_depth_cm=rut_depth_cm,
    )
    return {"sdi1": found.sdi1, "sdi2": found.sdi2, "sdi3": found.sdi3, "sdi": found.sdi}


def _sdi_class(*, sdi: float) -> Mapping[str, object]:
    return {"condition": bina_marga.sdi_class(sdi).value}


def _iri_class(*, iri_m_per_km: float, rule: str) -> Mapping[str, object]:
    if rule != "upper_inclusive":
        raise ValueError(f"unknown rule {rule!r}")
    return {"condition": bina_marga.iri_class(iri_m_per_km).value}


def _matrix(*, iri: float, sdi: float, variant: str = "A") -> Mapping[str, object]:
    return {
        "condition": bina_marga.matrix(iri_m_per_km=iri, sdi_value=sdi, variant=variant).value,
        "treatment": bina_marga.treatment(iri_m_per_km=iri, sdi_value=sdi).value,
    }


def _soundness(*, length_km: Mapping[str, float]) -> Mapping[str, object]:
    found = bina_marga.soundness({bina_marga.Condition(name): km for name, km in length_km.items()})
    return {
        "mantap_km": found.mantap_km,
        "tidak_mantap_km": found.tidak_mantap_km,
        "mantap_pct": found.mantap_pct,
    }


ADAPTERS: Mapping[str, Adapter] = MappingProxyType(
    {
        "pci.deduct_value": _deduct_value,
        "pci.deduct_value_chart": _deduct_value,
        "pci.deduct_value_metric": _deduct_metric,
        "pci.allowable_deducts": _allowable,
        "pci.cdv": _cdv,
        "pci.compute": _compute,
        "pci.rating": _rating,
        "sdi.compute": _sdi,
        "sdi.class": _sdi_class,
        "iri.class": _iri_class,
        "iri_sdi.matrix": _matrix,
        "kemantapan.percent": _soundness,
    }
)
