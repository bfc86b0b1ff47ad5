"""Key combinations as text, as Qt writes them but without Qt: the settings keep them, the app grabs them."""

import sys

# Qt calls a Mac's Command key Ctrl and its Control key Meta; Command+Option+Space belongs to the Finder.
DEFAULT = "Alt+Meta+Space" if sys.platform == "darwin" else "Ctrl+Alt+Space"

MODIFIERS = {"ctrl": "Ctrl", "control": "Ctrl", "alt": "Alt", "shift": "Shift"}
MODIFIERS |= dict.fromkeys(("meta", "super", "win"), "Meta")
STRONG = {"Ctrl", "Alt", "Meta"}
KEYS = {
    name.lower(): name
    for name in ("Space Tab Return Esc Backspace Ins Del Home End PgUp PgDown Left Up Right Down Pause Print".split())
} | {"enter": "Return", "escape": "Esc", "insert": "Ins", "delete": "Del", "pageup": "PgUp", "pagedown": "PgDown"}
FUNCTION_KEYS = 35


def combination(typed: str) -> str:
    """A combination in one spelling, "Ctrl+Alt+Space", or "" where it names none that may be taken from everybody.

    A plain key or one with Shift alone is refused: no program could be typed in any more. A function key may stand
    alone.
    """
    words = [part.strip() for part in typed.strip().split("+")]
    if typed.strip().endswith("++") or typed.strip() == "+":
        words = [*words[:-2], "+"]
    *held, last = words
    modifiers = {MODIFIERS.get(word.lower(), "") for word in held}
    key = _key(last)
    alone = len(key) > 1 and key[0] == "F" and key[1:].isdecimal()
    if not key or "" in modifiers or len(modifiers) < len(held) or not (modifiers & STRONG or alone):
        return ""
    return "+".join([*(name for name in ("Ctrl", "Alt", "Shift", "Meta") if name in modifiers), key])


def _key(word: str) -> str:
    if len(word) == 1 and word.isprintable() and word not in " ,":  # a comma parts two combinations
        return word.upper()
    number = word[1:]
    if word[:1] in ("F", "f") and number.isascii() and number.isdecimal() and 1 <= int(number) <= FUNCTION_KEYS:
        return f"F{int(number)}"
    return KEYS.get(word.lower(), "")
