"""Typings imputed together are what each is alone; a stored table answers as the one it was made from."""

from __future__ import annotations

import numpy as np
import pytest

from hlaengine import batch, bench, index, search, segment, starter
from hlaengine.imputation import Imputer
from hlaengine.index import DonorRow, Index
from hlaengine.typings import MATCH_LOCI

SET, KNOWN = starter.frequency_set(), starter.nomenclature()
BY_HAND = [
    "A*02:01+A*11:01|A*02:07+A*24:02^B*46:01+B*40:01",
    "A*02:53N+A*11:01^DRB1*09:01+DRB1*15:01",
    "A*02:09/A*02:01+A*11:XX^C*01:02+-^B*46:01+B*46:01",
    "A*01:01:01:02N+A*01:01",
    "DQB1*03:03+DQB1*06:02",
]


def segment_of(texts):
    rows = [DonorRow(f"D{i:05}", text, SET.name) for i, text in enumerate(texts)]
    return segment.from_rows(rows, set_names=[SET.name], nomenclature=KNOWN, on_refused=lambda row, error: None)


@pytest.mark.parametrize("pieces", [(batch._CELLS, batch._PAIRS), (6_000, 50)])
def test_together_is_as_alone(monkeypatch, pieces):
    monkeypatch.setattr(batch, "_CELLS", pieces[0])
    monkeypatch.setattr(batch, "_PAIRS", pieces[1])
    donors = segment_of([text for _, text in bench.simulate(120, 9)] + BY_HAND[: 5 if pieces[1] > 50 else 2])
    imputer = Imputer(SET, KNOWN)
    together = batch.BatchImputer(imputer, lambda column, code: donors.locus(MATCH_LOCI[column], code))
    codes = np.array([donors.codes[locus] for locus in MATCH_LOCI], dtype=np.int64).T
    assert together.able(codes).all()
    parts = list(together.entries(codes))
    owner, first, second, weight = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("owner", "first", "second", "weight")
    )
    assert (np.diff(owner) >= 0).all()
    for row in range(len(codes)):
        alone, mine = imputer.impute(donors.typing(row)), owner == row
        assert set(zip(first[mine].tolist(), second[mine].tolist(), strict=True)) == set(
            zip(alone.first.tolist(), alone.second.tolist(), strict=True)
        )
        assert mine.sum() == len(alone.first)
        assert abs(weight[mine].sum() - alone.z) <= 1e-15


def test_what_cannot_be_imputed_together_is_told():
    donors = segment_of(["A*02:01+A*NEW", "A*02:01+A*11:01"])
    together = batch.BatchImputer(Imputer(SET, KNOWN), lambda column, code: donors.locus(MATCH_LOCI[column], code))
    codes = np.array([donors.codes[locus] for locus in MATCH_LOCI], dtype=np.int64).T
    assert together.able(codes).tolist() == [False, True]


def test_a_stored_table_answers_as_one_made_anew(tmp_path):
    rows = [DonorRow(f"D{i:05}", text, SET.name) for i, (_, text) in enumerate(bench.simulate(300, 4))]
    index.build(tmp_path, [*rows, DonorRow("N", "A*02:01+A*NEW", SET.name)], frequency_sets=[SET], nomenclature=KNOWN)
    opened, without = Index.open(tmp_path), Index.open(tmp_path)
    without.tables = None  # an index built before tables were stored
    for _, patient in bench.simulate(6, 8):
        for wanted in (0, 2):
            found = [search.Searcher(x).search(patient, max_mismatches=wanted).hits for x in (opened, without)]
            assert found[0] == found[1]
