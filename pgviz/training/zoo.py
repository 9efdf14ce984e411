"""Engines with one line changed: they run, and most of them do not learn. Nothing that trains
imports this file.

A case names a function of the engine, one line of it and what stands there instead. `Engine` loads
the engine's modules a second time, from their own source, with that line replaced; the engine that
everybody else uses is not touched. So the line a page shows is the line that ran, all other lines
are the engine's own, and a line that is no longer in the source raises an error.

Axes: U updates, S seeds, K batches, F features, A actions of a finite world.
"""

import builtins
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib import import_module
from types import ModuleType, SimpleNamespace
from typing import Any, Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pgviz import estimators, policies
from pgviz.exact.values import gradient as exact_gradient
from pgviz.exact.values import state_values
from pgviz.networks import Array32, Layers, Linear
from pgviz.training import critic, gradient, methods, updates
from pgviz.training.agent import Agent
from pgviz.training.config import Config, preset, presets
from pgviz.training.rollout import Rollout
from pgviz.worlds.tabular import TabularMDP
from pgviz.worlds.world import find

Floats = NDArray[np.floating]
Which = Literal["right", "wrong"]

# What has to be loaded again so that a changed line is met wherever the engine comes by it.
MODULES = (
    "pgviz.estimators",
    "pgviz.policies",
    *(
        f"pgviz.training.{name}"
        for name in ("agent", "rollout", "gradient", "critic", "methods", "updates", "loop")
    ),
)


@dataclass(frozen=True)
class Case:
    """One wrong line.

    where       the function of the engine in which `right` is a line of its own
    right       that line
    wrong       what stands there instead
    symptom     what is to be seen, in one sentence
    config      the run it is shown with
    settings    fields of the configuration: where the wrong line is a setting, they are what is
                changed, and no line of code is
    replaces    the engine's own line, where `right` adds to it what the engine does not have
    world       the finite world in which its expected update is compared with ∇J; "" for none
    bench       settings of that comparison
    """

    where: Callable[..., Any]
    right: str
    wrong: str
    symptom: str
    config: Config
    settings: Mapping[str, Any] = field(default_factory=dict)
    replaces: str = ""
    world: str = "ladder"
    bench: Mapping[str, Any] = field(default_factory=dict)

    @property
    def line(self) -> str:
        """The line as it stands in the engine."""
        return self.replaces or self.right

    def configured(self, config: Config, which: Which) -> Config:
        """A configuration as this case has it."""
        return config.replace(**self.settings) if which == "wrong" else config

    def source(self, which: Which) -> str:
        """The function with the right line, or with the wrong one."""
        return with_line(inspect.getsource(self.where), self.line, getattr(self, which))


def with_line(source: str, line: str, instead: str) -> str:
    """The source with `instead` for the one line that reads `line`; its indentation stays."""
    lines = source.split("\n")
    found = [k for k, text in enumerate(lines) if text.strip() == line]
    if len(found) != 1:
        raise ValueError(f"{line!r} must be one line of the source, and is {len(found)}")
    lines[found[0]] = lines[found[0]].replace(line, instead)
    return "\n".join(lines)


class Engine:
    """The modules of the engine once more; where a case is given, with its line in place.

    Only what these modules import from each other is their own: worlds, networks and
    configurations are everybody's.
    """

    def __init__(self, case: Case | None = None, which: Which = "right") -> None:
        self.case, self.which = case, which
        self.modules: dict[str, ModuleType] = {}
        self.loop, self.updates = (
            self.module(f"pgviz.training.{name}") for name in ("loop", "updates")
        )

    def train(self, config: Config, seeds: Sequence[int] | None = None) -> Iterator[Any]:
        """`loop.train` of these modules."""
        return self.loop.train(config, seeds)

    def module(self, name: str) -> ModuleType:
        """A module of MODULES, executed when it is first asked for."""
        if name not in self.modules:
            module = self.modules[name] = ModuleType(name)
            vars(module).update(HELPERS)
            vars(module)["__builtins__"] = {**vars(builtins), "__import__": self._import}
            exec(compile(self._source(name), f"<zoo {name}>", "exec"), vars(module))
        return self.modules[name]

    def _source(self, name: str) -> str:
        source = inspect.getsource(import_module(name))
        if self.case is None or self.case.settings or self.case.where.__module__ != name:
            return source
        function = inspect.getsource(self.case.where)
        return source.replace(function, self.case.source(self.which), 1)

    def _import(self, name: str, *args: Any) -> Any:
        """What `import` does inside these modules; args are globals, locals, names, level."""
        if name in MODULES:
            return self.module(name)
        names = args[2] if len(args) > 2 else ()
        own = {x: self.module(f"{name}.{x}") for x in names or () if f"{name}.{x}" in MODULES}
        return SimpleNamespace(**own) if own else builtins.__import__(name, *args)


# ── What the lines call that the engine does not have ────────────────────────────────────────


def entropy_gradient(learners: Any, rollout: Rollout) -> Array32:
    """∇θ (1/N) Σ_rows Σ_t H(π(·|s_t)) of every seed, [S, P], in the scale of ĝ.

    H = −Σ_a π(a|s) log π(a|s); actions must be counted.
    """
    num_actions = int(learners.world.action_space.n)
    theta = torch.tensor(learners.policy, requires_grad=True)
    result = np.zeros(learners.policy.shape, np.float32)
    shares = rollout.mask / rollout.mask.shape[1]
    for obs, share in gradient.chunks(rollout.mask, rollout.obs, shares):
        each = [torch.full(obs.shape[:2], float(a)) for a in range(num_actions)]
        log_p = torch.stack([learners.agent.log_prob(theta, obs, a) for a in each])
        entropy = -(log_p.exp() * log_p).sum(dim=0)
        result += torch.autograd.grad((share * entropy).sum(), theta)[0].numpy()
    return result


@dataclass(frozen=True)
class EndsInSoftmax:
    """A linear network that ends in a softmax, as in torch.nn.Sequential(…, torch.nn.Softmax()).

    What it says are probabilities; the engine takes them for logits.
    """

    network: Linear

    @property
    def num_parameters(self) -> int:
        """P."""
        return self.network.num_parameters

    def layers(self, theta: Array32) -> Layers:
        """Those of the network."""
        return self.network.layers(theta)

    def features(self, obs: Array32) -> Array32:
        """φ(o)."""
        return self.network.features(obs)

    def forward(self, layers: Layers, features: Array32) -> tuple[Array32, Array32]:
        """softmax(f(o)), [S, rows, K], and the hidden units."""
        outputs, hidden = self.network.forward(layers, features)
        return policies.softmax(outputs), hidden

    def __call__(self, theta: Tensor, obs: Tensor) -> Tensor:
        """The same as a node of torch's graph."""
        return torch.softmax(self.network(theta, obs), dim=-1)


HELPERS: Mapping[str, Any] = {
    "entropy_gradient": entropy_gradient,
    "EndsInSoftmax": EndsInSoftmax,
    "td_errors_of": methods.actor_critic,
}

# ── The cases ────────────────────────────────────────────────────────────────────────────────

TO_THE_POLICY = "advantages = weighted(psi, rollout, config)"
MINUS_VALUES = "return reward_to_go(rewards, gamma, episode_over) - values"
WITH_CRITIC = "gradient = learners.with_critic(gradient, rollout, psi)"
TWO_ARMS = preset("reinforce", "two-arms", num_updates=60)
BASELINE = presets["baseline"].replace(num_updates=60)

CASES: dict[str, Case] = {
    "no-log": Case(
        gradient.policy_gradient,
        "surrogate = psi * log_probs",
        "surrogate = psi * log_probs.exp()",
        "The arm that pays less, but was chosen more often, wins in every seed.",
        TWO_ARMS,
        world="two-arms",
    ),
    "own-mean": Case(
        methods.reinforce,
        "return estimators.reward_to_go(rollout.rewards, config.gamma)",
        "return (g := estimators.reward_to_go(rollout.rewards, config.gamma))"
        " - np.mean(g, -1, keepdims=True, where=rollout.mask)",
        "Episodes of one step give a gradient of exactly 0, and nothing moves.",
        TWO_ARMS,
        world="two-arms",
    ),
    "one-episode": Case(
        Config,
        "num_envs: int = 16  # parallel environments of a seed",
        "num_envs: int = 1  # parallel environments of a seed",
        "The entropy falls to 0, in most seeds while the return stays below that of the first policy.",
        presets["full-return"],
        settings={"num_envs": 1, "num_updates": 1600},
    ),
    "sign": Case(
        updates.gradient_step,
        TO_THE_POLICY,
        TO_THE_POLICY.replace("(psi", "(-psi"),
        "The return falls to the shortest episodes there are, while the explained variance is near 1.",
        BASELINE,
    ),
    # Ψ − δ = G − V̂(s) − (r + γ V̂(s′) − V̂(s)) = G − (r + γ V̂(s′)). The critic still learns from G.
    "action-baseline": Case(
        updates.gradient_step,
        TO_THE_POLICY,
        TO_THE_POLICY.replace("psi,", "psi - td_errors_of(rollout, config),"),
        "It learns at a fraction of the speed: the better the critic, the less is left to learn from.",
        BASELINE.replace(critic_steps=64),
        world="two-arms",
    ),
    "gamma-twice": Case(
        estimators.discounted_sum,
        "following = x[..., t] + total.dtype.type(discount) * following",
        "following = discount**t * x[..., t] + total.dtype.type(discount) * following",
        "Short episodes get longer as they should, but late steps have next to no weight, and most"
        " seeds stop improving half-way.",
        presets["reinforce"].replace(gamma=0.98),
        bench={"gamma": 0.5},
    ),
    "no-detach": Case(
        critic.td_gradient,
        "targets, td_errors = targets.detach(), td_errors.detach()",
        "pass",
        "The return is lower in the end, while the explained variance is 0.99: more than the right code's.",
        presets["actor-critic"].replace(num_updates=500),
        settings={"detach": False},
        world="",
    ),
    # (N, 1) − (N,) is a matrix of all pairs, and a mean over it raises no error. In these lines the
    # axis of seeds comes first, so what torch code does by mistake has to be written out.
    "broadcast-loss": Case(
        critic.value_gradient,
        "loss = (shares * 0.5 * (critic(parameters, obs) - y).square()).sum()",
        "loss = (shares * 0.5 * (critic(parameters, obs)[..., None] - y[:, None])"
        ".square().mean(-1)).sum()",
        "The policy learns nothing, and the explained variance is 0.00: V̂ is the same in every state.",
        presets["actor-critic"].replace(num_updates=300),
        world="",
    ),
    "broadcast-returns": Case(
        estimators.baselined_reward_to_go,
        MINUS_VALUES,
        "return (reward_to_go(rewards, gamma, episode_over)[..., :, None, :]"
        " - values[..., None, :, :]).mean(-3)",
        "It learns very slowly: at each t all actions are credited with the same mean return.",
        BASELINE,
    ),
    # Here the pairs are those of the N environments at each t. The critic's y = Ψ + V̂ is wrong, too.
    "broadcast-values": Case(
        estimators.baselined_reward_to_go,
        MINUS_VALUES,
        "return (reward_to_go(rewards, gamma, episode_over)[..., :, None, :]"
        " - values[..., None, :, :]).mean(-2)",
        "It learns as it should: the mean of the values is a baseline, too.",
        BASELINE,
    ),
    "time-limit": Case(
        methods.actor_critic,
        "rollout.terminated,",
        "rollout.episode_over,",
        "It reaches 500 steps as fast as it should; then some seeds get worse again, and the"
        " advantages keep their spread.",
        presets["actor-critic"].replace(num_updates=500),
        world="",
    ),
    "leak": Case(
        estimators.gae,
        "errors, gamma * gae_lambda, terminated if episode_over is None else episode_over",
        "errors, gamma * gae_lambda",
        "The first advantages are ten times what an episode pays; it learns all the same, later.",
        presets["gae"].replace(
            num_updates=150, num_envs=2, num_steps=512, gamma=0.999, gae_lambda=1.0
        ),
    ),
    "forwards": Case(
        estimators.discounted_sum,
        "for t in reversed(range(x.shape[-1])):",
        "for t in range(x.shape[-1]):",
        "The advantages spread a hundred times wider than the returns, and the return falls to the"
        " shortest episodes there are.",
        presets["gae"].replace(num_updates=60),
    ),
    # The best policy of the corridor is random. The engine has no entropy term.
    "entropy": Case(
        updates.gradient_step,
        WITH_CRITIC + " + 0.3 * entropy_gradient(learners, rollout)",
        WITH_CRITIC + " - 0.3 * entropy_gradient(learners, rollout)",
        "The entropy falls, and the return with it: the best policy here is nearly a coin.",
        preset("gae", "short-corridor", normalize_advantages=True, initial_theta="0,1"),
        replaces=WITH_CRITIC,
        world="",
    ),
    # `objective` means nothing here: it is J of softmax(f), and another policy plays.
    "softmax-twice": Case(
        Agent.of,
        "policy = Linear(len(world.obs_scale), outputs)",
        "policy = EndsInSoftmax(Linear(len(world.obs_scale), outputs))",
        "The entropy does not fall below .58, so that no action is taken with more than 73 %.",
        preset("reinforce", "ladder", num_updates=100),
        world="",
    ),
    "softmax-in-the-loss": Case(
        policies.Softmax.log_prob,
        "chosen = torch.log_softmax(outputs, dim=-1).gather(-1, actions.long()[..., None])",
        "chosen = torch.log_softmax(torch.softmax(outputs, dim=-1), dim=-1)"
        ".gather(-1, actions.long()[..., None])",
        "Each seed ends at one arm, and by luck it is any of the three.",
        preset("reinforce", "bandit-a", num_updates=100),
        world="bandit-a",
    ),
    "stale": Case(
        updates.surrogate_gradient,
        "surrogate = clipped_surrogate(ratios, psi, clip_coef)",
        "surrogate = agent.log_prob(parameters, x, a) * psi",
        "The entropy falls to almost 0 within a few updates, and the return ends at that of the shortest episodes.",
        presets["ppo"].replace(num_updates=60, update_epochs=10, learning_rate=0.01),
        world="",
    ),
}

# ── Instruments ──────────────────────────────────────────────────────────────────────────────

RECORDED = (
    "episode_return",
    "env_steps",
    "entropy",
    "explained_variance",
    "value_loss",
    "advantage_mean",
    "advantage_std",
)


def watch(
    case: Case,
    which: Which = "wrong",
    config: Config | None = None,
    names: Sequence[str] = RECORDED,
) -> dict[str, Floats]:
    """Train, and read the instruments: name → [U, S].

    `config` is the run the case is shown with unless given.
    """
    run = Engine(case, which).train(case.configured(config or case.config, which))
    rows = [[update.metrics[name] for name in names] for update in run]
    return dict(zip(names, np.array(rows).swapaxes(0, 1), strict=True))


@dataclass(frozen=True)
class Changed(Config):
    """A run with a line of a case in place of the engine's."""

    case: str = ""
    which: str = "wrong"

    def train(self) -> Iterator[Any]:
        """The updates of the engine that has the line."""
        return Engine(CASES[self.case], cast(Which, self.which)).train(self)


def run_of(name: str, which: Which = "wrong") -> Config:
    """The run a case is shown with. With the right line it is a run of the engine itself."""
    case = CASES[name]
    config = case.configured(case.config, which)
    if case.settings or (which == "right" and not case.replaces):
        return config
    return Changed(**asdict(config), case=name, which=which)


@dataclass(frozen=True)
class Expected:
    """What one update does on average, from K batches, each played by the same policy.

    steps [K, F, A] are the updates divided by the step size, exact [F, A] is ∇J.
    """

    steps: Floats
    exact: Floats

    @property
    def mean(self) -> Floats:
        """[F, A]."""
        return self.steps.mean(axis=0)

    @property
    def standard_error(self) -> Floats:
        """Of the mean, [F, A]."""
        return self.steps.std(axis=0, ddof=1) / np.sqrt(len(self.steps))

    @property
    def covariance_trace(self) -> float:
        """Of the update from one batch."""
        return float(self.steps.var(axis=0, ddof=1).sum())

    @property
    def signs(self) -> NDArray[np.int_]:
        """1 where the update pushes up, −1 where it pushes down, 0 within three standard errors."""
        clear = np.abs(self.mean) > 3 * self.standard_error
        return np.where(clear, np.sign(self.mean), 0).astype(int)

    @property
    def cosine(self) -> tuple[float, float] | None:
        """Between the mean and ∇J, with its bootstrap standard error; None if the mean may be 0."""
        if not self.signs.any():
            return None
        rng = np.random.default_rng(0)
        size = len(self.steps)
        means = [self.steps[rng.integers(size, size=size)].mean(axis=0) for _ in range(200)]
        spread = np.std([_cosine(mean, self.exact) for mean in means])
        return _cosine(self.mean, self.exact), float(spread)


def expected_update(
    case: Case, which: Which = "wrong", world: str = "", num_rounds: int = 4
) -> Expected:
    """What the case's method does to the θ of a finite world in one plain gradient step.

    The policy is the one the world is shown with; V̂ is the true V, as near to it as the
    features come, and its mean over time where it depends on time. Windows hold whole episodes, and
    λ = 1, so that nothing but the changed line can bias. 256 seeds make 256 batches of a round.
    """
    world = world or case.world or "two-arms"
    table = find(world).table
    assert table is not None
    config = case.configured(_bench(case, world, table), which)
    table = replace(table, gamma=config.gamma)
    values = state_values(table).reshape(-1, table.num_states).mean(axis=0)
    weights = np.linalg.lstsq(table.features, values)[0]
    engine = Engine(case, which)
    update = engine.updates.updates[methods.methods[config.method].update]
    steps = []
    for rng_seed in range(num_rounds):
        now = config.replace(rng_seed=rng_seed)
        learners = engine.loop.Learners(now, list(range(now.num_seeds)))
        if config.has_critic:
            learners.critic[:] = weights
        before = learners.policy.astype(np.float64)
        update(learners, learners.collect(0), now)
        steps.append((learners.policy - before) / now.learning_rate)
    shape = -1, table.num_features, table.num_actions
    return Expected(np.concatenate(steps).reshape(shape), exact_gradient(table))


def one_state(case: Case, which: Which = "wrong") -> Expected:
    """The same where one of two arms is to be chosen: `signs` says which becomes more likely."""
    return expected_update(case, which, "two-arms")


def _bench(case: Case, world: str, table: TabularMDP) -> Config:
    method = case.config.method
    settings: dict[str, Any] = {
        "num_seeds": 256,
        "optimizer": "sgd",
        "learning_rate": 2.0**-6,
        "max_grad_norm": 1e9,
        "normalize_advantages": case.config.normalize_advantages,
        **case.bench,
    }
    if methods.methods[method].windows:
        settings |= {"num_steps": 2 * (table.horizon or 1), "gae_lambda": 1.0}
    return preset(method, world, **settings)


def _cosine(a: Floats, b: Floats) -> float:
    return float((a * b).sum() / (np.linalg.norm(a) * np.linalg.norm(b)))
