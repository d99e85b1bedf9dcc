"""The command line: exact columns, whole files or none, one line for every error."""

from __future__ import annotations

import csv
import gzip
import io
import subprocess
import sys
from pathlib import Path

import pytest

import hlaengine
from hlaengine.cli import main

SET = """population,haplotype,frequency
toy,A*01:01~C*07:01~B*08:01~DRB1*03:01~DQB1*02:01,0.3
toy,A*02:01~C*07:02~B*07:02~DRB1*15:01~DQB1*06:02,0.2
toy,A*01:01~C*07:02~B*07:02~DRB1*15:01~DQB1*06:02,0.1
"""
HETEROZYGOUS = "A*01:01+A*02:01^B*08:01+B*07:02^DRB1*03:01+DRB1*15:01"


@pytest.fixture
def files(tmp_path):
    def write(name, content):
        path = tmp_path / name
        raw = content if isinstance(content, bytes) else content.encode()
        path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
        return str(path)

    write.out = str(tmp_path / "out.csv")
    write.set = write("set.csv", SET)
    write.folder = tmp_path
    return write


def rows(path):
    raw = Path(path).read_bytes()
    text = (gzip.decompress(raw) if path.endswith(".gz") else raw).decode()
    return list(csv.reader(io.StringIO(text, newline="")))


def impute(files, subjects, *more):
    return main(["impute", "--frequencies", files.set, "--subjects", subjects, "--out", files.out, *more])


def test_impute(files):
    subjects = files("s.txt", f"S1%{HETEROZYGOUS}\nS2%A*03:01+A*02:01\nS3%A*01:01^DQB1*06:02\n")
    assert impute(files, subjects) == 0
    found = rows(files.out)
    assert found[0] == ["subject", "rank", "haplotype_1", "haplotype_2", "probability"]
    one = "A*01:01~C*07:01~B*08:01~DRB1*03:01~DQB1*02:01"
    two = "A*02:01~C*07:02~B*07:02~DRB1*15:01~DQB1*06:02"
    three = "A*01:01~C*07:02~B*07:02~DRB1*15:01~DQB1*06:02"
    assert found[1:] == [
        ["S1", "1", one, two, "1.0"],
        ["S2", "0", "", "", ""],
        ["S3", "1", three, three, "1.0"],
    ]
    assert rows(files.out + ".unexplained.csv") == [
        ["subject", "reason", "locus", "allele"],
        ["S2", "allele_not_in_set", "A", "A*03:01"],
    ]


def test_match_lists_the_unexplained_after_the_others(files):
    patients = files("p.csv", f"gl,id\n{HETEROZYGOUS},P1\n")
    donors = files("d.txt.gz", f"D3%{HETEROZYGOUS.replace('02:01', '02:05')}\nD2%{HETEROZYGOUS}\nD1%{HETEROZYGOUS}\n")
    out = files.out + ".gz"
    assert main(["match", "--frequencies", files.set, "--patients", patients, "--donors", donors, "--out", out]) == 0
    found = rows(out)
    assert found[0] == [
        "patient",
        "donor",
        "p_10",
        "p_9",
        "p_8",
        "A_both",
        "C_both",
        "B_both",
        "DRB1_both",
        "DQB1_both",
        "A_one",
        "C_one",
        "B_one",
        "DRB1_one",
        "DQB1_one",
    ]
    numbers = ["1.0", "0.0", "0.0", *["1.0"] * 5, *["0.0"] * 5]
    assert found[1:] == [["P1", "D1", *numbers], ["P1", "D2", *numbers], ["P1", "D3", *[""] * 13]]
    assert rows(out + ".unexplained.csv")[1:] == [["D3", "allele_not_in_set", "A", "A*02:05"]]


def test_the_threshold_is_strict(files):
    patients, donors = files("p.txt", f"P1%{HETEROZYGOUS}"), files("d.txt", f"D1%{HETEROZYGOUS}")
    arguments = [
        "match",
        "--frequencies",
        files.set,
        "--patients",
        patients,
        "--donors",
        donors,
        "--out",
        files.out,
    ]
    assert main([*arguments, "--min-probability", "0.9999"]) == 0
    assert len(rows(files.out)) == 2


@pytest.mark.parametrize(
    ("content", "code", "line", "column"),
    [
        ("", "subjects.empty", 1, 1),
        ("\n\n", "subjects.empty", 1, 1),
        ("S1 A*01:01\n", "subjects.no_percent", 1, 1),
        ("S1%A*01:01\n\nS2\n", "subjects.no_percent", 3, 1),
        ("S1%A*01:01\nS1%A*01:01\n", "subjects.duplicate_id", 2, 1),
        ("%A*01:01\n", "subjects.no_id", 1, 1),
        ("S1%\n", "typing.empty", 1, 4),
        ("S1%A*01:01\nS2%A*01:01+A*02;01\n", "typing.bad_character", 2, 16),
        ("S1%A*01:01++A*02:01\n", "typing.doubled_operator", 1, 12),
        ("S1%Z*01:01\n", "typing.unknown_locus", 1, 4),
        ("S1%A*01:01:09+A*01:01\n", "typing.unknown_allele", 1, 4),
        ("id,typing\nS1,A*01:01\n", "subjects.missing_column", 1, 1),
        ("name,gl\nS1,A*01:01\n", "subjects.missing_column", 1, 1),
        ("id,gl,gl\nS1,A*01:01,\n", "subjects.duplicate_column", 1, 1),
        ("id,gl\nS1,A*01:01,x\n", "subjects.cells", 2, 1),
        ("id,gl\nS1,A*01:01\nS2,A*0101\n", "typing.bad_fields", 3, 6),
        ('id,gl\nS1,"A*01:01\n', "file.bad_csv", 2, 1),
        ("S1%A*01:01\nS\x01%A*01:01", "file.control_character", 2, 2),
        (b"S1%A*01:01\nS\xff%A*01:01", "file.not_utf8", 2, 2),
        ("S1%A*01:01".encode("utf-16"), "file.not_utf8", 1, 1),
    ],
)
def test_malformed_input_is_one_line_with_a_place_and_no_file(files, capsys, content, code, line, column):
    assert impute(files, files("s.txt", content)) == 2
    error = capsys.readouterr().err.splitlines()
    assert len(error) == 1
    assert error[0].startswith(f"error: {files.folder / 's.txt'}:{line}:{column}: ")
    assert error[0].endswith(f"[{code}]")
    assert sorted(p.name for p in files.folder.iterdir()) == ["s.txt", "set.csv"]


def test_a_byte_order_mark_is_passed_over(files):
    assert impute(files, files("s.txt", b"\xef\xbb\xbfS1%A*01:01\r\n")) == 0
    assert rows(files.out)[1][0] == "S1"


def test_files_that_cannot_be_read_or_written(files, capsys):
    subjects = files("s.txt", "S1%A*01:01\n")
    assert impute(files, str(files.folder / "none.txt")) == 2
    broken = files.folder / "b.gz"
    broken.write_bytes(gzip.compress(b"S1%A*01:01\n" * 50)[:-9])
    assert impute(files, str(broken)) == 2
    files.out = str(files.folder / "no" / "out.csv")
    assert impute(files, subjects) == 2
    codes = [line.rsplit("[")[-1] for line in capsys.readouterr().err.splitlines()]
    assert codes == ["file.missing]", "file.damaged_gzip]", "file.unwritable]"]


def test_a_refused_run_leaves_the_earlier_result(files):
    assert impute(files, files("s.txt", "S1%A*01:01\n")) == 0
    before = Path(files.out).read_bytes()
    assert impute(files, files("bad.txt", "S1%A*01:01\nS2%A*01:01:09\n")) == 2
    assert Path(files.out).read_bytes() == before


def test_matching_needs_five_loci(files, capsys):
    short = files("short.csv", "A*01:01~B*08:01,toy,0.5\n")
    subjects = files("s.txt", "S1%A*01:01\n")
    arguments = ["--patients", subjects, "--donors", subjects, "--out", files.out]
    assert main(["match", "--frequencies", short, *arguments]) == 2
    assert "[frequencies.loci]" in capsys.readouterr().err
    files.set = short
    assert impute(files, subjects) == 0


def test_usage_errors_and_help_return(capsys):
    assert main([]) == 2
    assert main(["impute"]) == 2
    assert main(["--help"]) == 0
    assert "match" in capsys.readouterr().out


def test_index_verify_and_search(files, capsys, demo_donors):
    donors = files("d.txt", "".join(f"{d}%{t}\n" for d, t in demo_donors))
    directory = str(files.folder / "index")
    assert main(["index", "--donors", donors, "--out", directory]) == 0
    assert main(["verify-index", directory]) == 0
    assert "300 donors" in capsys.readouterr().out
    patients = files("p.txt", f"P1%{demo_donors[0][1]}\n")
    assert main(["search", "--index", directory, "--patients", patients, "--out", files.out]) == 0
    found = rows(files.out)
    assert found[0][:4] == ["patient", "rank", "donor", "frequency_set"]
    assert demo_donors[0][0] in {row[2] for row in found[1:]}
    bad = files("bad.txt", "D1%A*02:01\nD2%A*99:99\n")
    assert main(["index", "--donors", bad, "--out", directory]) == 2
    assert ":2:4: " in capsys.readouterr().err
    (files.folder / "index" / "generation-1" / "sets").unlink()
    assert main(["search", "--index", directory, "--patients", patients, "--out", files.out]) == 2
    assert "[index.damaged]" in capsys.readouterr().err


def test_as_a_module_without_shell_settings(files):
    done = subprocess.run(
        [sys.executable, "-m", "hlaengine", "verify-index", str(files.folder)],
        env={"PYTHONPATH": str(Path(hlaengine.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
