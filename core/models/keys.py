"""API keys, in the system's keyring and in no file of ours.

A keyring can be missing, locked, hang, or swallow what it is given. Each of these is told in a sentence, and the key is
then kept in memory until the engine ends. `OFFHAND_KEY_<NAME>` in the environment comes first and is never written.
"""

import os
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from core.errors import BadInput, KeyringUnusable
from indexer.worker import start_thread

SERVICE = "offhand"
LONGEST = 1_200  # characters; Windows keeps 2,560 bytes of UTF-16 (CRED_MAX_CREDENTIAL_BLOB_SIZE)
PATIENCE = 5.0  # seconds; a locked Secret Service can hang for ever on D-Bus
PLAIN_TEXT = ("keyrings.alt.", "keyrings.cryptfile.")  # backends that write files of their own

_INSTEAD = "Unlock or install a keyring, or put the key into the environment variable OFFHAND_KEY_{name}."

Result = TypeVar("Result")


class Keys:
    """The keyring's entries that belong to Offhand.

    Args:
        backend: gives the keyring backend (`keyring.get_keyring` by default); asked at each use.
        environment: where OFFHAND_KEY_<NAME> is looked for.
        patience: seconds the keyring is given.
    """

    def __init__(
        self,
        backend: Callable[[], Any] | None = None,
        environment: Mapping[str, str] = os.environ,
        patience: float = PATIENCE,
    ) -> None:
        self._find_backend = backend or _system_backend
        self._environment = environment
        self._patience = patience
        self._session: dict[str, str] = {}

    @property
    def holds_any(self) -> bool:
        """Whether a key would be lost if this process ended now."""
        return bool(self._session)

    def get(self, name: str) -> str | None:
        """The key kept under `name`, or None.

        Raises:
            KeyringUnusable: there is a keyring that does not answer.
        """
        given = self._environment.get(f"OFFHAND_KEY_{_variable(name)}", "").strip()
        if given or name in self._session:
            return given or self._session[name]
        found: str | None = self._within_limit(name, lambda: self._backend(name).get_password(SERVICE, name))
        return found

    def set(self, name: str, key: str) -> str:
        """Keep `key` under `name` and read it back; returns a sentence for the person.

        Where no keyring keeps it, it is kept in memory as long as this object lives, and the sentence says so.

        Raises:
            BadInput: it cannot be an API key.
        """
        key = key.strip()
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise BadInput("This is not an API key: keys are one word of plain letters, digits and signs.")
        if len(key) > LONGEST:
            raise BadInput(f"The key has {len(key):,} characters; the limit is {LONGEST:,}.", "Paste the key alone.")

        def keep() -> bool:
            backend = self._backend(name)
            backend.set_password(SERVICE, name, key)
            return bool(backend.get_password(SERVICE, name) == key)

        try:
            if not self._within_limit(name, keep):
                raise self._unusable("The keyring did not keep the key.", name)
        except KeyringUnusable as problem:
            self._session[name] = key
            longer = f"For longer, {problem.next_step[:1].lower()}{problem.next_step[1:]}"
            return f"{problem.what} The key {name} is kept until the engine ends, and in no file. {longer}"
        self._session.pop(name, None)
        return f"The key {name} is in the system's keyring."

    def remove(self, name: str) -> str:
        """Take the key out of the keyring; returns a sentence for the person.

        Raises:
            KeyringUnusable: the keyring does not answer.
        """

        def take_out() -> bool:
            backend = self._backend(name)
            if backend.get_password(SERVICE, name) is None:
                return False
            backend.delete_password(SERVICE, name)
            return True

        if self._session.pop(name, None) is not None:
            return f"The key {name} is forgotten."
        removed = self._within_limit(name, take_out)
        return f"The key {name} is removed." if removed else f"There was no key {name} in the keyring."

    def _backend(self, name: str) -> Any:
        backend = self._find_backend()
        chained = getattr(backend, "backends", None)
        chosen = backend if chained is None else next(iter(chained), None)
        if chosen is None or chosen.priority <= 0:
            raise self._unusable("This system has no keyring that is running.", name)
        if type(chosen).__module__.startswith(PLAIN_TEXT):
            raise self._unusable("The only keyring here writes keys into plain files.", name)
        return chosen

    def _within_limit(self, name: str, work: Callable[[], Result]) -> Result:
        import keyring.errors

        results: list[Result] = []
        problems: list[KeyringUnusable] = []

        def attempt() -> None:
            try:
                results.append(work())
            except KeyringUnusable as problem:
                problems.append(problem)
            except keyring.errors.KeyringLocked:
                problems.append(self._unusable("The system's keyring is locked.", name))
            except (keyring.errors.KeyringError, OSError, RuntimeError) as error:
                problems.append(self._unusable(f"The system's keyring refused ({type(error).__name__}).", name))

        thread = start_thread("keyring", attempt)
        thread.join(self._patience)
        if results:
            return results[0]
        if problems:
            raise problems[0]
        what = "does not answer; it may be locked" if thread.is_alive() else "failed in an unknown way"
        raise self._unusable(f"The system's keyring {what}.", name)

    def _unusable(self, what: str, name: str) -> KeyringUnusable:
        return KeyringUnusable(what, _INSTEAD.format(name=_variable(name)))


def _system_backend() -> Any:
    import keyring  # loads every backend it finds: only when a key is wanted

    return keyring.get_keyring()


def _variable(name: str) -> str:
    return re.sub(r"\W", "_", name, flags=re.ASCII).upper()
