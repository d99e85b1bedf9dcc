from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django_scopes import scopes_disabled

from xiangsui.foundation.kit import clock
from xiangsui.foundation.kit.errors import NotAllowed, Refusal
from xiangsui.foundation.kit.ids import uuid7
from xiangsui.foundation.ledger.services import Fact, events_append
from xiangsui.foundation.orgs.models import Organisation
from xiangsui.foundation.privacy import services as privacy

from .identity import Identity
from .models import Person, PersonTie, SecondContact
from .phones import phones_read

FAMILY = "person"
_IDENTITY = "identity"
_CONTACT = "second_contact"


@dataclass(frozen=True)
class PersonDraft:
    """A person to be recorded; `uuid` may be made on an offline device."""

    organisation: Organisation
    identity: Identity
    uuid: uuid.UUID = field(default_factory=uuid7)


def persons_record(*, drafts: Sequence[PersonDraft]) -> list[Person]:
    """Record people: their identity sealed under keys of their own, their tokens for finding them.

    A draft that was recorded already, because a device sends it again, gives the person it became, as he is today.

    Raises:
        NotAllowed: it became a person of another organisation.
    """
    now = clock.now()
    with transaction.atomic(), scopes_disabled():
        known = Person.objects.in_bulk([draft.uuid for draft in drafts])
        for draft in drafts:
            if draft.uuid in known and known[draft.uuid].organisation_id != draft.organisation.pk:
                raise registered_elsewhere()
        fresh = {draft.uuid: draft for draft in drafts if draft.uuid not in known}
        vault = privacy.vault_new(family=FAMILY, subjects=fresh)
        people = [
            Person(
                uuid=draft.uuid,
                organisation=draft.organisation,
                sealed=vault.seal(draft.uuid, _IDENTITY, draft.identity.to_bytes()),
                recorded_at=now,
            )
            for draft in fresh.values()
        ]
        Person.objects.bulk_create(people, batch_size=500)
        privacy.tokens_put(family=FAMILY, tokens={pk: draft.identity.tokens() for pk, draft in fresh.items()}, new=True)
    known |= {person.pk: person for person in people}
    return [known[draft.uuid] for draft in drafts]


def person_change(*, person: Person, identity: Identity, actor: uuid.UUID | None) -> Person:
    """Replace what identifies a person: a moved telephone, a corrected name.

    Raises:
        Refusal: the person was erased.
    """
    with transaction.atomic(), scopes_disabled():
        vault = _vault_locked(person)
        person.sealed = vault.seal(person.pk, _IDENTITY, identity.to_bytes())
        person.save(update_fields=["sealed"])
        privacy.tokens_put(family=FAMILY, tokens={person.pk: identity.tokens()})
        events_append(facts=[Fact("person.changed", person.organisation.uuid, person.pk)], actor=actor)
    return person


def identities_open(*, people: Sequence[Person]) -> dict[uuid.UUID, Identity]:
    """The identities of some people for code that masks or matches them; the erased are left out.

    Not for showing: `person_reveal` is, and it leaves a record.
    """
    vault = privacy.vault_open(family=FAMILY, subjects=[person.pk for person in people])
    return {
        person.pk: Identity.from_bytes(vault.open(person.pk, _IDENTITY, bytes(person.sealed)))
        for person in people
        if person.pk in vault
    }


def person_reveal(*, person: Person, reason: str, actor: uuid.UUID, organisation: Organisation) -> Identity:
    """A person's identity in the clear, with one record of who read it, where from, and why.

    Args:
        reason: a code of `REVEAL_REASONS`.
        organisation: under which organisation the reader works.

    Raises:
        Refusal: no reason, or the person was erased.
    """
    if reason not in REVEAL_REASONS:
        raise Refusal(_("请选择查看身份信息的理由。"), code="person.reason")
    found = identities_open(people=[person]).get(person.pk)
    if found is None:
        raise _erased()
    details = {"reason": reason, "reader": organisation.uuid}
    events_append(facts=[Fact("person.revealed", person.organisation.uuid, person.pk, details=details)], actor=actor)
    return found


# Codes for the record; the pages word them.
REVEAL_REASONS = {
    "contact": "联系本人",
    "identity_check": "核对身份",
    "correction": "更正资料",
    "case": "个案工作",
    "request_of_person": "本人要求",
}


def second_contacts_put(
    *, person: Person, contacts: Sequence[tuple[str, str, str]], actor: uuid.UUID | None = None
) -> list[SecondContact]:
    """Replace a person's second contacts: (name, telephone, relation) each.

    Raises:
        Refusal: a telephone number is none, or is the person's own; the person was erased.
    """
    read = [(name, phones_read(phone), relation) for name, phone, relation in contacts]
    with transaction.atomic(), scopes_disabled():
        vault = _vault_locked(person)
        own = Identity.from_bytes(vault.open(person.pk, _IDENTITY, bytes(person.sealed)))
        if any(set(phones) & set(own.phones) for _name, phones, _relation in read):
            raise Refusal(_("联系人的电话不能与本人相同。"), code="contact.own_phone")
        rows = [
            SecondContact(
                person=person,
                sealed=vault.seal(person.pk, _CONTACT, json.dumps(contact, ensure_ascii=False).encode()),
            )
            for contact in read
        ]
        person.second_contacts.all().delete()
        SecondContact.objects.bulk_create(rows)
        _record("person.contacts_changed", person, actor, {"contacts": len(rows)})
    return rows


def second_contacts_open(
    *, person: Person, reason: str = "contact", actor: uuid.UUID | None = None
) -> list[tuple[str, tuple[str, ...], str]]:
    """A person's second contacts, (name, telephones, relation) each, with one record of who read them, and why.

    Args:
        reason: a code of `REVEAL_REASONS`.

    Raises:
        Refusal: no reason, or the person was erased.
    """
    if reason not in REVEAL_REASONS:
        raise Refusal(_("请选择查看身份信息的理由。"), code="person.reason")
    vault = privacy.vault_open(family=FAMILY, subjects=[person.pk])
    if person.pk not in vault:
        raise _erased()
    found = []
    with scopes_disabled():
        for row in person.second_contacts.order_by("uuid"):
            name, phones, relation = json.loads(vault.open(person.pk, _CONTACT, bytes(row.sealed)))
            found.append((name, tuple(phones), relation))
    _record("person.contacts_revealed", person, actor, {"reason": reason})
    return found


def _vault_locked(person: Person) -> privacy.Vault:
    """The person's vault, his row locked and read anew: an erasure comes before or after what is done, not amid it.

    Raises:
        Refusal: the person was erased.
    """
    person.refresh_from_db(fields=["sealed"], from_queryset=Person.objects.select_for_update())
    vault = privacy.vault_open(family=FAMILY, subjects=[person.pk])
    if person.pk not in vault:
        raise _erased()
    return vault


def _erased() -> Refusal:
    return Refusal(_("此人的身份信息已按其要求删除，无法恢复。"), code="person.erased")


@transaction.atomic
def person_merge(*, person: Person, into: Person, actor: uuid.UUID | None) -> Person:
    """Declare that two rows are one person. Nothing is rewritten; `person_unmerge` takes it back.

    Raises:
        Refusal: they are the same row, one is merged or erased already.
    """
    with scopes_disabled():
        rows = {row.pk: row for row in Person.objects.select_for_update().filter(pk__in=[person.pk, into.pk])}
        if len(rows) < 2 or any(row.merged_into_id or row.erased_at for row in rows.values()):
            raise Refusal(_("只能合并两份有效且尚未合并的档案。"), code="person.merge")
        Person.objects.filter(pk=person.pk).update(merged_into=into)
    person.merged_into = into
    _record("person.merged", person, actor, {"into": into.pk})
    return person


@transaction.atomic
def person_unmerge(*, person: Person, actor: uuid.UUID | None) -> Person:
    """Take a merger back: both rows stand on their own again.

    Raises:
        Refusal: it was not merged.
    """
    with scopes_disabled():
        if not Person.objects.filter(pk=person.pk, merged_into__isnull=False).update(merged_into=None):
            raise Refusal(_("这份档案没有被合并。"), code="person.not_merged")
    person.merged_into = None
    _record("person.unmerged", person, actor, {})
    return person


@transaction.atomic
def person_erase(*, person: Person, actor: uuid.UUID | None) -> list[Person]:
    """Destroy the keys and tokens of a person, and of all rows merged with his, for good.

    Rows and events stay, and tell nothing of who it was. Returns the rows that were erased: none the second time.
    """
    with scopes_disabled():
        rows = list(
            Person.objects.select_for_update(of=("self",))
            .filter(pk__in=_merged_with(person), erased_at=None)
            .select_related("organisation")
        )
        privacy.erase(subjects=[row.pk for row in rows])
        Person.objects.filter(pk__in=[row.pk for row in rows]).update(erased_at=clock.now())
    facts = [Fact("person.erased", row.organisation.uuid, row.pk) for row in rows]
    events_append(facts=facts, actor=actor)
    return rows


def _merged_with(person: Person) -> set[uuid.UUID]:
    """The rows of one human: himself and, over any number of mergers up and down, those that were merged."""
    group, new = set[uuid.UUID](), {person.pk}
    while new:
        group |= new
        linked = Person.objects.filter(Q(pk__in=new) | Q(merged_into__in=new)).values_list("pk", "merged_into")
        new = {pk for pair in linked for pk in pair if pk is not None} - group
    return group


@transaction.atomic
def person_tie(
    *,
    person: Person,
    organisation: Organisation,
    role: str,
    actor: uuid.UUID | None,
    valid_from: dt.date | None = None,
    valid_until: dt.date | None = None,
) -> PersonTie:
    """Let another organisation see a person for a time, both days included.

    Raises:
        Refusal: the last day lies before the first.
    """
    valid_from = valid_from or clock.today()
    if valid_until and valid_until < valid_from:
        raise Refusal(_("起始日期不能晚于截止日期。"), code="tie.dates")
    tie = PersonTie.objects.create(
        person=person,
        organisation=organisation,
        role=role,
        valid_from=valid_from,
        valid_until=valid_until,
    )
    _record("person.tied", person, actor, {"organisation": organisation.uuid, "role": role})
    return tie


def registered_elsewhere() -> NotAllowed:
    """What somebody learns who enters a person of another jurisdiction: that, and nothing more (mechanism 4)."""
    return NotAllowed(_("此人已在其他地区登记，请申请转移档案。"), code="person.elsewhere", status=409)


def _record(kind: str, person: Person, actor: uuid.UUID | None, details: dict[str, object]) -> None:
    events_append(facts=[Fact(kind, person.organisation.uuid, person.pk, details=details)], actor=actor)
