"""The doctor: looks at every part of the set-up and says in one line each what is well, what is not and what to do."""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from core.engine.children import EMBEDDER, STARTER, Children
from core.models import providers
from core.models.access import key_for
from core.models.keys import Keys
from core.paths import Profile
from core.protocol import Settings
from core.settings import SettingsFile
from indexer.index import Index
from indexer.records import Finding, Problem

LEAST_FREE = 1 << 30  # bytes; a rebuild of the vectors of 100,000 passages takes about 300 MB beside the old ones

PUBLISHED = {
    STARTER: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    f"{EMBEDDER}/model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
}
"""SHA-256 of the starter models' files as their publishers made them."""


def findings(
    profile: Profile, settings: SettingsFile, children: Children, index: Index, keys: Keys, *, fix: bool
) -> Iterator[Finding]:
    """Check everything, cheapest first; with `fix` repair what can be repaired.

    Raises:
        CatalogDamaged: with `fix`, and before the first finding: the catalog has to be renewed without the engine.
    """
    of_index = index.check(fix=fix)
    looked = [next(of_index)] if fix else []
    yield _disk(profile)
    yield Finding("settings", not settings.notice, settings.notice or "The settings are read.")
    for name, digest in PUBLISHED.items():
        yield _model_file(children.find(name), digest)
    yield from _local_model(children)
    yield from _cloud(settings.current, keys)
    yield _offline(settings.current)
    yield from looked
    yield from of_index


def _disk(profile: Profile) -> Finding:
    free = shutil.disk_usage(profile.data).free
    return Finding(
        "disk",
        free > LEAST_FREE,
        f"{free / 1e9:.1f} GB are free where Offhand keeps its data ({profile.data}).",
        "" if free > LEAST_FREE else "Make room: below 1 GB the vectors cannot be rebuilt.",
    )


def _model_file(path: Path, published: str) -> Finding:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        what = f"{path.name} is not there or cannot be read ({error.strerror})."
        return Finding("model file", False, what, "Run `make setup` again; word search and the cloud model go on.")
    if digest == published:
        return Finding("model file", True, f"{path.name} is what its publisher made.")
    return Finding("model file", False, f"{path.name} is damaged or another file.", f"Delete {path}, run `make setup`.")


def _local_model(children: Children) -> Iterator[Finding]:
    if children.model_file is None:
        step = "Run `make setup`, or name a GGUF file: offhand settings local_model FILE."
        yield Finding("local model", False, "No local model is there; answers are quotes.", step)
        return
    try:
        children.wake_model()
        yield Finding("local model", True, f"{children.model_name} is loaded and answers.")
    except Problem as problem:
        yield Finding("local model", False, problem.what, problem.next_step)


def _cloud(settings: Settings, keys: Keys) -> Iterator[Finding]:
    if not settings.providers:
        yield Finding("cloud model", True, "None is set up; nothing leaves this machine.")
    for provider in settings.providers:
        if not provider.confirmed:
            yield Finding("cloud model", True, providers.unconfirmed(provider))
            continue
        try:
            key_for(provider, keys.get)
        except Problem as problem:
            yield Finding("cloud model", False, problem.what, problem.next_step)
            continue
        yield Finding("cloud model", True, f"{provider.model} at {provider.url} is set up.")


def _offline(settings: Settings) -> Finding:
    said = "Offline: the network door is closed." if settings.offline else "Online: the network door may be used."
    return Finding("network", True, said)
