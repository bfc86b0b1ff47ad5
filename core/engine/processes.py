"""What each process of Offhand runs. `main.py --process NAME` ends here; imports stay inside their process."""

from core import logs, network
from core.paths import Profile
from indexer import child

NAMES = ("engine", "semantics", "vectors", "llm", "extractor", "import", "renew")


def run(name: str) -> int:
    """Be the process called `name` until it ends; returns the exit status."""
    network.silence_libraries()
    profile = Profile()
    if name == "engine":
        from core.engine import server

        return server.run(profile)
    if name == "import":
        from core import restore

        return restore.run(profile)
    logs.start(profile.logs, name)
    if name == "renew":
        from core import renew

        return renew.run(profile)
    if name == "semantics":
        from indexer import semantics

        child.run(semantics.build, semantics.Call, serial=False)
    elif name == "vectors":
        from indexer.store import store_service

        child.run(store_service.build, store_service.Call, serial=True)
    elif name == "llm":
        from core.models import llama

        child.run(llama.build, llama.Call, serial=True)
    elif name == "extractor":
        from indexer.extract import extractor

        child.run(extractor.build, extractor.Call, serial=True)
    return 0
