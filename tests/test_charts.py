"""Charts: constant specifications over named tables, and one look per method."""

import colorsys
import json
from itertools import combinations

import altair as alt
import numpy as np
import pandas as pd
import pytest

from pgviz.charts import learning, theme
from pgviz.training import METRICS, presets
from pgviz.ui import screen

BUILDS = [
    (
        learning.instrument,
        ("reinforce", 60, name),
        {"middle", "limit"} if name == "grad_norm" else {"middle"},
    )
    for name in learning.INSTRUMENTS
]
charts = pytest.mark.parametrize(("build", "arguments", "tables"), BUILDS)


def data_names(spec):
    """The names of all data in a specification, at any depth."""
    if isinstance(spec, list):
        return set().union(*map(data_names, spec)) if spec else set()
    if not isinstance(spec, dict):
        return set()
    own = {spec["data"]["name"]} if "name" in spec.get("data", {}) else set()
    return own.union(*(data_names(value) for value in spec.values()))


def fields(spec):
    """Every field that an encoding reads."""
    if isinstance(spec, list):
        return set().union(*map(fields, spec)) if spec else set()
    if not isinstance(spec, dict):
        return set()
    own = {spec["field"]} if isinstance(spec.get("field"), str) else set()
    return own.union(*(fields(value) for value in spec.values()))


@charts
def test_a_specification_is_valid_and_names_its_tables(build, arguments, tables):
    spec = build(*arguments).to_dict()
    alt.Chart.from_dict(spec, validate=True)
    assert data_names(spec) == tables
    assert "datasets" not in spec
    assert fields(spec) <= {"update", "seed", "low", "high", *METRICS}


@charts
def test_the_page_sends_one_specification_whatever_the_tables_hold(
    monkeypatch, build, arguments, tables
):
    sent = []
    monkeypatch.setattr(
        screen.st, "vega_lite_chart", lambda data, spec, **rest: sent.append((spec, rest))
    )
    rng = np.random.default_rng(0)
    for num_rows in (0, 1, 60):
        frame = pd.DataFrame(
            {
                name: rng.normal(size=num_rows)
                for name in ("update", "low", "high", "seed", *METRICS)
            }
        )
        screen.chart(
            "key", build, *arguments, tables=dict.fromkeys(tables, frame), height=9, says="w"
        )
    texts = {
        json.dumps([{k: v for k, v in spec.items() if k != "datasets"}, rest], sort_keys=True)
        for spec, rest in sent
    }
    assert len(sent) == 3
    assert len(texts) == 1
    assert all(set(spec["datasets"]) == tables for spec, _ in sent)


@charts
def test_domains_do_not_wait_for_data(build, arguments, tables):
    """Where the axis is a count of updates or a return, its ends are known before the first update."""
    spec = json.dumps(build(*arguments).to_dict())
    assert '"domain": [0, 60]' in spec
    if build is not learning.instrument:
        assert f'"domain": [0, {learning.MAX_RETURN}]' in spec


@pytest.mark.parametrize("method", presets)
def test_a_chart_wears_its_methods_colour_and_dash(method):
    for build, arguments, _ in BUILDS:
        spec = json.dumps(build(method, *arguments[1:]).to_dict())
        assert theme.COLOR[method] in spec
        assert f'"strokeDash": {json.dumps(theme.DASH[method])}' in spec
        for other in set(theme.COLOR) - {method}:
            assert theme.COLOR[other] not in spec


def luminance(color):
    """Relative luminance, WCAG 2."""
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_every_method_has_a_colour_and_a_dash_of_its_own():
    assert set(theme.COLOR) == set(theme.DASH) >= set(presets)
    assert len({tuple(dash) for dash in theme.DASH.values()}) == len(theme.DASH)
    for one, other in combinations(theme.COLOR.values(), 2):
        hues = [
            colorsys.rgb_to_hls(*(int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)))[0]
            for c in (one, other)
        ]
        apart = abs(hues[0] - hues[1])
        assert min(apart, 1 - apart) > 0.03, (one, other)


@pytest.mark.parametrize("background", ["#ffffff", "#171614"])
def test_every_line_can_be_seen_in_light_and_dark(background):
    for color in (*theme.COLOR.values(), theme.QUIET):
        assert contrast(color, background) >= 3, color
