"""The shipped set: published facts where they are published, reproducible invention elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

from hlaengine import index, starter
from hlaengine.data import generate

from .conftest import shared


def test_published_haplotypes_stand_at_their_published_frequencies():
    found = starter.frequency_set()
    table = dict(zip(found.haplotypes, found.frequencies.tolist(), strict=True))
    assert all(table[h] == f for h, f in starter.PUBLISHED.items())
    assert max(table, key=table.get) in starter.PUBLISHED
    assert "Synthetic" in found.name
    assert len(table) == generate.HAPLOTYPES
    assert 0.95 < sum(table.values()) < 1


def test_published_haplotypes_are_those_of_the_sources():
    source = json.loads(shared("frequencies/chinese_han_top_haplotypes.json").read_text())
    assert dict(source["sets"][0]["haplotypes"]) == starter.PUBLISHED


def test_the_files_are_what_the_script_makes():
    here = Path(generate.__file__).parent
    table = generate.haplotypes()
    rows = [f"{generate.POPULATION},{h},{f!r}" for h, f in table.items()]
    text = "population,haplotype,frequency\n" + "\n".join(rows) + "\n"
    assert (here / "starter_haplotypes.csv").read_text() == text
    alleles = {a for h in table for a in h.split("~")}
    assert (here / "starter_nomenclature.csv").read_text() == generate.nomenclature(alleles)


def test_the_set_can_be_searched_with_its_nomenclature():
    index.check_set(starter.frequency_set(), starter.nomenclature())
    assert starter.nomenclature().expand("A*01:01:01:02N") == ("A*01:01N",)
    assert set(starter.nomenclature().expand("DRB1*14:01P")) == {"DRB1*14:01", "DRB1*14:54"}


def test_the_starter_nomenclature_agrees_with_a_release():
    groups, names = {}, set()
    for line in shared("imgt-3.58.0/hla_nom_p.txt").read_text().splitlines():
        if not line.startswith("#"):
            locus, members, group = line.split(";")
            for member in members.split("/"):
                two_fields = locus + ":".join(member.split(":")[:2])
                groups.setdefault(two_fields, set()).add(locus + group if group else two_fields)
    for line in shared("imgt-3.58.0/Allelelist.txt").read_text().splitlines():
        if line.startswith("HLA"):
            fields = line.split(",")[1].split(":")
            names |= {":".join(fields[:n]) for n in range(2, 5)}
    known = starter.nomenclature()
    for allele in known.alleles.values():
        if allele.p_group is not None:
            assert groups[allele.name] == {allele.p_group}
    assert set(known._longer) <= names
