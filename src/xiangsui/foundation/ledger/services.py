"""Writing the ledger, and only writing: there is no service that changes or removes."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction

from xiangsui.foundation.kit import clock
from xiangsui.foundation.kit.ids import uuid7

from . import canonical
from .models import ChainHead, Event

_BATCH = 1_000


@dataclass(frozen=True)
class Fact:
    """Something that happened, before it is an event.

    Attributes:
        kind: dotted name the room declares, e.g. `donor.enrol`.
        organisation: whose it is, and whose chain it goes into.
        subject: what it is about.
        occurred_at: when it really happened; None for now.
        delta: signed change of a stock, where `kind` is one.
        corrects: the event that this one undoes or replaces.
        details: codes, whole numbers, booleans, dates, UUIDs.
        uuid: may come from an offline device.
    """

    kind: str
    organisation: uuid.UUID
    subject: uuid.UUID
    occurred_at: dt.datetime | None = None
    delta: int = 0
    corrects: uuid.UUID | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    uuid: uuid.UUID = field(default_factory=uuid7)


def events_append(*, facts: Sequence[Fact], actor: uuid.UUID | None) -> list[Event]:
    """Append facts to their organisations' chains, in the order given; part of the caller's transaction.

    Call it last in a transaction: it locks the heads of the chains, in the order of their identifiers, and holds
    them until commit.

    Raises:
        ValueError: a detail that is not a code, number, date or UUID; a naive moment.
    """
    with transaction.atomic():
        chains = _open_chains({fact.organisation for fact in facts})
        heads = _heads_locked(set(chains.values()))
        # Taken under the locks: recorded_at follows the order of the chain, however long the wait was.
        recorded = clock.now()
        events = [_linked(fact, heads[chains[fact.organisation]], recorded, actor) for fact in facts]
        Event.objects.bulk_create(events, batch_size=_BATCH)
        ChainHead.objects.bulk_update(heads.values(), ["sequence", "digest"], batch_size=_BATCH)
    return events


def chains_close(*, chains: Iterable[uuid.UUID], successors: Sequence[uuid.UUID], actor: uuid.UUID | None) -> None:
    """Close chains for good, and open their successors with an event that names the last link of each.

    For organisations that were merged (several chains, one successor) or split (one chain, several successors, of
    which the first is the heir: what is still recorded of the old organisation's rows goes into its chain).
    """
    chains = list(chains)
    now = clock.now()
    with transaction.atomic():
        heads = _heads_locked({*chains, *successors})
        closing = [Fact("chain.closed", chain, chain, details={"successors": len(successors)}) for chain in chains]
        events = [_linked(fact, heads[fact.organisation], now, actor) for fact in closing]
        opening = [
            Fact("chain.opened", successor, chain, details={"link": heads[chain].digest})
            for successor in successors
            for chain in chains
        ]
        events += [_linked(fact, heads[fact.organisation], now, actor) for fact in opening]
        for chain in chains:
            heads[chain].closed_at = now
            heads[chain].heir = successors[0]
        Event.objects.bulk_create(events, batch_size=_BATCH)
        ChainHead.objects.bulk_update(heads.values(), ["sequence", "digest", "closed_at", "heir"], batch_size=_BATCH)


def _open_chains(organisations: set[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """The chain that takes each organisation's events: its own, or that of its heir's heir."""
    heirs = {head.chain: head.heir for head in ChainHead.objects.exclude(heir=None) if head.heir}
    found = {}
    for organisation in organisations:
        chain = organisation
        while chain in heirs:
            chain = heirs[chain]
        found[organisation] = chain
    return found


def _heads_locked(chains: set[uuid.UUID]) -> dict[uuid.UUID, ChainHead]:
    wanted = sorted(chains)
    ChainHead.objects.bulk_create([ChainHead(chain=chain) for chain in wanted], ignore_conflicts=True)
    heads = ChainHead.objects.filter(chain__in=wanted).order_by("chain")
    if connection.features.has_select_for_update:
        heads = heads.select_for_update()
    found = {head.chain: head for head in heads}
    for head in found.values():
        if head.closed_at is not None:
            # Merged between the look-up and the lock: the caller's transaction starts over.
            raise ValueError(f"the chain {head.chain} was closed a moment ago; try again")
    return found


def _linked(fact: Fact, head: ChainHead, recorded: dt.datetime, actor: uuid.UUID | None) -> Event:
    event = Event(
        uuid=fact.uuid,
        chain=head.chain,
        sequence=head.sequence + 1,
        kind=fact.kind,
        organisation=fact.organisation,
        subject=fact.subject,
        actor=actor,
        occurred_at=fact.occurred_at or recorded,
        recorded_at=recorded,
        delta=fact.delta,
        corrects=fact.corrects,
    )
    event.body = body_of(event, {key: canonical.detail(key, value) for key, value in fact.details.items()})
    event.digest = canonical.digest(head.digest, event.body)
    head.sequence, head.digest = event.sequence, event.digest
    return event


def body_of(event: Event, details: Mapping[str, Any]) -> str:
    """The canonical text of an event's columns and details: what its digest is taken over."""
    return canonical.text(
        {
            "uuid": str(event.uuid),
            "chain": str(event.chain),
            "sequence": event.sequence,
            "kind": event.kind,
            "organisation": str(event.organisation),
            "subject": str(event.subject),
            "actor": str(event.actor) if event.actor else None,
            "occurred_at": canonical.moment(event.occurred_at),
            "recorded_at": canonical.moment(event.recorded_at),
            "delta": event.delta,
            "corrects": str(event.corrects) if event.corrects else None,
            "details": dict(details),
        }
    )
