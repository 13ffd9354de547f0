"""The portal's colours can be told apart by weak eyes, by day and at night (WCAG 2.2, AA)."""

import re
from pathlib import Path

import pytest

CSS = Path("kitehub/static/kitehub/portal/portal.css").read_text("utf-8")
LIGHT, DARK = (
    dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
    for block in re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
)
TEXT, SHAPE = 4.5, 3.0


def brightness(colour: str) -> float:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    parts = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((brightness(one), brightness(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_text_and_fields_stand_out(theme: dict[str, str]) -> None:
    (border,) = re.findall(r"\.field input:not.*?border: 1px solid var\(--([\w-]+)\)", CSS)
    pairs = [
        ("text", "page", TEXT),
        ("faint", "page", TEXT),
        ("faint", "card", TEXT),
        ("main", "card", TEXT),
        ("on-main", "main", TEXT),
        ("text", "main-soft", TEXT),
        ("good", "good-soft", TEXT),
        ("warn", "warn-soft", TEXT),
        ("bad", "bad-soft", TEXT),
        (border, "page", SHAPE),
        (border, "card", SHAPE),
    ]
    weak = [(a, b) for a, b, least in pairs if contrast(theme[a], theme[b]) < least]
    assert weak == []
