"""The theorem: how can we differentiate a reward that has no derivative, and why the log?"""

import streamlit as st

from pgviz.exact import ascent, derivation, values
from pgviz.ui import controls, page, quiz, receipts, theorem_acts, theorem_bench
from pgviz.ui.frame import open_page

this = open_page("theorem")
page.question(this)
if fault := controls.faults_of_link(theorem_bench.links(), "theorem"):
    st.caption(f":material/link_off: {fault}")
receipts.style()
theorem_acts.style()

bench, story = st.columns([25, 75], gap="large")
with bench, st.container(key="bench"):
    setting = theorem_bench.choose()

with story:
    guess = theorem_acts.objective(setting)
    theorem_acts.log_trick(setting)
    theorem_acts.proofs(setting)
    race = theorem_acts.race(setting)
    page.code_that_ran(
        [
            (
                "The log trick",
                r"\nabla J = \mathbb{E}[R(\tau)\,\nabla\log P(\tau)]",
                derivation.gradient_is_an_expectation,
            ),
            (
                "The theorem",
                r"\nabla J = \sum_s \eta_\gamma(s) \sum_a \pi(a|s)\,\nabla\log\pi(a|s)\,Q(s,a)",
                values.gradient,
            ),
            ("The ascent", r"\theta \leftarrow \theta + \alpha\, u(\theta)", ascent.ascent),
        ]
    )
    page.takeaways(theorem_acts.takeaways(setting, race, revealed=guess is not None))
    quiz.draw(theorem_acts.asked())
    theorem_acts.share(setting)
page.settled()
