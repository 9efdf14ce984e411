"""Who comes without a mouse, or looks through a small window: python -m tests.access [PAGE[/STEP] …]

A line for each step on which something cannot be reached, seen or read: by the Tab key alone at
1280 × 720, and at 200 % (640 × 360) and 390 px without anything cut. All steps take minutes.
"""

import sys
from itertools import pairwise
from typing import Any

from playwright.sync_api import Page, sync_playwright

from pgviz.lessons import PAGES
from tests.reads import SPOKEN, read
from tests.real import chromium_options, served
from tests.screenshots import opened, settle, wanted

DESK, ZOOMED, PHONE = (1280, 720), (640, 360), (390, 844)

# Numbers all controls that the keyboard must reach; of a group of radios the one that Tab enters.
FIND = """() => {
  const all = [];
  const walk = (root) => {
    for (const e of root.querySelectorAll("*")) {
      if (e.matches("button, input, textarea, select, a[href], [tabindex]")) all.push(e);
      if (e.shadowRoot) walk(e.shadowRoot);
    }
  };
  walk(document.querySelector("[data-testid=stMain]"));
  for (const e of all) delete e.dataset.number;
  const entered = (e) => {
    const group = all.filter((other) => other.type === "radio" && other.name === e.name);
    return e.type !== "radio" || e === (group.find((other) => other.checked) ?? group[0]);
  };
  return all
    .filter((e) => !e.disabled && e.tabIndex >= 0 && entered(e))
    .filter((e) => e.checkVisibility({ visibilityProperty: true }))
    .map((e, number) => {
      e.dataset.number = number;
      return e.ariaLabel || e.textContent || e.type;
    });
}"""

# How many of them are still there.
NUMBERED = """() => {
  const count = (root) => [...root.querySelectorAll("*")]
    .map((e) => (e.dataset.number ? 1 : 0) + (e.shadowRoot ? count(e.shadowRoot) : 0))
    .reduce((a, b) => a + b, 0);
  return count(document);
}"""

# What has the focus: its number, whether that can be seen, and where it stands on the page.
FOCUSED = """() => {
  let e = document.activeElement;
  while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
  if (!e?.dataset.number) return null;
  const drawn = (x) => {
    const style = getComputedStyle(x);
    return (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0)
      || style.boxShadow !== "none" || x.matches("canvas");
  };
  // Streamlit's fields for text have a border that takes the colour of the accent.
  let shows = e.matches("textarea, input[type=text], input[type=number]");
  for (let x = e, up = 0; x && up < 4; x = x.parentElement, up++) shows ||= drawn(x);
  const small = e.matches("input:not([type=text], [type=number])");
  const box = (small ? e.closest("label, .stSlider") ?? e : e).getBoundingClientRect();
  const bar = document.querySelector("[data-testid=stBottom]");
  const under = !bar.contains(e) && box.top + Math.min(box.height, 20)
    > bar.getBoundingClientRect().top;
  const top = box.top + document.querySelector("[data-testid=stMain]").scrollTop;
  const where = { left: box.left, top: bar.contains(e) ? 1e6 : top };
  return { number: Number(e.dataset.number), shows, under, ...where };
}"""

# What leaves the window at a side, or is cut there; what may be scrolled for itself is whole.
CUT = """() => {
  const main = document.querySelector("[data-testid=stMain]");
  const wide = Math.max(main.scrollWidth, document.documentElement.scrollWidth);
  const found = wide > innerWidth ? [`the page is ${wide} px wide`] : [];
  const scrolls = (e) => e && e !== main
    && (["auto", "scroll"].includes(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
  for (const e of main.querySelectorAll("h1, p, button, label, td, svg.marks text, .katex-html")) {
    const box = e.getBoundingClientRect();
    if (!box.width || scrolls(e) || e.closest("[class*=in-one], .in-words")) continue;
    if (box.right > innerWidth + 1 || box.left < -1) found.push(e.textContent.slice(0, 40));
  }
  return found;
}"""


def tabbed(page: Page) -> dict[str, list[str]]:
    """What is wrong when the step is walked through by Tab: faults, each with names of controls.

    A page that was drawn anew meanwhile is walked through once more, from its beginning.
    """
    for _ in range(5):
        page.wait_for_timeout(500)
        names: list[str] = page.evaluate(FIND)
        faults = _walked(page, names)
        if page.evaluate(NUMBERED) == len(names):
            break
    return faults


def _walked(page: Page, names: list[str]) -> dict[str, list[str]]:
    page.evaluate(
        """() => {
        const main = document.querySelector("[data-testid=stMain]");
        main.scrollTo(0, 0);
        main.tabIndex = -1;
        main.focus();
        }"""
    )
    met: list[dict[str, Any]] = []
    for _ in range(len(names) + 20):
        page.keyboard.press("Tab")
        if (here := page.evaluate(FOCUSED)) and here not in met:
            met.append(here)
    reached = {here["number"] for here in met}
    wide = page.viewport_size is not None and page.viewport_size["width"] == DESK[0]
    faults = {
        "not reached": [name for number, name in enumerate(names) if number not in reached],
        "focus not to be seen": [names[here["number"]] for here in met if not here["shows"]],
        "under the bar": [names[here["number"]] for here in met if here["under"]],
        "out of order": [
            names[later["number"]]
            for before, later in pairwise(met if wide else [])
            if later["top"] < before["top"] - 40 and later["left"] < before["left"] + 100
        ],
    }
    return {fault: [name[:40] for name in named] for fault, named in faults.items() if named}


def badly_read(page: Page) -> list[str]:
    """What a screen reader reads without a name, with the name of an icon, or too often."""
    icons = page.locator("[data-testid=stIconMaterial]").all_text_contents()
    said = read(page)
    controls = [each for each in said if each.role in SPOKEN - {"grid"}]  # its region has a name
    bad = [f"no name: {each}" for each in controls if not each.name.strip()]
    bad += [
        f"an icon: {each}"
        for each in controls
        for icon in icons
        if "_" in icon  # the others are words
        if each.name.startswith(icon) or each.name.endswith(icon)
    ]
    if (titles := sum("level" in each.states for each in said)) != 1:
        bad.append(f"{titles} titles")
    charts = page.locator("[role=graphics-document]").count()
    if (read_as := sum(each.role == "graphics-document" for each in said)) != charts:
        bad.append(f"{read_as} of {charts} charts")
    if page.locator("svg.marks text:not([aria-hidden=true] *)").count():
        bad.append("loose numbers of a chart")
    sentences = [each.name for each in said if len(each.name) > 60 and each.role != "link"]
    bad += [f"twice: {text}" for text in {*sentences} if sentences.count(text) > 1]
    return bad


def main(arguments: list[str]) -> None:
    """Print the faults of the steps."""
    with served() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(**chromium_options())
        opened(browser, url, DESK, "light").close()
        steps = 0
        for slug, step, _ in wanted(arguments):
            path = "" if slug == PAGES[0].slug else slug
            for size in (DESK, ZOOMED, PHONE):
                page = opened(browser, f"{url}/{path}?step={step}", size, "light")
                for asked in (True, False):
                    faults: dict[str, list[str]] = {} if size == PHONE else tabbed(page)
                    if cut := page.evaluate(CUT):
                        faults["cut"] = cut
                    if size == DESK and (bad := badly_read(page)):
                        faults["read"] = bad
                    if faults:
                        print(f"{slug}/{step} at {size[0]} px: {faults}", flush=True)
                    show = page.get_by_role("button", name="Show me", exact=True)
                    if not asked or not show.count():
                        break
                    show.click()
                    page.wait_for_timeout(500)
                    settle(page)
                page.close()
            steps += 1
        print(f"{steps} steps")


if __name__ == "__main__":
    main(sys.argv[1:])
