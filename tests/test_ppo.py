"""PPO: at ratio 1 the policy gradient, beyond the clip no gradient, and CartPole solved."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pgviz.training import Config, ConfigError, presets, train
from pgviz.training.agent import Agent
from pgviz.training.config import with_settings
from pgviz.training.gradient import policy_gradient
from pgviz.training.loop import METRICS, Learners
from pgviz.training.methods import irrelevant, methods, weights
from pgviz.training.updates import (
    Batch,
    clipped_surrogate,
    clipping,
    minibatches,
    surrogate_gradient,
)

SMALL = presets["ppo"].replace(num_seeds=3, num_envs=4, num_steps=32, num_updates=3)
FINITE = st.floats(-3, 3)


def first_batch(config):
    learners = Learners(config, list(range(config.num_seeds)))
    rollout = learners.collect(0)
    psi = weights(rollout, config)
    signs = np.where(rollout.actions, 1, -1)
    slow = torch.nn.functional.logsigmoid(torch.tensor(signs * rollout.outputs))
    np.testing.assert_allclose(rollout.log_probs, slow, rtol=1e-6)
    return learners, rollout, psi, Batch(rollout, psi, rollout.log_probs)


def test_at_ratio_one_the_gradient_is_the_policy_gradient():
    """∇ρ = ρ ∇log π, and ρ = 1 where nothing has been learned from the batch yet."""
    learners, rollout, psi, batch = first_batch(SMALL)
    rows = np.tile(np.arange(batch.num_rows), (3, 1))
    obs, actions, advantages, old = batch.at(rows)
    policy, theta = learners.agent.policy, np.ascontiguousarray(learners.policy)
    gradient, _, ratios = surrogate_gradient(
        Agent(policy), theta, obs, actions, advantages, old, 0.2
    )
    assert ratios == pytest.approx(1, abs=1e-6)
    plain, _ = policy_gradient(Agent(policy), theta, rollout, psi / SMALL.num_steps)
    np.testing.assert_allclose(gradient, plain, rtol=0, atol=1e-6 * np.abs(plain).max())


@given(st.floats(0.01, 3), FINITE, st.floats(0.01, 0.5))
def test_the_surrogate_never_promises_more_than_the_ratio_does(ratio, advantage, clip_coef):
    x, a = (torch.tensor([[v]], dtype=torch.float64) for v in (ratio, advantage))
    assert clipped_surrogate(x, a, clip_coef) <= x * a
    if abs(ratio - 1) < clip_coef:
        assert clipped_surrogate(x, a, clip_coef) == x * a


def test_the_share_without_a_gradient_is_counted_by_autograd():
    rng = np.random.default_rng(0)
    ratios = torch.tensor(rng.uniform(0.5, 1.6, (4, 500)), requires_grad=True)
    advantages = rng.normal(size=(4, 500)).round(1)
    clipped_surrogate(ratios, torch.tensor(advantages), 0.2).sum().backward()
    found = clipping(ratios.detach().numpy(), advantages, 0.2)
    zero = (ratios.grad == 0).double().mean(dim=1).numpy()
    assert found["zero_gradient_fraction"] == pytest.approx(zero)
    assert (found["zero_gradient_fraction"] < found["clip_fraction"]).all()
    assert (found["approx_kl"] > 0).all()


def test_every_step_of_a_batch_is_used_once_an_epoch():
    *_, batch = first_batch(SMALL)
    streams = [np.random.default_rng(k) for k in range(3)]
    drawn = list(minibatches(batch, streams, SMALL))
    assert len(drawn) == SMALL.update_epochs * SMALL.num_minibatches
    for epoch in np.split(np.array(drawn), SMALL.update_epochs):
        mine = epoch.swapaxes(0, 1).reshape(3, -1)
        assert (np.sort(mine, axis=1) == np.arange(batch.num_rows)).all()


def test_one_epoch_of_one_minibatch_is_a_step_along_the_policy_gradient():
    """Then the clip has nothing to do, and PPO is an actor-critic with GAE."""
    config = SMALL.replace(update_epochs=1, num_minibatches=1, num_updates=1)
    (update,) = train(config)
    assert update.metrics["clip_fraction"] == pytest.approx(0)
    assert update.metrics["approx_kl"] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("alone", [[1], [1, 2]])
def test_a_seed_learns_the_same_in_every_ensemble_bit_for_bit(alone):
    together, apart = list(train(SMALL)), list(train(SMALL, alone))
    for whole, part in zip(together, apart, strict=True):
        assert np.array_equal(whole.theta[alone], part.theta)
        for name in METRICS:
            np.testing.assert_array_equal(whole.metrics[name][alone], part.metrics[name])


def test_the_preset_solves_cartpole():
    *_, last = train(presets["ppo"].replace(num_seeds=2, stop_when_solved=True))
    assert last.metrics["solved"].all()


# --- one table of methods ---


@pytest.mark.parametrize("method", methods)
def test_settings_that_mean_nothing_do_not_make_another_run(method):
    plain = presets[method]
    odd = {"critic_steps": 7, "gae_lambda": 0.123, "clip_coef": 0.7, "update_epochs": 9}
    idle = {name: value for name, value in odd.items() if name in irrelevant(method)}
    assert plain.replace(**idle) == plain
    for name in {*odd} - {*idle}:
        assert plain.replace(**{name: odd[name]}) != plain


def test_without_discount_there_is_no_factor_to_drop():
    config = presets["reinforce"]
    assert config.replace(drop_gamma_t=False) == config
    assert config.replace(gamma=0.9, drop_gamma_t=False) != config.replace(gamma=0.9)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"num_steps": "0"}, "ppo learns from windows"),
        ({"num_minibatches": "64", "num_envs": "1", "num_steps": "2"}, "at most the steps"),
        ({"update_epochs": "0"}, "update_epochs counts"),
        ({"share_network": "true"}, "two networks"),
    ],
)
def test_what_ppo_cannot_do_is_said_in_one_sentence(settings, words):
    with pytest.raises(ConfigError, match=words):
        with_settings(presets["ppo"], settings)


def test_every_update_of_the_table_exists():
    from pgviz.training.updates import updates

    assert {method.update for method in methods.values()} | {"step_by_step"} == {*updates}
    assert all(isinstance(Config(method=name, **m.preset), Config) for name, m in methods.items())
