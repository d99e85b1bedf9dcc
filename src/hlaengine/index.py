"""The donor index: memory-mapped files that are whole or are refused.

A directory holds ``manifest.json`` and the generation it names. A build writes a new generation beside the
old one and then replaces the manifest in one step, under a lock; whoever has the old one open goes on
reading it. Every file ends in a footer of 32 bytes: magic, element type, element count, CRC-32 of the
content.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import frequencies, segment
from . import nomenclature as nomenclature_
from .counting import LocusTable
from .errors import FrequencyError, HlaError, IndexDamaged, SearchError
from .frequencies import FrequencySet
from .nomenclature import Nomenclature
from .segment import COLUMNS, DonorRow, Segment
from .typings import MATCH_LOCI

__all__ = ["DonorRow", "Index", "Manifest", "build", "verify"]

FORMAT = 1
_FOOTER = struct.Struct("<8s4sIQQ")
_MAGIC = b"XSHLAIX1"
_MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Manifest:
    """What an index holds.

    Attributes:
        generation: 1, 2, …; the folder ``generation-N``.
        donors: rows held. refused: rows left out by `on_refused`.
        built: UTC time, ISO 8601. blank: how a blank side was read.
        nomenclature: ``name``, ``version``, ``checksum``.
        frequency_sets: each ``name``, ``checksum``; in the order of the donors' set codes.
        files: name to ``bytes`` and ``sha256``.
        checksum: SHA-256 over everything above.
    """

    format: int
    generation: int
    donors: int
    refused: int
    built: str
    blank: str
    nomenclature: dict[str, str]
    frequency_sets: list[dict[str, str]]
    files: dict[str, dict[str, Any]]
    checksum: str = ""

    def sealed(self) -> Manifest:
        """The same manifest with its checksum."""
        content = {k: v for k, v in asdict(self).items() if k != "checksum"}
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        return Manifest(**content, checksum=digest)


def build(
    directory: str | os.PathLike[str],
    rows: Iterable[DonorRow],
    *,
    frequency_sets: Sequence[FrequencySet],
    nomenclature: Nomenclature,
    progress: Callable[[int, int | None], None] | None = None,
    on_refused: Callable[[DonorRow, HlaError], None] | None = None,
    blank: str = "homozygous",
) -> Manifest:
    """Write a new generation of an index and make it the current one.

    Args:
        directory: made where absent.
        rows: the donors, each key once, in any order; a typing of None is passed over.
        frequency_sets: every set a row names; each allele must have one P group or be null.
        nomenclature: is stored with the index and reads every typing, now and in each search.
        progress: called with (done, total or None).
        on_refused: called with a row whose typing cannot be used, which is then left out; None raises.
        blank: see `typings.parse`.

    Raises:
        HlaError: a set or a row is refused; ``index.busy``: another build holds the lock. The old index
            stays.
    """
    root = Path(directory)
    for chosen in frequency_sets:
        check_set(chosen, nomenclature)
    if len({s.name for s in frequency_sets}) != len(frequency_sets) or not 0 < len(frequency_sets) < 256:
        raise SearchError("search.set_names", "Give 1 to 255 frequency sets, each with a name of its own.")
    refused = 0

    def refuse(row: DonorRow, error: HlaError) -> None:
        nonlocal refused
        refused += 1
        if on_refused is not None:
            on_refused(row, error)

    root.mkdir(parents=True, exist_ok=True)
    with _lock(root):
        donors = segment.from_rows(
            rows,
            set_names=[s.name for s in frequency_sets],
            nomenclature=nomenclature,
            blank=blank,
            on_refused=None if on_refused is None else refuse,
            progress=progress,
        )
        taken = [int(p.name.split("-")[1]) for p in root.glob("generation-*") if p.name.split("-")[1].isdigit()]
        number = max(taken, default=0) + 1
        part = root / f"generation-{number}.part"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        files = {name: _write(part / name, array) for name, array in _arrays(donors, frequency_sets, nomenclature)}
        manifest = Manifest(
            FORMAT,
            number,
            len(donors.donors),
            refused,
            datetime.now(UTC).isoformat(timespec="seconds"),
            blank,
            {"name": nomenclature.name, "version": nomenclature.version, "checksum": nomenclature.checksum},
            [{"name": s.name, "checksum": s.checksum} for s in frequency_sets],
            files,
        ).sealed()
        part.rename(root / f"generation-{number}")
        _replace(root / _MANIFEST, json.dumps(asdict(manifest), indent=1).encode())
        # Readers of the generation before this one may still be at work; older ones are done.
        for old in taken:
            if old < number - 1:
                shutil.rmtree(root / f"generation-{old}", ignore_errors=True)
    return manifest


def check_set(frequency_set: FrequencySet, nomenclature: Nomenclature) -> None:
    """Refuse a set that a search could not compare.

    Raises:
        FrequencyError: ``frequencies.loci``, or ``frequencies.no_p_group`` naming the allele.
    """
    if frequency_set.loci != MATCH_LOCI:
        raise FrequencyError(
            "frequencies.loci",
            f"A search needs haplotypes of {'~'.join(MATCH_LOCI)}; the set {frequency_set.name!r} has "
            f"{'~'.join(frequency_set.loci)}.",
            frequency_set=frequency_set.name,
        )
    for name in (name for names in frequency_set.alleles for name in names):
        if len({nomenclature.p_code(a) for a in nomenclature.expand(name)}) != 1:
            raise FrequencyError(
                "frequencies.no_p_group",
                f"Allele {name} of the set {frequency_set.name!r} has not exactly one P group "
                f"in the nomenclature {nomenclature.label}; import a release that holds it "
                "(dev hla import-release).",
                frequency_set=frequency_set.name,
                allele=name,
            )


class Index:
    """An open index; its arrays are mapped, not read. Use `open`."""

    def __init__(self, directory: Path, manifest: Manifest) -> None:
        self.directory, self.manifest = directory, manifest
        self._folder = directory / f"generation-{manifest.generation}"
        self._maps = {name: _map(self._folder / name, entry) for name, entry in manifest.files.items()}

    @classmethod
    def open(cls, directory: str | os.PathLike[str]) -> Index:
        """Open the current generation; sizes, footers and the manifest's checksum are checked, not every
        byte.

        Raises:
            IndexDamaged: something is missing or is not what the manifest says; the file is named.
        """
        root = Path(directory)
        return cls(root, _manifest(root))

    def is_current(self) -> bool:
        """Whether no newer generation has been published."""
        try:
            return _manifest(self.directory).checksum == self.manifest.checksum
        except IndexDamaged:
            return False

    @cached_property
    def segment(self) -> Segment:
        """The donors.

        Raises:
            IndexDamaged: a dictionary is not what was written, or a code is in none.
        """
        texts: dict[str, Sequence[str]] = {column: _lines(self._text(f"typings.{column}")) for column in COLUMNS}
        for column in COLUMNS:
            self._below(f"codes.{column}", len(texts[column]) + 1)
        self._below("sets", len(self.manifest.frequency_sets))
        return Segment(
            _Keys(self._maps["donors.text"], self._maps["donors.offsets"], self._folder / "donors.text"),
            self._maps["sets"],
            {column: self._maps[f"codes.{column}"] for column in COLUMNS},
            texts,
            self.manifest.blank,
        )

    @cached_property
    def tables(self) -> dict[str, LocusTable] | None:
        """`Segment.tables` of the donors as the build stored them; None in an index built before it did."""
        if not all(f"tables.{locus}" in self._maps for locus in MATCH_LOCI):
            return None
        return {locus: LocusTable.unpacked(self._whole(f"tables.{locus}")) for locus in MATCH_LOCI}

    @cached_property
    def nomenclature(self) -> Nomenclature:
        """The nomenclature the index was built with."""
        return nomenclature_.from_text(self._text("nomenclature"))

    @cached_property
    def frequency_sets(self) -> list[FrequencySet]:
        """The frequency sets, in the order of the donors' set codes."""
        return [
            frequencies.from_text(self._text(f"set.{i}"), f"set.{i}") for i in range(len(self.manifest.frequency_sets))
        ]

    def _text(self, name: str) -> str:
        return self._whole(name).decode()

    def _whole(self, name: str) -> bytes:
        """A file that is read whole anyway, and so is checked whole."""
        path = self._folder / name
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != self.manifest.files[name]["sha256"]:
            raise _damaged(path, "its content is not what was written")
        return content[: -_FOOTER.size]

    def _below(self, name: str, size: int) -> None:
        if int(self._maps[name].max(initial=0)) >= size:
            raise _damaged(self._folder / name, "it holds a code that stands for nothing")


def verify(directory: str | os.PathLike[str]) -> Manifest:
    """Read every byte of an index.

    Raises:
        IndexDamaged: naming the first file whose content is not what was written.
    """
    opened = Index.open(directory)
    for name, entry in opened.manifest.files.items():
        path = opened._folder / name
        raw = path.read_bytes()
        crc = _FOOTER.unpack(raw[-_FOOTER.size :])[4]
        if hashlib.sha256(raw).hexdigest() != entry["sha256"] or zlib.crc32(raw[: -_FOOTER.size]) != crc:
            raise _damaged(path, "its content is not what was written")
    return opened.manifest


class _Keys(Sequence[str]):
    """Donor keys, cut out of one mapped text."""

    def __init__(self, text: NDArray[np.uint8], offsets: NDArray[np.uint64], path: Path) -> None:
        self._text, self._offsets, self._path = text, offsets, path

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, row: Any) -> Any:
        if not 0 <= row < len(self):
            raise IndexError(row)
        try:
            return self._text[int(self._offsets[row]) : int(self._offsets[row + 1])].tobytes().decode()
        except UnicodeDecodeError:
            raise _damaged(self._path, "a key is not text") from None


def _arrays(
    donors: Segment, frequency_sets: Sequence[FrequencySet], nomenclature: Nomenclature
) -> Iterator[tuple[str, NDArray[Any]]]:
    keys = [key.encode() for key in donors.donors]
    yield "donors.text", _bytes(b"".join(keys))
    yield "donors.offsets", np.cumsum([0, *map(len, keys)], dtype=np.uint64)
    yield "sets", donors.sets
    for column in COLUMNS:
        yield f"codes.{column}", donors.codes[column]
        yield f"typings.{column}", _bytes("\n".join(donors.texts[column]).encode())
    for locus, table in donors.tables(nomenclature).items():
        yield f"tables.{locus}", _bytes(table.packed())
    yield "nomenclature", _bytes(nomenclature.text().encode())
    for i, frequency_set in enumerate(frequency_sets):
        yield f"set.{i}", _bytes(frequency_set.text().encode())


def _bytes(raw: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(raw, np.uint8)


def _lines(text: str) -> list[str]:
    return text.split("\n") if text else []


def _write(path: Path, array: NDArray[Any]) -> dict[str, Any]:
    content = np.ascontiguousarray(array).tobytes()
    kind = array.dtype.newbyteorder("<").str[1:].encode()
    content += _FOOTER.pack(_MAGIC, kind, FORMAT, len(array), zlib.crc32(content))
    with open(path, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _map(path: Path, entry: dict[str, Any]) -> NDArray[Any]:
    try:
        size = path.stat().st_size
        if size != entry["bytes"] or size < _FOOTER.size:
            raise _damaged(path, f"it has {size} bytes, not {entry['bytes']}")
        with open(path, "rb") as stream:
            stream.seek(-_FOOTER.size, os.SEEK_END)
            magic, kind, version, count, _ = _FOOTER.unpack(stream.read())
    except OSError as error:
        raise _damaged(path, f"it cannot be read ({error.strerror})") from None
    try:
        dtype = np.dtype("<" + kind.rstrip(b"\0").decode("ascii"))
    except (TypeError, UnicodeDecodeError):
        raise _damaged(path, "its footer is not one") from None
    if magic != _MAGIC or version != FORMAT or count * dtype.itemsize != size - _FOOTER.size:
        raise _damaged(path, "its footer is not one")
    if count == 0:
        return np.zeros(0, dtype)
    return np.asarray(np.memmap(path, dtype=dtype, mode="r", shape=(count,)))


def _manifest(root: Path) -> Manifest:
    path = root / _MANIFEST
    try:
        content = json.loads(path.read_bytes())
        manifest = Manifest(**content)
        whole = manifest.sealed().checksum == manifest.checksum
    except OSError as error:
        raise _damaged(path, f"it cannot be read ({error.strerror})") from None
    except (ValueError, TypeError):
        raise _damaged(path, "it is not a manifest") from None
    if manifest.format != FORMAT:
        raise IndexDamaged(
            "index.format",
            f"The index has format {manifest.format}, this program reads {FORMAT}; build it again.",
            file=str(path),
            format=manifest.format,
        )
    if not whole:
        raise _damaged(path, "its checksum does not fit")
    return manifest


def _damaged(path: Path, what: str) -> IndexDamaged:
    return IndexDamaged("index.damaged", f"The index is damaged: {what}; build it again.", file=str(path))


def _replace(path: Path, content: bytes) -> None:
    part = path.with_suffix(".part")
    with open(part, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(part, path)


@contextmanager
def _lock(root: Path) -> Iterator[None]:
    """Hold the directory's lock file; the operating system frees it when the process ends."""
    with open(root / "lock", "a+b") as stream:
        busy = HlaError("index.busy", "Another build is writing this index; try again when it is done.", file=str(root))
        try:
            import fcntl
        except ImportError:  # Windows
            import msvcrt

            try:
                stream.seek(0)
                msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
            except OSError:
                raise busy from None
            yield
            return
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise busy from None
        yield
