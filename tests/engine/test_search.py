"""Search: ranked, explained hits; fresh rows over the index; nulls, unknowns and the unexplained."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from hlaengine import index, search, starter
from hlaengine.errors import HlaError
from hlaengine.imputation import Imputer
from hlaengine.index import DonorRow
from hlaengine.typings import MATCH_LOCI, parse

SET = starter.frequency_set()
PATIENT = "A*02:07+A*11:01^C*01:02+C*01:02^B*46:01+B*46:01^DRB1*09:01+DRB1*09:01^DQB1*03:03+DQB1*03:03"

NEAR = PATIENT.replace("A*02:07", "A*24:02")


@pytest.fixture(scope="module")
def searcher(tmp_path_factory, demo_donors):
    directory = tmp_path_factory.mktemp("index")
    rows = [DonorRow(d, t, SET.name) for d, t in [*demo_donors, ("M1", PATIENT), ("M2", NEAR)]]
    index.build(directory, rows, frequency_sets=[SET], nomenclature=starter.nomenclature())
    return search.Searcher(index.Index.open(directory))


def over(typing, donor="X"):
    return [DonorRow(donor, typing, SET.name)]


def hit_of(result, donor="X"):
    return next((h for h in result.hits if h.donor == donor), None)


def brute(patient, donor):
    """Count to probability, from imputed haplotype pairs as strings and P groups by name."""
    names = starter.nomenclature().alleles
    imputer = Imputer(SET, starter.nomenclature())

    def genotypes(text):
        pairs, result = imputer.impute(parse(text)), Counter()
        for i, j, p in zip(pairs.first, pairs.second, pairs.probability, strict=True):
            genotype = []
            for a, b in zip(SET.haplotypes[i].split("~"), SET.haplotypes[j].split("~"), strict=True):
                pair = [names[a].p_group, names[b].p_group]
                genotype.append(tuple(x or pair[0] or pair[1] for x in pair))
            result[tuple(tuple(sorted(g, key=str)) for g in genotype)] += float(p)
        return result

    exactly = Counter()
    for (g, p), (h, q) in itertools.product(genotypes(patient).items(), genotypes(donor).items()):
        exactly[sum(sum((Counter(x) & Counter(y)).values()) for x, y in zip(g, h, strict=True))] += p * q
    return exactly


@pytest.mark.parametrize(
    "patient",
    [
        PATIENT,
        "A*11:01+A*24:02^B*46:01+B*40:01^DRB1*09:01+DRB1*15:01",
        "A*02:XX+A*11:01^B*46:01+B*40:01/B*40:06^DRB1*09:01+DRB1*15:01/DRB1*11:01",
    ],
)
def test_numbers_equal_the_brute_force(searcher, demo_donors, patient):
    result = searcher.search(patient, max_mismatches=2)
    texts = {**dict(demo_donors), "M1": PATIENT, "M2": NEAR}
    assert result.hits
    for hit in result.hits[:8]:
        exactly = brute(patient, texts[hit.donor])
        assert abs(hit.p_10 - exactly[10]) < 1e-12
        assert abs(hit.p_9 - exactly[9]) < 1e-12
        assert abs(hit.p_8 - exactly[8]) < 1e-12


def test_a_likely_match_is_listed_and_ranked(searcher):
    result = searcher.search(PATIENT)
    keys = [(-h.p_10, -h.p_9, -h.p_8, h.donor) for h in result.hits if h.p_10 is not None]
    assert keys == sorted(keys)
    assert all(h.count_max >= 9 for h in result.hits)
    assert result.found == len(result.hits)
    assert set(result.versions) == {"engine", "index", "nomenclature", "frequency_set"}
    assert searcher.search(PATIENT, limit=2).hits == result.hits[:2]
    wider = searcher.search(PATIENT, max_mismatches=2)
    assert {h.donor for h in result.hits} <= {h.donor for h in wider.hits}


def test_overlay_rows_stand_over_the_index(searcher):
    before = searcher.search(PATIENT)
    first = before.hits[0].donor
    gone = searcher.search(PATIENT, overlay=[DonorRow(first, None, SET.name)])
    assert hit_of(gone, first) is None
    assert gone.donors == before.donors - 1
    both = searcher.search(PATIENT, overlay=over("A*01:01", first) + over(PATIENT, first) + over(PATIENT, "new"))
    hit = hit_of(both, first)
    assert (hit.p_10, hit.count_min, hit.count_max, hit.typed_loci) == (1.0, 10, 10, 5)
    assert both.donors == before.donors + 1
    assert [h.donor for h in both.hits[:2]] == ["M1", "new"]


def test_a_line_explains_itself(searcher):
    donor = "A*02:07+A*11:01^C*01:02^B*46:01+B*46:01^DRB1*09:01+DRB1*15:01"
    hit = hit_of(searcher.search(PATIENT, overlay=over(donor)))
    assert (hit.count_min, hit.count_max, hit.typed_loci) == (7, 9, 4)
    assert hit.loci["C"].presumed_homozygous
    assert hit.loci["DRB1"].donor == "DRB1*09:01+DRB1*15:01"
    assert hit.loci["DQB1"].donor == ""
    assert (hit.loci["DQB1"].possible_min, hit.loci["DQB1"].possible_max) == (0, 2)
    assert hit.loci["DRB1"].both == 0
    assert hit.loci["DRB1"].one == 1
    assert list(hit.loci) == list(MATCH_LOCI)


def test_a_null_allele_is_not_expressed(searcher):
    patient = PATIENT.replace("A*02:07+A*11:01", "A*11:01+A*11:01")
    donor = PATIENT.replace("A*02:07+A*11:01", "A*02:53N+A*11:01")
    hit = hit_of(searcher.search(patient, overlay=over(donor)))
    assert (hit.count_min, hit.count_max) == (10, 10)
    both_null = PATIENT.replace("A*02:07+A*11:01", "A*02:53N+A*24:09N")
    assert hit_of(searcher.search(patient, overlay=over(both_null))) is None


def test_a_donor_whose_phase_is_known_keeps_it_in_the_index(tmp_path):
    phased = "A*30:01~B*13:02+A*02:07~B*46:01^DRB1*07:01+DRB1*09:01"
    rows = [
        DonorRow("X", phased, SET.name),
        DonorRow("Y", phased.replace("A*30:01~B*13:02+A*02:07~B*46:01", "A*30:01+A*02:07^B*13:02+B*46:01"), SET.name),
    ]
    index.build(tmp_path, rows, frequency_sets=[SET], nomenclature=starter.nomenclature())
    opened = index.Index.open(tmp_path)
    assert opened.segment.typing(0).phased == parse(phased).phased
    assert opened.segment.typing(1).phased == ()
    found = search.Searcher(opened).search(phased)
    assert [h.donor for h in found.hits] == ["X", "Y"]


def test_p_groups_are_compared_whatever_the_names(searcher):
    patient = PATIENT.replace("DRB1*09:01+DRB1*09:01", "DRB1*14:54+DRB1*09:01")
    donor = PATIENT.replace("DRB1*09:01+DRB1*09:01", "DRB1*14:01:01+DRB1*09:01:02:01").replace("C*01:02", "C*01:02P")
    hit = hit_of(searcher.search(patient, overlay=over(donor)))
    assert (hit.count_min, hit.count_max) == (10, 10)


def test_unexplained_donors_stand_last_without_numbers(searcher):
    held_by_none = PATIENT.replace("A*02:07+A*11:01", "A*02:07+A*01:02")
    no_pair = PATIENT.replace("B*46:01+B*46:01", "B*46:01+B*14:02")
    result = searcher.search(PATIENT, overlay=over(held_by_none, "Y") + over(no_pair, "Z"))
    assert [h.donor for h in result.hits[-2:]] == ["Y", "Z"]
    assert [h.reason for h in result.hits[-2:]] == ["allele_not_in_set", "no_haplotype_pair"]
    assert all(h.p_10 is None and h.loci["A"].both is None for h in result.hits[-2:])
    assert hit_of(result, "Y").count_max == 9


def test_an_unexplained_patient_gets_compatible_donors_and_the_reason(searcher):
    result = searcher.search(PATIENT.replace("A*02:07+A*11:01", "A*NEW+A*11:01"))
    assert result.patient_reason == "new_allele"
    assert result.patient_unexplained[0].locus == "A"
    assert result.hits
    assert all(h.p_10 is None and h.reason == "patient_unexplained" for h in result.hits)
    assert [h.count_max for h in result.hits] == sorted((h.count_max for h in result.hits), reverse=True)


def test_an_added_possible_allele_never_removes_a_candidate(searcher):
    wider = PATIENT.replace("A*02:07+A*11:01", "A*02:07/A*02:01/A*24:02+A*11:01/A*33:03")
    assert {h.donor for h in searcher.search(PATIENT).hits} <= {h.donor for h in searcher.search(wider).hits}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"typing": "A*02:99+A*01:01"}, "typing.unknown_allele"),
        ({"typing": PATIENT, "frequency_set": "nowhere"}, "search.unknown_set"),
        ({"typing": PATIENT, "overlay": over("A*98:01")}, "typing.unknown_allele"),
        ({"typing": ""}, "typing.empty"),
    ],
)
def test_errors(searcher, arguments, code):
    with pytest.raises(HlaError) as caught:
        searcher.search(**arguments)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (None, ""), (0.0, "0%"), (1.0, "100%"), (1 - 1e-13, "100%"), (0.9999, ">99.9%"), (1e-9, "<0.1%"),
        (0.5, "50.0%"), (0.973, "97.3%"), (0.999, "99.9%"), (0.001, "0.1%"),
    ],
)  # fmt: skip
def test_a_probability_is_never_rounded_to_certainty(p, text):
    assert search.format_probability(p) == text
