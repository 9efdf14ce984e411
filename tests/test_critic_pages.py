"""The pages on believing a critic, opened as a reader opens them."""

from dataclasses import fields

import numpy as np
import pytest

from pgviz.measure import race, sweep, switches
from pgviz.measure.ledger import GAMMA
from pgviz.training import critic, loop, methods, presets
from pgviz.ui import live
from tests.test_app import button, check, markdown, recordings, servers, until, visit

__all__ = ["recordings", "servers"]  # fixtures


def group_of(configs):
    """What the server knows of these runs."""
    found = [live.runs().find(config) for config in configs]
    return [run for run in found if run is not None]


def ended(configs):
    """Whether all of these runs have begun, and none goes on."""
    found = group_of(configs)
    return len(found) == len(configs) and all(not run.active for run in found)


def specs(at):
    return [chart.proto for chart in at.get("vega_lite_chart")]


def test_the_minimum_is_not_shown_before_the_reader_has_guessed_where_it_is(servers):
    at = visit("gae")
    check(at)
    assert "least error" not in str(markdown(at))
    before = len(specs(at))
    button(at, "Lock it in").click()
    at.run()
    check(at)
    assert len(specs(at)) > before
    assert any("**0.61**" in text for text in map(str, [m.value for m in at.markdown]))


def test_a_link_opens_the_ledger_of_trap_one_with_its_bug(servers):
    at = visit("gae", {"ledger": "500 ones", "bug": "a time limit counts as a fall"})
    check(at)
    assert any("−99" in m.value and "499" in m.value for m in at.markdown)


@pytest.mark.parametrize("slug", ["gae", "actor-critic"])
@pytest.mark.parametrize(
    "query",
    [
        {"world": "<script>", "lam": "nan", "error": "-1", "episodes": "1e9", "break": "x" * 200},
        {"lam": ["0.1", "0.2"], "unknown": "1", "shape": ""},
    ],
)
def test_a_strange_link_opens_the_page_and_is_named_in_one_line(servers, slug, query):
    at = visit(slug, query)
    check(at)
    assert len([c for c in at.caption if "Not everything in this link" in c.value]) == 1


def test_the_sweep_is_one_group_and_says_what_it_found(servers, monkeypatch):
    small = [c.replace(num_seeds=2, num_updates=2) for c in sweep.configs((0.5, 0.95))]
    monkeypatch.setattr(sweep, "configs", lambda *_: small)
    at = visit("gae")
    button(at, "Run the sweep").click()
    at.run()
    until(lambda: ended(small))
    at.run()
    check(at)
    assert any("2 of 2 runs have ended" in p.proto.text for p in at.get("progress"))


def test_both_uses_are_hidden_until_the_reader_has_said_which_one_breaks(servers):
    at = visit("actor-critic", {"error": "1.0"})
    check(at)
    assert "554" not in markdown(at)
    next(r for r in at.radio if r.key == "breaks.guess").set_value("The one that believes it").run()
    button(at, "Lock it in").click()
    check(at.run())
    assert "the bias² is 0 of ‖∇J‖²" in markdown(at)
    assert "554 against 6" in markdown(at)


def test_the_map_opens_when_the_runs_have_ended_and_the_verdict_names_the_fewest_steps(
    servers, monkeypatch
):
    small = [
        config.replace(num_seeds=2, num_updates=3, num_envs=4)
        for config in race.configs(("reinforce", "actor-critic"))
    ]
    monkeypatch.setattr(race, "configs", lambda *_: small)
    at = visit("actor-critic")
    until(lambda: ended(small))
    check(at.run())
    assert len(group_of(small)) == 2
    assert any("Fewest steps" in caption.value for caption in at.caption)
    assert any("states the critic is" in caption.value for caption in at.caption)


@pytest.mark.parametrize("method", race.PSI)
def test_the_equation_on_home_has_the_weight_of_the_method_pointed_at(servers, method):
    at = check(visit("home", {"psi": method}))
    assert race.PSI[method].equation in at.latex[0].value


def test_a_method_says_what_else_is_different_from_reinforce():
    assert race.beyond_psi("reinforce") == race.beyond_psi("baseline") == ""
    said = race.beyond_psi("gae")
    preset, plain = presets["gae"], presets["reinforce"]
    assert f"γ {preset.gamma:g} (not {plain.gamma:g})" in said
    assert f"learning rate {preset.learning_rate:g} (not {plain.learning_rate:g})" in said
    assert "windows, not episodes" in said
    assert "γᵗ" in said
    table = race.settings(["reinforce", "baseline", "gae"]).set_index("method")
    assert table.loc["GAE", "λ"] == f"{preset.gae_lambda:g}"
    assert table.loc["REINFORCE", "critic's steps"] == "–"
    for name in fields(preset):  # whatever makes a preset another one has a column
        differs = (
            len({getattr(presets[m], name.name) for m in ("reinforce", "baseline", "gae")}) > 1
        )
        assert not differs or name.name in (*race.SETTINGS, "method", "num_updates")


def a_small_race(monkeypatch, num_updates):
    """Home after its button was pressed, and what runs then."""
    small = [c.replace(num_seeds=2, num_updates=num_updates, num_envs=2) for c in race.configs()]
    monkeypatch.setattr(race, "configs", lambda *_: small)
    at = visit("home")
    button(at, "Start the race").click()
    return at.run(), small


def test_the_race_is_one_button(servers, monkeypatch):
    at, small = a_small_race(monkeypatch, num_updates=2)
    until(lambda: ended(small))
    check(at.run())
    assert any("5 of 5 methods have ended" in p.proto.text for p in at.get("progress"))


def test_a_switch_is_run_beside_the_intact_method_and_says_what_it_did(servers, monkeypatch):
    pair = [
        config.replace(num_seeds=2, num_updates=4, num_envs=4)
        for config in switches.configs("share the network")
    ]
    monkeypatch.setattr(switches, "configs", lambda name: pair)
    at = visit("actor-critic", {"switch": "share the network"})
    check(at)
    button(at, "Run with and without").click()
    at.run()
    until(lambda: ended(pair))
    check(at.run())
    said = [m.value for m in at.markdown if "Share the network" in m.value]
    assert any("0 of 2 seeds were solved, 0 without." in text for text in said)
    assert any("the critic is off by" in text for text in said)


def test_nothing_that_a_reader_does_on_home_stops_the_race(servers, monkeypatch):
    """Started while the opening run still lives; then a method is pointed at, then another."""
    at, small = a_small_race(monkeypatch, num_updates=8)
    for method in ("gae", "baseline", "full-return"):
        next(r for r in at.radio if r.key == "psi").set_value(method).run()
    until(lambda: ended(small))
    assert [run.ending for run in group_of(small)] == ["finished"] * 5
    check(at.run())
    assert any("5 of 5 methods have ended." in p.proto.text for p in at.get("progress"))


def test_the_sections_of_a_page_do_not_stop_one_another(servers, monkeypatch):
    pair = [c.replace(num_seeds=2, num_updates=6) for c in race.configs(("reinforce",))]
    two = [
        c.replace(num_seeds=2, num_updates=6, num_envs=4)
        for c in switches.configs("forget the detach")
    ]
    monkeypatch.setattr(race, "configs", lambda *_: pair)
    monkeypatch.setattr(switches, "configs", lambda name: two)
    at = visit("actor-critic")
    button(at, "Run with and without").click()
    at.run()
    button(at, "Run both").click()
    at.run()
    until(lambda: ended(pair) and ended(two))
    assert {run.ending for run in group_of([*pair, *two])} == {"finished"}
    check(at.run())


def test_a_switch_that_has_not_run_shows_its_frames_and_says_so(servers, monkeypatch):
    pair = [c.replace(num_seeds=2, num_updates=6) for c in race.configs(("reinforce",))]
    monkeypatch.setattr(race, "configs", lambda *_: pair)
    at = visit("actor-critic", {"switch": "share the network"})
    check(at)
    assert any("Not run yet" in caption.value for caption in at.caption)


@pytest.mark.parametrize(
    ("world", "cut"),
    [
        ("ladder", ""),
        ("short-corridor", "this world is cut after 11 steps: J is −8.087 there, not −12."),
        ("survival", "this world is cut after 50 steps: J is 1 all the same."),
    ],
)
def test_the_lines_say_how_early_the_world_is_cut_for_its_episodes_to_be_listed(
    servers, world, cut
):
    at = visit("gae", {"world": world})
    text = " ".join([markdown(at), *(caption.value for caption in at.caption)])
    assert cut in text
    assert ("this world is cut" in text) == bool(cut)
    assert "all its episodes" not in text


@pytest.mark.parametrize("zero", ["0", "0.0", ".0", "0.00"])
def test_a_link_may_spell_a_number_as_it_likes(servers, zero):
    at = check(visit("gae", {"lam": zero, "gamma": "1", "error": ".5", "ledger_lambda": "1"}))
    assert not [c for c in at.caption if "Not everything in this link" in c.value]
    assert any("Bias² / ‖∇J‖² at λ = 0" in m.label for m in at.metric)
    assert "γ = 1, λ = 0" in markdown(at)
    shown = {s.key: s.value for s in at.select_slider if s.key in ("lam", "gamma", "ledger_lambda")}
    assert shown == {"lam": 0.0, "gamma": 1.0, "ledger_lambda": 1.0}


def test_the_page_on_the_actor_critic_says_what_to_code(servers):
    text = markdown(check(visit("actor-critic")))
    preset = presets["actor-critic"]
    assert "y = r + γ V̂(s′)" in text
    assert f"w = 1 / {preset.num_envs * preset.num_steps}" in text
    assert "ĝ = (1/N) Σ δ ∇log π(a|s)" in text


def test_w_and_y_are_what_the_critic_of_the_page_learns_from():
    learners = loop.Learners(presets["actor-critic"].replace(num_seeds=1), [0])
    rollout, config = learners.collect(0), learners.config
    targets = methods.actor_critic(rollout, config) + rollout.values
    following = np.where(rollout.terminated, 0, rollout.next_values)
    assert targets == pytest.approx(rollout.rewards + config.gamma * following, abs=1e-4)
    (batch,) = critic.minibatches(rollout, targets, [], config)
    weights = np.concatenate([w.ravel() for _, _, w in batch])
    assert set(weights[weights > 0].tolist()) == {1 / (config.num_envs * config.num_steps)}


def test_the_page_on_gae_defines_what_it_estimates_and_states_the_ledgers_gamma(servers):
    text = markdown(check(visit("gae", {"gamma": "0.5"})))
    assert "A(s, a) = Q(s, a) − V(s)" in text
    assert "generalised advantage estimation" in text
    assert f"γ is always {GAMMA:g}" in text
    assert any("δ = 1 + 0.99 · " in m.value for m in visit("gae", {"gamma": "0.5"}).markdown)
