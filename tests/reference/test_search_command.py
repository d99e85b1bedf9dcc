"""`hla index`, `hla verify-index` and `hla search`: files in, files out, refusals."""

from __future__ import annotations

import random

import pytest

from . import malformed, tiny, worlds
from .blackbox import number, rows, run, write
from .test_search import BY_HAND_SET, REST, files

LOCI_COLUMNS = [f"{locus}_{kind}" for kind in ("both", "one") for locus in ("A", "C", "B", "DRB1", "DQB1")]
HEADER = "patient,rank,donor,frequency_set,count_min,count_max,typed_loci,p_10,p_9,p_8,reason," + ",".join(LOCI_COLUMNS)
DONORS = {
    "D3": f"A*02:09+A*11:01^{REST}",  # 10/10
    "D1": f"A*02:01+A*11:01^{REST}",  # 10/10
    "D2": f"A*11:01^{REST}",  # 9/10
    "D4": REST,  # 4/36 and 23/36
    "D5": f"A*NEW+A*11:01^{REST}",  # no numbers
    "D6": f"A*24:02^{REST}",  # 8/10: not listed
}


@pytest.fixture
def index(tmp_path):
    done = run(
        *("index", "--donors", worlds.write_subjects(tmp_path, "donors", DONORS)),
        *("--frequencies", worlds.write_frequencies(tmp_path, BY_HAND_SET)),
        *("--nomenclature", worlds.write_nomenclature(tmp_path, tiny.P_GROUP), "--out", tmp_path / "index"),
    )
    assert done.code == 0, done.err
    return tmp_path / "index"


def search(folder, index, text, *more):
    out = folder / "hits.csv"
    patients = worlds.write_subjects(folder, "patients", {"P": text})
    return run("search", "--index", index, "--patients", patients, "--out", out, *more), out


def test_index_verify_search(index, tmp_path):
    assert run("verify-index", index).code == 0
    done, out = search(tmp_path, index, f"A*02:01+A*11:01^{REST}")
    assert done.code == 0, done.err
    found = rows(out, HEADER)
    assert [row["donor"] for row in found] == ["D1", "D3", "D4", "D2", "D5"]
    assert [row["rank"] for row in found] == ["1", "2", "3", "4", "5"]
    assert [number(row["p_10"]) for row in found[:2]] == [1.0, 1.0]
    assert abs(number(found[2]["p_10"]) - 4 / 36) <= 1e-12
    assert (number(found[3]["p_10"]), number(found[3]["p_9"])) == (0.0, 1.0)
    assert (found[4]["p_10"], found[4]["reason"]) == ("", "new_allele")


def test_a_damaged_index_is_refused_in_one_line(index, tmp_path):
    rng = random.Random(8)
    for path in files(index):
        content = path.read_bytes()
        bent = bytearray(content)
        bent[rng.randrange(len(bent))] ^= 1 << rng.randrange(8)
        path.write_bytes(bytes(bent))
        done = run("verify-index", index)
        assert done.code == 2, path.name
        assert done.error["code"].startswith("index."), done.err
        path.write_bytes(content[:-1])
        done, out = search(tmp_path, index, f"A*02:01+A*11:01^{REST}")
        assert done.code == 2, path.name
        assert done.error
        assert not out.exists()
        path.write_bytes(content)
    assert run("verify-index", index).code == 0


@pytest.mark.parametrize("kind", malformed.SUBJECT_CLASSES, ids=lambda kind: kind.__name__)
def test_a_refused_build_leaves_no_index(kind, tmp_path):
    every = {name: name + "P" for names in worlds.ALLELES.values() for name in names} | tiny.P_GROUP
    spoilt = malformed.spoil_subjects(random.Random(kind.__name__), kind)
    write(tmp_path / spoilt.name, "")
    (tmp_path / spoilt.name).write_bytes(spoilt.content)
    done = run(
        *("index", "--donors", tmp_path / spoilt.name),
        *("--frequencies", worlds.write_frequencies(tmp_path, BY_HAND_SET)),
        *("--nomenclature", worlds.write_nomenclature(tmp_path, every), "--out", tmp_path / "index"),
    )
    assert done.code == 2
    assert done.error["file"].endswith(spoilt.name)
    assert run("verify-index", tmp_path / "index").code == 2


def test_an_unknown_allele_says_what_to_do(index, tmp_path):
    done, out = search(tmp_path, index, f"A*02:77+A*11:01^{REST}")
    assert done.code == 2
    assert done.error["code"] == "typing.unknown_allele"
    assert (done.error["line"], done.error["column"]) == ("1", "3")
    assert "A*02:77" in done.error["sentence"]
    assert not out.exists()


def test_a_set_without_p_group_names_its_file(tmp_path):
    done = run(
        *("index", "--donors", worlds.write_subjects(tmp_path, "donors", DONORS)),
        *("--frequencies", worlds.write_frequencies(tmp_path, BY_HAND_SET)),
        *("--nomenclature", worlds.write_nomenclature(tmp_path), "--out", tmp_path / "index"),
    )
    assert done.code == 2
    assert "A*02:09" in done.err
    assert done.error["file"].endswith("frequencies.csv")
