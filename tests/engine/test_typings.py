"""Reading typings: what each operator means, and an error with a place for everything else."""

from __future__ import annotations

import pytest

from hlaengine.errors import TypingError
from hlaengine.typings import parse


def alternatives(text, locus="A", **options):
    return parse(text, **options).loci[locus].alternatives


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A*01:01+A*02:01", [(("A*01:01",), ("A*02:01",))]),
        ("A*02:01+A*01:01", [(("A*01:01",), ("A*02:01",))]),
        ("HLA-A*01:01/HLA-A*01:02+HLA-A*02:01", [(("A*01:01", "A*01:02"), ("A*02:01",))]),
        ("A*01:01+A*02:01|A*01:02+A*03:01", [(("A*01:01",), ("A*02:01",)), (("A*01:02",), ("A*03:01",))]),
        ("A*24:09N+A*02:01:01:02L", [(("A*02:01:01:02L",), ("A*24:09N",))]),
        ("A*02:XX+A*NEW", [(("A*02:XX",), ("A*NEW",))]),
        ("  A*01:01+A*02:01 \r\n", [(("A*01:01",), ("A*02:01",))]),
    ],
)
def test_operators(text, expected):
    assert list(alternatives(text)) == expected


@pytest.mark.parametrize("text", ["A*01:01", "A*01:01+", "A*01:01+-", "+A*01:01", "-+A*01:01"])
def test_a_blank_side_is_the_other_one_presumed(text):
    locus = parse(text).loci["A"]
    assert locus.alternatives == ((("A*01:01",), ("A*01:01",)),)
    assert locus.presumed_homozygous
    assert parse(text, blank="unknown").loci["A"].alternatives == ((("A*01:01",), None),)


def test_a_blank_copy_of_an_optional_gene_is_absent():
    locus = parse("DRB3*01:01").loci["DRB3"]
    assert locus.alternatives == ((("DRB3*01:01",), None),)
    assert not locus.presumed_homozygous


def test_phase_is_kept_beside_the_loci():
    phased = parse("HLA-A*01:01~HLA-B*08:01+A*02:01~B*07:02")
    plain = parse("B*07:02+B*08:01^A*02:01+A*01:01")
    assert phased.loci == plain.loci
    assert list(phased.loci) == ["A", "B"]
    one, two = (("A", ("A*01:01",)), ("B", ("B*08:01",))), (("A", ("A*02:01",)), ("B", ("B*07:02",)))
    assert phased.phased[0].alternatives == ((one, two),)
    assert plain.phased == ()
    assert parse(phased.gl_string()).phased == phased.phased


def test_drb345_may_differ_between_copies_in_phase():
    typing = parse("DRB1*03:01~DRB3*01:01+DRB1*15:01~DRB5*01:01")
    assert list(typing.loci) == ["DRB1", "DRB3", "DRB5"]
    assert typing.loci["DRB5"].alternatives == ((("DRB5*01:01",), None),)
    assert typing.phased == ()


def test_alternatives_are_united_as_genotypes_not_as_sets():
    assert (("A*01:01",), ("A*03:01",)) not in alternatives("A*01:01+A*02:01|A*03:01+A*11:01")


@pytest.mark.parametrize(
    ("text", "code", "position"),
    [
        ("", "typing.empty", 0),
        ("   ", "typing.empty", 0),
        ("Z*01:01", "typing.unknown_locus", 0),
        ("A*01:01^Q*01:01", "typing.unknown_locus", 8),
        ("A*01:01+A*02;01", "typing.bad_character", 12),
        ("A*01：01", "typing.bad_character", 4),
        ("A*01:01 A*02:01", "typing.bad_character", 7),
        ("A*01:01++A*02:01", "typing.doubled_operator", 8),
        ("A*01:01^^B*07:02", "typing.doubled_operator", 8),
        ("A*01:01^", "typing.doubled_operator", 7),
        ("^A*01:01", "typing.doubled_operator", 0),
        ("A*01:01//A*01:02", "typing.doubled_operator", 8),
        ("A*01:01/", "typing.doubled_operator", 7),
        ("A*01:01||A*01:02", "typing.doubled_operator", 8),
        ("A*01:01~~B*07:02", "typing.doubled_operator", 8),
        ("A*01:01+A*02:01+A*03:01", "typing.too_many_alleles", 16),
        ("A*01:01+B*07:02", "typing.mixed_loci", 8),
        ("A*01:01/B*07:02", "typing.mixed_loci", 8),
        ("A*01:01|B*07:02", "typing.mixed_loci", 8),
        ("A*01:01+A*02:01^A*01:01", "typing.locus_repeated", 16),
        ("A*01:01~A*02:01", "typing.locus_repeated", 8),
        ("+", "typing.empty_genotype", 0),
        ("-", "typing.empty_genotype", 0),
        ("A0101", "typing.bad_name", 0),
        ("A*", "typing.bad_fields", 2),
        ("A*1:1", "typing.bad_fields", 2),
        ("A*02", "typing.bad_fields", 2),
        ("A*01:01:01:01:01", "typing.bad_fields", 2),
        ("A*01:01X", "typing.bad_fields", 2),
        ("A*01:01+A*02:", "typing.bad_fields", 10),
        ("A*01:ABCD", "typing.unknown_code", 2),
        ("HLA-A*xx", "typing.bad_fields", 6),
    ],
)
def test_an_error_says_what_and_where(text, code, position):
    with pytest.raises(TypingError) as caught:
        parse(text)
    assert (caught.value.code, caught.value.position) == (code, position)
    assert str(caught.value).endswith(".")
