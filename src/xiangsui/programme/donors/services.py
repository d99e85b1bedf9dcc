from __future__ import annotations

import contextlib
import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django_scopes import scopes_disabled

from xiangsui.foundation.accounts.models import Assignment
from xiangsui.foundation.kit import clock, numbering
from xiangsui.foundation.kit.errors import NotAllowed, Refusal
from xiangsui.foundation.kit.ids import uuid7
from xiangsui.foundation.ledger.services import Fact, events_append
from xiangsui.foundation.orgs.models import Kind, Occasion, Organisation
from xiangsui.foundation.people.identity import Identity
from xiangsui.foundation.people.models import Person
from xiangsui.foundation.people.selectors import people_by_document
from xiangsui.foundation.people.services import PersonDraft, persons_record, registered_elsewhere
from xiangsui.foundation.programme_rules.selectors import rule, rules_in_force
from xiangsui.foundation.workflow.services import LostRace, transition_take
from xiangsui.programme.hla.services import changes_record, typing_check

from .codes import Consent, Removal, Status
from .models import ConsentVersion, Deferral, Donor, Transfer, Typing
from .permissions import may_register
from .selectors import donors_by_uuid, donors_of_people
from .workflow import DONOR

# Where donors belong: the stations of the Red Cross.
_STATIONS = {Kind.CITY, Kind.COUNTY}
#: The text version of a consent that lies signed on paper in the archive.
PAPER = "paper"


@dataclass(frozen=True)
class DonorDraft:
    """A donor to be registered.

    Attributes:
        organisation: whose donor it will be.
        typing: GL String; with one the donor is listed.
        grid: given out where it is empty.
        identity: who it is; None where the register holds only a pseudonym.
        consents: what was signed; nobody is registered without `joining`.
        uuid: may be made on an offline device; sending a draft twice registers once.
    """

    organisation: Organisation
    sex: str
    birth_year: int
    abo: str = ""
    rhesus: str = ""
    typing: str = ""
    grid: str = ""
    cmdp_number: str = ""
    registered_on: dt.date | None = None
    identity: Identity | None = None
    consents: tuple[str, ...] = (Consent.JOINING,)
    recruiter: Person | None = None
    recruited_by: Organisation | None = None
    occasion: Occasion | None = None
    uuid: uuid.UUID = field(default_factory=uuid7)


def donors_register(*, drafts: Sequence[DonorDraft], actor: uuid.UUID | None = None) -> list[Donor]:
    """Register donors in one transaction; those with a typing are listed and found by the next search.

    A draft whose UUID is registered already was sent twice: the donor that stands is returned, unchanged.

    Raises:
        Refusal: a wrong GRID or CMDP number, a typing that cannot be read, a year of birth that cannot be, no consent
            to joining, somebody who is registered here already.
        NotAllowed: somebody who is registered elsewhere; nothing is said of where.
    """
    wanted = [draft.uuid for draft in drafts]
    known = donors_by_uuid(wanted)
    drafts = list({draft.uuid: draft for draft in drafts if draft.uuid not in known}.values())
    youngest = clock.today().year - rule("donor.join_age_min").value
    for draft in drafts:
        _check(draft, youngest)
    try:
        with transaction.atomic():
            people = _check_people(drafts)
            known |= {donor.pk: donor for donor in _store(drafts, people, actor)}
        return [known[identifier] for identifier in wanted]
    except IntegrityError as error:
        raise Refusal(_("GRID或中华骨髓库编号已经登记过，请核对编号。"), code="donor.grid_taken") from error


def _check(draft: DonorDraft, youngest: int) -> None:
    grid = numbering.grid_compact(draft.grid)
    if grid and not numbering.grid_is_valid(grid):
        raise Refusal(
            _("GRID“%(grid)s”的校验位不对，应为19位，末两位为校验位。") % {"grid": draft.grid}, code="donor.grid"
        )
    if draft.cmdp_number and not numbering.cmdp_is_valid(draft.cmdp_number):
        raise Refusal(_("中华骨髓库编号“%(number)s”应为12位数字。") % {"number": draft.cmdp_number}, code="donor.cmdp")
    if not 1900 <= draft.birth_year <= youngest:
        raise Refusal(
            _("出生年“%(year)s”不对，应为四位数年份，且入库时已满法定年龄。") % {"year": draft.birth_year},
            code="donor.birth_year",
        )
    if draft.registered_on and draft.registered_on > clock.today():
        raise Refusal(_("登记日期不能晚于今天。"), code="donor.registered_on")
    if draft.identity and draft.identity.birth_date and int(draft.identity.birth_date[:4]) != draft.birth_year:
        raise Refusal(_("出生年与证件上的出生日期不一致。"), code="donor.birth_year")
    if Consent.JOINING not in draft.consents:
        raise Refusal(_("没有签署加入资料库的知情同意书，不能登记。"), code="donor.consent")
    if draft.typing:
        typing_check(draft.typing)


def _check_people(drafts: Sequence[DonorDraft]) -> dict[uuid.UUID, Person]:
    """Refuse somebody who is known by the same document: here in words, elsewhere only as "ask for a transfer".

    Returns:
        Draft → the person, where somebody is known here who is no donor yet: a volunteer, a recruiter.
    """
    known: dict[uuid.UUID, Person] = {}
    identities = [draft.identity for draft in drafts if draft.identity]
    found = people_by_document(identities=identities)
    seen: set[tuple[str, str]] = set()
    for draft in drafts:
        if draft.identity is None or not draft.identity.id_number:
            continue
        key = (draft.identity.id_kind, draft.identity.id_number)
        if key in seen:
            raise Refusal(_("同一证件在这一批里出现了两次。"), code="donor.twice")
        seen.add(key)
        if key in found:
            if not draft.organisation.contains(found[key].organisation):
                raise registered_elsewhere()
            if donors_of_people([found[key].pk]):
                raise Refusal(_("此人已在本单位登记。"), code="donor.registered")
            known[draft.uuid] = found[key]
    return known


def _store(drafts: Sequence[DonorDraft], known: dict[uuid.UUID, Person], actor: uuid.UUID | None) -> list[Donor]:
    now = clock.now()
    with transaction.atomic():
        named = [draft for draft in drafts if draft.identity is not None and draft.uuid not in known]
        people = known | dict(
            zip(
                [draft.uuid for draft in named],
                persons_record(
                    drafts=[PersonDraft(draft.organisation, draft.identity) for draft in named if draft.identity]
                ),
                strict=True,
            )
        )
        donors = [_donor(draft, people.get(draft.uuid), now) for draft in drafts]
        Donor.objects.bulk_create(donors, batch_size=500)
        Typing.objects.bulk_create(
            [
                Typing(donor_id=draft.uuid, number=1, gl=draft.typing, recorded_at=now)
                for draft in drafts
                if draft.typing
            ],
            batch_size=500,
        )
        ConsentVersion.objects.bulk_create(
            [
                ConsentVersion(donor=donor, kind=kind, text_version=PAPER, given_at=donor.status_since)
                for donor, draft in zip(donors, drafts, strict=True)
                for kind in draft.consents
            ],
            batch_size=500,
        )
        changes_record([draft.uuid for draft in drafts if draft.typing])
        events_append(facts=[fact for donor in donors for fact in _registered(donor)], actor=actor)
    return donors


def _donor(draft: DonorDraft, person: Person | None, now: dt.datetime) -> Donor:
    day = draft.registered_on or clock.today()
    morning = dt.datetime.combine(day, dt.time(9), tzinfo=clock.BEIJING)
    return Donor(
        uuid=draft.uuid,
        grid=numbering.grid_compact(draft.grid) or numbering.new_grid(),
        cmdp_number=draft.cmdp_number or None,
        person=person,
        organisation=draft.organisation,
        sex=draft.sex,
        birth_year=draft.birth_year,
        abo=draft.abo,
        rhesus=draft.rhesus,
        status=Status.LISTED if draft.typing else Status.ENROLLED,
        status_since=min(morning, now),
        registered_on=day,
        recruiter=draft.recruiter,
        recruited_by=draft.recruited_by or draft.organisation,
        occasion=draft.occasion,
    )


def _registered(donor: Donor) -> list[Fact]:
    """The events of a donor who comes in at once: on the register, with the sample that was typed."""
    # Direct: no time between sample and listing is known, so the turnaround leaves these out (no `sample` event of
    # a person who was sampled long ago and elsewhere).
    steps = ["enrol"] if donor.status == Status.ENROLLED else ["enrol", "list"]
    common: dict[str, Any] = {
        "organisation": donor.organisation.uuid,
        "subject": donor.uuid,
        "occurred_at": donor.status_since,
    }
    facts = [
        Fact(f"donor.{step}", delta=1, details={"to": DONOR.transition(step).target, "direct": True}, **common)
        for step in steps
    ]
    return facts + [Fact(kind, delta=delta, **common) for kind, delta in DONOR.stock_changes(None, donor.status)]


def typing_record(*, donor: Donor, gl: str, actor: uuid.UUID | None = None) -> Typing:
    """Record a new typing of a donor; the last one is kept, superseded. Whoever waits for it in the laboratory is listed.

    Raises:
        Refusal: the typing cannot be read.
    """
    typing_check(gl)
    with transaction.atomic():
        # The donor's row is the lock: two typings recorded at once get two numbers, and the status is today's.
        donor = _locked(donor)
        last = donor.typings.order_by("-number").first()
        donor.typings.filter(current=True).update(current=False)
        typing = Typing.objects.create(
            donor=donor, number=last.number + 1 if last else 1, gl=gl, recorded_at=clock.now()
        )
        if donor.status not in DONOR.transition("list").sources:
            changes_record([donor.pk])
        else:
            try:
                with transaction.atomic():
                    transition_take(machine=DONOR, name="list", rows=[donor], assignment=None)
            except Refusal:
                # The loci do not suffice yet, or a consent is missing: the typing stands, the donor waits on.
                pass
        _record("donor.typed", donor, actor, {"number": typing.number})
    return typing


def _locked(donor: Donor) -> Donor:
    """The donor as he is now, held until the transaction ends: the caller's copy may be from before a transfer."""
    return Donor.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=donor.pk)


@transaction.atomic
def consent_give(*, donor: Donor, kind: str, text_version: str, actor: uuid.UUID | None) -> ConsentVersion:
    """Record that a donor agreed to something, in the words of a text version; a newer one replaces the older."""
    donor, now = _locked(donor), clock.now()
    donor.consents.filter(kind=kind, withdrawn_at=None).update(withdrawn_at=now)
    consent = ConsentVersion.objects.create(donor=donor, kind=kind, text_version=text_version, given_at=now)
    _record("donor.consent_given", donor, actor, {"consent": kind, "text": text_version})
    return consent


@transaction.atomic
def consent_withdraw(*, donor: Donor, kind: str, actor: uuid.UUID | None) -> None:
    """Record that a donor takes a consent back; as easy as giving it, and never asked why.

    Taking back the consent to joining takes the donor off the register at once.

    Raises:
        Refusal: it was not given.
    """
    donor = _locked(donor)
    if not donor.consents.filter(kind=kind, withdrawn_at=None).update(withdrawn_at=clock.now()):
        raise Refusal(_("这项同意没有签署过，或已经撤回。"), code="consent.none")
    _record("donor.consent_withdrawn", donor, actor, {"consent": kind})
    if kind == Consent.JOINING and donor.status != Status.RETIRED:
        values = {"reason": Removal.PR}
        transition_take(machine=DONOR, name="retire", rows=[donor], assignment=None, values=values)


def deferrals_end() -> int:
    """Return every donor whose deferral has reached its day to the register; returns how many."""
    with scopes_disabled():
        due = list(
            Deferral.objects.filter(ended_at=None, until__lte=clock.today(), donor__status=Status.DEFERRED)
            .select_related("donor__organisation")
            .order_by("until")[:500]
        )
        for deferral in due:
            with contextlib.suppress(LostRace):
                transition_take(machine=DONOR, name="reinstate", rows=[deferral.donor], assignment=None)
    return len(due)


def donors_age_out(*, chunk: int = 500) -> int:
    """Take donors off the register who are older than the rule where they are listed; returns how many."""
    retired, after = 0, uuid.UUID(int=0)
    with scopes_disabled():
        strictest = min(version.value for version in rules_in_force().filter(name="donor.listed_age_max"))
        old = Donor.objects.filter(
            status__in=[Status.LISTED, Status.DEFERRED], birth_year__lt=clock.today().year - strictest
        ).select_related("organisation")
        while rows := list(old.filter(pk__gt=after).order_by("pk")[:chunk]):
            after = rows[-1].pk
            for donor in rows:
                if donor.age > rule("donor.listed_age_max", at=donor.organisation).value:
                    values = {"reason": Removal.DO}
                    # Somebody is at work on him: tomorrow's run finds him again.
                    with contextlib.suppress(LostRace):
                        transition_take(machine=DONOR, name="retire", rows=[donor], assignment=None, values=values)
                        retired += 1
    return retired


def national_entered(*, donor: Donor, cmdp_number: str, on: dt.date, actor: uuid.UUID | None) -> Donor:
    """Note that the national system has the donor, under its number, since a day.

    Raises:
        Refusal: the number is not one, or another donor bears it.
    """
    if not numbering.cmdp_is_valid(cmdp_number):
        raise Refusal(_("中华骨髓库编号“%(number)s”应为12位数字。") % {"number": cmdp_number}, code="donor.cmdp")
    donor.cmdp_number, donor.national_on = cmdp_number, on
    try:
        with transaction.atomic():
            donor.save(update_fields=["cmdp_number", "national_on"])
            _record("donor.national", donor, actor, {"on": on})
    except IntegrityError as error:
        raise Refusal(_("这个中华骨髓库编号已属于另一位捐献者。"), code="donor.cmdp_taken") from error
    return donor


@transaction.atomic
def transfer_ask(*, donor: Donor, target: Organisation, assignment: Assignment) -> Transfer:
    """Offer a donor to another organisation, which must receive him.

    Raises:
        NotAllowed: the donor is not the asker's.
        Refusal: another transfer is under way, or it goes nowhere.
    """
    donor, target = _locked(donor), Organisation.objects.get(pk=target.pk)
    if not may_register(assignment) or not assignment.covers(donor.organisation):
        raise NotAllowed(_("只有捐献者所属的组织可以提出转移。"), code="transfer.not_yours")
    if donor.organisation_id == target.pk or target.closed_on is not None or target.kind not in _STATIONS:
        raise Refusal(_("请选择另一个存续中的组织。"), code="transfer.target")
    if donor.transfers.filter(decided_at=None).exists():
        raise Refusal(_("这位捐献者已有一份待接收的转移。"), code="transfer.open")
    transfer = Transfer.objects.create(
        donor=donor, source=donor.organisation, target=target, asked_at=clock.now(), asked_by=assignment.uuid
    )
    _record("donor.transfer_asked", donor, assignment.uuid, {"target": target.uuid})
    return transfer


@transaction.atomic
def transfer_decide(*, transfer: Transfer, received: bool, assignment: Assignment) -> Transfer:
    """Receive a donor, with all that belongs to him, or refuse. The receipt is the event in both chains.

    Raises:
        NotAllowed: it is not offered to the decider.
        Refusal: it was decided already.
    """
    if not may_register(assignment) or not assignment.covers(transfer.target):
        raise NotAllowed(_("只有转入的组织可以接收。"), code="transfer.not_yours")
    with scopes_disabled():
        changed = Transfer.objects.filter(pk=transfer.pk, decided_at=None).update(
            decided_at=clock.now(), decided_by=assignment.uuid, received=received
        )
        if not changed:
            raise Refusal(_("这份转移已经办结。"), code="transfer.decided")
        transfer.refresh_from_db()
        donor = _locked(transfer.donor)
        if received and Organisation.objects.get(pk=transfer.target_id).closed_on is not None:
            raise Refusal(_("转入的组织已经撤销，请退回后另行转移。"), code="transfer.target")
        facts = [Fact("donor.transfer_decided", transfer.source.uuid, donor.pk, details={"received": received})]
        if received:
            Donor.objects.filter(pk=donor.pk).update(organisation=transfer.target)
            if donor.person_id:
                Person.objects.filter(pk=donor.person_id).update(organisation=transfer.target)
            for kind, delta in DONOR.stock_changes(None, donor.status):
                facts.append(Fact(kind, transfer.source.uuid, donor.pk, delta=-delta))
                facts.append(Fact(kind, transfer.target.uuid, donor.pk, delta=delta))
            facts.append(
                Fact("donor.received", transfer.target.uuid, donor.pk, details={"source": transfer.source.uuid})
            )
        events_append(facts=facts, actor=assignment.uuid)
    return transfer


def _record(kind: str, donor: Donor, actor: uuid.UUID | None, details: dict[str, object]) -> None:
    events_append(facts=[Fact(kind, donor.organisation.uuid, donor.pk, details=details)], actor=actor)
