# SPDX-License-Identifier: BSD-2-Clause
"""The benchmark's arithmetic, verdicts, order and chart, on values whose answers are known."""

import argparse
import os
import re
import socket
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

import subjects  # noqa: E402, F401  # makes tests/lib reachable

import bench  # noqa: E402
import chart  # noqa: E402
from servers import listens  # noqa: E402
import measure  # noqa: E402
import noise  # noqa: E402
import report  # noqa: E402
from rows import (  # noqa: E402
    NONE, PASTA, REFERENCE, ROWS, SCENES_OF, SLIRPD, SLIRPD_OPEN, TARGETS, Target)
from scenes import SCENES  # noqa: E402
from stats import Results  # noqa: E402

SVG = "{http://www.w3.org/2000/svg}"


def filled(values):
    """Results from {(row, subject): a value for each round}."""
    results = Results()
    for (row, subject), numbers in values.items():
        for number, value in enumerate(numbers):
            results.add(row, subject, number, value)
    return results


def entry(results, row, subject):
    return next(r for r in results.summary() if r["name"] == row)["subjects"][subject]


def outcome(results, **changes):
    """What bench.py writes, with a quiet machine."""
    quiet = {"n_calibrations": 9, "speed_spread": 0.02, "cpu_share": 0.99, "cpu_share_min": 0.97,
             "steal": 0.0, "load_average_before": 0.1, "load_average_after": 1.9,
             "veth_gbit_per_s": 30.0, "veth_spread": 0.05}
    return {"machine": {"cpu": "A <fast> & quiet CPU", "n_cpus": 2, "kernel": "6.1",
                        "architecture": "x86_64", "date": "2026-01-01"},
            "noise": noise.judge(quiet), "versions": {SLIRPD: "slirpd 1", REFERENCE: "other 2"},
            "rounds": 3, "seconds": 3, "rows": results.summary(),
            "targets": results.verdicts(), "problems": [], **changes}


# --- values, ratios, verdicts -----------------------------------------------------------------


def test_median_minimum_and_maximum():
    found = entry(filled({("rr", SLIRPD): [5, 1, 9]}), "rr", SLIRPD)
    assert (found["median"], found["min"], found["max"]) == (5, 1, 9)
    assert found["values"] == [5, 1, 9]


def test_ratio_is_the_median_of_the_rounds_ratios():
    # Twice as fast in every round of a machine that slows down; the medians say 20 / 20.
    results = filled({("rr", SLIRPD): [80, 20, 2], ("rr", REFERENCE): [40, 10, 1]})
    assert results.ratio("rr", SLIRPD, REFERENCE) == 2
    results = filled({("rr", SLIRPD): [1, 20, 90], ("rr", REFERENCE): [10, 20, 30]})
    assert results.ratio("rr", SLIRPD, REFERENCE) == 1
    assert entry(results, "rr", SLIRPD)["ratio"] == 1
    assert "ratio" not in entry(results, "rr", REFERENCE)


def test_ratio_takes_rounds_that_have_both():
    results = filled({("rr", SLIRPD): [30, 50]})
    results.add("rr", REFERENCE, 1, 10)
    assert results.ratio("rr", SLIRPD, REFERENCE) == 5
    assert filled({("rr", SLIRPD): [1]}).ratio("rr", SLIRPD, REFERENCE) is None
    assert filled({("rr", SLIRPD): [1], ("rr", REFERENCE): [0]}).ratio(
        "rr", SLIRPD, REFERENCE) is None


def test_several_values_of_a_round_count_as_one_in_the_ratio():
    results = Results()
    for value in (2, 4, 60):
        results.add("ready", SLIRPD, 0, value)
    results.add("ready", REFERENCE, 0, 2)
    assert results.ratio("ready", SLIRPD, REFERENCE) == 2


def test_cpu_time_is_the_median_of_its_own():
    results = Results()
    for number, cpu in enumerate((0.5, 0.1, 0.9)):
        results.add("tcp_out_1500", SLIRPD, number, 10, cpu, cpu + 1)
    # Without a subject there is the time of client and server.
    results.add("tcp_out_1500", NONE, 0, 10, None, 0.7)
    ours, none = (entry(results, "tcp_out_1500", name) for name in (SLIRPD, NONE))
    assert (ours["cpu_s_per_gb"], ours["all_cpu_s_per_gb"]) == (0.5, 1.5)
    assert (none.get("cpu_s_per_gb"), none["all_cpu_s_per_gb"]) == (None, 0.7)
    assert not {"cpu_s_per_gb", "all_cpu_s_per_gb"} & entry(filled({("rr", SLIRPD): [1]}), "rr",
                                                            SLIRPD).keys()


def test_time_of_loads_that_have_ended_is_in_that_of_all():
    meter = measure.Meter(None)
    end = "while time.process_time() < 0.2: pass"
    subprocess.run([sys.executable, "-c", f"import time\n{end}"], check=True)
    meter.stop()
    seen = meter.stream(1.0, 2e9)
    assert seen.cpu_s_per_gb is None
    assert 0.1 <= seen.all_cpu_s_per_gb < 0.5
    assert measure.Meter(None).stream(0.0, 0).all_cpu_s_per_gb is None


@pytest.mark.parametrize("rates, evenness", [([5], 1), ([2, 8, 4], 0.25), ([3, 0], 0), ([0, 0], 0)])
def test_evenness_is_the_slowest_by_the_fastest(rates, evenness):
    assert measure.evenness_of(
        [{"receiver": {"bits_per_second": rate}} for rate in rates]) == evenness


@pytest.mark.parametrize("at_least, value, met", [
    (True, 2.0, True), (True, 1.99, False), (False, 2.0, True), (False, 2.01, False)])
def test_a_bound_is_met_by_itself(at_least, value, met):
    assert Target("rr", REFERENCE, 2.0, at_least).is_met(value) is met


def test_verdicts_of_all_targets_in_both_directions_and_alone():
    results = filled({
        ("tcp_out_1500", SLIRPD): [12], ("tcp_out_1500", REFERENCE): [1],
        ("tcp_out_1500", SLIRPD_OPEN): [13],
        ("ready", SLIRPD): [30], ("ready", REFERENCE): [5], ("idle_900_kept", SLIRPD): [0.96]})
    verdicts = {(v["row"], v["against"]): v for v in results.verdicts()}
    assert len(verdicts) == len(TARGETS)
    assert verdicts["tcp_out_1500", REFERENCE]["met"] is True
    assert verdicts["tcp_out_1500", SLIRPD_OPEN]["met"] is False
    assert verdicts["ready", REFERENCE] == {
        "row": "ready", "against": REFERENCE, "bound": 5.0, "at_least": False, "value": 6.0,
        "met": False}
    assert verdicts["idle_900_kept", None]["met"] is True
    assert verdicts["api_rate", REFERENCE]["met"] is None


def test_targets_and_scenes_are_of_rows_that_exist():
    names = {row.name for row in ROWS}
    assert len(names) == len(ROWS)
    assert {target.row for target in TARGETS} <= names
    assert {row.scene for row in ROWS} == SCENES.keys()
    assert set().union(*SCENES_OF.values()) <= SCENES.keys()


def test_whoever_a_target_names_takes_part_in_its_row():
    scenes = {row.name: row.scene for row in ROWS}
    for target in TARGETS:
        assert scenes[target.row] in SCENES_OF.get(target.against, SCENES), target


def run_of(rows, targets_only=False):
    return bench.Run(argparse.Namespace(load="", seconds=3, starts=1, quick=False, rounds=1,
                                        rows=rows, targets_only=targets_only), [])


def test_a_run_has_the_targets_of_its_rows():
    outcome = run_of("connect").outcome()
    assert {(target["row"], target["against"]) for target in outcome["targets"]} == {
        ("connect", REFERENCE), ("connect", PASTA)}


class Somebody(subjects.Subject):
    """Of some name, and of no program."""

    def __init__(self, name):
        self.name = name


@pytest.mark.parametrize("rows, targets_only, scene, takers", [
    (None, False, "small", {SLIRPD, REFERENCE, PASTA, NONE}),
    ("rr", True, "small", {SLIRPD, REFERENCE, PASTA}),
    ("api_rate", True, "api", {SLIRPD, REFERENCE}),
    ("streams_*", True, "streams", {SLIRPD}),
    (None, True, "tcp_4000", set()),
    ("rr", False, "streams", set())])
def test_who_takes_part_in_a_scene(rows, targets_only, scene, takers):
    run = run_of(rows, targets_only)
    assert {name for name in report.ORDER if run.takes_part(scene, Somebody(name))} == takers


def test_loopback_is_a_subject_without_a_process():
    found, absent = subjects.find_subjects("/nothing", "/nothing", "/nothing", [NONE])
    assert [subject.name for subject in found] == [NONE] and not absent
    assert [scene for scene in SCENES if found[0].takes_part(scene)] == ["tcp_1500", "streams",
                                                                         "small"]
    with found[0].guest() as guest, found[0].serving(guest.pid, 1500) as running:
        assert (running.pids(), running.cpu_s()) == ([], 0)


# --- the machine ------------------------------------------------------------------------------


def test_spread_leaves_out_the_outermost_tenth_of_many():
    assert noise.spread([10]) == 0
    assert noise.spread([9, 10, 11]) == pytest.approx(0.2)
    assert noise.spread([10] * 18 + [1, 99]) == 0


@pytest.mark.parametrize("changes, words", [
    ({}, None), ({"speed_spread": 0.5}, "speed varied by 50%"),
    ({"cpu_share": 0.4}, "others left 40%"), ({"steal": 0.2}, "took 20.0%")])
def test_a_noisy_machine_is_named_with_its_reason(changes, words):
    quiet = {"speed_spread": 0.02, "cpu_share": 0.99, "steal": 0.0}
    reasons = noise.judge({**quiet, **changes})["reasons"]
    assert len(reasons) == (words is not None)
    assert words is None or words in reasons[0]


def test_calibration_sees_this_machine():
    watch = noise.Noise()
    watch.calibrate()
    seen = watch.report()
    assert seen["n_calibrations"] == 2
    assert 0 < seen["cpu_share_min"] <= seen["cpu_share"] <= 1.1
    assert 0 <= seen["steal"] <= 1
    assert noise.machine()["n_cpus"] == len(os.sched_getaffinity(0))


# --- order, choice, exit status ---------------------------------------------------------------


def test_everybody_plays_every_round_and_neighbours_take_turns():
    before = dict.fromkeys((a, b) for a in "abc" for b in "abc" if a != b)
    counts = dict.fromkeys(before, 0)
    for number in range(6):
        order = bench.turns(list("abc"), number)
        assert sorted(order) == list("abc")
        for first, second in before:
            counts[first, second] += order.index(first) < order.index(second)
    assert set(counts.values()) == {3}


def test_rows_are_chosen_by_name_wildcard_and_set():
    everything = {row.name for row in ROWS}
    assert bench.choose_rows("ready,tcp_*_1500") == {"ready", "tcp_out_1500", "tcp_in_1500"}
    assert bench.choose_rows(None) == everything
    assert bench.choose_rows("@tcp,ready") == bench.choose_rows("@tcp") | {"ready"} < everything
    for wrong in ("nonsense", "@nonsense"):
        with pytest.raises(SystemExit, match=f"no row is called {wrong}"):
            bench.choose_rows(f"ready,{wrong}")


def test_set_of_tcp_has_every_target_of_tcp():
    others = {"udp_echo", "udp_ports", "udp_flood", "udp_flood_in", "ready", "api_rate", "api_rate_many", "api_kept",
              "names_kept"}
    others |= {target.row for target in TARGETS if target.row.startswith("policy_")}
    chosen = bench.choose_rows("@tcp")
    assert {target.row for target in TARGETS} - chosen == others


def test_exit_status():
    good = filled({("rr", SLIRPD): [3], ("rr", REFERENCE): [1]})
    missed = filled({("rr", SLIRPD): [1], ("rr", REFERENCE): [3]})
    assert bench.exit_status(outcome(good), check=False) == 0
    assert bench.exit_status(outcome(missed), check=False) == 0
    assert bench.exit_status(outcome(missed), check=True) == 1
    # A target that was not measured is not met.
    assert bench.exit_status(outcome(good), check=True) == 1
    met = [dict(verdict, met=True) for verdict in good.verdicts()]
    assert bench.exit_status(outcome(good, targets=met), check=True) == 0
    for text, status in (("failed: died", 1), ("not supported: --x", 0)):
        noted = Results()
        noted.note("rr", SLIRPD, text)
        assert bench.exit_status(outcome(noted), check=False) == status
    peer = filled({("rr", SLIRPD): [3]})
    peer.note("rr", REFERENCE, "failed: died")
    assert bench.exit_status(outcome(peer), check=False) == 0
    assert bench.exit_status(outcome(Results()), check=False) == 1


def test_a_listening_port_is_seen():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
        assert not listens(os.getpid(), port)
        sock.listen()
        assert listens(os.getpid(), port)


# --- the table --------------------------------------------------------------------------------


@pytest.mark.parametrize("value, text", [
    (12345.6, "12,346"), (100, "100"), (12.34, "12.3"), (1.234, "1.23"), (0.5, "0.50"),
    (0.0123, "0.012"), (0.00123, "0.0012"), (0, "0.0000")])
def test_numbers_have_the_digits_that_matter(value, text):
    assert report.number(value) == text


def test_table_has_values_notes_and_verdicts():
    results = filled({("udp_echo", SLIRPD): [30, 20, 10], ("udp_echo", REFERENCE): [40, 40, 40]})
    results.note("udp_echo", PASTA, "not supported: pasta has no such thing")
    lines = report.table(results.summary(), results.verdicts()).splitlines()
    ours = next(line for line in lines if line.startswith("  slirpd"))
    assert ours.split("  wanted")[0].split() == ["slirpd", "20.0", "10.0", "to", "30.0", "x",
                                                 "0.50"]
    assert "wanted at least 1.5 x slirp4netns: 0.50, NOT MET" in ours
    assert "  pasta        not supported: pasta has no such thing" in lines


# --- the chart --------------------------------------------------------------------------------


def drawn():
    results = filled({
        ("tcp_out_1500", SLIRPD): [8, 10, 12], ("tcp_out_1500", REFERENCE): [2, 2.5, 3],
        ("tcp_out_1500", SLIRPD_OPEN): [100, 100, 100],
        ("ready", SLIRPD): [10], ("ready", REFERENCE): [4]})
    results.note("tcp_out_1500", PASTA, "not supported: no <reason> & none needed")
    results.note("idle_900_rr", PASTA, "not reached: 7 of <900> connections")
    return chart.draw(outcome(results))


def elements(text, name):
    return ElementTree.fromstring(text).findall(f"{SVG}{name}")


def bars(text, classes):
    return [element for element in elements(text, "rect")
            if element.get("class") == classes and float(element.get("x")) == chart.BAR_LEFT]


def test_bars_are_as_long_as_their_medians():
    text = drawn()
    ours, theirs = bars(text, "s0"), bars(text, "s1")
    assert len(ours) == len(theirs) == 2
    for mine, other, ratio in zip(ours, theirs, (4, 2.5)):
        assert float(mine.get("width")) / float(other.get("width")) == pytest.approx(ratio, 0.01)
    # The longest of a row's maxima is what fills it; a variant that is not drawn is none.
    assert float(ours[0].get("width")) == pytest.approx(chart.BAR_MAX * 10 / 12, 0.01)


def test_stream_that_stalled_has_no_bar_and_no_figure():
    results = filled({("tcp_out_1500", SLIRPD): [10], ("tcp_out_1500", REFERENCE): [10],
                      ("tcp_out_1500", PASTA): [0.4], ("ready", REFERENCE): [10],
                      ("ready", PASTA): [0.4]})
    text = chart.draw(outcome(results))
    texts = [element.text for element in elements(text, "text")]
    assert texts.count("pasta: stalled") == 1
    # A short time is none.
    assert len(bars(text, "s2")) == 1


def test_ratios_of_a_subject_to_itself_are_not_drawn():
    text = chart.draw(outcome(filled({("idle_900_kept", SLIRPD): [0.9], ("rr", SLIRPD): [5]})))
    assert len(bars(text, "s0")) == 1


def test_bars_and_texts_stay_on_the_page():
    root = ElementTree.fromstring(drawn())
    height = float(root.get("height"))
    for element in root.iter():
        if element.tag in (f"{SVG}rect", f"{SVG}text"):
            assert 0 <= float(element.get("x") or 0) < chart.WIDTH
            assert 0 <= float(element.get("y") or 0) < height


def test_titles_end_before_the_bars():
    # 12 px sans-serif: 0.56 em a letter is more than the usual fonts take on average.
    for row in ROWS:
        assert len(row.title) * 12 * 0.56 < chart.TITLE_WIDTH, row.title


def test_chart_says_what_is_missing_and_what_it_belongs_to():
    texts = [element.text for element in elements(drawn(), "text")]
    assert "pasta: not supported" in texts
    assert "pasta: 7 of <900> connections" in texts
    assert "10.0 Gbit/s  × 4.00" in texts
    assert any("A <fast> & quiet CPU" in text for text in texts)
    assert any(text.startswith("The machine was quiet") for text in texts)
    noisy = outcome(Results())
    noisy["noise"]["reasons"] = ["it was"]
    assert "THE MACHINE WAS NOISY" in chart.draw(noisy)


def test_chart_is_one_file_without_scripts_fonts_or_links():
    text = drawn()
    assert not re.search(r"<script|<image|<foreignObject|href|@font-face|@import|url\(", text)
    assert re.findall(r"https?://[^\"]*", text) == ["http://www.w3.org/2000/svg"]


def luminance(colour):
    """Relative luminance, as the Web Content Accessibility Guidelines define it."""
    parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
                        for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_chart_can_be_read_in_both_themes(theme):
    light, dark = chart.STYLE.split("@media (prefers-color-scheme: dark)")
    colours = dict(re.findall(r"\.(\w+) \{ fill: (#\w{6}) \}", light if theme == "light" else dark))
    assert {"page", "text", "soft", "s0", "s1", "s2"} == colours.keys()
    page = luminance(colours.pop("page"))
    for name, colour in colours.items():
        ours = luminance(colour)
        contrast = (max(page, ours) + 0.05) / (min(page, ours) + 0.05)
        assert contrast >= (4.5 if name in ("text", "soft") else 3), name
