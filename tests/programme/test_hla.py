"""The search over the register: fresh at commit, right whatever the index is doing, clear when it is broken."""

import threading
import time

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse
from django_scopes import scope, scopes_disabled

from hlaengine import index as engine_index
from hlaengine import search as engine_search
from support import factories
from support.plugin import forget_searches
from support.world import donor_id, nine_gl, patient_gl
from xiangsui.foundation.kit.errors import Refusal
from xiangsui.programme.donors.models import Donor, Status, Typing
from xiangsui.programme.donors.services import typing_record
from xiangsui.programme.hla import jobs, selectors, services, sources
from xiangsui.programme.hla.models import IndexBuild, PendingChange

FULL = {"exact", "away", "reserved", "neighbour"}


@pytest.fixture(autouse=True)
def _everywhere(world):
    with scope(tree=world.orgs["CN"].path):
        yield


def found(gl=None):
    return {selectors.subject_of(hit): hit for hit in selectors.search_donors(gl=gl or patient_gl()).hits}


def test_the_cast_is_found_and_ranked():
    hits = found()
    for name in FULL:
        assert hits[donor_id(name)].count_min == hits[donor_id(name)].count_max == 10
    assert hits[donor_id("nine")].count_max == 9
    assert hits[donor_id("low")].count_max == 10
    assert hits[donor_id("low")].typed_loci == 3
    assert donor_id("retired") not in hits
    assert donor_id("untyped") not in hits


def test_the_ranking_is_by_probability_then_key():
    hits = selectors.search_donors(gl=patient_gl()).hits
    explained = [hit for hit in hits if hit.p_10 is not None]
    assert explained == sorted(explained, key=lambda hit: (-hit.p_10, -hit.p_9, -hit.p_8, hit.donor))
    assert hits[: len(explained)] == explained


def test_hits_are_those_of_the_engine_over_the_whole_register(world):
    """No index, no overlay of ours: the engine over every searchable row gives the same hits and numbers."""
    from xiangsui.programme.hla.engine import frequency_set, nomenclature

    rows = [engine_index.DonorRow(str(row.subject), row.typing, frequency_set().name) for row in sources.everything()]
    typings = Typing.objects.filter(current=True, donor__status__in=[Status.LISTED, Status.RESERVED])
    assert {row.donor for row in rows} == {str(pk) for pk in typings.values_list("donor_id", flat=True)}
    assert nomenclature().label
    answers = {
        hit.donor: (hit.count_min, hit.count_max, hit.p_10, hit.p_9)
        for hit in selectors.search_donors(gl=patient_gl()).hits
    }
    PendingChange.objects.bulk_create(
        PendingChange(subject=row.subject, recorded_at=world.request.requested_at) for row in sources.everything()
    )
    forget_searches()
    again = {
        hit.donor: (hit.count_min, hit.count_max, hit.p_10, hit.p_9)
        for hit in selectors.search_donors(gl=patient_gl()).hits
    }
    assert again.keys() == answers.keys()
    for donor, numbers in answers.items():
        assert again[donor][:2] == numbers[:2]
        assert again[donor][2:] == pytest.approx(numbers[2:], abs=1e-12)


# ---------------------------------------------------------------- fresh at commit


def test_a_new_donor_is_found_before_any_rebuild(world):
    donor = factories.donor(world.orgs["C2"], typing=patient_gl())
    assert found()[donor.pk].count_min == 10


def test_a_first_typing_is_found_at_once(world):
    typing_record(donor=world.donor("untyped"), gl=patient_gl())
    assert donor_id("untyped") in found()


def test_a_new_typing_changes_the_hit_at_once(world):
    assert found()[donor_id("exact")].count_max == 10
    typing_record(donor=world.donor("exact"), gl=nine_gl())
    assert found()[donor_id("exact")].count_max == 9


def test_a_typing_that_no_longer_matches_takes_the_donor_away_at_once(world):
    first = factories.haplotypes()[-1]
    typing_record(donor=world.donor("exact"), gl=factories.gl_of(first, first))
    assert donor_id("exact") not in found()


def test_a_donor_who_leaves_is_gone_at_once(world):
    found()
    Donor.objects.filter(pk=donor_id("exact")).update(status=Status.RETIRED)
    services.changes_record([donor_id("exact")])
    assert donor_id("exact") not in found()


def test_a_donor_nobody_knows_any_more_is_gone():
    services.changes_record([donor_id("no such donor")])
    assert donor_id("no such donor") not in found()


def test_two_changes_of_one_donor_are_one_row(world):
    donor = world.donor("exact")
    typing_record(donor=donor, gl=nine_gl())
    typing_record(donor=donor, gl=patient_gl())
    answer = selectors.search_donors(gl=patient_gl())
    assert [hit.donor for hit in answer.hits].count(str(donor.pk)) == 1
    assert found()[donor.pk].count_min == 10


def test_the_same_question_twice_is_answered_from_memory_until_something_changes(world, monkeypatch):
    asked = []
    real = engine_search.Searcher.search
    monkeypatch.setattr(
        engine_search.Searcher, "search", lambda self, *a, **k: (asked.append(1), real(self, *a, **k))[1]
    )
    found()
    found()
    assert len(asked) == 1
    factories.donor(world.orgs["C2"], typing=patient_gl())
    found()
    assert len(asked) == 2


# ---------------------------------------------------------------- building


def test_building_folds_the_changes_in(own_index, world):
    donor = factories.donor(world.orgs["C2"], typing=patient_gl())
    before = found()
    build = services.index_compact()
    assert not PendingChange.objects.exists()
    assert build.donors == sum(1 for _ in sources.everything())
    after = found()
    assert donor.pk in after
    assert after.keys() == before.keys()
    for subject, hit in after.items():
        assert (hit.count_min, hit.count_max) == (before[subject].count_min, before[subject].count_max)
        assert (hit.p_10, hit.p_9) == pytest.approx((before[subject].p_10, before[subject].p_9), abs=1e-12)


def test_a_donor_who_left_stays_gone_after_building(own_index):
    Donor.objects.filter(pk=donor_id("exact")).update(status=Status.RETIRED)
    services.changes_record([donor_id("exact")])
    services.index_compact()
    assert donor_id("exact") not in found()


def test_a_change_during_a_build_is_still_found(own_index, world, monkeypatch):
    """It arrives after the rows were read, and before the changes are cleared."""
    late = []
    real = sources.everything

    def slow():
        rows = list(real())
        late.append(factories.donor(world.orgs["C2"], typing=patient_gl()))
        typing_record(donor=world.donor("exact"), gl=nine_gl())
        yield from rows

    factories.donor(world.orgs["C2"], typing=nine_gl())
    monkeypatch.setattr(sources, "everything", slow)
    services.index_compact()
    hits = found()
    assert late[0].pk in hits
    assert hits[donor_id("exact")].count_max == 9
    monkeypatch.setattr(sources, "everything", real)
    services.index_compact()
    assert not PendingChange.objects.exists()
    hits = found()
    assert late[0].pk in hits
    assert hits[donor_id("exact")].count_max == 9


def test_a_second_build_meanwhile_loses_no_change(own_index, world, monkeypatch):
    """The other one is refused or finishes first; in no order is a change cleared that no index holds."""
    real, late, inner = sources.everything, [], []

    def slow():
        rows = list(real())
        if not late:
            late.append(factories.donor(world.orgs["C2"], typing=patient_gl()))
            try:
                inner.append(services.index_compact())
            except Exception as error:
                inner.append(error)
        yield from rows

    monkeypatch.setattr(sources, "everything", slow)
    services.index_compact()
    assert inner
    assert late[0].pk in found()


def test_a_build_that_fails_leaves_index_and_changes(own_index, world, monkeypatch):
    donor = factories.donor(world.orgs["C2"], typing=patient_gl())
    waiting = PendingChange.objects.count()

    def broken():
        yield next(iter([]), None) or sources.SearchRow(donor.pk, patient_gl())
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(sources, "everything", broken)
    with pytest.raises(RuntimeError):
        services.index_compact()
    assert PendingChange.objects.count() == waiting
    assert {donor_id(name) for name in FULL} | {donor.pk} <= found().keys()


def test_one_typing_that_cannot_be_used_does_not_stop_the_programme(own_index, world):
    """A newer nomenclature may lack what was once accepted: that donor is left out, the others are found."""
    Typing.objects.filter(donor_id=donor_id("nine"), current=True).update(gl="A*99:99")
    services.changes_record([donor_id("nine")])
    hits = found()
    assert donor_id("exact") in hits
    services.index_compact()
    assert donor_id("exact") in found()


class _Run:
    def progress(self, done, total, note=""):
        pass


@pytest.mark.parametrize("changes", [0, 1])
def test_the_job_builds_only_when_it_is_due(own_index, settings, changes):
    IndexBuild.objects.all().delete()
    jobs.compact_when_due.function(_Run())
    assert IndexBuild.objects.count() == 1, "the first build is always due"
    if changes:
        services.changes_record([donor_id("exact")])
    jobs.compact_when_due.function(_Run())
    assert IndexBuild.objects.count() == 1
    settings.HLA_COMPACT_AT = 1
    jobs.compact_when_due.function(_Run())
    assert IndexBuild.objects.count() == 1 + changes
    assert not PendingChange.objects.exists()


def test_a_few_old_changes_are_due_after_a_while(own_index, settings):
    IndexBuild.objects.all().delete()
    jobs.compact_when_due.function(_Run())
    services.changes_record([donor_id("exact")])
    settings.HLA_COMPACT_SECONDS = -1
    jobs.compact_when_due.function(_Run())
    assert IndexBuild.objects.count() == 2


def test_the_job_of_a_build_tells_how_far_it_is(own_index, world):
    """Rows come as a stream: how many there are is not known while they come."""
    from xiangsui.foundation.jobs.models import Job
    from xiangsui.foundation.jobs.registry import Run

    factories.donor(world.orgs["C2"], typing=patient_gl())
    job = jobs.compact_when_due.enqueue()
    (own_index / "manifest.json").unlink()
    jobs.compact_when_due.function(Run(job.pk, "test"))
    assert Job.objects.get(pk=job.pk).percent in range(101)
    assert not PendingChange.objects.exists()


def test_a_lost_or_damaged_index_is_built_anew_by_itself(own_index):
    expected = found()
    (own_index / "manifest.json").write_text("nonsense")
    assert services.index_fault()
    jobs.compact_when_due.function(_Run())
    assert not services.index_fault(thorough=True)
    assert found().keys() == expected.keys()


def test_the_command_looks_and_rebuilds(own_index, capsys):
    call_command("index")
    assert "完好" in capsys.readouterr().out
    (own_index / "manifest.json").unlink()
    with pytest.raises(CommandError, match="--rebuild"):
        call_command("index")
    call_command("index", "--rebuild")
    call_command("index")
    assert "完好" in capsys.readouterr().out


def test_a_busy_index_is_not_called_damaged():
    from hlaengine.errors import HlaError
    from xiangsui.programme.hla import wording

    refusal = wording.refusal(HlaError("index.busy", "Another build is writing this index."), "")
    assert "损坏" not in str(refusal)


# ---------------------------------------------------------------- broken


def data_files(folder):
    return [path for path in folder.rglob("*") if path.is_file() and path.stat().st_size and path.name != "lock"]


@pytest.mark.parametrize("harm", ["cut", "gone", "manifest cut", "manifest nonsense"])
def test_a_damaged_index_is_a_clear_message(own_index, sign_in, world, harm):
    biggest = max((p for p in data_files(own_index) if p.name != "manifest.json"), key=lambda p: p.stat().st_size)
    manifest = own_index / "manifest.json"
    if harm == "cut":
        biggest.write_bytes(biggest.read_bytes()[:-7])
    elif harm == "gone":
        biggest.unlink()
    elif harm == "manifest cut":
        manifest.write_bytes(manifest.read_bytes()[:40])
    else:
        manifest.write_text("{}")
    forget_searches()
    with pytest.raises(Refusal) as caught:
        found()
    assert caught.value.status == 503
    answer = sign_in("dora").get(reverse("patients:detail", args=[world.request.uuid]))
    page = answer.content.decode()
    assert answer.status_code == 503
    assert "检索索引已损坏" in page
    assert "Traceback" not in page
    assert str(own_index) not in page, "no path of the server"
    fragment = sign_in("dora").get(reverse("patients:detail", args=[world.request.uuid]), HTTP_HX_REQUEST="true")
    assert fragment.status_code == 503
    assert "<html" not in fragment.content.decode()


def test_a_damaged_index_is_mended_by_building(own_index):
    (own_index / "manifest.json").write_text("{}")
    forget_searches()
    with pytest.raises(Refusal):
        found()
    services.index_compact()
    assert donor_id("exact") in found()


def test_no_index_yet_says_so_and_not_that_it_is_damaged(settings, tmp_path, world):
    settings.HLA_INDEX_DIR = tmp_path / "nothing-yet"
    forget_searches()
    with pytest.raises(Refusal) as caught:
        found()
    forget_searches()
    assert caught.value.status == 503
    assert "还没有建好" in str(caught.value)
    assert "损坏" not in str(caught.value)


def test_a_newly_published_index_is_taken_up(own_index, world):
    found()
    services.index_compact()
    first = selectors.search_donors(gl=patient_gl()).versions["index"]
    services.index_compact()
    assert selectors.search_donors(gl=patient_gl()).versions["index"] != first


def test_searches_from_several_threads_agree():
    """The searcher and the memory of answers are shared by the server's threads."""
    if connection.vendor != "sqlite":
        pytest.skip("threads have connections of their own, outside this test's transaction")
    expected = list(found())
    answers, faults = [], []

    def ask():
        try:
            with selectors.searching() as searcher:
                answers.append([hit.donor for hit in searcher.search(patient_gl(), frequency_set=name).hits])
        except Exception as error:
            faults.append(error)

    name = selectors.frequency_set().name
    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert all([str(subject) for subject in expected] == answer for answer in answers)


# ---------------------------------------------------------------- odd patients


@pytest.mark.parametrize("gl", ["A*02:01", "DRB3*01:01", "A*02:XX+A*24:XX^B*15:XX", "A*NEW+A*02:01^B*40:01"])
def test_poor_typings_are_answered_in_good_time(gl):
    """Few loci allow nearly every haplotype pair: the answer, or a refusal, must still come while somebody waits."""
    started = time.monotonic()
    try:
        hits = selectors.search_donors(gl=gl).hits
    except Refusal as refusal:
        hits = []
        if refusal.status != 400:
            raise
    assert time.monotonic() - started < 5
    for hit in hits:
        assert hit.count_min <= hit.count_max <= 10


def test_an_unexplained_patient_is_told_and_still_gets_a_list(world):
    """Alleles that no haplotypes of the set bring together."""
    from xiangsui.programme.hla.engine import nomenclature

    rows = factories.haplotypes()
    names = {locus: sorted({one[locus] for one in rows}) for locus in rows[0]}
    together = {(one["A"], one["B"]) for one in rows}
    a, b = next((a, b) for a in names["A"] for b in names["B"] if (a, b) not in together)
    gl = f"{a}+{a}^{b}+{b}"
    assert nomenclature().label
    donor = factories.donor(world.orgs["C2"], typing=gl)
    answer = selectors.search_donors(gl=gl)
    assert answer.patient_reason
    hit = next(hit for hit in answer.hits if hit.donor == str(donor.pk))
    assert hit.p_10 is None
    assert selectors.category_of(hit) == "unexplained"


def test_the_index_state_is_told(own_index):
    services.index_compact()
    services.changes_record([donor_id("exact")])
    state = selectors.index_state()
    assert state["pending"] == 1
    assert state["build"] == IndexBuild.objects.latest("built_at")
    with scopes_disabled():
        assert (
            state["build"].donors
            == Typing.objects.filter(current=True, donor__status__in=[Status.LISTED, Status.RESERVED]).count()
        )
