"""The core's error family. Every leaf has one sentence for a person and a next step; `kind` decides exit codes."""

from indexer.records import Problem


class BadInput(Problem):
    """What the person typed cannot be used: an empty question, an unknown setting, a wrong URL."""

    kind = "input"


class Offline(Problem):
    """The network door is closed. Nothing was tried."""

    kind = "offline"


class ModelMissing(Problem):
    """No local model is there, or its file cannot be used."""

    kind = "model"


class CloudFailed(Problem):
    """The cloud model refused, was out of reach, or broke off."""

    kind = "cloud"


class KeyringUnusable(Problem):
    """The system's keyring is missing or locked; keys are never written anywhere else."""

    kind = "keyring"


class ProfileUnusable(Problem):
    """The profile directory cannot be created or written."""

    kind = "profile"


class EngineUnreachable(Problem):
    """The engine could not be started or does not answer."""

    kind = "engine"
