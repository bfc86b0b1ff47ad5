"""Where the index of vectors stands, in words for a person: what goes on, and that search works meanwhile."""

from indexer.store.vector_index import Report

MEANWHILE = "search works meanwhile"


def standing(report: Report) -> str:
    """One line without a full stop."""
    if report.state == "ready":
        return f"{report.store}, {report.vectors:,} vectors"
    why = f" ({report.why.rstrip('.')})" if report.why else ""
    if report.state == "away":
        return f"{report.store} cannot be reached{why}; it is tried again, and {MEANWHILE}"
    if report.state == "broken":
        return f"{report.store}, the index cannot be built now{why}; it is tried again, and {MEANWHILE}"
    doing = "is being opened" if report.state == "opening" else "is being prepared in the background"
    return f"{report.store}, the index {doing}{why}; {MEANWHILE}"
