"""How the named worlds are told: what happens there, what the actions are called, what to turn."""

from dataclasses import dataclass

from pgviz.worlds.tabular import TabularMDP


@dataclass(frozen=True)
class Story:
    """One sentence on a world, its actions by name, and the action whose probability is turned."""

    sentence: str
    actions: tuple[str, ...]
    turned: int = 0
    learning_rate: float = 0.1
    mistake: str = "drop the log"  # the one to look at first; at a uniform policy not this one


stories = {
    "bandit-a": Story(
        "One decision among three arms that pay 1, 2 and 5.",
        ("arm 1", "arm 2", "arm 3"),
        learning_rate=0.3,
    ),
    "two-arms": Story(
        "One decision between two arms that pay 1 and 0.8.", ("arm 1", "arm 2"), learning_rate=1.0
    ),
    "survival": Story(
        "Stay pays 1 and goes on; stop pays 0 and ends.",
        ("stay", "stop"),
        learning_rate=0.01,
        mistake="differentiate R",  # the only one that does harm: all others climb too
    ),
    "short-corridor": Story(
        "Three rooms that look alike, the goal behind the third. Every step costs 1. In the"
        " middle room left and right are swapped.",
        ("right", "left"),
        learning_rate=0.01,
        mistake="sample from the wrong policy",
    ),
    "ladder": Story(
        "Six steps on three rungs. Climb goes up with .8, rest stays with .8, else one down."
        " A step that ends on top pays 1.",
        ("rest", "climb"),
        turned=1,
        learning_rate=0.3,
        mistake="sample from the wrong policy",
    ),
    "shared-logit-chain": Story(
        "Two steps, one policy for both. Action 1 costs 1 in the second step; taken in the first"
        " it leads to 1.5 more.",
        ("action 0", "action 1"),
        turned=1,
        learning_rate=1.0,
        mistake="forget γᵗ",
    ),
}


def story_of(world: TabularMDP, is_foreign: bool = False) -> Story:
    """The story of a named world, or the facts of one that a visitor brought."""
    if not is_foreign and world.name in stories:
        return stories[world.name]
    states, actions = world.num_states, world.num_actions
    end = "no horizon" if world.horizon is None else f"horizon {world.horizon}"
    return Story(
        f"Your world: {states} {'state' if states == 1 else 'states'}, {actions}"
        f" {'action' if actions == 1 else 'actions'}, {end}.",
        tuple(f"action {a}" for a in range(actions)),
    )
