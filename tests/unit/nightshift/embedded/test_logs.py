from pathlib import Path

from nightshift.embedded.logs import last_lines, rotate_log


def test_logs_of_earlier_runs_are_kept_and_numbered(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    for run in range(8):
        rotate_log(log)
        log.write_text(str(run))
    kept = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert kept == {"api.log": "7"} | {f"api.log.{number}": str(7 - number) for number in range(1, 6)}


def test_the_end_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    assert last_lines(log) == ""
    log.write_text("".join(f"line {number}\n" for number in range(1000)))
    assert last_lines(log, 2) == "line 998\nline 999"
