"""Hostile files through the real engine and its readers: it stays alive, says what became of each, keeps its limits.

`OFFHAND_MUTATIONS` sets how many damaged documents are read (2,000 without it), `OFFHAND_MUTATION_SEED` which.
"""

import os
from collections import Counter
from pathlib import Path

import pytest

from core.protocol import Search
from tests.hostile.conftest import Hostile, Watch, documents, well_behaved
from tests.hostile.crafted import crafted, double_flate, names
from tests.hostile.mutator import mutants
from tests.hostile.seeds import write_seeds

MUTATIONS = int(os.environ.get("OFFHAND_MUTATIONS", "2000"))
SEED = int(os.environ.get("OFFHAND_MUTATION_SEED", "1"))

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600 + MUTATIONS // 4)]


def test_damaged_documents_of_every_format(hostile: Hostile, tmp_path: Path) -> None:
    seeds = [*documents(), *write_seeds(tmp_path / "seeds")]
    damage = {}
    for mutant in mutants(seeds, MUTATIONS, SEED):
        hostile.put(mutant.name, mutant.content)
        damage[mutant.name] = f"{mutant.seed}: {mutant.how}"
    before = hostile.fingerprint()
    with Watch(hostile.profile) as watch:
        records = hostile.read_all(500 + MUTATIONS / 5)
    assert records.keys() == damage.keys()
    well_behaved(hostile, watch, records)
    assert hostile.fingerprint() == before, "a folder of the person's was written to"
    assert not Path("/tmp/offhand-escaped").exists()
    said = Counter(file.reason or file.state for file in records.values())
    print(f"{MUTATIONS} mutations, {len(watch.readers)} readers, peak {watch.peak / 1e6:.0f} MB")
    for reason, count in said.most_common():
        examples = [damage[name] for name, file in records.items() if file.reason == reason]
        print(f"{count:>6} {reason}", *(examples[:3] if "reading process" in reason else []))
    assert said["indexed"] > MUTATIONS / 4, "the damage is so great that little was tested"


def test_files_made_to_do_harm(hostile: Hostile) -> None:
    for name, content in crafted(str(hostile.canary)):
        hostile.put(name, content)
    written = [name for name in names() if _put(hostile, name)]
    with Watch(hostile.profile) as watch:
        records = hostile.read_all(400)
    well_behaved(hostile, watch, records)
    states = {name: file.state for name, file in records.items()}
    assert {states[name] for name in written} == {"indexed"}
    bombs = ("bomb.docx", "zeros.docx", "bomb.xlsx", "bomb.odt", "bomb.epub", "double.pdf", "triple.pdf")
    for name in bombs:
        assert states[name] == "failed", name
    assert "would unpack to" in records["bomb.odt"].reason
    found = [path for path in _found(hostile, "lol") if Path(path).suffix != ".md"]
    assert not found, "the words of an entity became text"
    assert not _found(hostile, "nologin"), "something of the system's was included"


def test_poisonous_files_do_not_hold_up_the_others(hostile: Hostile) -> None:
    poison = double_flate(1000)
    assert len(poison) < 4096
    for number in range(200):
        hostile.put(f"note-{number:03}.md", f"# Note {number}\n\nAn ordinary note about gutters.\n".encode())
    for number in range(5):  # the newest: they come first
        hostile.put(f"poison-{number:02}.pdf", poison + b"%" * number)
    with Watch(hostile.profile) as watch:
        records = hostile.read_all(300)
    well_behaved(hostile, watch, records)
    assert {file.state for name, file in records.items() if name.startswith("note")} == {"indexed"}
    reasons = {file.reason for name, file in records.items() if name.startswith("poison")}
    assert reasons == {"Reading this file ends the reading process; it was tried twice."}


def _put(hostile: Hostile, name: str) -> bool:
    try:
        hostile.put(name, b"# An ordinary note\n\nIts name is hard to write down.\n")
    except OSError as error:  # this file system does not take every name
        print(f"not tried: {name!r}: {error.strerror}")
        return False
    return True


def _found(hostile: Hostile, words: str) -> list[str]:
    [found] = hostile.engine.call(Search(words, limit=50, meaning=False))
    return [hit.path for hit in found.hits]  # type: ignore[union-attr]
