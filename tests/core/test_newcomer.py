"""What a stranger's archive may not bring: folders that could not be added here, and ways out of this machine."""

from pathlib import Path

import pytest
from msgspec import structs

from core import archive, newcomer, restore
from core.engine.providers import ProviderDesk
from core.errors import BadInput
from core.models.keys import Keys
from core.network import Gate
from core.paths import Profile
from core.privacy.ledger import Ledger
from core.privacy.outgoing import Outgoing
from core.protocol import Ask, ConfirmProvider, Import, ListProviders, Provider, Providers, Settings, TryProvider
from core.settings import SettingsFile
from indexer.folder_rules import FolderRules
from indexer.records import FolderRule
from indexer.store.database import Database
from indexer.store.folder_copy import Chosen
from indexer.worker import Cancellation
from tests.core.profiles import fill, other

OURS = Provider("openai", "openai", "https://api.openai.com/v1", "big", "openai")
THEIRS = structs.replace(OURS, url="https://collector.example/v1")


def brought(profile: Profile, tmp_path: Path, settings: Settings, here: Settings | None = None) -> tuple[Profile, str]:
    """The profile after the import of an archive with these settings, and what was said."""
    fill(profile, "/notes", "the boiler")
    archive.export(profile, settings, tmp_path / "a.zip")
    new = other(tmp_path)
    new.create()
    SettingsFile(new.settings).replace(**structs.asdict(here or Settings()))
    return new, restore.restore(new, Import(str(tmp_path / "a.zip"))).message


def desk(profile: Profile) -> ProviderDesk:
    settings = SettingsFile(profile.settings)
    outgoing = Outgoing(lambda _: {}, lambda: settings.current, Ledger(profile.ledger))
    return ProviderDesk(settings, Keys(environment={"OFFHAND_KEY_OPENAI": "secret"}), Gate(lambda: False), outgoing)


def route(profile: Profile) -> list[str]:
    return [model.host for model in desk(profile).route(None, Ask("", consent=True), cut=False).models]  # type: ignore[attr-defined]


def test_a_provider_that_an_archive_brings_is_asked_nothing_until_it_is_confirmed(
    profile: Profile, tmp_path: Path
) -> None:
    new, said = brought(profile, tmp_path, Settings(providers=[THEIRS]), here=Settings(providers=[OURS]))
    assert "Not asked until you say so" in said
    assert "openai (https://collector.example/v1)" in said
    assert route(new) == []
    with pytest.raises(BadInput, match=r"offhand providers confirm openai"):
        list(desk(new).handle(TryProvider("openai"), Cancellation()))
    (listed,) = desk(new).handle(ListProviders(), Cancellation())
    assert isinstance(listed, Providers)
    assert listed.providers[0].state == "blocked"
    assert "came with an import" in listed.providers[0].words
    list(desk(new).handle(ConfirmProvider("openai"), Cancellation()))
    assert route(new) == ["collector.example"]


def test_one_that_is_here_already_goes_on(profile: Profile, tmp_path: Path) -> None:
    new, said = brought(profile, tmp_path, Settings(providers=[OURS]), here=Settings(providers=[OURS]))
    assert "Not asked" not in said
    assert route(new) == ["api.openai.com"]


def test_one_that_was_never_confirmed_here_stays_so(profile: Profile, tmp_path: Path) -> None:
    here = Settings(providers=[structs.replace(THEIRS, confirmed=False)])
    new, _ = brought(profile, tmp_path, Settings(providers=[THEIRS]), here=here)
    assert route(new) == []


@pytest.mark.parametrize("url", ["http://collector.example/v1", "nonsense", "file:///etc/passwd"])
def test_a_provider_that_could_not_be_added_is_refused(profile: Profile, tmp_path: Path, url: str) -> None:
    with pytest.raises(BadInput):
        brought(profile, tmp_path, Settings(providers=[structs.replace(OURS, url=url)]))
    assert not other(tmp_path).catalog.exists()


def test_neither_another_vector_server_nor_an_open_door_comes_in(profile: Profile, tmp_path: Path) -> None:
    settings = Settings(vectors="https://collector.example", offline=False)
    new, said = brought(profile, tmp_path, settings, here=Settings(offline=True))
    now = SettingsFile(new.settings).current
    assert (now.vectors, now.offline) == ("embedded", True)
    assert "https://collector.example) is not used" in said


@pytest.mark.parametrize("root", ["/", "{top}", "{data}", "{data}/models", "notes", ".", "../.."])
def test_folders_that_could_not_be_added_are_refused(profile: Profile, tmp_path: Path, root: str) -> None:
    new = other(tmp_path)
    fill(profile, root.format(top=tmp_path, data=new.data), "the boiler")
    archive.export(profile, Settings(), tmp_path / "a.zip")
    with pytest.raises(BadInput, match=r"do not fit here|cannot be used"):
        restore.restore(new, Import(str(tmp_path / "a.zip")))
    assert not new.catalog.exists()


def test_folders_that_would_lie_in_one_another_are_refused(profile: Profile, tmp_path: Path) -> None:
    fill(profile, "/notes", "the boiler")
    archive.export(profile, Settings(), tmp_path / "a.zip")
    fill(profile, "/home/me", "the roof")
    (tmp_path / "a.zip").unlink()
    archive.export(profile, Settings(), tmp_path / "a.zip")
    with pytest.raises(BadInput, match=r"lies inside|contains"):
        restore.restore(other(tmp_path), Import(str(tmp_path / "a.zip"), map=["/notes=/home/me/notes"]))


@pytest.mark.parametrize("here", [False, True])
def test_what_waits_in_an_archive_is_not_sent_without_being_asked_for(
    profile: Profile, tmp_path: Path, here: bool
) -> None:
    new, said = brought(profile, tmp_path, Settings(second_opinions=True), here=Settings(second_opinions=here))
    assert SettingsFile(new.settings).current.second_opinions is here
    assert ("Second opinions are off here" in said) is not here


def rule(profile: Profile, path: str, rule: FolderRule | None = None) -> FolderRule:
    """The rule of a folder's first note in the catalog, after setting it where one is given."""
    database = Database(profile.catalog)
    rules = FolderRules(database, lambda: None)
    if rule is not None:
        rules.set(Path(path), rule)
    found = rules.of([f"{path}/0.md"])[f"{path}/0.md"]
    database.close()
    return found


def test_an_old_archive_does_not_loosen_the_rule_of_a_folder(profile: Profile, tmp_path: Path) -> None:
    fill(profile, "/diary", "she wept")
    rule(profile, "/diary", "cloud")
    archive.export(profile, Settings(), tmp_path / "last month.zip")
    rule(profile, "/diary", "local")
    done = restore.restore(profile, Import(str(tmp_path / "last month.zip"), replace=True))
    assert rule(profile, "/diary") == "local"
    assert "Stricter than in the archive: /diary (local); `offhand rule`" in done.message


def test_a_damaged_catalog_that_gives_way_still_knows_what_stays_here(profile: Profile, tmp_path: Path) -> None:
    fill(profile, "/diary", "she wept")
    rule(profile, "/diary", "cloud")
    archive.export(profile, Settings(), tmp_path / "a.zip")
    rule(profile, "/diary", "local")
    profile.catalog.write_bytes(b"no database" * 1000)
    restore.restore(profile, Import(str(tmp_path / "a.zip"), replace=True))
    assert rule(profile, "/diary") == "local"


def test_where_nothing_is_known_nothing_goes_to_the_cloud_unasked(profile: Profile, tmp_path: Path) -> None:
    fill(profile, "/notes", "the boiler")
    rule(profile, "/notes", "cloud")
    archive.export(profile, Settings(), tmp_path / "a.zip")
    new = other(tmp_path)
    done = restore.restore(new, Import(str(tmp_path / "a.zip"), map=["/notes=/here/notes"]))
    assert rule(new, "/here/notes") == "ask"
    assert "/here/notes (ask)" in done.message
    done = restore.restore(new, Import(str(tmp_path / "a.zip"), map=["/notes=/here/notes"], replace=True))
    assert "Stricter" in done.message
    rule(new, "/here/notes", "cloud")
    done = restore.restore(new, Import(str(tmp_path / "a.zip"), map=["/notes=/here/notes"], replace=True))
    assert "Stricter" not in done.message
    assert rule(new, "/here/notes") == "cloud", "as it may here"


@pytest.mark.parametrize(
    ("brought", "here", "now"),
    [
        (Chosen("/a", rule="cloud"), [Chosen("/a", rule="cloud")], "cloud"),
        (Chosen("/a", rule="local"), [Chosen("/a", rule="cloud")], "local"),
        (Chosen("/a", rule="ask"), [], "ask"),
        (Chosen("/a", rule="cloud"), [Chosen("/ab", rule="cloud")], "ask"),
        (Chosen("/a/diary", rule="cloud"), [Chosen("/a", rule="cloud")], "cloud"),
        (Chosen("/a/diary", rule="cloud"), [Chosen("/a", rule="local")], "local"),
        (Chosen("/a", rule="cloud"), [Chosen("/a/diary", rule="cloud")], "ask"),
        (Chosen("/a", rule="ask"), [Chosen("/a/work", rule="cloud"), Chosen("/a/diary", rule="local")], "local"),
        (Chosen("/A", rule="cloud"), [Chosen("/a", rule="local")], "local"),
        (Chosen("/A", rule="cloud"), [Chosen("/a", rule="cloud")], "ask"),
        (Chosen("/a", links=True, rule="cloud"), [Chosen("/a", rule="cloud")], "ask"),
        (Chosen("/a", links=True, rule="cloud"), [Chosen("/a", links=True, rule="cloud")], "cloud"),
    ],
)
def test_a_rule_is_never_looser_than_what_holds_here(brought: Chosen, here: list[Chosen], now: FolderRule) -> None:
    assert newcomer.stricter([brought], here).get(brought.path, brought.rule) == now


def test_redaction_private_names_and_budgets_stay_as_strict_as_on_the_stricter_side(
    profile: Profile, tmp_path: Path
) -> None:
    loose = Settings(redact=False, private_names=["Ida"], budget_day=500)
    here = Settings(private_names=["Mara", "Ida"], budget_day=100, budget_month=900)
    new, said = brought(profile, tmp_path, loose, here)
    now = SettingsFile(new.settings).current
    assert (now.redact, now.private_names, now.budget_day, now.budget_month) == (True, ["Ida", "Mara"], 100, 900)
    assert "What was stricter here still holds" in said


def test_stricter_settings_of_an_archive_hold_too_and_are_no_news(profile: Profile, tmp_path: Path) -> None:
    strict = Settings(private_names=["Ida"], budget_day=50)
    new, said = brought(profile, tmp_path, strict, Settings(redact=False, budget_day=100))
    now = SettingsFile(new.settings).current
    assert (now.redact, now.private_names, now.budget_day) == (True, ["Ida"], 50)
    assert "stricter here" not in said
