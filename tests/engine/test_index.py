"""The index on disk: whole or refused, replaced in one step, and readable while it is replaced."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from hlaengine import index, starter
from hlaengine.errors import FrequencyError, HlaError, IndexDamaged
from hlaengine.frequencies import from_text
from hlaengine.index import DonorRow

SET = starter.frequency_set()


def build(directory, donors, **options):
    rows = [DonorRow(d, t, SET.name) for d, t in donors]
    return index.build(directory, rows, frequency_sets=[SET], nomenclature=starter.nomenclature(), **options)


def test_what_is_written_is_read(tmp_path, demo_donors):
    calls = []
    manifest = build(tmp_path, demo_donors, progress=lambda done, total: calls.append((done, total)))
    opened = index.Index.open(tmp_path)
    assert manifest == opened.manifest == index.verify(tmp_path)
    assert calls[-1] == (300, 300)
    segment = opened.segment
    assert list(segment.donors) == sorted(d for d, _ in demo_donors)
    assert segment.typing(segment.find("D0123")).gl_string() == dict(demo_donors)["D0123"].replace("^", "^")
    assert segment.find("nobody") is None
    assert opened.nomenclature.checksum == starter.nomenclature().checksum
    assert opened.frequency_sets[0].checksum == SET.checksum


def test_any_damaged_file_is_named(tmp_path, demo_donors):
    build(tmp_path, demo_donors)
    files = [tmp_path / "manifest.json", *sorted((tmp_path / "generation-1").iterdir())]
    assert len(files) > 10
    for path in files:
        whole = path.read_bytes()
        for damaged in (whole[:-1], whole + b"\0", b"", whole[:-8] + b"damage!!"):
            path.write_bytes(damaged)
            with pytest.raises(IndexDamaged) as caught:
                index.verify(tmp_path)
            assert caught.value.file == str(path)
        flipped = bytearray(whole)
        flipped[0] ^= 1
        path.write_bytes(flipped)
        with pytest.raises(IndexDamaged) as caught:
            index.verify(tmp_path)
        assert caught.value.file == str(path)
        path.unlink()
        with pytest.raises(IndexDamaged):
            index.Index.open(tmp_path)
        path.write_bytes(whole)
    index.verify(tmp_path)


def test_another_format_and_a_missing_index_are_refused(tmp_path, demo_donors):
    with pytest.raises(IndexDamaged):
        index.Index.open(tmp_path)
    build(tmp_path, demo_donors)
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 99}))
    with pytest.raises(IndexDamaged) as caught:
        index.Index.open(tmp_path)
    assert caught.value.code == "index.format"


def test_a_new_generation_leaves_readers_of_the_old_one_alone(tmp_path, demo_donors):
    build(tmp_path, demo_donors)
    old = index.Index.open(tmp_path)
    build(tmp_path, demo_donors[:10])
    assert not old.is_current()
    assert len(old.segment.donors) == 300
    assert len(index.Index.open(tmp_path).segment.donors) == 10
    build(tmp_path, demo_donors[:5])
    assert sorted(p.name for p in tmp_path.glob("generation-*")) == ["generation-2", "generation-3"]


def test_a_refused_build_leaves_the_old_index(tmp_path, demo_donors):
    build(tmp_path, demo_donors)
    with pytest.raises(HlaError) as caught:
        build(tmp_path, [("D1", "A*02:01"), ("D2", "A*99:01+A*02:01")])
    assert (caught.value.code, caught.value.params["donor"]) == ("typing.unknown_allele", "D2")
    assert caught.value.position == 0
    assert "import-release" in str(caught.value)
    assert index.verify(tmp_path).generation == 1
    refused = []
    manifest = build(
        tmp_path,
        [("D1", "A*02:01"), ("D2", "A*99:01")],
        on_refused=lambda row, error: refused.append(row.donor),
    )
    assert (manifest.donors, manifest.refused, refused) == (1, 1, ["D2"])


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([DonorRow("D1", "A*02:01", SET.name)] * 2, "search.duplicate_donor"),
        ([DonorRow("D1", "A*02:01", "another")], "search.unknown_set"),
    ],
)
def test_rows_that_contradict_are_refused(tmp_path, rows, code):
    with pytest.raises(HlaError) as caught:
        index.build(tmp_path, rows, frequency_sets=[SET], nomenclature=starter.nomenclature())
    assert caught.value.code == code


def test_a_set_that_cannot_be_compared_is_refused_naming_the_allele(tmp_path):
    odd = from_text("A*99:01~C*07:01~B*08:01~DRB1*03:01~DQB1*02:01,odd,0.5", "odd")
    with pytest.raises(FrequencyError) as caught:
        index.build(tmp_path, [], frequency_sets=[odd], nomenclature=starter.nomenclature())
    assert (caught.value.code, caught.value.params["allele"]) == ("frequencies.no_p_group", "A*99:01")


def test_only_one_build_at_a_time(tmp_path, demo_donors):
    build(tmp_path, demo_donors[:3])
    holder = "import sys; from hlaengine import index; from pathlib import Path\n"
    holder += "with index._lock(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": str(index.Path(index.__file__).parents[1])},
    ) as process:
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(HlaError) as caught:
            build(tmp_path, demo_donors[:3])
        assert caught.value.code == "index.busy"
        process.stdin.close()
    assert build(tmp_path, demo_donors[:3]).generation == 2
