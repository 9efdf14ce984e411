"""Five instruments of a run that learns as it should."""

from pgviz.lessons.pitfalls.reading import BELOW, NAMES, Reading
from pgviz.measure import symptoms
from pgviz.training.command import command_line
from pgviz.training.zoo import CASES
from pgviz.ui import training
from pgviz.ui.screen import Screen

HEALTHY = Reading("sign")  # its right line: REINFORCE with a learned baseline
RUNS = (HEALTHY.runs[1],)
CONTROLS = (HEALTHY.choice,)
BEATS = tuple({"instrument": name} for name in NAMES)
MEANS = {
    "return": "The **return** says whether it learns, and never why it does not.",
    "entropy": "The **entropy** falls as actions become certain; at 0 there is nothing left to try.",
    "explained variance": "A critic at 0 knows no more than a constant; early on it has to rise.",
    "advantages": "What is added to θ is score times advantage: their mean should stay near 0, and"
    " their spread within what an episode can pay.",
    "one update": "In a world that is listed whole, the mean update can be laid beside ∇J: length, sign"
    " of each action, cosine.",
}


def draw(screen: Screen) -> None:
    instrument = HEALTHY.asked(screen)
    screen.words(
        "Broken training code raises no error. So measure more than the return: the **entropy** of"
        " the policy, the **explained variance** of the critic, the advantages, the update itself."
        f" {MEANS[instrument]}"
    )
    if instrument == "one update":
        HEALTHY.draw_update(screen, "right")
        cosine = symptoms.measured()["sign"]["right"]["update"]["cosine"][0]
        screen.says(f"The cosine of the mean update with ∇J is {cosine:.2f}.")
    else:
        with screen.picture():
            HEALTHY.heading(instrument, "REINFORCE with a learned baseline, on CartPole")
        finished = training.recorded(
            screen,
            RUNS,
            lambda runs, before: HEALTHY.draw(screen, runs, instrument),
            height=screen.height - BELOW,
        )
        training.run_again(screen, RUNS)
        screen.says(HEALTHY.alone(instrument, finished))
    screen.code(symptoms.last_tenth, symptoms.curves)
    screen.command(command_line(CASES["sign"].config))
