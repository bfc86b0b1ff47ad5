import re
from dataclasses import asdict

import pytest
from PySide6.QtGui import QColor

from ui.theme import DARK, DARK_CONTRAST, LIGHT, LIGHT_CONTRAST, TONES, app_icon, chosen_colors, style_sheet


def luminance(name: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    color = QColor(name)
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color.getRgbF()[:3]]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])
def test_words_can_be_read_on_everything_they_stand_on(colors):
    for ground in ("window", "surface", "sidebar", "hover"):
        for words in ("text", "muted", "faint", "accent"):
            ratio = contrast(getattr(colors, words), getattr(colors, ground))
            assert ratio >= 4.5, f"{words} on {ground}: {ratio:.2f}"
    for words, ground in (
        ("on_accent", "accent"),
        ("text", "selected"),
        ("text", "raised"),
        ("muted", "selected"),
        ("faint", "selected"),
        ("warn", "warn_soft"),
        ("bad", "bad_soft"),
        ("bad", "surface"),
        ("good", "surface"),
    ):
        ratio = contrast(getattr(colors, words), getattr(colors, ground))
        assert ratio >= 4.5, f"{words} on {ground}: {ratio:.2f}"


@pytest.mark.parametrize("colors", [LIGHT_CONTRAST, DARK_CONTRAST], ids=["light", "dark"])
def test_high_contrast_keeps_words_at_seven_to_one_and_edges_at_three(colors):
    for ground in ("window", "surface", "sidebar", "hover", "selected"):
        for words in ("text", "muted", "faint", "accent"):
            ratio = contrast(getattr(colors, words), getattr(colors, ground))
            assert ratio >= 7, f"{words} on {ground}: {ratio:.2f}"
    assert contrast(colors.line, colors.window) >= 3
    assert chosen_colors(dark=colors.dark, contrast=True) is colors


@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])
def test_the_style_sheet_knows_every_name_it_uses(colors):
    text = style_sheet(colors, 10.0)
    assert not re.findall(r"@[\w-]+@", text)
    assert set(TONES.values()) <= set(asdict(colors))


def test_a_change_of_the_preference_repaints_everything(qtbot, theme, qapp):
    with qtbot.waitSignal(theme.changed):
        theme.prefer("dark")
    assert theme.colors is DARK
    assert DARK.window in qapp.styleSheet()
    theme.prefer("light")
    assert theme.colors is LIGHT
    assert qapp.palette().window().color() == QColor(LIGHT.window)


def test_drawings_take_a_colour_of_the_palette(theme):
    image = theme.pixmap("ask", "bad", 20).toImage()
    colors = {
        image.pixelColor(x, y).name() for x in range(20) for y in range(20) if image.pixelColor(x, y).alpha() > 250
    }
    assert colors == {theme.color("bad").name()}


def test_the_mark_has_every_size_and_can_carry_a_dot(qapp):
    assert {size.width() for size in app_icon().availableSizes()} == {16, 22, 24, 32, 48, 64, 128, 256}
    dotted = app_icon("#ff0000").pixmap(32, 32).toImage()
    assert dotted.pixelColor(26, 26).name() == "#ff0000"
