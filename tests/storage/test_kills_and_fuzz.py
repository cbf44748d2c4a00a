"""The two scripts, for a moment: each can be run for longer by hand."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def run(script, *arguments):
    done = subprocess.run(
        [sys.executable, HERE / script, *arguments], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.long
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_at_any_moment_the_old_file_or_the_new_one_is_there():
    kills = os.environ.get("NARROWS_TEST_KILLS", "30")
    out = run("kill_saves.py", "--kills", kills, "--seed", "3")
    found = re.search(r"(\d+) kills .*every file whole .*; (\d+) fell into a write", out)
    assert found[1] == kills
    assert int(found[2]) >= 1  # otherwise nothing was interrupted


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_mutated_files_are_read_rightly_or_refused(tmp_path):
    runs = os.environ.get("NARROWS_TEST_FUZZ", "2500")
    out = run("fuzz.py", "--runs", runs, "--seed", "4", "--folder", tmp_path)
    counts = re.findall(r"([\d,]+) refused, +([\d,]+) read", out)
    refused, read = (
        sum(int(n.replace(",", "")) for n in column) for column in zip(*counts, strict=True)
    )
    assert refused + read == int(runs)
    assert min(refused, read) > 0.05 * int(runs)
    grown = re.search(r"grew by (\d+) MB", out)
    assert int(grown[1]) < 100
