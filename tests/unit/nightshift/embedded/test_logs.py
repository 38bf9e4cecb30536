from pathlib import Path

from nightshift.embedded.logs import fresh_log, last_lines


def test_logs_of_earlier_runs_are_kept_and_numbered(tmp_path: Path) -> None:
    for run in range(8):
        log = fresh_log(tmp_path, "api")
        log.write_text(str(run))
    kept = {path.name: path.read_text() for path in log.parent.iterdir()}
    assert kept == {"api.log": "7"} | {f"api.log.{number}": str(7 - number) for number in range(1, 6)}


def test_the_end_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    assert last_lines(log, 5) == ""
    log.write_text("".join(f"line {number}\n" for number in range(1000)))
    assert last_lines(log, 2) == "line 998\nline 999"
