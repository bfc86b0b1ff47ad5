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
    """A cloud model was out of reach, broke off, or sent something unusable: the next in line is asked.

    `outage`: the service or the way to it fails; the same question may do when that is over.
    """

    kind = "cloud"
    outage = True


class CloudBusy(CloudFailed):
    """The service asks for a moment's patience; where that is short, it is asked once more.

    Args:
        after: seconds to wait.
    """

    def __init__(self, what: str, next_step: str, after: float) -> None:
        super().__init__(what, next_step)
        self.after = after


class CloudRefused(CloudFailed):
    """Something only the person can change: the key, the account's credit, the model's name.

    Args:
        lasting: whether it stays so until the key or the provider is changed here.
    """

    outage = False

    def __init__(self, what: str, next_step: str, *, lasting: bool = True) -> None:
        super().__init__(what, next_step)
        self.lasting = lasting


class CloudUnfit(CloudFailed):
    """The service can do nothing with the request, and could not another time."""

    outage = False


class CloudTooLong(CloudFailed):
    """The request is longer than the model can read; a shorter one may do."""

    outage = False


class CloudCannotGoOn(CloudFailed):
    """The model does not go on from words that exist; asked without them, it may answer."""

    outage = False


class CloudWithheld(CloudFailed):
    """The service works, but its content filter keeps the answer back."""

    outage = False


class CloudResting(CloudFailed):
    """The provider failed lately and is left alone for a while; nothing was sent.

    Args:
        outage: whether it was an outage.
    """

    def __init__(self, what: str, next_step: str, *, outage: bool) -> None:
        super().__init__(what, next_step)
        self.outage = outage


class KeyringUnusable(Problem):
    """The system's keyring is missing or locked; keys are never written anywhere else."""

    kind = "keyring"


class ProfileUnusable(Problem):
    """The profile directory cannot be created or written."""

    kind = "profile"


class EngineUnreachable(Problem):
    """The engine could not be started or does not answer."""

    kind = "engine"


class DownloadFailed(Problem):
    """A model could not be fetched.

    Args:
        passing: what is here so far stays, and goes on when that is over; else nothing is kept.
    """

    kind = "download"

    def __init__(self, what: str, next_step: str, *, passing: bool = False) -> None:
        super().__init__(what, next_step)
        self.passing = passing
