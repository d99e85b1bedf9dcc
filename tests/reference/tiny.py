"""A tiny nomenclature for the search tests: some alleles share a P group, some are null."""

from __future__ import annotations

from collections import defaultdict
from itertools import product

from . import brute
from .brute import LOCI, NEW, locus_of
from .worlds import LONGER

# P groups by hand; None: a null allele. A*02:09 is as good as A*02:01, C*07:50 as C*07:02, and so on.
P_GROUP = {
    "A*01:01": "A*01:01P",
    "A*01:01N": None,
    "A*02:01": "A*02:01P",
    "A*02:09": "A*02:01P",
    "A*02:06": "A*02:06P",
    "A*11:01": "A*11:01P",
    "A*24:02": "A*24:02P",
    "A*24:09N": None,
    "A*24:11N": None,
    "C*01:02": "C*01:02P",
    "C*03:04": "C*03:04P",
    "C*07:02": "C*07:02P",
    "C*07:50": "C*07:02P",
    "C*04:09N": None,
    "B*07:02": "B*07:02P",
    "B*07:61": "B*07:02P",
    "B*40:01": "B*40:01P",
    "B*46:01": "B*46:01P",
    "B*51:11N": None,
    "DRB1*09:01": "DRB1*09:01P",
    "DRB1*15:01": "DRB1*15:01P",
    "DRB1*15:02": "DRB1*15:02P",
    "DQB1*03:03": "DQB1*03:03P",
    "DQB1*06:02": "DQB1*06:02P",
    "DQB1*06:47": "DQB1*06:02P",
}
TABLE = {locus: tuple(name for name in P_GROUP if locus_of(name) == locus) for locus in LOCI}
NULLS = {name for name, group in P_GROUP.items() if group is None}


def groups(names, token: str = "new") -> set:
    """What a side may be, as P groups. Nulls count only where the side is nothing else."""
    found = set()
    for name in names:
        if name.endswith(NEW):
            found.add(token)
        elif name.endswith(":XX"):
            found |= {P_GROUP[x] for x in P_GROUP if x.startswith(name[:-2])}
        else:
            found.add(P_GROUP[LONGER.get(name, name)])
    return found - {None} or {None}


def _genotype(pair) -> tuple:
    left, right = pair
    if left is None and right is None:
        return ("null", "null")
    return (left or right, right or left)


def possible(patient: str, donor: str) -> dict[str, tuple[int, int]]:
    """{locus: (least, most)} in common by the typings alone, under the policy `expressed`."""
    seen = []
    for who, text in (("p", patient), ("d", donor)):
        per_locus = defaultdict(set)
        for block in brute.parse(text):
            for one, two in block:
                for locus in one:
                    sides = [groups(side[locus], f"new {who} {n}") for n, side in enumerate((one, two))]
                    per_locus[locus] |= {_genotype(pair) for pair in product(*sides)}
        seen.append(per_locus)
    out = {}
    for locus in LOCI:
        if locus in seen[0] and locus in seen[1]:
            numbers = [brute.shared(a, b) for a in seen[0][locus] for b in seen[1][locus]]
            out[locus] = min(numbers), max(numbers)
        else:
            out[locus] = 0, 2
    return out
