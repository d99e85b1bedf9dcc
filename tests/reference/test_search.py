"""Index and search against the brute force: P groups, nulls as search counts them, overlay, damage."""

from __future__ import annotations

import contextlib
import random
import shutil
import tempfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from . import brute, tiny, worlds

VIEW = brute.expressed(tiny.P_GROUP)


@dataclass
class Site:
    """The engine's side of a world: nomenclature and frequency sets, read from files."""

    nomenclature: object
    sets: dict[str, object]  # by our name
    exact: dict[str, dict[str, Fraction]]

    def row(self, donor: str, text: str | None, which: str):
        from hlaengine.index import DonorRow

        return DonorRow(donor=donor, typing=text, frequency_set=self.sets[which].name)

    def build(self, directory: Path, donors: dict[str, tuple[str, str]]):
        from hlaengine import index

        directory.mkdir(exist_ok=True)
        return index.build(
            str(directory),
            [self.row(name, text, which) for name, (text, which) in donors.items()],
            frequency_sets=list(self.sets.values()),
            nomenclature=self.nomenclature,
        )

    def searcher(self, directory: Path):
        from hlaengine import index, search

        return search.Searcher(index.Index.open(str(directory)))


def site(folder: Path, frequency_sets: dict[str, dict[str, str]], p_group=None) -> Site:
    from hlaengine import frequencies, nomenclature

    sets, exact = {}, {}
    for name, content in frequency_sets.items():
        path = folder / f"{name}.csv"
        path.write_text("".join(f"{h},{name},{f}\n" for h, f in content.items()))
        sets[name] = frequencies.read(str(path))
        exact[name] = worlds.exact(content)
    assert len({each.name for each in sets.values()}) == len(sets)
    return Site(nomenclature.read(str(worlds.write_nomenclature(folder, p_group or tiny.P_GROUP))), sets, exact)


def distribution(text: str, haplotypes):
    try:
        return brute.genotypes(brute.impute(text, haplotypes, worlds.LONGER))
    except brute.Unexplained as reason:
        return reason.why


REASONS = {"allele": "allele_not_in_set", "pair": "no_haplotype_pair", "new": "new_allele"}


def check(result, world: dict, place: Site, mismatches: int):
    """A search result against the brute force: who is listed, every number, the order."""
    patient = distribution(world["patient"], place.exact[world["patient_set"]])
    assert result.patient_reason == (REASONS[patient] if isinstance(patient, str) else None)
    by_typing = {name: tiny.possible(world["patient"], text) for name, (text, _) in world["donors"].items()}
    listed = {name for name, p in by_typing.items() if sum(high for _, high in p.values()) >= 10 - mismatches}
    assert {hit.donor for hit in result.hits} == listed
    assert len(result.hits) == len(listed)
    for hit in result.hits:
        text, which = world["donors"][hit.donor]
        assert hit.frequency_set == place.sets[which].name
        assert hit.count_min == sum(low for low, _ in by_typing[hit.donor].values())
        assert hit.count_max == sum(high for _, high in by_typing[hit.donor].values())
        assert hit.typed_loci == len(brute.loci_of(brute.parse(text)) & set(brute.LOCI))
        for locus, (low, high) in by_typing[hit.donor].items():
            assert (hit.loci[locus].possible_min, hit.loci[locus].possible_max) == (low, high)
        donor = distribution(text, place.exact[which])
        numbers = [hit.p_10, hit.p_9, hit.p_8]
        numbers += [hit.loci[x].both for x in brute.LOCI] + [hit.loci[x].one for x in brute.LOCI]
        if isinstance(donor, str) or isinstance(patient, str):
            assert set(numbers) == {None}
            wanted = REASONS[donor] if isinstance(donor, str) else "patient_unexplained"
            assert hit.reason == wanted or (isinstance(patient, str) and hit.reason == "patient_unexplained")
            continue
        assert hit.reason is None
        found = brute.match(patient, donor, VIEW)
        wanted = [found["counts"][k] for k in (10, 9, 8)]
        wanted += [found["both"][x] for x in brute.LOCI] + [found["one"][x] for x in brute.LOCI]
        for value, exact in zip(numbers, wanted, strict=True):
            assert abs(value - float(exact)) <= 1e-12
            assert (value == 0) == (exact == 0)
            assert 0 <= value <= 1
    keys = [
        (0, -hit.p_10, -hit.p_9, -hit.p_8, hit.donor) if hit.p_10 is not None else (1, -hit.count_max, 0, 0, hit.donor)
        for hit in result.hits
    ]
    assert keys == sorted(keys)


@st.composite
def any_typing(draw, haplotypes: list[str]) -> str:
    kind = worlds.phased_typings if draw(st.integers(0, 4)) == 0 else worlds.typings
    return draw(kind(haplotypes, tiny.TABLE))


@st.composite
def search_worlds(draw, donors: int = 6) -> dict:
    sets = {"CHN": draw(worlds.frequency_sets(table=tiny.TABLE))}
    if draw(st.booleans()):
        sets["OTH"] = draw(worlds.frequency_sets(most=6, table=tiny.TABLE))
    which = st.sampled_from(sorted(sets))
    names = draw(worlds.identifiers("D", draw(st.integers(1, donors))))
    rows = {}
    for name in names:
        chosen = draw(which)
        rows[name] = draw(any_typing(list(sets[chosen]))), chosen
    patient_set = draw(which)
    near = draw(which)
    return {
        "sets": sets,
        "donors": rows,
        "patient": draw(any_typing(list(sets[near]))),
        "patient_set": patient_set,
    }


def searched(world, folder: Path, mismatches: int):
    place = site(folder, world["sets"])
    place.build(folder / "index", world["donors"])
    return place, place.searcher(folder / "index").search(
        world["patient"],
        frequency_set=place.sets[world["patient_set"]].name,
        max_mismatches=mismatches,
    )


@pytest.mark.parametrize("mismatches", [0, 1, 2])
@worlds.examples(24)
@given(world=search_worlds())
def test_search_is_the_brute_force(mismatches, world):
    with tempfile.TemporaryDirectory() as name:
        place, result = searched(world, Path(name), mismatches)
        assert result.donors == len(world["donors"])
        check(result, world, place, mismatches)


@worlds.examples(18)
@given(world=search_worlds(donors=6), data=st.data())
def test_overlay_replaces_adds_and_removes(world, data):
    """An index of yesterday with today's rows over it answers as an index of today would."""
    today = dict(world["donors"])
    yesterday, overlay = {}, []
    with tempfile.TemporaryDirectory() as name:
        place = site(Path(name), world["sets"])
        for donor, (text, which) in today.items():
            what = data.draw(st.sampled_from(["kept", "changed", "added"]))
            if what == "kept":
                yesterday[donor] = text, which
                continue
            if what == "changed":
                other = data.draw(st.sampled_from(sorted(world["sets"])))
                yesterday[donor] = data.draw(worlds.typings(list(world["sets"][other]), tiny.TABLE)), other
            overlay.append(place.row(donor, text, which))
        for number in range(data.draw(st.integers(0, 2))):
            gone = f"G{number}"
            yesterday[gone] = world["patient"], world["patient_set"]
            overlay.append(place.row(gone, None, world["patient_set"]))
        overlay = data.draw(st.permutations(overlay))
        if overlay and data.draw(st.booleans()):  # an earlier row of the same donor, overtaken by the later
            first = overlay[0]
            overlay = [place.row(first.donor, world["patient"], world["patient_set"]), *overlay]
        place.build(Path(name) / "index", yesterday)
        result = place.searcher(Path(name) / "index").search(
            world["patient"],
            frequency_set=place.sets[world["patient_set"]].name,
            overlay=tuple(overlay),
            max_mismatches=2,
        )
        check(result, world, place, 2)


def shown(result) -> list[tuple]:
    return [
        (h.donor, h.frequency_set, h.count_min, h.count_max, h.typed_loci, h.p_10, h.p_9, h.p_8, h.reason)
        for h in result.hits
    ]


@worlds.examples(12)
@given(world=search_worlds(), rng=st.randoms(use_true_random=False))
def test_an_index_does_not_depend_on_the_order_of_its_rows(world, rng):
    with tempfile.TemporaryDirectory() as name:
        place, result = searched(world, Path(name), 2)
        names = list(world["donors"])
        rng.shuffle(names)
        place.build(Path(name) / "again", {donor: world["donors"][donor] for donor in names})
        again = place.searcher(Path(name) / "again").search(
            world["patient"], frequency_set=place.sets[world["patient_set"]].name, max_mismatches=2
        )
        assert shown(again) == shown(result)


def _sides(text: str):
    """Every place in a typing where a string of a DNA side stands: (start, end, its names)."""
    start = 0
    for place, char in enumerate(text + "^"):
        if char in "^|+~":
            names = text[start:place].split("/")
            if names not in ([""], ["-"]):
                yield start, place, names
            start = place + 1


@worlds.examples(24)
@given(world=search_worlds(donors=3), data=st.data())
def test_an_added_allele_never_removes_a_candidate(world, data):
    """Of a donor's typing: it stays listed and its possible maximum does not fall.

    The allele added is expressed and joins a string that is not all null: by the rule, a null counts only
    while its string holds nothing else, so there an expressed allele changes the meaning, it does not only
    widen it.
    """
    donor = data.draw(st.sampled_from(sorted(world["donors"])))
    text, which = world["donors"][donor]
    choices = [each for each in _sides(text) if tiny.groups(each[2]) != {None}]
    if not choices:
        return
    _, end, names = data.draw(st.sampled_from(choices))
    pool = [n for n in tiny.TABLE[brute.locus_of(names[0])] if n not in tiny.NULLS]
    wider = text[:end] + "/" + data.draw(st.sampled_from(pool)) + text[end:]
    with tempfile.TemporaryDirectory() as name:
        _, before = searched(world, Path(name), 2)
    world["donors"][donor] = wider, which
    with tempfile.TemporaryDirectory() as name:
        place, after = searched(world, Path(name), 2)
        check(after, world, place, 2)
    old = {hit.donor: hit for hit in before.hits}
    new = {hit.donor: hit for hit in after.hits}
    assert set(old) <= set(new)
    for name, hit in old.items():
        assert new[name].count_max >= hit.count_max
        if hit.p_10 is not None and hit.p_10 > 0:
            assert new[name].p_10 > 0


# --- by hand ---

TAIL = "C*07:02~B*07:02~DRB1*15:01~DQB1*06:02"
REST = "C*07:02^B*07:02^DRB1*15:01^DQB1*06:02"
BY_HAND_SET = {
    f"A*02:01~{TAIL}": "0.1",
    f"A*02:09~{TAIL}": "0.1",
    f"A*24:02~{TAIL}": "0.1",
    f"A*24:09N~{TAIL}": "0.1",
    f"A*24:11N~{TAIL}": "0.1",
    f"A*11:01~{TAIL}": "0.1",
}
BY_HAND = [
    # name, patient's A, donor's A, p_10, p_9, p_8, least and most at A
    ("the same P group", "A*02:01+A*11:01", "A*02:09+A*11:01", "1", "0", "0", (2, 2)),
    ("a string within one P group", "A*02:01+A*11:01", "A*02:01/A*02:09+A*11:01", "1", "0", "0", (2, 2)),
    ("two of one P group are homozygous", "A*02:01+A*02:09", "A*02:01", "1", "0", "0", (2, 2)),
    (
        "expressed and null is twice the expressed",
        "A*02:01+A*24:09N",
        "A*02:01+A*02:01",
        "1",
        "0",
        "0",
        (2, 2),
    ),
    ("another null beside it is the same", "A*02:01+A*24:09N", "A*02:09+A*24:11N", "1", "0", "0", (2, 2)),
    ("null and expressed against two", "A*02:01+A*24:09N", "A*02:01+A*11:01", "0", "1", "0", (1, 1)),
    ("two nulls match two nulls", "A*24:09N+A*24:09N", "A*24:11N+A*24:09N", "1", "0", "0", (2, 2)),
    ("two nulls do not match one", "A*24:09N+A*24:09N", "A*24:09N+A*11:01", "0", "0", "1", (0, 0)),
    # the donor: 24:02/11 or N/11, equally likely; N/11 counts as 11/11. The typing alone ignores the null.
    (
        "a null in a string keeps its frequency",
        "A*24:02+A*11:01",
        "A*24:02/A*24:09N+A*11:01",
        "1/2",
        "1/2",
        "0",
        (2, 2),
    ),
    (
        "XX holds its nulls at their frequency",
        "A*24:02+A*11:01",
        "A*24:XX+A*11:01",
        "1/3",
        "2/3",
        "0",
        (2, 2),
    ),
    ("a presumed homozygous donor", "A*02:01+A*11:01", "A*11:01", "0", "1", "0", (1, 1)),
    ("A,A against B,C", "A*11:01", "A*02:01+A*24:02", "0", "0", "1", (0, 0)),
    # all 21 pairs of six at .1: 36 ordered pairs. {02:01P, 11:01}: (02:01|02:09, 11) 4 ordered of 36
    # one in common: pairs with at least one 02P or 11 but not both kinds, see `test_untyped_a`
]


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory) -> Site:
    return site(tmp_path_factory.mktemp("byhand"), {"CHN": BY_HAND_SET})


@pytest.mark.parametrize("case", BY_HAND, ids=[case[0] for case in BY_HAND])
def test_by_hand(case, by_hand, tmp_path):
    _, patient, donor, *wanted, (low, high) = case
    by_hand.build(tmp_path / "index", {"D": (f"{donor}^{REST}", "CHN")})
    found = by_hand.searcher(tmp_path / "index").search(
        f"{patient}^{REST}", frequency_set=by_hand.sets["CHN"].name, max_mismatches=2
    )
    (hit,) = found.hits
    for value, exact in zip((hit.p_10, hit.p_9, hit.p_8), wanted, strict=True):
        assert abs(value - float(Fraction(exact))) <= 1e-12
    assert (hit.loci["A"].possible_min, hit.loci["A"].possible_max) == (low, high)
    assert (hit.count_min, hit.count_max) == (low + 8, high + 8)


def test_untyped_a_is_potential_and_never_a_match(by_hand, tmp_path):
    """Patient 02:01/11:01. The donor's A is any of 36 ordered pairs of {02:01, 02:09, 24:02, N, N', 11:01}.

    As P groups: x = 02P (2 alleles), y = 11 (1), z = 24:02 (1), n = null (2).
    Two in common: x,y in both orders: 2·2·1 = 4.
    None: z,z 1; n,z and z,n 2·2 = 4; n,n 4: together 9.
    One: the other 23.
    """
    by_hand.build(tmp_path / "index", {"D": (REST, "CHN")})
    found = by_hand.searcher(tmp_path / "index").search(
        f"A*02:01+A*11:01^{REST}", frequency_set=by_hand.sets["CHN"].name
    )
    (hit,) = found.hits
    assert abs(hit.p_10 - 4 / 36) <= 1e-12
    assert abs(hit.p_9 - 23 / 36) <= 1e-12
    assert abs(hit.p_8 - 9 / 36) <= 1e-12
    assert (hit.count_min, hit.count_max, hit.typed_loci) == (8, 10, 4)
    assert (hit.loci["A"].possible_min, hit.loci["A"].possible_max) == (0, 2)
    assert hit.loci["A"].donor == ""


def test_new_matches_nothing(by_hand, tmp_path):
    donors = {
        "D1": (f"A*NEW+A*11:01^{REST}", "CHN"),
        "D2": (f"A*NEW+A*NEW^{REST}", "CHN"),
        "D3": (f"A*11:01^{REST}", "CHN"),
    }
    by_hand.build(tmp_path / "index", donors)
    searcher = by_hand.searcher(tmp_path / "index")
    found = searcher.search(f"A*NEW+A*11:01^{REST}", frequency_set=by_hand.sets["CHN"].name, max_mismatches=2)
    assert [(hit.donor, hit.count_max, hit.p_10) for hit in found.hits] == [
        ("D1", 9, None),
        ("D3", 9, None),
        ("D2", 8, None),
    ]
    assert found.patient_reason == "new_allele"


@pytest.mark.parametrize("broken", ["A*02:09", "A*24:11N"])
def test_a_set_with_an_allele_of_no_p_group_is_refused_by_name(broken, tmp_path):
    from hlaengine import index
    from hlaengine.errors import HlaError

    short = {name: group for name, group in tiny.P_GROUP.items() if name != broken}
    place = site(tmp_path, {"CHN": BY_HAND_SET}, short)
    with pytest.raises(HlaError) as caught:
        index.build(
            str(tmp_path / "index"),
            [place.row("D", f"A*11:01^{REST}", "CHN")],
            frequency_sets=list(place.sets.values()),
            nomenclature=place.nomenclature,
        )
    assert broken in str(caught.value)


# --- damage ---


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """An index of sixty donors that is sound, and what a search over it shows."""
    folder = tmp_path_factory.mktemp("sound")
    place = site(folder, {"CHN": BY_HAND_SET})
    rng = random.Random(5)
    names = [name for name in tiny.TABLE["A"] if any(h.startswith(name) for h in BY_HAND_SET)]
    donors = {f"D{n}": (f"{'/'.join(rng.sample(names, 2))}+{rng.choice(names)}^{REST}", "CHN") for n in range(60)}
    place.build(folder / "index", donors)
    return place, folder / "index"


def files(directory: Path) -> list[Path]:
    return sorted(path for path in directory.rglob("*") if path.is_file() and path.name != "lock")


def look(place: Site, directory: Path):
    found = place.searcher(directory).search(
        f"A*02:01+A*11:01^{REST}", frequency_set=place.sets["CHN"].name, max_mismatches=2
    )
    return shown(found)


def verify(directory: Path):
    from hlaengine import index

    return index.verify(str(directory))


def test_a_sound_index_is_verified(sound):
    place, directory = sound
    verify(directory)
    assert look(place, directory)


def test_every_flipped_byte_is_found_by_verify(sound, tmp_path):
    """One bit of one byte, anywhere. A search that opens it all the same refuses in words or answers."""
    from hlaengine.errors import HlaError, IndexDamaged

    place, directory = sound
    copy = tmp_path / "copy"
    shutil.copytree(directory, copy)
    rng = random.Random(20161)
    missed, codes = [], set()
    for path in files(copy):
        content = path.read_bytes()
        places = range(len(content)) if len(content) <= 120 else rng.sample(range(len(content)), 120)
        for at in places:
            bent = bytearray(content)
            bent[at] ^= 1 << rng.randrange(8)
            path.write_bytes(bytes(bent))
            try:
                verify(copy)
                missed.append((path.name, at))
            except IndexDamaged as error:
                codes.add(error.code)
            if rng.random() < 0.1:
                with contextlib.suppress(HlaError):
                    look(place, copy)
        path.write_bytes(content)
    assert not missed, f"{len(missed)} changes not found, such as {missed[:10]}"
    assert all(code.startswith("index.") for code in codes)
    verify(copy)


def test_cut_long_and_missing_files_are_found_at_opening(sound, tmp_path):
    from hlaengine import index
    from hlaengine.errors import IndexDamaged

    _, directory = sound
    rng = random.Random(7)
    for number, path in enumerate(files(directory)):
        for what in ("cut", "empty", "longer", "missing"):
            copy = tmp_path / f"{number}{what}"
            shutil.copytree(directory, copy)
            there = copy / path.relative_to(directory)
            content = there.read_bytes()
            if what == "missing":
                there.unlink()
            elif what == "longer":
                there.write_bytes(content + b"\0")
            else:
                there.write_bytes(content[: rng.randrange(len(content)) if what == "cut" and content else 0])
            if there.exists() and there.read_bytes() == content:
                continue
            with pytest.raises(IndexDamaged):
                index.Index.open(str(copy))
            with pytest.raises(IndexDamaged):
                verify(copy)


@pytest.mark.parametrize("what", ["absent", "empty folder", "a file"])
def test_what_is_no_index_is_said_to_be_none(what, tmp_path):
    from hlaengine import index
    from hlaengine.errors import HlaError

    place = tmp_path / "index"
    if what == "empty folder":
        place.mkdir()
    elif what == "a file":
        place.write_text("index")
    for action in (index.Index.open, index.verify):
        with pytest.raises(HlaError):
            action(str(place))


def test_a_failed_build_leaves_the_former_index(by_hand, tmp_path):
    from hlaengine.errors import HlaError

    by_hand.build(tmp_path / "index", {"D": (f"A*11:01^{REST}", "CHN")})
    before = look(by_hand, tmp_path / "index")
    with pytest.raises(HlaError):
        by_hand.build(tmp_path / "index", {"E": (f"A*11:01^{REST}", "CHN"), "F": ("A*11:01//", "CHN")})
    verify(tmp_path / "index")
    assert look(by_hand, tmp_path / "index") == before


def test_a_donor_twice_and_an_unknown_set_are_refused(by_hand, tmp_path):
    from hlaengine import index
    from hlaengine.errors import HlaError
    from hlaengine.index import DonorRow

    row = by_hand.row("D", f"A*11:01^{REST}", "CHN")
    lost = DonorRow(donor="E", typing=f"A*11:01^{REST}", frequency_set="no such set")
    for rows in ([row, row], [row, lost]):
        with pytest.raises(HlaError):
            index.build(
                str(tmp_path / "index"),
                rows,
                frequency_sets=list(by_hand.sets.values()),
                nomenclature=by_hand.nomenclature,
            )


def test_an_empty_register_can_be_searched(by_hand, tmp_path):
    by_hand.build(tmp_path / "index", {})
    verify(tmp_path / "index")
    assert look(by_hand, tmp_path / "index") == []
    found = by_hand.searcher(tmp_path / "index").search(
        f"A*11:01^{REST}",
        frequency_set=by_hand.sets["CHN"].name,
        overlay=(by_hand.row("D", f"A*11:01^{REST}", "CHN"),),
    )
    assert [(hit.donor, hit.p_10) for hit in found.hits] == [("D", 1.0)]
