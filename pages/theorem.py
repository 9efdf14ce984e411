"""The theorem: how can we differentiate a reward that has no derivative, and why the log?"""

import streamlit as st

from pgviz.exact import ascent, derivation, values
from pgviz.exact.questions import QUESTIONS
from pgviz.ui import controls, page, quiz, receipts
from pgviz.ui.frame import open_page
from pgviz.ui.theorem import bench, climbers, closing, layout, log_trick, objective, proofs, symbols

this = open_page("theorem")
page.question(this)
if fault := controls.faults_of_link(bench.links(), "theorem"):
    st.caption(f":material/link_off: {fault}")
receipts.style()
layout.style()

left, story = st.columns([25, 75], gap="large")
with left, st.container(key="bench"):
    setting = bench.choose()

with story:
    guess = objective.objective(setting)
    symbols.symbols(setting.base)
    log_trick.log_trick(setting)
    proofs.proofs(setting)
    race, mistake = climbers.race(setting)
    page.code_that_ran(
        [
            (
                "The log trick",
                r"\nabla J = \mathbb{E}[R(\tau)\,\nabla\log P(\tau)]",
                derivation.gradient_is_an_expectation,
            ),
            (
                "The theorem",
                derivation.theorem_in_symbols(setting.base),
                values.gradient,
            ),
            ("The ascent", r"\theta \leftarrow \theta + \alpha\, u(\theta)", ascent.ascent),
        ]
    )
    page.takeaways(closing.takeaways(setting, race, mistake, revealed=guess is not None))
    quiz.draw(quiz.asked(QUESTIONS))
    closing.share(setting)
page.settled()
