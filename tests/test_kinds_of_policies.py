"""K actions, two of them, or a box: what is drawn has the probability that is differentiated.

And the networks behind them: several outputs, each with its scale, some that see nothing.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats
from test_policies import streams

from pgviz.networks import MLP, Head, Linear
from pgviz.policies import Gaussian, Softmax, TwoActions
from pgviz.training.agent import Agent, kind_of_policy
from pgviz.training.config import preset
from pgviz.worlds.world import find

S, ROWS = 3, 40

KINDS = {
    "two actions": TwoActions(),
    "softmax of 2": Softmax(2),
    "softmax of 5": Softmax(5),
    "box of 1": Gaussian((-2.0,), (2.0,)),
    "box of 2": Gaussian((-1.0, 0.0), (1.0, 8.0)),
}
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
every_box = pytest.mark.parametrize("kind", list(KINDS.values())[3:], ids=list(KINDS)[3:])


@pytest.fixture
def draw():
    return np.random.default_rng(0)


def outputs_and_actions(kind, draw):
    """Policies of all sorts, [S, ROWS, …], and what they did."""
    outputs = draw.normal(0, 1.5, (S, ROWS, *kind.output_shape))
    return outputs, kind.act(outputs, next(kind.noise(streams(S), ROWS)))


def every_action(kind, outputs):
    """All that may be done, and how likely it is: (actions, probabilities) [ways, S, ROWS].

    In a box it is the nodes of a quadrature, exact for polynomials up to the fifteenth power.
    """
    rows = outputs.shape[:2]
    if not isinstance(kind, Gaussian):
        actions = np.arange(2 if isinstance(kind, TwoActions) else kind.num_actions)
        actions = np.broadcast_to(actions[:, None, None], (len(actions), *rows))
        return actions, np.exp([kind.log_probs(outputs, a) for a in actions])
    nodes, weights = np.polynomial.hermite_e.hermegauss(8)
    size = len(kind.low)
    noise = np.stack(np.meshgrid(*[nodes] * size), axis=-1).reshape(-1, 1, 1, size)
    weights = np.stack(np.meshgrid(*[weights] * size), axis=-1).reshape(-1, size).prod(axis=1)
    actions = kind.act(outputs, noise)
    shares = (weights / weights.sum())[:, None, None]
    return actions, np.broadcast_to(shares, (len(actions), *rows))


# ── log π, its slope, its mean ───────────────────────────────────────────────────────────────


@every_kind
def test_slopes_are_autograds_of_log_prob(kind, draw):
    outputs, actions = outputs_and_actions(kind, draw)
    leaf = torch.from_numpy(outputs).requires_grad_()
    kind.log_prob(leaf, torch.from_numpy(actions.astype(float))).sum().backward()
    slopes = kind.slopes(outputs, actions)
    assert slopes.shape == outputs.shape
    np.testing.assert_allclose(slopes, leaf.grad, rtol=1e-9, atol=1e-12)


@every_kind
def test_log_probs_are_log_prob_and_that_is_torchs(kind, draw):
    outputs, actions = outputs_and_actions(kind, draw)
    given, done = torch.from_numpy(outputs), torch.from_numpy(actions.astype(float))
    if isinstance(kind, TwoActions):
        expected = torch.distributions.Bernoulli(logits=given).log_prob(done)
    elif isinstance(kind, Softmax):
        expected = torch.distributions.Categorical(logits=given).log_prob(done)
    else:
        mean, log_std = given.chunk(2, dim=-1)
        expected = torch.distributions.Normal(mean, log_std.exp()).log_prob(done).sum(dim=-1)
    assert expected.shape == (S, ROWS)
    np.testing.assert_allclose(kind.log_prob(given, done), expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(kind.log_probs(outputs, actions), expected, rtol=1e-9, atol=1e-12)


@every_kind
def test_the_mean_slope_is_zero(kind, draw):
    outputs, _ = outputs_and_actions(kind, draw)
    actions, probabilities = every_action(kind, outputs)
    np.testing.assert_allclose(probabilities.sum(axis=0), 1, rtol=1e-12)
    slopes = np.array([kind.slopes(outputs, a) for a in actions])
    shares = probabilities.reshape(*probabilities.shape, *[1] * len(kind.output_shape))
    size = (shares * np.abs(slopes)).sum(axis=0).max()
    np.testing.assert_allclose((shares * slopes).sum(axis=0), 0, atol=1e-14 * max(size, 1))


@every_kind
def test_the_entropy_is_the_mean_of_minus_log_pi(kind, draw):
    outputs, _ = outputs_and_actions(kind, draw)
    actions, probabilities = every_action(kind, outputs)
    log_p = np.array([kind.log_probs(outputs, a) for a in actions])
    expected = -(probabilities * log_p).sum(axis=0)
    np.testing.assert_allclose(kind.entropy(outputs), expected, rtol=1e-10, atol=1e-12)


def test_two_actions_are_a_softmax_of_zero_and_f():
    """Also where an action is all but certain: neither says that the other's slope is nothing."""
    f = np.array([-700, -50, -37, -3, -0.1, 0, 1e-9, 2, 20, 38, 50, 700.0])
    two, softmax, logits = TwoActions(), Softmax(2), np.stack([np.zeros_like(f), f], axis=-1)
    np.testing.assert_allclose(two.entropy(f), softmax.entropy(logits), rtol=1e-12, atol=1e-15)
    for action in (np.zeros(len(f), int), np.ones(len(f), int)):
        pairs = two.log_probs(f, action), softmax.log_probs(logits, action)
        np.testing.assert_allclose(*pairs, rtol=1e-12, atol=1e-15)
        slopes = softmax.slopes(logits, action)
        np.testing.assert_allclose(slopes[:, 1], two.slopes(f, action), rtol=1e-12)
        np.testing.assert_array_equal(slopes[:, 0], -slopes[:, 1])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ["two actions", "softmax of 2", "softmax of 5"])
def test_logits_of_any_size_overflow_nowhere(name):
    kind, rows = KINDS[name], 4
    outputs = np.zeros((rows, *kind.output_shape), np.float32)
    outputs.reshape(rows, -1)[:, 0] = [-1e4, -800, 800, 1e4]
    with np.errstate(all="raise", under="ignore"):
        assert (np.abs(kind.entropy(outputs)) <= np.log(4.001)).all()
        for action in (0, 1):
            actions = np.full(rows, action)
            assert (kind.log_probs(outputs, actions) >= -10_002).all()
            assert (np.abs(kind.slopes(outputs, actions)) <= 1).all()


# ── Drawing ──────────────────────────────────────────────────────────────────────────────────

CERTAIN = {
    "two actions": [-50, -4, -1, 0, 0.5, 3, 50],
    "softmax of 2": [(0, 0), (50, -50), (-50, 50), (-50, -50), (1, -1), (50, 48)],
    "softmax of 5": [
        (0,) * 5,
        (50, 0, 0, 0, -50),
        (-50,) * 5,
        (-50, 0, 1, 2, 3),
        (50, 50, 0, 0, 0),
    ],
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", CERTAIN)
def test_what_is_drawn_is_drawn_with_its_probability(name):
    kind, outputs = KINDS[name], np.array(CERTAIN[name], np.float32)
    num_draws, per_step = 100_000, 2_000
    noise = kind.noise(streams(1), num_envs=len(outputs) * per_step)
    shape = per_step, len(outputs), *kind.output_shape
    with np.errstate(all="raise", under="ignore"):
        drawn = [kind.act(outputs, next(noise)[0].reshape(shape)) for _ in range(50)]
    drawn = np.concatenate(drawn).astype(int)
    assert drawn.shape == (num_draws, len(outputs))
    for a in range(2 if name == "two actions" else kind.num_actions):
        p = np.exp(kind.log_probs(outputs.astype(float), np.full(len(outputs), a)))
        found = (drawn == a).mean(axis=0)
        assert (np.abs(found - p) <= 5 * np.sqrt(p * (1 - p) / num_draws) + 1e-12).all()
    everywhere = np.broadcast_to(outputs, (num_draws, *outputs.shape))
    log_p = kind.log_probs(everywhere, drawn)
    assert log_p.min() > -15, "the unheard-of was never done"


@every_box
def test_what_is_drawn_in_a_box_is_normal(kind):
    size, num_envs = len(kind.low), 2_000
    mean, log_std = np.linspace(-3, 5, size), np.linspace(-1, 0.7, size)
    outputs = np.concatenate([mean, log_std]).astype(np.float32)
    noise = kind.noise(streams(1), num_envs)
    drawn = np.concatenate([kind.act(outputs, next(noise)[0]) for _ in range(50)])
    assert drawn.dtype == np.float32
    for d in range(size):
        test = stats.kstest(drawn[:, d], "norm", args=(mean[d], np.exp(log_std[d])))
        assert test.pvalue > 0.001
    assert size == 1 or abs(np.corrcoef(drawn.T)[0, 1]) < 5 / np.sqrt(len(drawn))


@every_box
@pytest.mark.filterwarnings("error")
def test_a_box_of_extreme_outputs_overflows_nowhere(kind):
    size = len(kind.low)
    noise = next(kind.noise(streams(1), 100))[0]
    for mean, log_std in ((-50, 50), (50, -50), (-50, 0)):
        outputs = np.repeat(np.array([mean, log_std], np.float32), size)
        outputs = np.broadcast_to(outputs, (100, 2 * size))
        actions = kind.act(outputs, noise)
        log_p = kind.log_probs(outputs.astype(float), mean + np.exp(log_std) * noise.astype(float))
        assert np.isfinite(actions).all()
        assert np.isfinite(log_p).all()
        assert (kind.in_the_box(actions) >= kind.low).all()
        assert (kind.in_the_box(actions) <= kind.high).all()


@every_kind
def test_a_seeds_noise_does_not_depend_on_its_company(kind):
    """Nor on who leaves, in mid-block or between two blocks."""
    among, alone = kind.noise(streams(5), 4), kind.noise(streams(5)[3:4], 4)
    row, seen = 3, []
    for step in range(170):
        noise = next(among)
        np.testing.assert_array_equal(noise[row], next(alone)[0])
        seen.append(noise)
        if step in (20, 99):
            stay = np.ones(len(noise), bool)
            stay[0] = False
            among.keep(stay)
            row -= 1
    first = np.array(seen[:20])
    assert len(np.unique(first)) > 0.99 * first.size, "no step and no seed repeats another's"


def test_actions_are_laid_into_the_box_and_cut_at_its_limits():
    box = Gaussian((-1.0, 0.0), (1.0, 8.0))
    actions = np.array([[0, 0], [-1, -1], [1, 1], [0.5, -0.5], [-9, 9]])
    given = [[0, 4], [-1, 0], [1, 8], [0.5, 2], [-1, 8]]
    np.testing.assert_array_equal(box.in_the_box(actions), given)
    np.testing.assert_array_equal(box.in_the_box(actions[:, None]), np.array(given)[:, None])


def test_the_cut_is_the_worlds_affair_and_not_the_policys():
    """Beyond the limits two actions are one to the world, and two to log π."""
    box = Gaussian((-1.0,), (1.0,))
    far, farther = np.array([[3.0]]), np.array([[4.0]])
    assert box.in_the_box(far) == box.in_the_box(farther) == 1
    outputs = np.array([[0.0, 0.0]])
    assert box.log_probs(outputs, far) - box.log_probs(outputs, farther) == pytest.approx(3.5)


# ── Networks ─────────────────────────────────────────────────────────────────────────────────

SCALE = (0.5, 2.0, 1.0)
TWO_HEADS = MLP(SCALE, hidden=6, output_shape=(4,), output_scale=(1.0, 1.0, 1.0, 50.0))
NETWORKS = {
    "one output": MLP(SCALE, hidden=5),
    "one output, scaled": MLP(SCALE, hidden=5, output_scale=50.0),
    "three": MLP(SCALE, hidden=7, output_shape=(3,)),
    "a row of one": MLP(SCALE, hidden=7, output_shape=(1,)),
    "a scale for each": TWO_HEADS,
    "two of four constant": MLP(SCALE, hidden=5, output_shape=(4,), num_constant=2),
    "constant and scaled": MLP(SCALE, 5, (4,), output_scale=(1.0, 2.0, 3.0, 4.0), num_constant=2),
    "linear": Linear(3),
    "linear, four": Linear(3, (4,)),
    "linear, scaled": Linear(3, (2,), output_scale=3.0),
    "head of some": Head(TWO_HEADS, slice(0, 3)),
    "head of one": Head(TWO_HEADS, 3),
}
every_network = pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)


def plain_formula(network, row, obs):
    """f(o) of one seed as anybody would write it, for torch to differentiate."""
    if isinstance(network, Head):
        return plain_formula(network.network, row, obs)[..., network.which]
    parts = torch.split(row, [int(np.prod(shape)) for shape in network.shapes])
    parts = [part.reshape(shape) for part, shape in zip(parts, network.shapes, strict=True)]
    if isinstance(network, Linear):
        outputs = obs @ parts[0]
    else:
        ones = torch.ones(len(obs), 1, dtype=obs.dtype)
        scaled = obs * torch.tensor(network.obs_scale, dtype=obs.dtype)
        outputs = torch.tanh(torch.cat([scaled, ones], dim=1) @ parts[0]) @ parts[1]
        outputs = torch.nn.functional.pad(outputs, (0, network.num_constant)) + parts[2]
    outputs = outputs * torch.tensor(network.output_scale, dtype=obs.dtype)
    return outputs if network.output_shape else outputs[..., 0]


def theta_and_obs(network, draw, rows=ROWS):
    theta = draw.normal(0, 0.7, (S, network.num_parameters)).astype(np.float32)
    return theta, draw.normal(size=(S, rows, 3)).astype(np.float32)


@every_network
def test_the_forward_pass_is_the_plain_formula(network, draw):
    theta, obs = theta_and_obs(network, draw)
    outputs, _ = network.forward(network.layers(theta), network.features(obs))
    assert outputs.dtype == np.float32
    for k in range(S):
        row, seen = (torch.from_numpy(x[k]).double() for x in (theta, obs))
        expected = plain_formula(network, row, seen).numpy()
        size = np.abs(expected).max()
        np.testing.assert_allclose(outputs[k], expected, rtol=1e-5, atol=2e-6 * size)
    for_updates = network(torch.from_numpy(theta), torch.from_numpy(obs))
    np.testing.assert_array_equal(for_updates, outputs)


def gradient(network, theta, obs, u):
    """Σ u ∇θ f(o) by the backward pass, [S, P]."""
    leaf = torch.from_numpy(theta.copy()).requires_grad_()
    (torch.from_numpy(u) * network(leaf, torch.from_numpy(obs))).sum().backward()
    return leaf.grad.numpy()


def slopes_for(network, draw, rows=ROWS):
    """Numbers like the outputs of a network."""
    theta, obs = theta_and_obs(network, draw, rows)
    shape = network(torch.from_numpy(theta), torch.from_numpy(obs)).shape
    return draw.normal(size=shape).astype(np.float32)


@every_network
def test_the_backward_pass_is_autograds_of_the_plain_formula(network, draw):
    theta, obs = theta_and_obs(network, draw)
    u = slopes_for(network, draw)
    ours = gradient(network, theta, obs, u)
    for k in range(S):
        row = torch.from_numpy(theta[k]).double().requires_grad_()
        outputs = plain_formula(network, row, torch.from_numpy(obs[k]).double())
        (torch.from_numpy(u[k]) * outputs).sum().backward()
        size = row.grad.abs().max().item()
        np.testing.assert_allclose(ours[k], row.grad, rtol=1e-5, atol=2e-6 * size)


@pytest.mark.parametrize("rows", [1, 40])
@every_network
def test_rows_of_theta_never_mix(network, rows, draw):
    """Neither in outputs nor in gradients, to the last bit, and alone as in company."""
    theta, obs = theta_and_obs(network, draw, rows)
    u = slopes_for(network, draw, rows)

    def outputs_and_gradient(theta, obs, u):
        outputs, _ = network.forward(network.layers(theta), network.features(obs))
        return outputs, gradient(network, theta, obs, u)

    together = outputs_and_gradient(theta, obs, u)
    in_other_company = theta.copy(), obs.copy(), u.copy()
    for x in in_other_company:
        x[[0, 2]] *= -3
    beside = outputs_and_gradient(*in_other_company)
    alone = outputs_and_gradient(theta[1:2], obs[1:2], u[1:2])
    for mine, other, single in zip(together, beside, alone, strict=True):
        np.testing.assert_array_equal(other[1], mine[1])
        np.testing.assert_array_equal(single[0], mine[1])
        assert (other[0] != mine[0]).any()


MEASURED = {
    name: network
    for name, network in NETWORKS.items()
    if not isinstance(network, Head) and network.output_scale == 1
}


@pytest.mark.parametrize("network", MEASURED.values(), ids=MEASURED)
def test_slope_norms_are_the_lengths_of_autograds_gradients(network, draw):
    theta, obs = theta_and_obs(network, draw)
    u = slopes_for(network, draw)
    norms = network.slope_norms(theta[0], obs[0], u[0])
    assert norms.shape == (ROWS,)
    for row in range(ROWS):
        leaf = torch.from_numpy(theta[0]).double().requires_grad_()
        outputs = plain_formula(network, leaf, torch.from_numpy(obs[0, row : row + 1]).double())
        (torch.as_tensor(u[0, row]) * outputs[0]).sum().backward()
        assert norms[row] == pytest.approx(leaf.grad.norm().item(), rel=1e-5)


def test_constant_outputs_do_not_see_the_observation_and_are_learned(draw):
    network = NETWORKS["two of four constant"]
    theta, obs = theta_and_obs(network, draw)
    outputs, _ = network.forward(network.layers(theta), network.features(obs))
    assert (np.ptp(outputs[..., 2:], axis=1) == 0).all()
    assert (np.ptp(outputs[..., :2], axis=1) > 0.1).all()
    u = np.zeros_like(outputs)
    u[..., 2:] = 1
    first, last, bias = network.layers(gradient(network, theta, obs, u))
    assert not first.any()
    assert not last.any()
    np.testing.assert_array_equal(bias[:, 0], np.broadcast_to([0, 0, ROWS, ROWS], (S, 4)))


def test_two_heads_move_the_hidden_layer_they_share(draw):
    """What either pulls at is its own outputs' weights, and the layer below both."""
    theta, obs = theta_and_obs(TWO_HEADS, draw)
    for head, own in (("head of some", [0, 1, 2]), ("head of one", [3])):
        u = slopes_for(NETWORKS[head], draw)
        first, last, bias = TWO_HEADS.layers(gradient(NETWORKS[head], theta, obs, u))
        others = [k for k in range(4) if k not in own]
        assert (np.abs(first).max(axis=(1, 2)) > 0.1).all()
        for layer in (last, bias):
            assert not layer[..., others].any()
            assert layer[..., own].all()


def test_a_head_a_linear_network_and_an_mlp_refuse_a_row_of_another_length():
    for network in (TWO_HEADS, NETWORKS["head of one"], NETWORKS["linear, four"]):
        with pytest.raises(ValueError, match=f"expected {network.num_parameters} parameters"):
            network.layers(np.zeros((S, network.num_parameters + 1), np.float32))


# ── Which kind a world gets ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("world", "kind"),
    [
        ("CartPole-v1", TwoActions()),
        ("Acrobot-v1", Softmax(3)),
        ("MountainCar-v0", Softmax(3)),
        ("Pendulum-v1", Gaussian((-2.0,), (2.0,))),
        ("MountainCarContinuous-v0", Gaussian((-1.0,), (1.0,))),
        ("ladder", Softmax(2)),
        ("bandit-a", Softmax(3)),
        ("FrozenLake-v1", Softmax(4)),
    ],
)
def test_a_worlds_policy_is_of_the_kind_of_its_actions(world, kind):
    assert kind_of_policy(find(world)) == kind


@pytest.mark.parametrize("world", ["CartPole-v1", "Acrobot-v1", "Pendulum-v1"])
def test_where_networks_learn_the_first_policy_hardly_prefers_anything(world, draw):
    agent = Agent.of(preset("gae", world))
    theta = agent.policy_part(agent.initial_theta(streams(S)))
    obs = draw.uniform(-1, 1, (S, ROWS, len(find(world).obs_scale))).astype(np.float32)
    network, kind = agent.policy, agent.distribution
    outputs, _ = network.forward(network.layers(theta), network.features(obs))
    np.testing.assert_allclose(outputs, 0, atol=0.1)
    flat = np.zeros(kind.output_shape)
    np.testing.assert_allclose(kind.entropy(outputs), kind.entropy(flat), atol=0.01)


def test_a_finite_worlds_policy_begins_at_the_worlds_own_theta_or_at_the_one_given():
    table = find("two-arms").table
    config = preset("baseline", "two-arms")
    theta = Agent.of(config).initial_theta(streams(S))
    np.testing.assert_array_equal(theta[:, :2], np.repeat(table.theta, S, axis=0).astype("f4"))
    assert not theta[:, 2:].any(), "and V̂ knows nothing"
    given = Agent.of(replace(config, initial_theta="1.5,-2")).initial_theta(streams(S))
    np.testing.assert_array_equal(given[:, :2], [[1.5, -2]] * S)


def test_one_network_for_several_logits_and_a_value_gives_the_value_its_own_scale_and_step():
    config = preset("gae", "Acrobot-v1").replace(share_network=True, critic_learning_rate=0.5)
    agent = Agent.of(config)
    assert agent.shared.output_scale[:3] == (1.0, 1.0, 1.0)
    assert agent.shared.output_scale[3] > 10
    first, last, bias = agent.shared.layers(agent.learning_rates(config)[None])
    assert (first == np.float32(config.learning_rate)).all()
    for layer in (last, bias):
        assert (layer[..., :3] == np.float32(config.learning_rate)).all()
        assert (layer[..., 3] == 0.5).all()
    _, last, _ = agent.shared.layers(agent.initial_theta(streams(S)))
    lengths = np.linalg.norm(last, axis=1)
    np.testing.assert_allclose(lengths, [[0.01, 0.01, 0.01, 0.1]] * S, rtol=1e-5)
