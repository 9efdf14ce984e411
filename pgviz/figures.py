"""How numbers are written in sentences, in one place: real minus signs, no noise in the digits."""

import math
from collections.abc import Sequence

MINUS = "\N{MINUS SIGN}"


def number(value: float, digits: int = 3) -> str:
    """Significant digits, as few as say it: 0.873, 13.7, 1,466, 2.1·10⁻⁷."""
    if value == 0:
        return "0"
    if not math.isfinite(value):
        return "infinite" if value > 0 else f"{MINUS}infinite" if value < 0 else "undefined"
    size = abs(value)
    exponent = math.floor(math.log10(float(f"{size:.{digits - 1}e}")))
    if exponent < -4 or exponent > 8:
        mantissa = f"{size / 10.0**exponent:.{digits - 1}f}".rstrip("0").rstrip(".")
        text = f"{mantissa}·10{_raised(exponent)}"
    else:
        decimals = max(0, digits - 1 - exponent)
        text = f"{size:,.{decimals}f}"
        if "." in text:
            text = text.rstrip("0").rstrip(".")
    return MINUS + text if value < 0 else text


def fixed(value: float, decimals: int = 2) -> str:
    """A fixed number of decimals: numbers that are compared with each other."""
    text = f"{value:,.{decimals}f}"
    return text.lstrip("-") if float(text.replace(",", "")) == 0 else text.replace("-", MINUS)


def signed(value: float, decimals: int = 2) -> str:
    """The same with its sign."""
    text = fixed(value, decimals)
    return text if text.startswith(MINUS) or not text.strip("0.") else f"+{text}"


def percent(share: float, decimals: int = 0) -> str:
    """A share in percent: 59 %."""
    return f"{fixed(100 * share, decimals)} %"


def count(number: float) -> str:
    """A count that fits: 950, 86 k, 1.72 M."""
    if number >= 1e6:
        return f"{number / 1e6:.2f} M"
    return f"{number / 1e3:.0f} k" if number >= 1e4 else f"{number:,.0f}"


def plural(number: int, noun: str) -> str:
    """1 episode, 10 episodes."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def listed(names: Sequence[str]) -> str:
    """2, 3 and 9."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def with_minus(text: str) -> str:
    """Text with Python's numbers in it, with real minus signs."""
    return text.replace("-", MINUS)


def _raised(exponent: int) -> str:
    return str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
