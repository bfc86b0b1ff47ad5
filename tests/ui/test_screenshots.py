"""Pictures of every window. `OFFHAND_SCREENSHOTS=docs/screenshots pytest -m desktop tests/ui/test_screenshots.py` keeps
them; look at them before committing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from core.paths import ROOT

NAMES = (
    "empty",
    "results",
    "actions",
    "selection",
    "selection-summarised",
    "answer",
    "not-in-notes",
    "no-folder",
    "window-ask",
    "window-library",
    "window-tasks",
    "window-history",
    "window-past-answer",
    "window-opinions",
    "window-models",
    "window-providers",
    "window-add-provider",
    "window-what-may-leave",
    "window-what-left",
    "window-drill",
    "window-settings",
    "window-status",
    "window-engine-gone",
    "window-no-folder",
    "window-welcome",
    "window-welcome-reading",
    "keys",
)
BACKDROP = {"light": "#e9e9ee", "dark": "#3b3d46"}
LARGEST = 150_000  # bytes; they are kept in the repository


@pytest.mark.desktop
def test_every_window_can_be_drawn_in_light_and_dark(screen, profile, tmp_path):
    drawn = tmp_path / "drawn"
    drawn.mkdir()
    program = Path(__file__).parent / "draw_screenshots.py"
    subprocess.run([sys.executable, str(program), str(drawn)], env=screen.environment, check=True, timeout=120)
    kept = ROOT / os.environ["OFFHAND_SCREENSHOTS"] if os.environ.get("OFFHAND_SCREENSHOTS") else tmp_path / "kept"
    kept.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        for look in ("light", "dark"):
            file = kept / f"{name}-{look}.png"
            with Image.open(drawn / file.name) as picture:
                middle = picture.convert("L").getpixel((picture.width // 2, picture.height - 40))
                assert (middle > 128) == (look == "light"), f"{file.name} is not {look}"
                assert len(picture.convert("RGB").getcolors(1 << 24)) > 20, f"{file.name} is empty"
                ground = Image.new("RGBA", picture.size, BACKDROP[look])
                ground.alpha_composite(picture.convert("RGBA"))
                ground.convert("RGB").quantize(
                    256, Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE
                ).save(file, optimize=True)
            assert file.stat().st_size < LARGEST
