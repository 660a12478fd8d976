"""Live forecasts: the very numbers of the backtest at the same row, and silence where nothing can be said."""

import logging
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import msgspec
import numpy as np
import pytest

from serayu.models.flood.build import build_post, usable_level
from serayu.models.flood.feeding import region_links
from serayu.models.flood.fitting import RegionFit, fit_region
from serayu.models.flood.kit import Kit
from serayu.models.flood.live import LiveForecasts
from serayu.models.flood.policy import PolicyState
from serayu.models.flood.series import PostInfo, Series
from serayu.models.flood.shelf import MOST_AGE_DAYS, model_file, model_files, read_card, refusal
from serayu.models.flood.store import load_post
from serayu.models.flood.stored import stored_series
from serayu.models.quality.flags import QualityFlag
from serayu.models.reading import Observation, SeriesKey
from serayu.models.region import Region, RegionInfo
from serayu.models.siaga import SiagaSettings, Thresholds
from serayu.models.siaga_forecast import RuleMemory
from serayu.models.station import Datastream, Station, StationKind
from serayu.models.stores.hot import HotStore
from serayu.models.times import US_PER_DAY, US_PER_HOUR
from serayu.models.warning.outlook import Outlook, OutlookStep

CODE = "33.02"
START_US = 1_760_000_000_000_000 // US_PER_HOUR * US_PER_HOUR
FIT_H, ALL_H = 1500, 1900
LIMITS = Thresholds(2.0, 3.0, 4.0, source="invented for this test", valid_from="-", approved_by="nobody")


def _station(
    name: str, slug: str, *, downstream: tuple[str, ...] = (), travel_h: float | None = None
) -> Station:
    kind = StationKind.RIVER if slug == "stage" else StationKind.RAIN
    travel_us = None if travel_h is None else round(travel_h * US_PER_HOUR)
    return Station(
        name, CODE, name, kind, 109.2, -7.4, (Datastream(slug, interval_s=3600),), "test",
        thresholds=LIMITS if slug == "stage" else None,
        siaga=SiagaSettings(travel_time_us=travel_us), downstream=downstream,
    )  # fmt: skip


REGION = Region(
    RegionInfo(CODE, "Uji", "test"),
    MappingProxyType(
        {
            "hulu": _station("hulu", "stage", downstream=("hilir",), travel_h=4),
            "hilir": _station("hilir", "stage"),
            "hujan": _station("hujan", "rain"),
        }
    ),
    Path(),
)
STAGE, UPPER, RAIN = (
    REGION.stations[n].key(s) for n, s in (("hilir", "stage"), ("hulu", "stage"), ("hujan", "rain"))
)


def river(hours: int) -> dict[SeriesKey, Series]:
    """Return an invented river: showers, two reservoirs, four hours of travel, a dead hour and a typing error."""
    rng = np.random.default_rng(5)
    rain = np.where(rng.random(hours) < 0.015, rng.gamma(2.0, 9.0, hours), 0.0)
    stores, levels = [0.0, 0.0], np.zeros((2, hours))
    delayed = np.zeros(hours)
    for t in range(hours):
        stores[0] = 0.85 * stores[0] + 0.05 * rain[t]
        delayed[t] = stores[0]
        stores[1] = 0.8 * stores[1] + (0.3 * delayed[t - 4] if t >= 4 else 0.0)
        levels[:, t] = 0.6 + stores[0], 0.8 + stores[1]
    levels += rng.normal(0, 0.004, levels.shape)
    levels[1, 700] = 19.0
    times = START_US + np.arange(hours) * US_PER_HOUR

    def made(values: np.ndarray, drop: int) -> Series:
        keep = np.arange(hours) != drop
        return Series(time_us=times[keep], value=np.round(values[keep], 3), flagged=np.zeros(hours - 1, bool))

    return {UPPER: made(levels[0], 801), STAGE: made(levels[1], 802), RAIN: made(rain, 803)}


@pytest.fixture(scope="module", name="place")
def _place(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[HotStore, Path, dict[SeriesKey, Series]]]:
    folder = tmp_path_factory.mktemp("data")
    series = river(ALL_H)
    until_us = START_US + FIT_H * US_PER_HOUR
    before = {
        key: Series(time_us=one.time_us[n], value=one.value[n], flagged=one.flagged[n])
        for key, one in series.items()
        if (n := one.time_us < until_us) is not None
    }
    done = dict(
        fit_region(
            RegionFit(
                region=REGION, series=before, data_dir=folder, now_us=until_us, learnt_from="given",
                only=("hilir",), horizons_h=(1.0, 3.0, 6.0),
            )
        )
    )  # fmt: skip
    assert done["hilir"]["horizons"]["3"]["shown"], done
    assert done["hilir"]["upstream"] == ["hulu"]
    with closing(HotStore(folder / "hot.sqlite")) as store:
        for key, one in series.items():
            store.write(
                [
                    Observation(key, t, v, received_us=t)
                    for t, v in zip(one.time_us.tolist(), one.value.tolist(), strict=True)
                ]
            )
        yield store, folder, series


def _backtest(folder: Path, series: dict[SeriesKey, Series], hour: int) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and band of the backtest's table at an hour."""
    stored = load_post(model_file(folder, "hilir"))
    until_us = stored.fit_until_us
    names = {"hilir": STAGE, "hulu": UPPER}
    fit = {name: usable_level(series[key], until_us + (name == "hulu")) for name, key in names.items()}
    infos = {
        name: PostInfo(station_id=name, variable=variable, unit="m", given_unit="m")
        for name, variable in {"hilir": "stage", "hulu": "stage", "hujan": "rain"}.items()
    }
    post = build_post(
        "hilir", levels=fit, rain={"hujan": series[RAIN]}, infos=infos,
        links=region_links(REGION, REGION.stations["hilir"]), fit_until_us=until_us,
    )  # fmt: skip
    row = round((START_US + hour * US_PER_HOUR - post.frame.start_us) / post.frame.step_us)
    at = stored.post.predict(post.frame, np.array([row]))
    return at.quantile(0.5)[0], np.stack([at.low[0], at.high[0]])


def test_a_live_forecast_is_the_backtests_at_the_same_row(
    place: tuple[HotStore, Path, dict[SeriesKey, Series]],
) -> None:
    store, folder, series = place
    live = LiveForecasts(REGION, store, folder)
    for hour in (1510, 1511, 1513, 1600, 1899):
        now_us = START_US + hour * US_PER_HOUR
        outlook = live.forecast("hilir", now_us)
        assert outlook is not None, live.silent
        middle, band = _backtest(folder, series, hour)
        shown = [
            place
            for place, hours in enumerate((1.0, 3.0, 6.0))
            if hours in {s.horizon_h for s in outlook.steps}
        ]
        assert [one.level_m for one in outlook.steps] == pytest.approx(middle[shown].tolist(), rel=1e-5)
        told = np.array([(one.low_m, one.high_m) for one in outlook.steps])
        assert told == pytest.approx(band.T[shown], rel=1e-5)
        assert (outlook.issued_us, outlook.without) == (now_us, ())
        assert live.forecast("hilir", now_us) is None, "a row is forecast once"


def test_a_warning_rule_told_row_by_row_keeps_its_memory_outside(
    place: tuple[HotStore, Path, dict[SeriesKey, Series]],
) -> None:
    store, folder, _ = place
    rules = Kit.of_plain(load_post(model_file(folder, "hilir")).kit).rules
    states = [PolicyState() for _ in rules]
    memory: list[RuleMemory] = []
    live = LiveForecasts(REGION, store, folder)
    said = set()
    for hour in range(1500, 1640):
        outlook = live.forecast("hilir", START_US + hour * US_PER_HOUR)
        if outlook is None:
            continue
        decision = live.decide(outlook, memory)
        assert decision is not None
        for rule, state, situation in zip(rules, states, live.situations("hilir"), strict=True):
            rule.step(state, situation)
        assert decision.foreseen == tuple(state.issue_us is not None for state in states)
        memory = msgspec.json.decode(msgspec.json.encode(decision.memory), type=list[RuleMemory])
        said.add(decision.foreseen)
    assert len(said) > 1, "the river warns in this stretch"
    assert live.decide(msgspec.structs.replace(outlook or _outlook(), issued_us=7), memory) is None


def _outlook() -> Outlook:
    return Outlook(
        region=CODE, station="hilir", issued_us=0, steps=(OutlookStep(1.0, 1.0, 0.9, 1.1, "ridge"),),
        probability=(0.1, 0.0, 0.0),
    )  # fmt: skip


def test_a_missing_upstream_post_is_named_and_a_silent_post_is_not_forecast(
    place: tuple[HotStore, Path, dict[SeriesKey, Series]],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    _, folder, series = place
    with closing(HotStore(tmp_path / "hot.sqlite")) as store:
        for key, last_h in ((STAGE, 1600), (RAIN, 1600), (UPPER, 1580)):
            one = series[key]
            store.write(
                [
                    Observation(key, t, v)
                    for t, v in zip(one.time_us.tolist(), one.value.tolist(), strict=True)
                    if t <= START_US + last_h * US_PER_HOUR
                ]
            )
        live = LiveForecasts(REGION, store, folder)
        outlook = live.forecast("hilir", START_US + 1600 * US_PER_HOUR)
        assert outlook is not None
        assert outlook.without == ("hulu",)
        with caplog.at_level(logging.WARNING):
            assert live.forecast("hilir", START_US + 1606 * US_PER_HOUR) is None
        assert "no level that can be believed for 6.0 h" in live.silent["hilir"]
        assert "no level that can be believed" in caplog.text


def test_a_model_for_other_limits_too_old_or_from_the_future_is_refused(
    place: tuple[HotStore, Path, dict[SeriesKey, Series]], caplog: pytest.LogCaptureFixture
) -> None:
    store, folder, _ = place
    post = REGION.stations["hilir"]
    card = read_card(model_file(folder, "hilir"))
    now_us = card.fit_until_us
    assert refusal(card, post, now_us=now_us) is None
    assert "days ago" in str(refusal(card, post, now_us=now_us + (MOST_AGE_DAYS + 1) * US_PER_DAY))
    assert "later than now" in str(refusal(card, post, now_us=now_us - 2 * US_PER_DAY))
    assert "fitted for" in str(refusal(card, REGION.stations["hulu"], now_us=now_us))
    assert "model format" in str(refusal(replace(card, format=0), post, now_us=now_us))
    assert "scikit-learn 0.1" in str(refusal(replace(card, sklearn="0.1"), post, now_us=now_us))
    higher = msgspec.structs.replace(post, thresholds=msgspec.structs.replace(LIMITS, awas_m=4.5))
    region = Region(REGION.info, MappingProxyType({**REGION.stations, "hilir": higher}), Path())
    live = LiveForecasts(region, store, folder)
    with caplog.at_level(logging.WARNING):
        assert live.forecast("hilir", now_us) is None
        assert live.forecast("hilir", now_us + US_PER_HOUR) is None
    assert "limits or datum" in live.refused["hilir"]
    assert caplog.text.count("limits or datum") == 1, "said once, not at every reading"


def test_a_model_is_taken_up_when_its_file_appears_and_dropped_when_it_goes(
    place: tuple[HotStore, Path, dict[SeriesKey, Series]], tmp_path: Path
) -> None:
    store, folder, _ = place
    live = LiveForecasts(REGION, store, tmp_path)
    now_us = START_US + 1700 * US_PER_HOUR
    assert live.forecast("hilir", now_us) is None
    file = model_file(tmp_path, "hilir")
    file.parent.mkdir(parents=True)
    file.write_bytes(b"no model")
    assert live.forecast("hilir", now_us) is None
    assert "not a fitted flood model" in live.refused["hilir"]
    file.write_bytes(model_file(folder, "hilir").read_bytes())
    assert live.forecast("hilir", now_us) is not None
    assert live.refused == {}
    assert [name for name, _ in model_files(tmp_path)] == ["hilir"]
    file.unlink()
    assert live.forecast("hilir", now_us + US_PER_HOUR) is None


def test_a_post_with_too_little_history_is_skipped_and_told_how_much_it_needs(tmp_path: Path) -> None:
    whole = river(ALL_H)[STAGE]
    series = {
        STAGE: Series(time_us=whole.time_us[:200], value=whole.value[:200], flagged=whole.flagged[:200])
    }
    task = RegionFit(region=REGION, series=series, data_dir=tmp_path, now_us=0, learnt_from="given")
    done = dict(fit_region(task))
    assert set(done) == {"hulu", "hilir"}
    assert done["hulu"]["reason"].startswith("0 hours")
    assert done["hilir"]["reason"].endswith(" hours with a good level, 720 (30 days) needed")


def test_failed_values_of_the_store_are_distrusted_and_suspect_ones_judged_again(tmp_path: Path) -> None:
    flags = (QualityFlag.GOOD, QualityFlag.SUSPECT, QualityFlag.FAIL)
    with closing(HotStore(tmp_path / "hot.sqlite")) as store:
        store.write([Observation(STAGE, at, 1.0 + at, flag) for at, flag in enumerate(flags)])
        found = stored_series(store, STAGE, 0, 10)
    assert found.flagged.tolist() == [False, False, True]
    assert found.value.tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("name", ["../hilir", "", "a/b", ".x"])
def test_a_station_id_cannot_lead_out_of_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="not a station id"):
        model_file(tmp_path, name)
