"""Frequency files: the layouts that are understood, and the line of everything that is not."""

from __future__ import annotations

import gzip

import pytest

from hlaengine import frequencies
from hlaengine.errors import HlaError

from .conftest import shared

H1 = "A*01:01~C*07:01~B*08:01~DRB1*03:01~DQB1*02:01"
H2 = "A*02:01~C*07:02~B*07:02~DRB1*15:01~DQB1*06:02"


def read(tmp_path, text, **options):
    path = tmp_path / "set.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return frequencies.read(str(path), **options)


@pytest.mark.parametrize(
    "text",
    [
        f"population,haplotype,frequency\nX,{H1},0.5\nX,{H2},0.25\n",
        f"rank,Frequency,haplotype,population\n1,0.5,{H1},X\n2,.25,{H2},X\n",
        f"{H1},X,0.5\n{H2},X,2.5e-1\n",
        f"X,{H1},0.5,1.0\nX,{H2},0.25,2.0\n",
        f"\ufeffpopulation,haplotype,frequency\r\nX,{H1},0.5\r\n\r\nX,{H2},0.25",
        f"X,{'~'.join('HLA-' + a for a in reversed(H1.split('~')))},0.5\nX,{H2},0.25\n",
    ],
)
def test_layouts(tmp_path, text):
    found = read(tmp_path, text)
    assert found.name == "X"
    assert found.loci == ("A", "C", "B", "DRB1", "DQB1")
    assert dict(zip(found.haplotypes, found.frequencies.tolist(), strict=True)) == {H1: 0.5, H2: 0.25}


def test_group_suffix_gzip_and_round_trip(tmp_path):
    path = tmp_path / "set.csv.gz"
    path.write_bytes(gzip.compress(f"{H1.replace('01:01', '01:01g', 1)},X,0.5\n{H2},X,0.1".encode()))
    found = frequencies.read(str(path))
    assert found.haplotypes[0].startswith("A*01:01g~")
    assert found.alleles[0] == ("A*01:01g", "A*02:01")
    assert found.code("A*01:01") == found.code("A*01:01g") == 0
    again = frequencies.from_text(found.text(), "again")
    assert again.checksum == found.checksum
    assert again.haplotypes == found.haplotypes


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("", "frequencies.empty", 1),
        ("population,haplotype,frequency\n", "frequencies.empty", 1),
        (f"haplotype,frequency\n{H1},0.5", "frequencies.missing_column", 1),
        (f"{H1},X,0.5\n{H1},X,0.25", "frequencies.duplicate_haplotype", 2),
        (f"{H1},X,0.5\n{H2},X,0", "frequencies.not_positive", 2),
        (f"{H1},X,-0.5", "frequencies.not_positive", 1),
        (f"{H1},X,1.5", "frequencies.above_one", 1),
        (f"{H1},X,nan", "frequencies.bad_number", 1),
        (f"{H1},X,half", "frequencies.bad_number", 1),
        (f"{H1},X,0.6\n{H2},X,0.5", "frequencies.sum_above_one", 2),
        (f"{H1},X,0.5\nA*02:01~B*07:02,X,0.1", "frequencies.loci_differ", 2),
        (f"{H1},X,0.5\n{H2.replace('A*02:01', 'A*0201')},X,0.1", "frequencies.bad_allele", 2),
        (f"{H1}~A*02:01,X,0.5", "frequencies.locus_repeated", 1),
        (f"{H1},X,0.5\n{H2},Y,0.1", "frequencies.population_needed", 2),
        (f"{H1},X,0.5\n{H2},X", "frequencies.cells", 2),
        (f"{H1}", "frequencies.bad_columns", 1),
        (f'"{H1},X,0.5', "file.bad_csv", 1),
        (b"X,\xff,0.5", "file.not_utf8", 1),
    ],
)
def test_an_error_names_file_and_line(tmp_path, text, code, line):
    with pytest.raises(HlaError) as caught:
        read(tmp_path, text)
    assert (caught.value.code, caught.value.line) == (code, line)
    assert caught.value.file.endswith("set.csv")


def test_population_is_chosen(tmp_path):
    text = f"{H1},X,0.5\n{H2},Y,0.1"
    assert read(tmp_path, text, population="Y").haplotypes == (H2,)
    with pytest.raises(HlaError, match="X, Y"):
        read(tmp_path, text, population="Z")


@pytest.mark.parametrize(("population", "size"), [("EUR", 3380), ("AFA", 2012), ("HIS", 1821), ("API", 1629)])
def test_published_sets_that_round_above_one_are_read(population, size):
    found = frequencies.read(str(shared("frequencies/us_2007_five_locus.csv")), population=population)
    assert len(found.haplotypes) == size
