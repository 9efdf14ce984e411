"""The lessons: one folder per page, one file per step. This table is the order of the story."""

from pgviz.lessons import (
    actor_critic,
    baselines,
    gae,
    home,
    lecture,
    pitfalls,
    ppo,
    reinforce,
    rlhf,
    theorem,
    workbook,
)
from pgviz.lessons.step import Page

PAGES: tuple[Page, ...] = (
    home.PAGE,
    theorem.PAGE,
    reinforce.PAGE,
    baselines.PAGE,
    actor_critic.PAGE,
    gae.PAGE,
    pitfalls.PAGE,
    ppo.PAGE,
    rlhf.PAGE,
    workbook.PAGE,
    lecture.PAGE,
)


def page_of(slug: str) -> Page:
    """The page of this address."""
    return next(page for page in PAGES if page.slug == slug)
