"""Contrast of colours, by the formula of WCAG 2.2 (relative luminance, ratio)."""

import re

_HEX = re.compile(r"#[0-9A-Fa-f]{6}")
WHITE = "#FFFFFF"
ENOUGH = 4.5


def is_colour(text: str) -> bool:
    """Say whether `text` is a colour such as #0E6655."""
    return _HEX.fullmatch(text) is not None


def contrast(one: str, other: str) -> float:
    """Give the ratio of two colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def darkened_enough(colour: str, against: str = WHITE) -> str:
    """Give the lightest shade of `colour` that stands out `against` a light ground."""
    parts = _parts(colour)
    for step in range(256):
        left = (255 - step) / 255
        shade = "#" + "".join(f"{round(one * left):02X}" for one in parts)
        if contrast(shade, against) >= ENOUGH:
            return shade
    return "#000000"


def _parts(colour: str) -> list[int]:
    return [int(colour[at : at + 2], 16) for at in (1, 3, 5)]


def _luminance(colour: str) -> float:
    linear = []
    for part in _parts(colour):
        value = part / 255
        low = value <= 0.04045
        linear.append(value / 12.92 if low else ((value + 0.055) / 1.055) ** 2.4)
    red, green, blue = linear
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
