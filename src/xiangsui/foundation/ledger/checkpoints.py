"""Heads of all chains in a small file that can be kept elsewhere: what makes a cut tail visible."""

from __future__ import annotations

import json
import os
import uuid
from pathlib import Path

from xiangsui.foundation.kit import clock

from . import canonical
from .models import ChainHead


def checkpoint_write(folder: Path) -> Path:
    """Write today's checkpoint into `folder`, complete or not at all; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    heads = [
        {"chain": str(head.chain), "sequence": head.sequence, "digest": head.digest}
        for head in ChainHead.objects.order_by("chain").iterator()
    ]
    body = canonical.text({"at": canonical.moment(clock.now()), "heads": heads})
    path = folder / f"ledger-{clock.today():%Y%m%d}.json"
    draft = path.with_suffix(".new")
    with draft.open("w", encoding="ascii") as out:
        out.write(canonical.text({"body": body, "digest": canonical.digest("", body)}))
        out.flush()
        os.fsync(out.fileno())
    draft.replace(path)
    return path


def checkpoint_read(path: Path) -> dict[uuid.UUID, tuple[int, str]]:
    """Chain → (sequence, digest) of a checkpoint.

    Raises:
        ValueError: the file is damaged or not a checkpoint.
    """
    try:
        outer = json.loads(path.read_text(encoding="ascii"))
        if canonical.digest("", outer["body"]) != outer["digest"]:
            raise ValueError(f"{path.name} was changed after it was written")
        heads = json.loads(outer["body"])["heads"]
        return {uuid.UUID(head["chain"]): (int(head["sequence"]), str(head["digest"])) for head in heads}
    except (KeyError, TypeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path.name} is not a ledger checkpoint") from error
