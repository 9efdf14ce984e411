"""Home: what you will be able to do, and the way in."""

from pgviz.lessons.step import Page, Step

PAGE = Page(
    slug="home",
    section="Start",
    title="Home",
    icon=":material/home:",
    question="What will I be able to do?",
    steps=(
        Step("start", "One equation, and you can watch it learn", introduces=("CartPole",)),
        Step("path", "The path: one idea, one screen"),
        Step("race", "Five methods: which solves CartPole in fewest steps?"),
        Step("reading", "What to read, and when"),
    ),
)
