"""Write REINFORCE: the function of pgviz.from_scratch with four gaps."""

import inspect

from pgviz import from_scratch
from pgviz.figures import plural
from pgviz.ui.exercise import exercise
from pgviz.ui.screen import Screen

# What a line of the solution holds, and the hint in its place.
HINTS = {
    "pi.sample()": "draw an action",
    "to_go +": "what is G here?",
    "to_go * log_prob": "this step's term; which sign?",
    ".backward()": "compute −ĝ",
}


def draw(screen: Screen) -> None:
    screen.words(
        "This is all of REINFORCE: Gymnasium for the world, torch for autograd, one seed, no"
        " tricks. Fill in the gaps and run the file: within some twenty updates the return should"
        " pass 100. If it falls to 9, look at your minus. The solution is the function whose ĝ the"
        " tests compare with the engine's."
    )
    source = solution()
    exercise(screen, "reinforce", source, gaps(source), start="while True")
    screen.says(
        f"{plural(len(gaps(source)), 'gap')} in {plural(len(source.splitlines()), 'line')}."
    )


def solution() -> str:
    """The function with what it imports."""
    function = inspect.getsource(from_scratch.reinforce)
    module = inspect.getmodule(from_scratch.reinforce)
    assert module is not None
    head = inspect.getsource(module).split("\n\n\n")[0]
    return f"{head}\n\n\n{function}{RUN}"


RUN = """

if __name__ == "__main__":
    env = gymnasium.make("CartPole-v1")
    policy = torch.nn.Sequential(torch.nn.Linear(4, 32), torch.nn.Tanh(), torch.nn.Linear(32, 2))
    for update, mean_return in enumerate(reinforce(env, policy)):
        print(update, round(mean_return, 1))
        if mean_return > 475:
            break
"""


def gaps(source: str) -> dict[str, str]:
    """The lines to write, with their hints."""
    lines = [line.strip() for line in source.splitlines()]
    return {
        next(line for line in lines if part in line and not line.startswith("#")): hint
        for part, hint in HINTS.items()
    }
