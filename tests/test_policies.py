"""One array of parameters, one forward pass, one derivative by hand: held to torch's own."""

import numpy as np
import pytest
import torch

from pgviz.networks import MLP, orthogonal
from pgviz.policies import TwoActions, entropy, log_prob, probability
from pgviz.training.optimizer import Adam, clipped
from pgviz.worlds.cartpole import OBS_SCALE

S, ROWS = 3, 40


def streams(num_seeds, seed=0):
    return [np.random.default_rng(x) for x in np.random.SeedSequence(seed).spawn(num_seeds)]


@pytest.fixture
def draw():
    return np.random.default_rng(0)


@pytest.fixture(params=[1, 8, 32])
def policy(request):
    return MLP(OBS_SCALE, hidden=request.param)


@pytest.fixture
def theta(policy, draw):
    return draw.normal(0, 0.7, (S, policy.num_parameters)).astype(np.float32)


@pytest.fixture
def obs(draw):
    return draw.normal(0, [1, 1, 0.1, 1], (S, ROWS, 4)).astype(np.float32)


def torch_network(policy, row):
    """The same network as a learner would write it, with its parameters from one row of theta."""
    num_obs, hidden = len(policy.obs_scale), policy.hidden
    network = torch.nn.Sequential(
        torch.nn.Linear(num_obs, hidden), torch.nn.Tanh(), torch.nn.Linear(hidden, 1)
    ).double()
    row = torch.from_numpy(np.array(row, np.float64))
    with torch.no_grad():
        network[0].weight[:] = row[: num_obs * hidden].reshape(num_obs, hidden).T
        network[0].bias[:] = row[num_obs * hidden : (num_obs + 1) * hidden]
        network[2].weight[:] = row[(num_obs + 1) * hidden : -1]
        network[2].bias[:] = row[-1]
    return network


def scaled(policy, obs):
    return torch.from_numpy(obs).double() * torch.tensor(policy.obs_scale, dtype=torch.float64)


def plain_formula(policy, theta, obs):
    """f(o) = w₂ᵀ tanh(W₁ᵀ φ(o)) + b₂, one seed after the other, for torch to differentiate."""
    outputs = []
    for row, o in zip(theta, obs, strict=True):
        first, last, last_bias = torch.split(row, [np.prod(s) for s in policy.shapes])
        features = torch.cat([o * torch.tensor(policy.obs_scale), torch.ones(len(o), 1)], dim=1)
        hidden = torch.tanh(features.double() @ first.reshape(policy.shapes[0]))
        outputs.append(hidden @ last + last_bias)
    return torch.stack(outputs)


def test_the_forward_pass_is_a_linear_tanh_linear_network(policy, theta, obs):
    outputs, hidden = policy.forward(policy.layers(theta), policy.features(obs))
    assert outputs.dtype == np.float32
    assert hidden.shape == (S, ROWS, policy.hidden)
    for k in range(S):
        network = torch_network(policy, theta[k])
        expected = network(scaled(policy, obs[k]))[:, 0].detach().numpy()
        np.testing.assert_allclose(outputs[k], expected, rtol=1e-5, atol=2e-6)
    for_updates = policy(torch.from_numpy(theta), torch.from_numpy(obs)).numpy()
    np.testing.assert_array_equal(for_updates, outputs)


def test_the_derivative_by_hand_is_autograds(policy, theta, obs, draw):
    """∇θ Σ u f(o) for random u: every row of the Jacobian in one number."""
    u = torch.from_numpy(draw.normal(size=(S, ROWS)).astype(np.float32))
    by_hand = torch.from_numpy(theta).requires_grad_()
    (u * policy(by_hand, torch.from_numpy(obs))).sum().backward()
    exact = torch.from_numpy(theta).double().requires_grad_()
    (u * plain_formula(policy, exact, torch.from_numpy(obs))).sum().backward()
    size = exact.grad.abs().max().item()
    np.testing.assert_allclose(by_hand.grad, exact.grad, rtol=1e-5, atol=2e-6 * size)


def test_the_derivative_by_hand_is_the_slope_in_every_direction(draw):
    policy = MLP(OBS_SCALE, hidden=4)
    theta = draw.normal(size=(1, policy.num_parameters))
    obs = torch.from_numpy(draw.normal(size=(1, 9, 4)).astype(np.float32))
    parameters = torch.from_numpy(theta.astype(np.float32)).requires_grad_()
    policy(parameters, obs).sum().backward()
    for p in range(policy.num_parameters):
        nudge = np.zeros_like(theta)
        nudge[0, p] = 1e-5
        up, down = (
            plain_formula(policy, torch.from_numpy(theta + sign * nudge), obs).sum().item()
            for sign in (1, -1)
        )
        assert parameters.grad[0, p].item() == pytest.approx((up - down) / 2e-5, rel=1e-4, abs=1e-4)


def test_layers_are_views_so_rollouts_and_updates_share_memory(policy, theta):
    layers = policy.layers(theta)
    assert all(np.shares_memory(layer, theta) for layer in layers)
    assert [layer.shape[1:] for layer in layers] == list(policy.shapes)
    assert sum(layer[0].size for layer in layers) == policy.num_parameters == theta.shape[1]
    for i, layer in enumerate(layers):
        layer[:] = i  # together they cover every parameter once
    sizes = [layer[0].size for layer in layers]
    np.testing.assert_array_equal(theta, np.repeat([[0, 1, 2]], sizes, axis=1).repeat(S, axis=0))


def test_rows_of_theta_never_mix(policy, theta, obs):
    """Neither in the outputs nor in the gradient, to the last bit, and alone as in company."""

    def outputs_and_gradient(theta, obs):
        parameters = torch.from_numpy(theta.copy()).requires_grad_()
        outputs = policy(parameters, torch.from_numpy(obs))
        outputs.square().sum().backward()
        return outputs.detach().numpy(), parameters.grad.numpy()

    before = outputs_and_gradient(theta, obs)
    theta_2, obs_2 = theta.copy(), obs.copy()
    theta_2[1:] *= -3
    obs_2[1:] += 1
    for together, beside, alone in zip(
        before,
        outputs_and_gradient(theta_2, obs_2),
        outputs_and_gradient(theta[:1], obs[:1]),
        strict=True,
    ):
        np.testing.assert_array_equal(beside[0], together[0])
        np.testing.assert_array_equal(alone[0], together[0])
        assert (beside[1:] != together[1:]).any(axis=-1).all()


def test_observations_are_scaled_to_about_one_and_followed_by_a_one():
    policy = MLP(OBS_SCALE)
    at_the_limits = np.array([2.4, 2, 0.2095, 2], np.float32)
    np.testing.assert_allclose(policy.features(at_the_limits), np.ones(5), rtol=1e-6)
    np.testing.assert_array_equal(
        policy.features(np.zeros((2, 3, 4), np.float32))[1, 2], [0] * 4 + [1]
    )


def test_the_first_policy_is_nearly_a_coin_with_orthogonal_layers(draw):
    policy = MLP(OBS_SCALE)
    theta = policy.initial_theta(streams(4), last_scale=0.01)
    first, last, last_bias = policy.layers(theta)
    for k in range(4):
        np.testing.assert_allclose(first[k, :4] @ first[k, :4].T, np.eye(4), atol=1e-6)
        assert np.linalg.norm(last[k]) == pytest.approx(0.01, rel=1e-5)
    assert not first[:, 4].any()
    assert not last_bias.any()
    obs = draw.uniform(-0.05, 0.05, (4, 100, 4)).astype(np.float32)
    logits, _ = policy.forward(policy.layers(theta), policy.features(obs))
    np.testing.assert_allclose(probability(logits), 0.5, atol=0.01)


def test_a_seeds_first_policy_does_not_depend_on_the_others():
    policy = MLP(OBS_SCALE, hidden=8)
    together = policy.initial_theta(streams(5), last_scale=1)
    np.testing.assert_array_equal(
        policy.initial_theta(streams(5)[3:4], last_scale=1)[0], together[3]
    )
    assert len(np.unique(together, axis=0)) == 5


@pytest.mark.parametrize("shape", [(4, 32), (32, 1), (5, 5), (4, 1)])
def test_orthogonal_means_orthonormal_along_the_shorter_side(shape, draw):
    q = orthogonal(draw, *shape)
    assert q.shape == shape
    square = q @ q.T if shape[0] <= shape[1] else q.T @ q
    np.testing.assert_allclose(square, np.eye(min(shape)), atol=1e-12)


LOGITS = np.array([-80, -20, -3, -0.5, -1e-4, 0, 0.1, 1, 7, 20, 80.0])


def test_log_prob_is_the_log_of_bernoullis_probability():
    logits = torch.from_numpy(LOGITS)
    bernoulli = torch.distributions.Bernoulli(logits=logits)
    for action in (0.0, 1.0):
        actions = torch.full_like(logits, action)
        expected = bernoulli.log_prob(actions)
        np.testing.assert_allclose(log_prob(logits, actions), expected, rtol=1e-6, atol=1e-12)
    total = sum(torch.exp(log_prob(logits, torch.full_like(logits, a))) for a in (0.0, 1.0))
    np.testing.assert_allclose(total, 1, rtol=1e-12)


def test_the_score_is_the_action_minus_its_probability():
    for action in (0.0, 1.0):
        logits = torch.from_numpy(LOGITS).requires_grad_()
        log_prob(logits, torch.tensor(action)).sum().backward()
        np.testing.assert_allclose(logits.grad, action - probability(LOGITS), atol=1e-12)


def test_entropy_and_probability_are_bernoullis():
    bernoulli = torch.distributions.Bernoulli(logits=torch.from_numpy(LOGITS))
    np.testing.assert_allclose(probability(LOGITS), bernoulli.probs, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(entropy(LOGITS), bernoulli.entropy(), rtol=1e-6, atol=1e-12)
    assert entropy(np.zeros(1))[0] == pytest.approx(np.log(2), rel=1e-12)
    np.testing.assert_array_equal(entropy(LOGITS), entropy(-LOGITS))


def test_entropy_and_probability_never_overflow():
    extreme = np.array([-1e4, 1e4], np.float32)
    with np.errstate(all="raise", under="ignore"):
        np.testing.assert_array_equal(probability(extreme), [0, 1])
        np.testing.assert_allclose(entropy(extreme), 0, atol=1e-30)


def test_a_logit_above_logistic_noise_happens_with_probability_sigma():
    logits = np.array([-4, -1, 0, 0.5, 3], np.float32)
    noise = TwoActions().noise(streams(2), num_envs=500)
    right = np.mean([next(noise)[..., None] < logits for _ in range(200)], axis=(0, 2))
    assert right.shape == (2, 5)
    p = probability(logits.astype(float))
    np.testing.assert_allclose(right, [p, p], atol=5 * np.sqrt((p * (1 - p)).max() / 100_000))
    np.testing.assert_allclose(right[:, 0], p[0], atol=0.003)


def test_noise_is_of_each_seeds_own_stream():
    together, alone = TwoActions().noise(streams(3), 4), TwoActions().noise(streams(3)[1:2], 4)
    rows = np.array([next(together) for _ in range(120)])
    np.testing.assert_array_equal(rows[:, 1], [next(alone)[0] for _ in range(120)])
    assert len(np.unique(rows)) > 0.99 * rows.size, "no step and no seed repeats another's noise"


class TheLowestUniform:
    def random(self, size, dtype):
        return np.zeros(size, dtype)


def test_a_uniform_number_of_exactly_zero_does_no_harm():
    assert next(TwoActions().noise([TheLowestUniform()], 2)).tolist() == [[-np.inf, -np.inf]]


def test_adam_is_torchs_adam_going_up_before_and_after_seeds_leave(draw):
    theta = draw.normal(size=(5, 7)).astype(np.float32)
    parameters = torch.nn.Parameter(torch.from_numpy(theta.copy()))
    theirs = torch.optim.Adam([parameters], lr=0.03, maximize=True)
    ours, here = Adam(theta.shape, learning_rate=0.03), np.ones(5, bool)
    for k in range(300):
        gradient = (draw.normal(size=theta.shape) * 10 ** draw.uniform(-4, 2)).astype(np.float32)
        parameters.grad = torch.from_numpy(gradient)
        theirs.step()
        mine = theta[here]
        ours.ascend(mine, gradient[here])
        theta[here] = mine
        expected = parameters.detach().numpy()[here]
        np.testing.assert_allclose(mine, expected, rtol=2e-5, atol=2e-6)
        if k in (100, 200):
            stay = np.ones(here.sum(), bool)
            stay[[0, -1]] = k == 200, k == 100
            ours.keep(stay)
            here[np.flatnonzero(here)[~stay]] = False
    assert here.sum() == 3


def test_adams_first_step_has_the_length_of_the_learning_rate_and_goes_up():
    theta = np.zeros((1, 2), np.float32)
    Adam(theta.shape, learning_rate=0.1).ascend(theta, np.array([[5, -1e-3]], np.float32))
    np.testing.assert_allclose(theta, [[0.1, -0.1]], rtol=1e-4)


def test_a_gradient_too_long_is_shortened_and_keeps_its_direction():
    gradient = np.array([[3, 4], [0.3, 0.4], [0, 0]], np.float32)
    shorter, norms = clipped(gradient, 1.0)
    np.testing.assert_allclose(norms, [5, 0.5, 0], rtol=1e-6)
    np.testing.assert_allclose(shorter, [[0.6, 0.8], [0.3, 0.4], [0, 0]], rtol=1e-6)


def test_one_seeds_huge_gradient_shortens_nobody_elses(draw):
    gradient = draw.normal(size=(3, 9)).astype(np.float32)
    alone, _ = clipped(gradient[:1], 0.5)
    gradient[1:] *= 1e6
    np.testing.assert_array_equal(clipped(gradient, 0.5)[0][0], alone[0])
