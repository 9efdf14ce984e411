"""Foreign words on a page."""

import re

JOINER = "\u2060"  # not seen, and no blank: a line does not break there


def plain(text: str) -> str:
    """Words as they are, whatever they contain: no markup of Markdown, LaTeX or HTML, no link.

    GitHub's Markdown makes links of bare addresses after it has read all else, so nothing that is
    only escaped keeps www.example.org from being one: these are taken apart.
    """
    apart = re.sub(r"(?i)www(?=\.)|[@:](?=\S)", lambda found: found[0] + JOINER, text)
    return re.sub(r"""([\\`*_{}\[\]#|$:~&<>"'])""", lambda found: f"&#{ord(found[1])};", apart)
