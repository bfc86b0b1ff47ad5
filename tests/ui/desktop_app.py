"""The whole app as a program of its own on a scripted engine, for tests on a real screen. Arguments go to `app.run`."""

import sys

from scripted_engine import ScriptedEngine

from core.paths import Profile
from ui import app

if __name__ == "__main__":
    profile = Profile()
    engine = ScriptedEngine(profile).start()
    engine.script.pause = 0.01
    sys.exit(app.run(profile, palette="--palette" in sys.argv))
