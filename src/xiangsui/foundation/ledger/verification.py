"""Reading the ledger against itself: changed, missing, inserted, reordered and cut events are found and named."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from . import canonical
from .models import ChainHead, Event
from .services import body_of


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a chain: which chain, where in it, and what."""

    chain: uuid.UUID
    sequence: int
    code: str

    def __str__(self) -> str:
        words = {
            "changed": _("事件内容被改动"),
            "columns": _("事件的列与其正文不一致"),
            "missing": _("事件缺失或顺序被改动"),
            "head": _("链尾与链头记录不一致（末尾事件被删除或链头被改动）"),
            "checkpoint": _("与检查点不一致（检查点之后链被截短或改写）"),
            "no_head": _("有事件而没有链头记录"),
        }
        return f"{self.chain} #{self.sequence}: {words[self.code]}"


def ledger_verify(*, checkpoint: Mapping[uuid.UUID, tuple[int, str]] | None = None) -> Iterator[Fault]:
    """Walk every chain from its first event and yield what is wrong; nothing where all is well.

    Args:
        checkpoint: chain → (sequence, digest) as `checkpoint_read` gives it: a tail cut together with its head
            cannot be seen from within.
    """
    heads = {head.chain: (head.sequence, head.digest) for head in ChainHead.objects.all()}
    checkpoint = dict(checkpoint or {})
    at: uuid.UUID | None = None
    previous, expected = canonical.GENESIS, 1
    seen: set[uuid.UUID] = set()

    def end(chain: uuid.UUID) -> Iterator[Fault]:
        head = heads.get(chain)
        if head is None:
            yield Fault(chain, expected - 1, "no_head")
        elif head != (expected - 1, previous):
            yield Fault(chain, expected - 1, "head")
        if chain in checkpoint and checkpoint[chain][0] > expected - 1:
            yield Fault(chain, checkpoint[chain][0], "checkpoint")

    for event in Event.objects.order_by("chain", "sequence").iterator(chunk_size=5_000):
        if event.chain != at:
            if at is not None:
                yield from end(at)
            at, previous, expected = event.chain, canonical.GENESIS, 1
            seen.add(at)
        if event.sequence != expected:
            yield Fault(event.chain, expected, "missing")
        if canonical.digest(previous, event.body) != event.digest:
            yield Fault(event.chain, event.sequence, "changed")
        elif not _columns_agree(event):
            yield Fault(event.chain, event.sequence, "columns")
        if checkpoint.get(event.chain, (0, ""))[0] == event.sequence and checkpoint[event.chain][1] != event.digest:
            yield Fault(event.chain, event.sequence, "checkpoint")
        # Going on from what is stored names every further fault instead of drowning them in the first.
        previous, expected = event.digest, event.sequence + 1
    if at is not None:
        yield from end(at)
    for chain in sorted({*heads, *checkpoint} - seen):
        sequence = max(heads.get(chain, (0, ""))[0], checkpoint.get(chain, (0, ""))[0])
        if sequence:
            yield Fault(chain, sequence, "checkpoint" if chain in checkpoint else "head")


def _columns_agree(event: Event) -> bool:
    try:
        details = json.loads(event.body)["details"]
    except (ValueError, KeyError, TypeError):
        return False
    return body_of(event, details) == event.body
