"""The command line: ``python -m hlaengine impute|match|index|verify-index|search|bench``.

`main` returns an exit status and never leaves the process: 0, or 2 with one line on standard error,
``error: FILE:LINE:COLUMN: sentence [code]``. Results are written beside their place and renamed, so that no
half-written file is ever met.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections.abc import Iterable, Sequence
from typing import IO, Any

from . import exercise, frequencies, index, nomenclature, search, starter
from .errors import FrequencyError, HlaError
from .imputation import Imputer, Pairs
from .subjects import Subject, read_subjects, write_text
from .typings import MATCH_LOCI

MATCH_HEADER = (
    "patient", "donor", "p_10", "p_9", "p_8",
    *(f"{locus}_both" for locus in MATCH_LOCI), *(f"{locus}_one" for locus in MATCH_LOCI),
)  # fmt: skip
IMPUTE_HEADER = ("subject", "rank", "haplotype_1", "haplotype_2", "probability")
UNEXPLAINED_HEADER = ("subject", "reason", "locus", "allele")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status (0 done, 2 refused)."""
    try:
        options = _arguments().parse_args(argv)
    except SystemExit as stop:
        return int(stop.code or 0)
    try:
        options.run(options)
    except HlaError as error:
        print(f"error: {error.located()}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 2
    except OSError as error:
        print(f"error: {error.filename or ''}: {error.strerror or error} [file.system]", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("error: interrupted; nothing was written [interrupted]", file=sys.stderr)
        return 2
    return 0


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hla", description="HLA imputation, matching and donor search.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    impute = commands.add_parser("impute", help="all haplotype pairs that explain each subject")
    impute.add_argument("--subjects", required=True, help="lines ID%%GL, or CSV with columns id,gl")
    impute.set_defaults(run=_impute)

    match = commands.add_parser("match", help="match probabilities of patients against donors")
    match.add_argument("--patients", required=True, help="lines ID%%GL, or CSV with columns id,gl")
    match.add_argument("--donors", required=True, help="as --patients")
    match.add_argument("--min-probability", type=_probability, default=1e-6, help="keep p_10+p_9 above this")
    match.set_defaults(run=_match)
    for command in (impute, match):
        command.add_argument("--frequencies", required=True, help="haplotype frequency file")
        command.add_argument("--population", help="which population of the file")
        command.add_argument("--nomenclature", help="table that leads longer names (default: the starter's)")
        command.add_argument("--blank", choices=("homozygous", "unknown"), default="homozygous")
        command.add_argument("--out", required=True, help="CSV to write; .gz packs it")

    build = commands.add_parser("index", help="build a donor index")
    build.add_argument("--donors", required=True, help="lines ID%%GL, or CSV with columns id,gl")
    build.add_argument("--frequencies", help="haplotype frequency file (default: the starter's synthetic set)")
    build.add_argument("--population", help="which population of the file")
    build.add_argument("--nomenclature", help="nomenclature table (default: the starter's)")
    build.add_argument("--blank", choices=("homozygous", "unknown"), default="homozygous")
    build.add_argument("--out", required=True, metavar="DIRECTORY")
    build.set_defaults(run=_index)

    verify = commands.add_parser("verify-index", help="read every byte of a donor index")
    verify.add_argument("directory")
    verify.set_defaults(run=_verify)

    find = commands.add_parser("search", help="ranked donors of an index for each patient")
    find.add_argument("--index", required=True, metavar="DIRECTORY")
    find.add_argument("--patients", required=True, help="lines ID%%GL, or CSV with columns id,gl")
    find.add_argument("--frequency-set", help="the patients' set (default: the index's only one)")
    find.add_argument("--max-mismatches", type=int, choices=(0, 1, 2), default=1)
    find.add_argument("--blank", choices=("homozygous", "unknown"), default="homozygous")
    find.add_argument("--out", required=True, help="CSV to write; .gz packs it")
    find.set_defaults(run=_search)

    measure = commands.add_parser("bench", help="how fast the engine is on this machine, over simulated donors")
    measure.add_argument("--donors", type=_count, default=10_000)
    measure.add_argument("--patients", type=_count, default=20, help="unseen patients searched warm")
    measure.add_argument("--seed", type=int, default=1)
    measure.set_defaults(run=_bench)
    return parser


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return value


def _probability(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError("must be from 0 to 1")
    return value


def _impute(options: argparse.Namespace) -> None:
    imputer = _imputer(options)
    subjects = read_subjects(options.subjects, blank=options.blank)
    names = imputer.set.haplotypes
    dropped = 0
    with _Progress("imputing") as progress, _tables(options.out) as (out, unexplained):
        out.writerow(IMPUTE_HEADER)
        for done, subject in enumerate(subjects, 1):
            pairs = exercise.impute_subject(imputer, subject)
            dropped += len(pairs.dropped)
            if pairs.unexplained:
                out.writerow((subject.id, 0, "", "", ""))
                unexplained.writerows(_reasons(subject, pairs))
            else:
                out.writerows(_ranked(subject.id, pairs, names))
            progress(done, len(subjects))
    _say_dropped(dropped)


def _ranked(subject: str, pairs: Pairs, names: Sequence[str]) -> Iterable[tuple[Any, ...]]:
    rows = []
    for i, j, p in zip(pairs.first.tolist(), pairs.second.tolist(), pairs.probability.tolist(), strict=True):
        one, two = names[i], names[j]
        rows.append((-p, one, two) if one <= two else (-p, two, one))
    rows.sort()
    return ((subject, rank, one, two, repr(-p)) for rank, (p, one, two) in enumerate(rows, 1))


def _match(options: argparse.Namespace) -> None:
    imputer = _imputer(options)
    try:
        exercise.require_match_loci(imputer.set)
    except HlaError as error:
        raise error.at(options.frequencies) from None
    patients = read_subjects(options.patients, blank=options.blank)
    donors = read_subjects(options.donors, blank=options.blank)
    with _Progress("imputing patients") as progress:
        imputed_patients = exercise.impute_subjects(imputer, patients, progress)
    with _Progress("imputing donors") as progress:
        imputed_donors = exercise.impute_subjects(imputer, donors, progress)
    with _tables(options.out) as (out, unexplained):
        out.writerow(MATCH_HEADER)
        for row in exercise.match(imputed_patients, imputed_donors, imputer, min_probability=options.min_probability):
            numbers: tuple[float | None, ...] = (
                row.p_10,
                row.p_9,
                row.p_8,
                *(row.both or ()),
                *(row.one or ()),
            )
            cells = [repr(n) for n in numbers] if row.both else [""] * (len(MATCH_HEADER) - 2)
            out.writerow((row.patient, row.donor, *cells))
        for imputed in (imputed_patients, imputed_donors):
            for subject, pairs in zip(imputed.subjects, imputed.unexplained, strict=True):
                if pairs is not None:
                    unexplained.writerows(_reasons(subject, pairs))
    _say_dropped(imputed_patients.dropped + imputed_donors.dropped)


def _index(options: argparse.Namespace) -> None:
    known = nomenclature.read(options.nomenclature) if options.nomenclature else starter.nomenclature()
    if options.frequencies:
        chosen = frequencies.read(options.frequencies, population=options.population)
    else:
        chosen = starter.frequency_set()
    donors = read_subjects(options.donors, blank=options.blank)
    where = {donor.id: donor for donor in donors}
    rows = [index.DonorRow(donor.id, donor.typing.text, chosen.name) for donor in donors]
    with _Progress("indexing") as progress:
        try:
            manifest = index.build(
                options.out,
                rows,
                frequency_sets=[chosen],
                nomenclature=known,
                progress=progress,
                blank=options.blank,
            )
        except HlaError as error:
            donor = where.get(str(error.params.get("donor")))
            if donor is not None:
                error.at(donor.file, donor.line, donor.offset)
            elif isinstance(error, FrequencyError) and options.frequencies:
                error.at(options.frequencies)
            raise error from None
    print(
        f"{manifest.donors} donors, generation {manifest.generation}, {manifest.checksum[:12]}",
        file=sys.stderr,
    )


def _verify(options: argparse.Namespace) -> None:
    manifest = index.verify(options.directory)
    print(f"{options.directory}: {manifest.donors} donors, every byte as written")


def _search(options: argparse.Namespace) -> None:
    searcher = search.Searcher(index.Index.open(options.index))
    patients = read_subjects(options.patients, blank=options.blank)
    with _Progress("searching") as progress, _tables(options.out) as (out, unexplained):
        out.writerow(search.TABLE_HEADER)
        for done, patient in enumerate(patients, 1):
            try:
                result = searcher.search(
                    patient.typing, frequency_set=options.frequency_set, max_mismatches=options.max_mismatches
                )
            except HlaError as error:
                raise error.at(patient.file, patient.line, patient.offset) from None
            out.writerows(search.table_rows(patient.id, result))
            unexplained.writerows((patient.id, r.reason, r.locus, r.allele) for r in result.patient_unexplained)
            progress(done, len(patients))


def _bench(options: argparse.Namespace) -> None:
    from . import bench  # what only a measurement needs is loaded for one

    bench.run(options.donors, options.patients, options.seed)


def _imputer(options: argparse.Namespace) -> Imputer:
    frequency_set = frequencies.read(options.frequencies, population=options.population)
    known = nomenclature.read(options.nomenclature) if options.nomenclature else starter.nomenclature()
    return Imputer(frequency_set, known)


def _reasons(subject: Subject, pairs: Pairs) -> list[tuple[str, str, str, str]]:
    return [(subject.id, r.reason, r.locus, r.allele) for r in pairs.unexplained]


def _say_dropped(count: int) -> None:
    if count:
        print(f"note: {count} allele names that the frequency set does not hold were dropped", file=sys.stderr)


class _tables:
    """The result and ``<out>.unexplained.csv`` as CSV writers; both take their places together, or
    neither."""

    def __init__(self, out: str) -> None:
        self._contexts = [write_text(f"{out}.unexplained.csv"), write_text(out)]

    def __enter__(self) -> tuple[Any, Any]:
        unexplained = self._contexts[0].__enter__()
        try:
            out = self._contexts[1].__enter__()
        except BaseException as error:
            self._contexts[0].__exit__(type(error), error, error.__traceback__)
            raise
        writers = [csv.writer(stream, lineterminator="\n") for stream in (out, unexplained)]
        writers[1].writerow(UNEXPLAINED_HEADER)
        return writers[0], writers[1]

    def __exit__(self, *error: Any) -> None:
        try:
            self._contexts[1].__exit__(*error)
        finally:
            if error == (None, None, None):
                error = sys.exc_info()
            self._contexts[0].__exit__(*error)


class _Progress:
    """A line that counts, on a terminal only."""

    def __init__(self, what: str, stream: IO[str] | None = None) -> None:
        self._what, self._stream = what, stream or sys.stderr
        self._shown = self._stream.isatty()
        self._last = 0.0

    def __enter__(self) -> _Progress:
        return self

    def __call__(self, done: int, total: int | None = None) -> None:
        now = time.monotonic()
        if self._shown and (now - self._last > 0.1 or done == total):
            self._last = now
            print(
                f"\r{self._what}: {done:,}" + (f" of {total:,}" if total else ""),
                end="",
                file=self._stream,
                flush=True,
            )

    def __exit__(self, *_: object) -> None:
        if self._shown and self._last:
            print(file=self._stream)
