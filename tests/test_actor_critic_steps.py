"""The steps of the page on the actor-critic: every number, against a second way to find it."""

import inspect
import re
import types
from dataclasses import replace

import gymnasium
import numpy as np
import pytest
import torch

from pgviz import estimators
from pgviz.exact import futures as exact
from pgviz.exact.best import best_action_values
from pgviz.exact.estimator import GradientEstimator
from pgviz.exact.moments import moments
from pgviz.exact.one_update import updated
from pgviz.exact.trajectories import trajectories
from pgviz.exact.trust import follow_one_number, wrong_critic
from pgviz.exact.values import action_values, gradient, objective, state_values
from pgviz.figures import fixed, number
from pgviz.from_scratch import actor_critic as from_scratch
from pgviz.lessons import page_of
from pgviz.lessons.actor_critic import (
    average,
    bootstrap,
    check,
    closer,
    discount,
    explains,
    maps,
    networks,
    noise,
    run,
    sign,
    switches,
    td_error,
    two_uses,
    uses,
    wait,
    write,
)
from pgviz.measure import futures, recorded_critic, trust
from pgviz.measure.switches import INTACT, SWITCHES
from pgviz.proofs import two_uses as ends
from pgviz.proofs.ascent import ascent, exact_update
from pgviz.training import train
from pgviz.worlds.named import ladder, short_corridor
from tests.walks import opened, words

PAGE = page_of("actor-critic")


def numbers(text):
    """The numbers of a sentence, with their signs."""
    found = re.findall(r"[+−-]?\d[\d,]*\.?\d*", text)
    return [float(x.replace("−", "-").replace(",", "").rstrip(".")) for x in found]


# --- what follows an action ---


@pytest.mark.parametrize("rung", futures.RUNGS)
@pytest.mark.parametrize("action", [0, 1])
def test_the_distribution_of_the_return_is_that_of_all_episodes_listed(rung, action):
    start = np.eye(3)[rung]
    listed: dict[float, float] = {}
    for tau in trajectories(replace(ladder(), start=start)):
        if tau.actions[0] == action:
            g = float(sum(tau.rewards))
            listed[g] = listed.get(g, 0.0) + tau.probability / 0.5
    found = exact.sums_of_rewards(ladder(), rung, action, 6)[-1]
    assert found == pytest.approx(dict(sorted(listed.items())))


def test_sums_of_rewards_stop_where_an_episode_ends():
    world = short_corridor(0.6)
    found = exact.sums_of_rewards(world, 2, 0, 3)
    assert found == [{-1.0: 1.0}] * 3  # right from the last room ends it
    left = exact.sums_of_rewards(world, 2, 1, 200)[-1]
    assert exact.mean(left) == pytest.approx(action_values(world)[2, 1], rel=1e-4)


@pytest.mark.parametrize("left", [1, 3, 6])
def test_one_reward_and_the_next_value_have_the_mean_q_and_less_variance(left):
    step = futures.NUM_STEPS - left
    for rung in futures.RUNGS:
        for action in futures.ACTIONS:
            g, one = futures.distributions(rung, action, left)
            q = action_values(ladder())[step, rung, futures.ACTIONS.index(action)]
            assert exact.mean(g) == pytest.approx(q)
            assert exact.mean(one) == pytest.approx(q)
            assert sum(one.values()) == pytest.approx(1)
            assert exact.variance(one) <= exact.variance(g) + 1e-12


def test_the_best_action_values_are_those_of_the_best_fixed_policy():
    """From every rung of the ladder climbing is the best action, so Q* is its Q, but for the first."""
    always = replace(ladder(), theta=np.array([[-60.0, 60.0]] * 3))
    assert best_action_values(ladder()) == pytest.approx(action_values(always))
    assert (best_action_values(ladder()) >= action_values(ladder()) - 1e-12).all()


def test_sampled_continuations_have_the_exact_mean_and_variance():
    rng = np.random.default_rng(0)
    for world, state, steps in ((ladder(), 1, 6), (short_corridor(0.6), 1, 30)):
        for action in (0, 1):
            seen = futures.continued(world, state, action, steps, 20_000, rng)
            truth = exact.sums_of_rewards(world, state, action, steps)[-1]
            error = np.sqrt(exact.variance(truth) / 20_000)
            assert abs(seen.returns().mean() - exact.mean(truth)) < 4 * error
            assert seen.returns().var() == pytest.approx(exact.variance(truth), rel=0.06)


def test_the_fan_widens_with_every_step_and_says_so():
    lines, spread = futures.fan()
    assert (np.diff(spread["variance"].to_numpy()[1:]) > 0).all()
    assert spread.set_index("k").loc[6, "mean"] == pytest.approx(
        action_values(ladder())[0, 0, 1], abs=1e-9
    )
    assert lines.groupby("future")["total"].apply(lambda x: x.is_monotonic_increasing).all()
    assert len(lines) + len(spread) <= 3000
    assert numbers(wait.sentence(12))[2] == pytest.approx(spread["variance"][12], abs=5e-3)
    assert "variance 0" in wait.sentence(1)


# --- averages ---


@pytest.mark.parametrize("action", futures.ACTIONS)
def test_means_close_in_on_q_and_on_the_advantage(action):
    for rung in futures.RUNGS:
        g = futures.returns_minus_value(rung, action)
        delta = futures.td_errors(rung, action)
        truth = futures.advantage(rung, action)
        for x in (g, delta):
            assert abs(x.mean() - truth) <= 4 * x.std() / np.sqrt(len(x)) + 1e-9
        assert delta.var() <= g.var()
        kept, less = futures.distributions(rung, action, 6)
        assert g.var() == pytest.approx(exact.variance(kept), rel=0.25)
        assert delta.var() == pytest.approx(exact.variance(less), rel=0.3, abs=1e-9)


def test_sentences_of_the_averages_have_the_numbers_of_their_pictures():
    said = numbers(average.sentence("climb", 50))
    table = average.returns("climb")
    assert said[1] == pytest.approx(table["total"][:50].mean(), abs=5e-3)
    assert said[2] == pytest.approx(action_values(ladder())[0, 0, 1], abs=5e-3)
    assert said[3] > said[2]
    said = numbers(td_error.sentence(0, "climb", 50))
    assert said[1] == pytest.approx(futures.td_errors(0, "climb")[:50].mean(), abs=5e-3)
    assert said[4] == pytest.approx(0.48, abs=5e-3)
    assert "One return" in average.sentence("rest", 1)
    assert "One δ is" in td_error.sentence(0, "rest", 1)


def test_the_td_errors_of_the_step_are_those_of_the_code_that_trains():
    seen, values = futures.samples(1, "rest"), state_values(ladder())
    first = estimators.td_errors(
        seen.rewards[:, :1], np.full((500, 1), values[0, 1]),
        values[1][seen.states[:, :1].astype(int)], np.zeros((500, 1), bool), 1.0,
    )  # fmt: skip
    assert futures.td_errors(1, "rest") == pytest.approx(first[:, 0])


@pytest.mark.parametrize("left", [6, 3, 1])
def test_the_sentence_on_bootstrapping_in_each_case(left):
    said = bootstrap.sentence(0, "climb", left)
    g, one = futures.distributions(0, "climb", left)
    if left == 1:
        assert "nothing follows" in said
    else:
        assert numbers(said)[-1] == pytest.approx(
            100 * exact.variance(one) / exact.variance(g), abs=0.5
        )
    assert "always" in bootstrap.sentence(0, "rest", 6)
    assert "no reward can come" in bootstrap.sentence(0, "rest", 2)
    assert "both are the same" in bootstrap.title(0, "climb", 1)
    assert "far less" in bootstrap.title(0, "climb", 6)


# --- the sign ---


def test_the_right_sign_climbs_and_the_flipped_one_unlearns():
    kept, flipped = futures.climbed(1), futures.climbed(-1)
    assert (np.diff(kept["objective"]) > 0).all()
    assert (np.diff(flipped["objective"]) < 0).all()
    assert kept["objective"][0] == pytest.approx(1.745664)
    for rung, mean in futures.mean_advantages().items():
        moved = kept[f"rung {rung}"].iloc[1] - 0.5
        assert np.sign(round(moved, 9)) == np.sign(round(mean, 9))
    assert "stays at" in sign.sentence(2, 20)
    assert "neither" in sign.title(2)
    assert numbers(sign.sentence(0, 20))[-2:] == [
        pytest.approx(kept["objective"][20], abs=5e-3),
        pytest.approx(flipped["objective"][20], abs=5e-3),
    ]
    assert "Before the first" in sign.sentence(0, 0)


def test_a_step_of_the_sign_is_a_step_along_the_mean_of_td_errors():
    td = moments(ladder(), GradientEstimator("td", values=state_values(ladder()))).mean
    assert td == pytest.approx(gradient(ladder()))
    moved = replace(ladder(), theta=futures.RATE * td)
    assert futures.climbed(1)["objective"][1] == pytest.approx(objective(moved))


# --- two networks ---


@pytest.mark.parametrize("detached", [True, False])
@pytest.mark.parametrize(("value", "following"), [(2.0, 3.0), (6.0, 0.5), (1.5, 0.5)])
def test_a_step_of_both_networks_is_that_of_autograd(detached, value, following):
    v, w, logit = (torch.tensor(x, requires_grad=True) for x in (value, following, 0.0))
    target = 1.0 + w
    delta = target - v
    log_p = torch.nn.functional.logsigmoid(logit)
    if detached:
        loss = 0.5 * (v - target.detach()) ** 2 - delta.detach() * log_p
    else:
        loss = 0.5 * delta**2 - delta * log_p
    loss.backward()
    moved = [x.item() - 0.2 * (0.0 if x.grad is None else x.grad.item()) for x in (v, w, logit)]
    now = updated(value, following, detached)
    assert (now.value, now.next_value) == pytest.approx(moved[:2], abs=1e-6)
    assert now.probability == pytest.approx(1 / (1 + np.exp(-moved[2])), abs=1e-6)
    said = numbers(networks.sentence(value, following, detached))
    assert said[-1] == pytest.approx(now.target, abs=5e-3)


def test_without_the_detach_the_target_moves():
    assert updated(2.0, 3.0, True).target == 4.0
    assert updated(2.0, 3.0, False).target < 4.0
    assert "stays at" in networks.sentence(2.0, 1.0, True)
    assert "goes down" in networks.sentence(6.0, 1.0, True)


# --- the discount ---


@pytest.mark.parametrize("gamma", discount.GAMMA.options)
def test_the_value_of_a_standing_pole_is_the_sum_of_the_powers(gamma):
    assert discount.value(gamma, 500) == pytest.approx(sum(gamma**k for k in range(500)))
    said = numbers(discount.value_sentence(gamma))
    if gamma < 1:
        assert f"counts {number(gamma**100)}." in discount.value_sentence(gamma)
        assert numbers(discount.factor_sentence(gamma))[0] == gamma
    else:
        assert said == [500, 500]
        assert "nothing is left out" in discount.factor_sentence(gamma)


# --- two uses ---


@pytest.mark.parametrize("p", [0.1, 0.5, 0.83])
def test_both_directions_in_the_corridor_are_the_exact_means(p):
    world = short_corridor(p)
    assert ends.corridor_objective(p) == pytest.approx(objective(world))
    assert ends.subtracting(p) == pytest.approx(gradient(world)[0, 0])
    assert ends.bootstrapping(p) == pytest.approx(
        follow_one_number(world, np.asarray(world.theta))[0, 0]
    )
    constant = np.full(3, objective(world))
    kept = moments(world, GradientEstimator("reward-to-go", values=constant)).mean
    assert kept == pytest.approx(gradient(world))


def test_the_walks_are_the_ascents_of_the_finite_world():
    for use, name in two_uses.USES.items():
        walk = ends.corridor_walk(use, 0.5, two_uses.NUM_STEPS, two_uses.RATE)
        follow = {"baseline": exact_update, "actor-critic": follow_one_number}[name]
        path = ascent(short_corridor(0.5), follow, two_uses.NUM_STEPS, two_uses.RATE)
        assert walk.p == pytest.approx(path.policy[:, 0, 0], abs=1e-9)
        assert walk.objective == pytest.approx(path.objective)


@pytest.mark.parametrize("start", two_uses.START.options)
def test_from_every_start_subtracting_ends_at_the_best_and_bootstrapping_at_the_worst(start):
    said = numbers(two_uses.sentence(start))
    assert said[0] == start
    assert said[1] == pytest.approx(2 - 2**0.5, abs=6e-4)
    assert said[3] > 0.99
    assert len(two_uses.tables()[0]) <= 3000


def test_the_prediction_knows_the_right_answer_and_marks_the_guess():
    for answer in two_uses.ANSWERS:
        assert two_uses.verdict(answer)[0] == (answer == two_uses.RIGHT)
        assert len(two_uses.guessed(answer)) == 2
    assert two_uses.verdict(None)[0] is False
    assert two_uses.guessed("").empty
    td = estimators.td_errors(
        np.array([-1.0, -1.0]), np.full(2, -12.0), np.full(2, -12.0), np.array([False, True]), 1.0
    )
    assert td.tolist() == [-1.0, 11.0]
    assert "every δ −1 and the last one +11" in two_uses.verdict(None)[1]


def test_before_the_guess_nothing_gives_the_answer_away():
    app = opened("actor-critic", "two-uses")
    shown = " ".join(
        text
        for part in ("words", "says", "gate")
        for text in words(app, part, PAGE, PAGE.step("two-uses"))
    )
    assert "adds no bias" not in shown + app.title[0].value
    assert "worst" not in shown
    assert app.title[0].value == PAGE.step("two-uses").question


@pytest.mark.parametrize("world", trust.WORLDS)
@pytest.mark.parametrize("shape", trust.FORMULAS)
def test_bias_and_variance_of_both_uses_are_those_of_the_moments(world, shape):
    here = trust.named_worlds[world]()
    table = uses.both(world, shape)
    for name, estimator in (("baseline", "reward-to-go"), ("actor-critic", "td")):
        row = table[(table["name"] == name) & np.isclose(table["error"], 0.5)].iloc[0]
        slow = moments(here, GradientEstimator(estimator, values=wrong_critic(here, shape, 0.5)))
        assert row["variance"] == pytest.approx(slow.covariance_trace)
        length = float((gradient(here) ** 2).sum())
        assert row["bias"] * length == pytest.approx(slow.bias_squared(gradient(here)), abs=1e-10)
        assert name != "baseline" or row["bias"] == pytest.approx(0, abs=1e-20)
    assert (
        table.query("name == 'actor-critic'")["variance"].to_numpy()
        < table.query("name == 'baseline'")["variance"].to_numpy()
    ).all()


def test_the_sentence_on_both_uses_in_each_case():
    assert "0 for both" in uses.sentence("ladder", "shifted", 0.5)
    assert "is not wrong" in uses.sentence("survival", "one number", 0.5)
    assert numbers(uses.sentence("short-corridor", "one number", 0.5))[3:5] == [561.0, 6.0]
    assert "neither" in uses.bias_title(uses.both("ladder", "shifted"))
    assert "is a bias" in uses.bias_title(uses.both("short-corridor", "one number"))


def test_a_biased_estimate_is_closer_up_to_seventeen_episodes():
    world, true = ladder(), gradient(ladder())
    values = wrong_critic(world, "too small", 0.5)
    lost, kept = (
        moments(world, GradientEstimator(name, values=values)) for name in ("td", "reward-to-go")
    )
    few = [m.mean_squared_error(true, 10) for m in (lost, kept)]
    assert few == [pytest.approx(0.216, abs=5e-4), pytest.approx(0.336, abs=5e-4)]
    turn = closer.no_longer_closer(0.5)
    assert turn == 18
    for n in (17, 18):
        biased_is_closer = lost.mean_squared_error(true, n) < kept.mean_squared_error(true, n)
        assert biased_is_closer == (n < turn)
    said = closer.sentence(10, 0.5)
    assert numbers(said)[1:3] == [0.216, 0.336]
    assert "the biased one is closer" in said
    assert "the unbiased one is closer" in closer.sentence(18, 0.5)
    assert "no bias" in closer.sentence(10, 0.0)
    assert {10, 18, 1000} <= set(closer.LINE)
    assert set(closer.NUM.options) <= set(closer.LINE)


# --- CartPole ---


def recording_of(solved, steps, returns=None):
    """As much of a recording as the sentences ask for: solved [S], steps until solved [S]."""
    solved = np.asarray(solved, float)
    metrics = {
        "solved": np.stack([0 * solved, solved]),
        "env_steps": np.stack([0 * solved, np.asarray(steps, float)]),
        "trailing_return": np.stack([0 * solved, np.asarray(returns or [500.0] * len(solved))]),
    }
    return types.SimpleNamespace(
        metrics=lambda: metrics, num_seeds=len(solved), num_updates=2, path=str(id(metrics)),
        config=INTACT,
    )  # fmt: skip


def test_the_race_says_who_needs_fewer_steps_and_whose_slowest_seed():
    fast, slow = recording_of([1] * 8, [100] * 8), recording_of([1] * 8, [900] * 7 + [1200])
    said = run.in_words({"actor-critic": fast, "reinforce": slow})
    assert numbers(said)[:2] == [100, 900]
    assert "fewer" in said
    assert numbers(said)[-2:] == [100, 1200]
    assert "more" in run.in_words({"actor-critic": slow, "reinforce": fast})
    assert "no clear difference" in run.in_words({"actor-critic": fast, "reinforce": fast})
    never = recording_of([0] * 8, [900] * 8)
    assert "8 seeds of the actor-critic" in run.in_words({"actor-critic": never, "reinforce": fast})


def test_the_steps_of_the_algorithm_have_the_numbers_of_the_run():
    config = run.RUNS[1]
    text = run.algorithm()
    assert f"{config.num_envs} environments" in text
    assert f"{config.num_steps} steps" in text
    assert config.critic_steps == 1
    assert config.minibatch_size == 0


@pytest.mark.parametrize("name", SWITCHES)
def test_a_switch_says_what_became_of_its_seeds(monkeypatch, name):
    ends_of = {
        "kept": {"seeds": 3, "solved": 3, "lost": 0, "steps": 100.0, "worst": 500.0},
        "now": {"seeds": 3, "solved": 2, "lost": 1, "steps": 200.0, "worst": 156.2},
    }
    monkeypatch.setattr(switches, "ends_of", lambda recording: ends_of[recording.name])
    kept = types.SimpleNamespace(name="kept", config=INTACT)
    now = types.SimpleNamespace(name="now", config=SWITCHES[name])
    said = switches.in_words(name, kept, now)
    assert numbers(said)[:6] == [2, 3, 3, 1, 156, 500]
    errors = [recorded_critic.critic_error(c) for c in (SWITCHES[name], INTACT)]
    assert numbers(said)[6:] == [pytest.approx(e, abs=0.05) for e in errors]
    assert errors[0] > 2 * errors[1]


def test_an_end_counts_the_seeds_that_solved_it_and_lost_it_again(monkeypatch):
    found = recording_of([1, 1, 0, 1], [100, 200, 300, 300], [500, 300, 120, 480])
    monkeypatch.setattr(switches, "Recording", lambda path: found)
    got = switches._ends_of.__wrapped__("any", 2)
    assert (got["solved"], got["lost"], got["worst"]) == (3, 1, 120)
    assert got["steps"] == pytest.approx(200)


def test_the_heading_of_a_change_counts_its_seeds(monkeypatch):
    found = recording_of([1, 1, 0, 1], [100, 200, 300, 300], [500, 300, 120, 480])
    monkeypatch.setattr(switches, "Recording", lambda path: found)
    changed = SWITCHES["treat the time limit as a fall"]
    runs = [
        types.SimpleNamespace(config=c, ending="finished", recording=lambda: found)
        for c in (INTACT, changed)
    ]
    said = switches.heading(runs, "treat the time limit as a fall")
    assert said == "Limit as a fall: 3 of 4 seeds solve it, 1 later loses it again"
    assert switches.heading(runs[:1], "treat the time limit as a fall").startswith("With and")


@pytest.mark.parametrize("left", bootstrap.LEFT.options)
def test_numbers_near_the_line_of_the_mean_stand_beside_it(left):
    bars, means = bootstrap.tables("climb")
    at = bootstrap.LEFT.options.index(left)
    here = bars[bars["left"] == at].merge(
        means[means["left"] == at].rename(columns={"value": "q"}), on=["rung", "left"]
    )
    gap = here["value"] - here["q"]
    assert ((here["side"] == "on") == (gap.abs() > 0.25)).all()
    assert (gap[here["side"] == "left"] < 0).all()


def test_the_names_at_the_lines_keep_apart():
    import pandas as pd

    curves = pd.DataFrame(
        {"kind": ["intact", "changed"], "env_steps": [9, 9], "trailing_return": [500.0, 490.0]}
    )
    table = switches.names(curves, "share the network")
    assert abs(np.diff(table["place"])[0]) >= 40


# --- what is shipped ---


@pytest.fixture(scope="module")
def first_updates(tmp_path_factory):
    """Seed 0 of the run, its first updates trained again."""
    from pgviz.runs.recording import Recorder, Recording
    from pgviz.training import METRICS

    config = recorded_critic.CONFIG
    path = tmp_path_factory.mktemp("runs") / "run"
    recorder = None
    for update in train(config, seeds=[0]):
        recorder = recorder or Recorder(path, config, METRICS, update.played)
        recorder.append(update.theta, update.metrics, 0.0)
        if update.index == 20:
            break
    recorder.close()
    return Recording(path)


@pytest.mark.parametrize("update", [0, 10, 20])
def test_the_shipped_maps_are_those_of_the_run_trained_again(first_updates, update):
    table = recorded_critic.cells(0)
    shipped = table[table["update"] == update].drop(columns=["at", "update"]).to_numpy()
    again = np.array(recorded_critic.map_rows(first_updates, update, 0))
    assert shipped == pytest.approx(again, abs=0.02)


def test_the_shipped_noise_of_the_first_policy_is_measured_again(first_updates):
    again, ratio = recorded_critic.noise_of(first_updates, 0, 0)
    shipped = recorded_critic.noise(0).query("update == 0").set_index("name")
    for row in again:
        name = row["name"]
        assert shipped.loc[name, "trace"] == pytest.approx(row["trace"], rel=1e-3)
        assert shipped.loc[name, "low"] < shipped.loc[name, "trace"] < shipped.loc[name, "high"]
    first = recorded_critic.ratios(0).iloc[0]
    assert first.to_dict() == pytest.approx(ratio, rel=1e-3)
    assert first["ratio"] == pytest.approx(
        shipped.loc["actor-critic", "trace"] / shipped.loc["baseline", "trace"], rel=1e-3
    )


def test_the_titles_of_what_is_shipped_are_true():
    """At first δ is the least noisy, later G − V̂(s); the critic looks better against its targets."""
    for seed in recorded_critic.SEEDS:
        traces = recorded_critic.noise(seed)
        least = traces.pivot(index="update", columns="name", values="trace").idxmin(axis=1)
        assert least.iloc[0] == "actor-critic"
        assert least.iloc[-1] == "baseline"
        assert (np.diff((least == "baseline").astype(int)) >= 0).all()
        # and surely so where episodes are short, and where they all last 500 steps
        ratios = recorded_critic.ratios(seed).set_index("update")
        assert (ratios.loc[[42, 84], "high"] < 1).all()
        assert ratios["low"].iloc[-1] > 1
        assert (ratios.loc[:84, "length"] < 300).all()
        assert ratios["length"].iloc[-1] == 500
    own, fresh = recorded_critic.along_training()
    at = np.interp(fresh["update"], own["update"], own["explained_variance"])
    assert (at > fresh["explained_variance"]).all()
    at = np.interp(fresh["update"], own["update"], own["error"])
    assert (at < fresh["error"]).all()


def test_sentences_of_what_is_shipped_have_its_numbers():
    table = recorded_critic.cells(0).query("update == 80")
    gap = np.average(table["predicted"] - table["observed"], weights=table["states"])
    assert numbers(maps.sentence(0, 80))[1] == pytest.approx(abs(gap), abs=0.05)
    assert "too little" in maps.sentence(0, 0)
    own, fresh = recorded_critic.along_training()
    assert fixed(fresh["explained_variance"].min()) in explains.sentence("share explained")
    assert fixed(fresh["error"].max(), 1) in explains.sentence("error")
    for column in fresh["spread"].loc[lambda x: x > 20].max(), fresh["spread"].iloc[-1]:
        assert fixed(column, 1) in explains.sentence("share explained")
    wide = recorded_critic.noise(1).pivot(index="update", columns="name", values="trace")
    shares = wide["actor-critic"] / wide["baseline"]
    said = numbers(noise.sentence(1))
    assert said[:2] == [84, 260]
    assert said[2] == pytest.approx(100 * shares[84], abs=0.5)
    assert said[5] == pytest.approx(shares[209], abs=0.05)
    assert noise.sentence(2).endswith("below 1 at 0, 42 and 84, above 1 at 125 and 209.")
    far = table.iloc[int((table["predicted"] - table["observed"]).abs().argmax())]
    assert numbers(maps.sentence(0, 80))[-2:] == [
        pytest.approx(far["predicted"], abs=0.05),
        pytest.approx(far["observed"], abs=0.05),
    ]
    assert recorded_critic.cells(0).query("update == 0")["predicted"].abs().max() < 2
    assert all(len(maps.cells(s)) <= 3000 for s in recorded_critic.SEEDS)
    assert len(own) <= recorded_critic.ROWS


# --- write and check ---


def test_the_exercise_is_the_file_from_scratch_at_lambda_zero():
    """The same updates, bit for bit: the returns that both see are equal."""
    source = write.solution()
    assert "gae" not in source
    assert "advantages" not in source
    module = types.ModuleType("exercise")
    exec(compile(source, "actor_critic.py", "exec"), module.__dict__)

    def first_updates(function):
        torch.manual_seed(0)
        envs = gymnasium.make_vec("CartPole-v1", num_envs=4)
        policy, critic = (
            torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, out))
            for out in (2, 1)
        )
        updates = function(envs, policy, critic, seed=3)
        seen = [next(updates) for _ in range(12)]
        return seen, torch.cat([p.flatten() for p in (*policy.parameters(), *critic.parameters())])

    ours, theta = first_updates(module.actor_critic)
    theirs, again = first_updates(from_scratch.actor_critic)
    assert ours == theirs
    assert torch.equal(theta, again)
    assert "gae_lambda" in inspect.getsource(from_scratch)


def test_torch_refuses_a_td_error_that_is_not_detached():
    right = "gamma * next_values - values.detach()"
    source = write.solution()
    assert right in source
    module = types.ModuleType("exercise")
    exec(source.replace(right, "gamma * next_values - values"), module.__dict__)
    envs = gymnasium.make_vec("CartPole-v1", num_envs=2)
    policy, critic = torch.nn.Linear(4, 2), torch.nn.Linear(4, 1)
    with pytest.raises(RuntimeError, match="second time"):
        next(module.actor_critic(envs, policy, critic))


def test_every_gap_stands_once_and_hides_its_line():
    from pgviz.ui.exercise import gaps_of, with_gaps

    source = write.solution()
    found = gaps_of(source, write.HINTS)
    assert len(found) == 4
    skeleton = with_gaps(source, found)
    for line in found:
        assert line not in skeleton


@pytest.mark.parametrize("make", check.QUESTIONS)
def test_every_answer_has_a_reply_with_a_number(make):
    question = make()
    assert len(question.answers) == len(question.replies) == len({*question.answers})
    assert 0 <= question.right < len(question.answers)
    assert sum(bool(re.search(r"\d", reply)) for reply in question.replies) >= 2


def test_the_answers_of_the_questions():
    assert check.where_truncation_counts().answers[:2] == ("0", "−99")
    assert check.which_numbers_move().answers == ("2.46", "3.00", "3.40")
    assert "98 times" in check.what_the_noise_does().answers[2]
    assert "36" not in check.is_subtracting_bootstrapping().answers
    assert "(+6, −6)" in check.is_subtracting_bootstrapping().replies[2]
    assert "from 18 episodes" in check.when_biased_is_closer().replies[1]
