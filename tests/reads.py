"""What a screen reader reads of the steps, in order: python -m tests.reads PAGE[/STEP] …

Chromium's accessibility tree as text: headings, sentences, formulas, controls with what they say of
themselves. The menu, the same on every page, is left out. Options: --reveal (pass the questions).
"""

import sys
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Page, sync_playwright

from pgviz.lessons import PAGES
from tests.real import chromium_options, served
from tests.screenshots import opened, settle, wanted

SPOKEN = {"heading", "button", "link", "slider", "radio", "checkbox", "switch", "textbox"}
SPOKEN |= {"combobox", "spinbutton", "image", "graphics-document", "tab", "option", "progressbar"}
SPOKEN |= {"searchbox", "grid", "DisclosureTriangle", "img", "canvas"}
HOLDING = {"graphics-document", "grid", "image"}  # what is inside is read, too, unless it is hidden
NAMED = {"table", "row", "list", "group", "radiogroup", "navigation", "region", "status"}
INLINE = {"StaticText", "strong", "emphasis", "code", "generic", "LineBreak", "superscript"}
INLINE |= {"MathMLMath", "subscript", "mark", "deletion", "insertion"}
STATES = ("expanded", "checked", "pressed", "disabled", "level")


class Spoken:
    """One thing that is read: a role, a name, and what else is said of it."""

    def __init__(self, node: dict[str, Any], name: str) -> None:
        self.role = node.get("role", {}).get("value", "")
        self.name = name
        self.description = node.get("description", {}).get("value", "")
        properties = {p["name"]: p["value"].get("value") for p in node.get("properties", [])}
        self.value = node.get("value", {}).get("value", "")
        self.states = {k: properties[k] for k in STATES if properties.get(k) not in (None, "false")}

    def __str__(self) -> str:
        if self.role == "text":
            return self.name
        said = [self.role, f"“{self.name}”"]
        said += [f"= {self.value}"] if self.value not in ("", None) else []
        said += [f"{name} {value}" for name, value in self.states.items()]
        said += [f"— {self.description}"] if self.description else []
        return "  [" + " ".join(map(str, said)) + "]"


def read(page: Page, within: str = "main") -> list[Spoken]:
    """Everything below the landmark, in the order in which it is read."""
    session = page.context.new_cdp_session(page)
    session.send("Accessibility.enable")
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    for node in nodes:
        if node["role"]["value"] == "slider":  # of which the tree tells the position only
            found = session.send("DOM.describeNode", {"backendNodeId": node["backendDOMNodeId"]})
            attributes = found["node"]["attributes"]
            named = dict(zip(attributes[::2], attributes[1::2], strict=True))
            node["value"] = {"value": named.get("aria-valuetext") or named.get("value")}
    session.detach()
    by_id = {node["nodeId"]: node for node in nodes}
    roots = [n for n in nodes if not n.get("ignored") and n["role"]["value"] == within]
    return [spoken for root in roots for spoken in _spoken(root, by_id)]


def _spoken(node: dict[str, Any], by_id: dict[str, Any]) -> Iterator[Spoken]:
    """Controls one by one; neighbouring words as one text."""
    words = ""
    for child in _shown(node, by_id):
        role = child["role"]["value"]
        if role in INLINE and not _holds_more(child, by_id):
            words += _words(child, by_id)
            continue
        yield from _text(words)
        words = ""
        if role in SPOKEN or role in NAMED:
            yield Spoken(child, child.get("name", {}).get("value", ""))
        if role not in SPOKEN or role in HOLDING:
            yield from _spoken(child, by_id)
    yield from _text(words)


def _text(words: str) -> Iterator[Spoken]:
    if words.strip():
        yield Spoken({"role": {"value": "text"}}, " ".join(words.split()))


def _shown(node: dict[str, Any], by_id: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The children that are read; what is left out gives way to its own."""
    for child in (by_id[i] for i in node.get("childIds", []) if i in by_id):
        if child.get("ignored"):
            yield from _shown(child, by_id)
        elif child["role"]["value"] != "InlineTextBox":
            yield child


def _holds_more(node: dict[str, Any], by_id: dict[str, Any]) -> bool:
    if node["role"]["value"] == "MathMLMath":
        return False
    return any(
        child["role"]["value"] not in INLINE or _holds_more(child, by_id)
        for child in _shown(node, by_id)
    )


def _words(node: dict[str, Any], by_id: dict[str, Any]) -> str:
    role, name = node["role"]["value"], node.get("name", {}).get("value", "")
    if role in ("StaticText", "LineBreak"):
        return str(name)
    inner = [_words(child, by_id) for child in _shown(node, by_id)]
    if role == "MathMLMath":
        return f" ⟨{_math(node, by_id)}⟩ "
    said = "".join(inner)
    return f"{said} ({name})" if role == "generic" and name and name not in said else said


def _math(node: dict[str, Any], by_id: dict[str, Any]) -> str:
    role = node["role"]["value"]
    parts = [_math(child, by_id) for child in _shown(node, by_id)]
    if role == "StaticText":
        return str(node["name"]["value"])
    if role == "MathMLFraction":
        return f"({parts[0]})/({parts[1]})"
    if role == "MathMLRoot":
        return f"{parts[1]}-th root of ({parts[0]})"
    if role == "MathMLSquareRoot":
        return f"√({''.join(parts)})"
    between = {"MathMLSup": "^", "MathMLSub": "_", "MathMLOver": " over-", "MathMLUnder": " under-"}
    return between.get(role, "").join(parts)


def main(arguments: list[str]) -> None:
    """Print the steps."""
    names = [a for a in arguments if not a.startswith("--")]
    with served() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(**chromium_options())
        for slug, step, settings in wanted(names):
            path = "" if slug == PAGES[0].slug else slug
            page = opened(
                browser, f"{url}/{path}?step={step}{settings and f'&{settings}'}", (1280, 720), ""
            )
            show = page.get_by_role("button", name="Show me", exact=True)
            if "--reveal" in arguments and show.count():
                show.click()
                page.wait_for_timeout(500)
                settle(page)
            print(f"\n═══ {slug}/{step}")
            for spoken in read(page):
                print(spoken)
            page.close()


if __name__ == "__main__":
    main(sys.argv[1:])
