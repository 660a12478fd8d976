"""Methods, their blend, the band and the file of a fitted post, on an invented chain of two posts."""

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import skops.io
from hypothesis import given, settings
from hypothesis import strategies as st

from serayu.models.errors import BadInputError
from serayu.models.flood.blend import blend_weights, name_of
from serayu.models.flood.conformal import calibrate
from serayu.models.flood.features import anchor, describe, features
from serayu.models.flood.fitted import FittedPost
from serayu.models.flood.folds import thinned, time_folds, training_rows
from serayu.models.flood.frame import Frame
from serayu.models.flood.methods.network import Network
from serayu.models.flood.methods.reservoir import Reservoir
from serayu.models.flood.methods.ridge import Ridge
from serayu.models.flood.methods.simple import Persistence, Trend
from serayu.models.flood.methods.trees import Boosting, Trees
from serayu.models.flood.selection import fit_post
from serayu.models.flood.skill import storm_skill
from serayu.models.flood.store import digest, load_post, save_post
from serayu.models.flood.table import Table, changes, situations, truth
from serayu.models.flood.travel import travel_time_rows
from serayu.models.flood.windows import (
    age_rows,
    filtered_bank,
    lagged,
    last_known,
    repaired,
    rolling_max,
    rolling_min,
    rolling_sum,
    rolling_sums,
    rows_since,
)

FloatArray = npt.NDArray[np.float64]
HOUR_US = 3_600_000_000
NAN = float("nan")
TRAVEL = 4
HORIZONS = (3.0, 6.0)


def river(*, hours: int = 3600, seed: int = 5, noise: float = 0.01) -> Frame:
    """A flood wave every few days, seen upstream four hours before; rain two hours before that."""
    rng = np.random.default_rng(seed)
    rain = np.where(rng.random(hours) < 0.02, rng.gamma(1.0, 12.0, hours), 0.0)
    wave = np.convolve(rain, np.exp(-np.arange(60) / 8.0) * (1 - np.exp(-np.arange(60) / 2.0)) / 25)[:hours]
    side = np.where(rng.random(hours) < 0.01, rng.gamma(1.0, 8.0, hours), 0.0)
    local = np.convolve(side, np.exp(-np.arange(40) / 5.0) / 25)[:hours]
    above = 1.0 + wave + rng.normal(0, noise, hours)
    here = (
        1.5 + 0.8 * np.concatenate([np.zeros(TRAVEL), wave[:-TRAVEL]]) + local + rng.normal(0, noise, hours)
    )
    here[rng.random(hours) < 0.02] = NAN
    return Frame(
        start_us=0, step_us=HOUR_US, level=here, upstream={"HULU": above}, rain={"R": rain},
        travel_time_h={"HULU": float(TRAVEL)},
    )  # fmt: skip


FIT = np.arange(2600)


@pytest.fixture(scope="module", name="frame")
def _frame() -> Frame:
    return river()


@pytest.fixture(scope="module", name="post")
def _post(frame: Frame) -> FittedPost:
    return fit_post(frame, FIT, HORIZONS, seed=3)


def index_of(frame: Frame, post: FittedPost, column: int) -> tuple[float, float]:
    """Persistence index and share inside the band after the fit part."""
    ahead = int(HORIZONS[column])
    rows = np.arange(2600, len(frame) - ahead)
    said = post.predict(frame, rows)
    now, then = anchor(frame)[rows], frame.level[rows + ahead]
    known = np.isfinite(now) & np.isfinite(then)
    missed = ((then - said.mean[:, column])[known] ** 2).sum()
    inside = (said.low[:, column] <= then) & (then <= said.high[:, column])
    return float(1 - missed / ((then - now)[known] ** 2).sum()), float(inside[known].mean())


class TestWindows:
    @pytest.mark.parametrize(
        ("values", "rows", "most", "total"),
        [
            pytest.param([2.0], 3, [2.0], [NAN], id="one"),
            pytest.param([NAN, NAN], 2, [NAN, NAN], [NAN, NAN], id="nothing known"),
            pytest.param([1, 5, 2, NAN, 3, 0], 1, [1, 5, 2, NAN, 3, 0], [1, 5, 2, NAN, 3, 0], id="one row"),
            pytest.param(
                [1, 5, 2, NAN, 3, 0], 2, [1, 5, 5, 2, 3, 3], [2, 6, 7, 4, 6, 3], id="half known counts"
            ),
        ],
    )
    def test_look_back_and_step_over_gaps(
        self, values: list[float], rows: int, most: list[float], total: list[float]
    ) -> None:
        row = np.array(values, dtype=np.float64)
        assert rolling_max(row, rows=rows) == pytest.approx(most, nan_ok=True)
        assert rolling_min(-row, rows=rows) == pytest.approx([-value for value in most], nan_ok=True)
        assert rolling_sum(row, rows=rows) == pytest.approx(total, nan_ok=True)

    def test_the_newest_value_has_an_age_and_a_limit(self) -> None:
        row = np.array([NAN, 4.0, NAN, NAN, NAN])
        assert last_known(row, limit=2) == pytest.approx([NAN, 4, 4, 4, NAN], nan_ok=True)
        assert age_rows(row, limit=9).tolist() == [9, 0, 1, 2, 3]
        assert rows_since(np.array([False, True, False]), limit=7).tolist() == [7, 0, 1]
        assert lagged(row, 1) == pytest.approx([NAN, NAN, 4, NAN, NAN], nan_ok=True)

    def test_a_bank_of_filters_says_the_same_of_few_rows_as_of_all(self) -> None:
        values = np.random.default_rng(0).gamma(0.3, 5.0, 300)
        values[40:44] = NAN
        bank = [np.array([0.5, 0.3, 0.2]), 0.9 ** np.arange(120)]
        few = np.array([0, 1, 50, 299])
        whole = filtered_bank(values, bank, np.arange(300))
        for column, part in zip(whole, filtered_bank(values, bank, few), strict=True):
            np.testing.assert_allclose(part[few], column[few], rtol=1e-9)
            assert np.isnan(part[100])
        together = rolling_sums(values, windows=(1, 6))
        np.testing.assert_array_equal(together[1], rolling_sum(values, rows=6))

    def test_a_lone_spike_is_repaired_and_a_flood_is_not(self) -> None:
        assert repaired(np.array([1.0, 1.0, 9.0, 1.1, 1.0]), jump=1.0)[2] == pytest.approx(1.05)
        flood = np.array([1.0, 1.0, 4.0, 3.0, 2.5])
        assert repaired(flood, jump=1.0).tolist() == flood.tolist()


class TestFeatures:
    @given(
        row=st.integers(700, 1500),
        kind=st.sampled_from(["level", "upstream", "rain"]),
        size=st.floats(-50, 999),
    )
    @settings(max_examples=8, deadline=None)
    def test_nothing_after_a_row_changes_it(self, row: int, kind: str, size: float) -> None:
        frame = river(hours=1600)
        spec = describe(frame, np.arange(600), HORIZONS)
        before = features(frame, np.array([row]), spec).values
        level, above, rain = frame.level.copy(), frame.upstream["HULU"].copy(), frame.rain["R"].copy()
        {"level": level, "upstream": above, "rain": rain}[kind][row + 1 :] = size
        later = replace(frame, level=level, upstream={"HULU": above}, rain={"R": rain})
        np.testing.assert_array_equal(before, features(later, np.array([row]), spec).values)
        # The same row among all the others: a table of the whole record says the same.
        whole = features(later, np.arange(row - 40, row + 1), spec).values[-1:]
        np.testing.assert_allclose(before, whole, rtol=1e-5, atol=1e-5)

    def test_a_spec_reads_nothing_after_the_fit_part(self, frame: Frame) -> None:
        cut = replace(frame, level=np.where(np.arange(len(frame)) > FIT[-1], 77.0, frame.level))
        assert describe(cut, FIT, HORIZONS) == describe(frame, FIT, HORIZONS)

    def test_the_travel_time_is_found(self, frame: Frame) -> None:
        assert travel_time_rows(frame.upstream["HULU"], frame.level, rows_per_hour=1) == TRAVEL

    def test_a_post_that_tells_nothing_has_no_travel_time(self) -> None:
        rng = np.random.default_rng(1)
        assert travel_time_rows(rng.normal(size=4000), rng.normal(size=4000), rows_per_hour=1) is None
        assert travel_time_rows(np.full(500, NAN), rng.normal(size=500), rows_per_hour=1) is None

    def test_what_became_of_a_row_is_the_change_and_the_greatest_rise(self) -> None:
        frame = Frame(start_us=0, step_us=HOUR_US, level=np.array([1.0, 3.0, 2.0, 5.0, 4.0]))
        got = changes(frame, np.array([0, 3]), frame.level, (1.0, 2.0))
        assert got == pytest.approx(np.array([[2, 1, 2, 2], [-1, NAN, -1, NAN]]), nan_ok=True)

    def test_the_truth_to_learn_from_ends_with_the_fit_part(self, frame: Frame) -> None:
        level = truth(frame, describe(frame, FIT, HORIZONS), until_row=100)
        assert np.isfinite(level[:100]).mean() > 0.95
        assert np.isnan(level[100:]).all()


class TestFolds:
    def test_blocks_cover_all_rows_and_keep_their_distance(self) -> None:
        fold_of = time_folds(np.abs(np.sin(np.arange(3000))), folds=4, seed=0)
        assert sorted(set(fold_of.tolist())) == [0, 1, 2, 3]
        assert (np.diff(fold_of) != 0).sum() <= 24
        teach = training_rows(fold_of, 2, gap=30)
        held = np.flatnonzero(fold_of == 2)
        assert np.abs(np.flatnonzero(teach)[:, None] - held[None, :]).min() > 30

    def test_thinning_keeps_the_storms_and_the_mean(self) -> None:
        activity = np.random.default_rng(0).gamma(0.3, 1.0, 60_000)
        kept, weight = thinned(activity, most=6000, seed=0)
        assert 4500 < len(kept) < 7500
        assert set(np.argsort(activity)[-500:].tolist()) <= set(kept.tolist())
        assert (activity[kept] * weight).sum() / 60_000 == pytest.approx(activity.mean(), rel=0.03)


class TestMethods:
    @pytest.mark.parametrize(
        "learner",
        [
            Persistence(),
            Trend(),
            Ridge(),
            Reservoir(),
            Boosting(seed=0),
            Trees(seed=0, count=10),
            Network(seed=0),
        ],
        ids=lambda learner: str(learner.name),
    )
    def test_each_says_a_finite_change_and_is_no_worse_than_none(
        self, frame: Frame, learner: Persistence | Trend | Ridge | Reservoir | Boosting | Trees | Network
    ) -> None:
        spec = describe(frame, FIT, HORIZONS)
        table = situations(frame, np.arange(3500), spec)
        became = changes(frame, np.arange(3500), frame.level, HORIZONS)
        known = np.asarray(np.isfinite(became).all(axis=1))
        fit, test = np.flatnonzero(known[:2500]), 2600 + np.flatnonzero(known[2600:])
        learner.fit(table.take(fit), became[fit], np.ones(len(fit)))
        said = learner.predict(table.take(test))
        assert said.shape == (len(test), 4)
        assert np.isfinite(said).all()
        ratio = ((became[test, :2] - said[:, :2]) ** 2).sum() / (became[test, :2] ** 2).sum()
        assert ratio <= (1.0 if learner.name in {"persistence", "trend"} else 0.6) + 1e-9

    def test_the_better_method_gets_the_weight_and_none_is_negative(self) -> None:
        rng = np.random.default_rng(2)
        change = rng.normal(size=2000)
        guesses = np.column_stack([change + rng.normal(0, 0.3, 2000), -change, rng.normal(size=2000)])
        weights = blend_weights(guesses, change, np.ones(2000))
        assert (weights >= 0).all()
        assert weights[0] > 0.8
        assert weights[2] < 0.1

    @pytest.mark.parametrize(
        ("weights", "name"),
        [([0, 0], "persistence"), ([0, 0.7], "trees"), ([0.25, 0.6], "blend(trees 0.60, ridge 0.25)")],
    )
    def test_a_blend_is_named_by_its_shares(self, weights: list[float], name: str) -> None:
        assert name_of(["ridge", "trees"], np.array(weights)) == name

    def test_one_flood_above_all_others_does_not_decide_every_coefficient(self) -> None:
        rng = np.random.default_rng(4)
        values = rng.normal(size=(2000, 3)).astype(np.float32)
        became = values[:, :1].astype(np.float64) + rng.normal(0, 0.1, (2000, 1))
        values[1000:1004, 1], became[1000:1004] = 3.0, 60.0
        table = Table(("a", "b", "c"), values, np.zeros(2000))
        ridge = Ridge()
        ridge.fit(table, became, np.ones(2000))
        calm = np.r_[0:900, 1100:2000]
        missed = ((became[calm] - ridge.predict(table)[calm]) ** 2).sum()
        assert missed < 0.2 * (became[calm] ** 2).sum()
        assert ridge.predict(table).max() <= 1.5 * 60

    def test_quantiles_of_errors_are_a_little_wider_for_few_of_them(self) -> None:
        rng = np.random.default_rng(6)
        error, inputs = rng.normal(size=(150, 2)), rng.normal(size=(150, 4))
        sizes, spreads, size = calibrate(inputs, error, np.arange(150) // 40, seed=0)
        assert sizes.of(inputs).shape == size.shape == (150, 2)
        band = spreads[0].errors(size[:1, 0])[0, [4, 12]] / size[0, 0]
        plain = np.quantile(error[:, 0] / size[:, 0], [0.1, 0.9])
        assert band[0] < plain[0]
        assert band[1] > plain[1]
        assert (
            calibrate(inputs, error * NAN, np.arange(150) // 40, seed=0)[1][0].errors(np.ones(1)).sum() == 0
        )


class TestFittedPost:
    def test_it_beats_persistence_after_the_fit_part_and_its_band_holds(
        self, frame: Frame, post: FittedPost
    ) -> None:
        for column in range(2):
            index, inside = index_of(frame, post, column)
            assert index > 0.4
            assert 0.7 <= inside <= 0.9
        assert post.shown == {3.0: True, 6.0: True}
        assert post.travel_h == {"HULU": TRAVEL}

    def test_neither_the_fit_nor_a_forecast_reads_what_comes_after_and_a_second_fit_is_the_same(self) -> None:
        frame, fit, rows = river(hours=1300), np.arange(1100), np.arange(1000, 1100)
        level, above, rain = frame.level.copy(), frame.upstream["HULU"].copy(), frame.rain["R"].copy()
        level[1100:], above[1100:], rain[1100:] = 99.0, NAN, 500.0
        other = replace(frame, level=level, upstream={"HULU": above}, rain={"R": rain})
        first, second = fit_post(frame, fit, [3], seed=3), fit_post(other, fit, [3], seed=3)
        said = first.predict(frame, rows).quantiles
        assert first.method == second.method
        np.testing.assert_array_equal(said, first.predict(other, rows).quantiles)
        np.testing.assert_array_equal(said, second.predict(other, rows).quantiles)
        np.testing.assert_array_equal(first.out_of_fold.mean, second.out_of_fold.mean)

    def test_one_row_says_what_it_says_among_many(self, frame: Frame, post: FittedPost) -> None:
        many = post.predict(frame, np.arange(2600, 3500)).mean[450]
        np.testing.assert_allclose(post.predict(frame, np.array([3050])).mean[0], many, atol=2e-3)

    def test_without_its_upstream_post_it_goes_on_and_says_so(self, frame: Frame, post: FittedPost) -> None:
        silent = frame.upstream["HULU"].copy()
        silent[2700:2720] = NAN
        broken = replace(frame, upstream={"HULU": silent})
        assert post.without(broken, 2699) == ()
        assert post.without(broken, 2705) == ()
        assert post.without(broken, 2710) == ("HULU",)
        assert np.isfinite(post.predict(broken, np.arange(2700, 2720)).mean).all()
        absent = replace(frame, upstream={})
        assert post.without(absent, 2710) == ("HULU",)
        index, _ = index_of(absent, post, 0)
        assert 0 < index < index_of(frame, post, 0)[0]

    def test_a_level_that_is_a_day_old_gives_no_forecast(self, frame: Frame, post: FittedPost) -> None:
        level = frame.level.copy()
        level[2800:2900] = NAN
        said = post.predict(replace(frame, level=level), np.array([2810, 2860]))
        assert np.isfinite(said.mean[0]).all()
        assert np.isnan(said.mean[1]).all()
        assert np.isnan(said.probability_above(2.0)[1]).all()

    def test_the_highest_ahead_is_reached_more_often_than_the_level_at_its_end(
        self, frame: Frame, post: FittedPost
    ) -> None:
        rows = np.arange(2600, 3590)
        limit = float(np.nanquantile(frame.level, 0.95))
        chance = post.probability_reaches(frame, rows, limit=limit, within_h=6.0)
        assert chance.mean() > post.predict(frame, rows).probability_above(limit)[:, 1].mean()
        reached = np.array([np.nanmax(frame.level[row + 1 : row + 7]) > limit for row in rows])
        # The chance is one: it tells storms from calm, and its mean is the frequency.
        assert chance[reached].mean() > 0.4
        assert chance[~reached].mean() < 0.1
        assert chance.mean() == pytest.approx(reached.mean(), abs=0.04)
        with pytest.raises(ValueError, match="must be one of"):
            post.probability_reaches(frame, rows, limit=limit, within_h=5.0)

    def test_held_out_forecasts_are_less_sure_of_themselves_than_memory(
        self, frame: Frame, post: FittedPost
    ) -> None:
        held = post.out_of_fold
        then = frame.level[FIT[:-6] + 6]
        known = np.isfinite(then) & np.isfinite(held.mean[:-6, 1])
        inside = (held.low[:-6, 1] <= then) & (then <= held.high[:-6, 1])
        assert len(held) == len(FIT)
        assert inside[known].mean() == pytest.approx(0.8, abs=0.04)
        fitted = post.predict(frame, FIT[:-6]).mean[known, 1]
        assert ((then[known] - held.mean[:-6, 1][known]) ** 2).sum() > ((then[known] - fitted) ** 2).sum()
        assert post.out_of_fold_highest.mean.shape == held.mean.shape

    def test_a_walk_at_random_is_not_shown(self) -> None:
        steps = np.random.default_rng(8).normal(0, 0.05, 1000)
        walk = Frame(start_us=0, step_us=HOUR_US, level=5 + np.cumsum(steps))
        assert not any(fit_post(walk, np.arange(1000), [3]).shown.values())

    def test_too_little_to_learn_from_is_persistence_and_not_shown(self) -> None:
        short = Frame(start_us=0, step_us=HOUR_US, level=np.linspace(1, 2, 20))
        post = fit_post(short, np.arange(20), HORIZONS)
        assert not any(post.shown.values())
        assert np.isfinite(post.predict(short, np.array([19])).mean).all()

    def test_an_empty_post_and_no_horizon_are_refused(self, frame: Frame) -> None:
        with pytest.raises(ValueError, match="no level"):
            fit_post(replace(frame, level=np.full(len(frame), NAN)), FIT, HORIZONS)
        with pytest.raises(ValueError, match="horizons"):
            fit_post(frame, FIT, ())


class TestSkill:
    def test_skill_needs_storms_that_are_foreseen(self) -> None:
        change = np.zeros(4000)
        change[100::200] = 1.0
        good = storm_skill(change, 0.7 * change, step_h=1.0, seed=0)
        assert good.storms == 20
        assert good.index == pytest.approx(1 - 0.3**2)
        assert good.shown
        assert not storm_skill(change, -0.1 * change, step_h=1.0, seed=0).shown
        assert not storm_skill(np.full(10, NAN), np.zeros(10), step_h=1.0, seed=0).shown


class TestStore:
    def test_a_file_gives_the_same_forecasts_and_is_private(
        self, frame: Frame, post: FittedPost, tmp_path: Path
    ) -> None:
        file = tmp_path / "post.model"
        mark = digest("P-1", {"alert": 2.0}, unit="m")
        save_post(file, post, station="P-1", digest=mark, fit_until_us=7)
        stored = load_post(file)
        rows = np.arange(2600, 2650)
        np.testing.assert_array_equal(
            stored.post.predict(frame, rows).quantiles, post.predict(frame, rows).quantiles
        )
        assert (stored.station, stored.digest, stored.fit_until_us) == ("P-1", mark, 7)
        assert stored.post.method == post.method
        assert stored.post.shown == post.shown
        assert file.stat().st_mode & 0o777 == 0o600
        assert mark != digest("P-1", {"alert": 2.1}, unit="m")
        with pytest.raises(ValueError, match="held-out"):
            _ = stored.post.out_of_fold

    def test_what_is_not_ours_is_refused(self, post: FittedPost, tmp_path: Path) -> None:
        file = tmp_path / "post.model"
        with pytest.raises(BadInputError, match="not a fitted flood model"):
            load_post(file)
        file.write_bytes(b"\x80\x04 pickle")
        with pytest.raises(BadInputError, match="not a fitted flood model"):
            load_post(file)
        save_post(file, post, station="P-1", digest="", fit_until_us=0)
        with zipfile.ZipFile(file) as archive:
            head, body = json.loads(archive.read("model.json")), archive.read("model.skops")
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("model.json", json.dumps(head | {"format": 99}))
            archive.writestr("model.skops", body)
        with pytest.raises(BadInputError, match="fit again"):
            load_post(file)

    def test_a_type_that_is_not_trusted_is_refused(self, post: FittedPost, tmp_path: Path) -> None:
        file = tmp_path / "post.model"
        save_post(file, post, station="P-1", digest="", fit_until_us=0)
        with zipfile.ZipFile(file) as archive:
            head = archive.read("model.json")
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("model.json", head)
            archive.writestr("model.skops", skops.io.dumps([Path("x")]))
        with pytest.raises(BadInputError, match="not trusted"):
            load_post(file)
