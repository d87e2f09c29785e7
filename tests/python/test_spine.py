"""What every call and every result keeps: threads, forks, interrupts, progress, panics, exceptions, saved results."""

from __future__ import annotations

import builtins
import copy
import json
import multiprocessing
import os
import pickle
import re
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import ilk
from ilk import _core, exceptions
from ilk.cluster import KMeans

N = 20_000
#: Where a fresh process finds the package and this file.
HERE = [os.path.dirname(os.path.dirname(ilk.__file__)), os.path.dirname(__file__)]


def customers():
    rng = np.random.default_rng(1)
    kind = rng.integers(0, 4, N)
    return {
        "kind": [("single", "couple", "family", "senior")[k] for k in kind],
        "hour": [f"hour {h}" for h in (rng.integers(0, 6, N) + kind) % 6],
        "revenue": rng.gamma(2.0, 40.0, N) * (1 + kind),
        "cost": rng.gamma(2.0, 20.0, N),
    }


def digest():
    """The figures of every room as bytes."""
    data = customers()
    gaps = ilk.gap_matrix(data, rows="kind", cols="hour", values="revenue")
    card = ilk.segment_scorecard(
        data, segment="kind", revenue="revenue", cost="cost", n_boot=50, random_state=3
    )
    rows = np.column_stack([data["revenue"], data["cost"]])
    fit = KMeans(n_clusters=5, n_init=3, random_state=0).fit(rows)
    figures = [column for result in (gaps, card) for column in result.to_dict().values()]
    parts = [np.asarray(column).tobytes() for column in figures if not isinstance(column, list)]
    return b"".join([*parts, fit.cluster_centers_.tobytes(), fit.labels_.tobytes()])


def digest_in_worker(_):
    return digest(), ilk.num_threads(), multiprocessing.current_process().daemon


def test_every_room_gives_the_same_bits_for_any_number_of_threads():
    digests = []
    for threads in (1, 2, 8):
        ilk.set_num_threads(threads)
        assert ilk.num_threads() == threads
        digests.append(digest())
    assert digests[0] == digests[1] == digests[2]


def in_fresh_process(code, *, expect=0, **environment):
    """Run code in a Python of its own; a deadlock shows as a timeout."""
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "error",
            "-W",
            "ignore:This process:DeprecationWarning",
            "-c",
            textwrap.dedent(code),
        ],
        capture_output=True,
        text=True,
        timeout=100,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(HERE), **environment},
    )
    assert done.returncode == expect, done.stdout + done.stderr[-3000:]
    return done.stdout


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_uses_its_own_threads_and_gets_the_same_bits():
    code = """
    import os, ilk
    from test_spine import digest
    ilk.set_num_threads(4)
    before = digest()
    children = []
    for _ in range(3):
        child = os.fork()
        if child == 0:
            grandchild = os.fork()
            same = digest() == before
            if grandchild:
                same = same and os.waitpid(grandchild, 0)[1] == 0
            os._exit(0 if same else 1)
        children.append(child)
    for child in children:
        assert os.waitpid(child, 0)[1] == 0
    assert digest() == before
    """
    in_fresh_process(code)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_forked_during_a_call_of_another_thread_finishes():
    code = """
    import os, threading, ilk
    from test_spine import digest
    ilk.set_num_threads(4)
    before = digest()
    background = threading.Thread(target=lambda: [digest() for _ in range(3)])
    background.start()
    for _ in range(3):
        child = os.fork()
        if child == 0:
            os._exit(0 if digest() == before else 1)
        assert os.waitpid(child, 0)[1] == 0
    background.join()
    """
    in_fresh_process(code)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_of_multiprocessing_get_the_same_bits_with_one_thread(method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} here")
    code = f"""
    import multiprocessing
    from test_spine import digest, digest_in_worker

    if __name__ == "__main__":
        before = digest()
        with multiprocessing.get_context({method!r}).Pool(2) as pool:
            for found, threads, daemon in pool.map(digest_in_worker, range(4)):
                assert found == before
                assert daemon and threads == 1
    """
    in_fresh_process(code, ILK_NUM_THREADS="")


def test_the_environment_sets_the_number_of_threads():
    code = "import ilk; print(ilk.num_threads()); ilk.set_num_threads(2); print(ilk.num_threads())"
    assert in_fresh_process(code, ILK_NUM_THREADS="3").split() == ["3", "2"]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    for odd in ("", "0", "-1", "many"):
        assert 1 <= int(in_fresh_process(code, ILK_NUM_THREADS=odd).split()[0]) <= cores


def test_a_number_of_threads_that_makes_no_sense_is_refused_or_bounded():
    with pytest.raises(exceptions.DataError, match="threads: found -1, but 0"):
        ilk.set_num_threads(-1)
    with pytest.raises(TypeError):
        ilk.set_num_threads("two")
    ilk.set_num_threads(10**9)
    assert ilk.num_threads() == 1024


def test_python_threads_share_one_pool_without_waiting_for_each_other():
    before = digest()
    found = []
    threads = [threading.Thread(target=lambda: found.append(digest())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert found == [before] * 4


def test_other_threads_run_while_a_long_call_works():
    rows = np.random.default_rng(0).normal(size=(60_000, 8))
    done = threading.Event()
    fit = threading.Thread(
        target=lambda: (
            KMeans(n_clusters=12, n_init=4, max_iter=60, tol=0, random_state=0).fit(rows),
            done.set(),
        )
    )
    fit.start()
    steps = 0
    while not done.is_set():
        steps += 1
        done.wait(0.001)
    fit.join()
    assert steps > 10


LONG_FIT = """
import os, signal, sys, threading, time
import numpy as np
from ilk.cluster import KMeans
rows = np.random.default_rng(0).normal(size=(400_000, 16))
def interrupt():
    time.sleep(1.0)
    global sent
    sent = time.monotonic()
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt, daemon=True).start()
began = time.monotonic()
try:
    KMeans(n_clusters=64, n_init=50, max_iter=2000, tol=0, random_state=0).fit(rows)
except KeyboardInterrupt:
    print("interrupted", time.monotonic() - sent)
else:
    print("finished", time.monotonic() - began)
small = KMeans(n_clusters=2, random_state=0).fit(rows[:1000])
print("usable", small.cluster_centers_.shape)
"""


@pytest.mark.skipif(os.name == "nt", reason="SIGINT by os.kill needs POSIX")
def test_control_c_stops_a_long_fit_within_a_second_and_the_session_goes_on():
    lines = in_fresh_process(LONG_FIT).splitlines()
    assert lines[0].startswith("interrupted"), lines
    assert float(lines[0].split()[1]) < 1.0
    assert lines[1] == "usable (2, 16)"


def scorecard(progress):
    return ilk.segment_scorecard(
        customers(),
        segment="kind",
        revenue="revenue",
        n_boot=300,
        random_state=0,
        progress=progress,
    )


def test_progress_is_told_from_the_calling_thread_and_ends_with_all_done():
    told = []
    scorecard(lambda done, total: told.append((done, total, threading.current_thread())))
    assert {thread for *_, thread in told} == {threading.current_thread()}
    assert all(0 <= done <= total for done, total, _ in told)
    assert [done for done, *_ in told] == sorted(done for done, *_ in told)
    done, total, _ = told[-1]
    assert done == total > 0


def test_an_error_in_the_progress_function_reaches_the_caller():
    def fail(done, total):
        raise ZeroDivisionError("in the bar")

    with pytest.raises(ZeroDivisionError, match="in the bar"):
        scorecard(fail)
    assert len(scorecard(False).to_dict()["segment"]) == 4


@pytest.mark.skipif(not _core.debug_build, reason="this build has no way to panic")
@pytest.mark.parametrize("long", [False, True])
def test_a_panic_becomes_an_internal_error_and_the_session_goes_on(long, capfd):
    with pytest.raises(
        exceptions.InternalError, match="a bug in ilk, please report it: index 7 of 3"
    ) as caught:
        _core._panic(long)
    assert isinstance(caught.value, (RuntimeError, exceptions.IlkError))
    capfd.readouterr()
    assert len(digest()) > 0


BASES = {
    "DataError": ValueError,
    "MissingColumnError": KeyError,
    "MemoryLimitError": MemoryError,
    "ModelFileError": ValueError,
    "InternalError": RuntimeError,
}


@pytest.mark.parametrize(("name", "base"), BASES.items())
def test_every_exception_has_both_bases(name, base):
    kind = getattr(exceptions, name)
    assert issubclass(kind, exceptions.IlkError)
    assert issubclass(kind, base)
    assert str(kind("what happened")) == "what happened"
    again = pickle.loads(pickle.dumps(kind("what happened")))
    assert type(again) is kind
    assert str(again) == "what happened"


def test_every_exception_of_the_module_is_listed():
    found = {
        name
        for name, value in vars(exceptions).items()
        if isinstance(value, type) and issubclass(value, exceptions.IlkError)
    }
    assert found == {*BASES, "IlkError"}
    assert found <= set(exceptions.__all__)
    assert not found & set(dir(builtins))


def test_errors_of_the_core_are_the_exceptions_of_the_package():
    data = customers()
    with pytest.raises(exceptions.MissingColumnError, match='did you mean "kind"') as missing:
        ilk.gap_matrix(data, rows="kin", cols="hour")
    assert isinstance(missing.value, KeyError)
    data["revenue"][2] = np.inf
    with pytest.raises(exceptions.DataError, match=r"revenue.*row 2: found inf"):
        ilk.segment_scorecard(data, segment="kind", revenue="revenue", n_boot=0)
    with pytest.raises(TypeError, match='column "kind" has type text'):
        ilk.segment_scorecard(data, segment="kind", revenue="kind")


@pytest.fixture(scope="module")
def results():
    data = customers()
    numbers = {"revenue": data["revenue"][:500], "cost": data["cost"][:500]}
    found = ilk.segment(numbers, k=3, random_state=0)
    return {
        "gap matrix": ilk.gap_matrix(data, rows="kind", cols="hour"),
        "scorecard": ilk.segment_scorecard(
            data, segment="kind", revenue="revenue", cost="cost", n_boot=20, random_state=0
        ),
        "segmentation": found,
        "profile": found.profile(),
    }


RESULTS = ["gap matrix", "scorecard", "segmentation", "profile"]


def same_figures(left, right):
    assert type(left) is type(right)
    left, right = left.to_dict(), right.to_dict()
    assert list(left) == list(right)
    for name, column in left.items():
        other = right[name]
        if isinstance(column, list):
            assert column == other
        else:
            assert column.dtype == other.dtype
            assert column.tobytes() == other.tobytes(), name


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_comes_back_to_the_last_bit(results, name, tmp_path):
    result = results[name]
    path = tmp_path / "result.json"
    text = result.to_json(path)
    kind = type(result)
    for again in (
        pickle.loads(pickle.dumps(result)),
        copy.deepcopy(result),
        kind.from_json(text),
        kind.from_json(path),
        kind.from_json(str(path)),
        kind.from_json(" \n" + text),
    ):
        same_figures(result, again)
        assert again.manifest == result.manifest
        assert again.explain() == result.explain()
    assert repr(pickle.loads(pickle.dumps(result))) == repr(result)


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_is_frozen(results, name):
    with pytest.raises(AttributeError, match="frozen"):
        results[name].table = 3
    with pytest.raises(AttributeError):
        results[name].anything = 3


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_is_seen_as_every_kind_of_frame(results, name):
    result = results[name]
    columns = result.to_dict()
    assert result.to_pandas().shape == result.to_polars().shape == result.to_arrow().shape
    assert list(result.to_pandas().columns) == list(columns)
    assert pl.DataFrame(result).equals(result.to_polars(), null_equal=True)
    assert pa.table(result).equals(result.to_arrow())
    assert isinstance(result.table, dict)
    assert pickle.loads(pickle.dumps(result)).table.keys() == columns.keys()


@pytest.mark.parametrize(
    ("wrap", "kind"),
    [
        (pd.DataFrame, pd.DataFrame),
        (pl.DataFrame, pl.DataFrame),
        (lambda data: pl.DataFrame(data).lazy(), pl.DataFrame),
        (pa.table, pa.Table),
        (dict, dict),
    ],
)
def test_a_result_comes_in_the_kind_of_frame_that_came_in(wrap, kind):
    result = ilk.gap_matrix(wrap(customers()), rows="kind", cols="hour")
    assert isinstance(result.table, kind)
    assert isinstance(pickle.loads(pickle.dumps(result)).table, kind)


def hostile(text):
    """Broken and hostile variants of a saved result, with what each is."""
    whole = json.loads(text)
    content = whole["content"]
    lists = [key for key, value in content.items() if isinstance(value, list) and value]
    yield "empty", ""
    yield "blank", "   "
    yield "no object", "[]"
    yield "no JSON", "{oops"
    yield "cut short", text[:-5]
    yield "two documents", text + text
    yield "deep", '{"content":' + "[" * 100_000
    yield "deep object", '{"a":' * 100_000
    yield "other kind", json.dumps({**whole, "kind": "recipe"})
    yield "other schema", json.dumps({**whole, "schema": "pickle"})
    yield "newer version", json.dumps({**whole, "schema_version": 99})
    yield "version of text", json.dumps({**whole, "schema_version": "1"})
    yield "negative version", json.dumps({**whole, "schema_version": -1})
    yield "no content", json.dumps({key: value for key, value in whole.items() if key != "content"})
    yield "content of another shape", json.dumps({**whole, "content": [1, 2, 3]})
    yield "NaN", re.sub(r"(?<=[\[,:])-?\d+\.\d+(?=[,\]}])", "NaN", text, count=1)
    yield (
        "huge number",
        re.sub(r"(?<=[\[,:])-?\d+\.\d+(?=[,\]}])", "1e999", text, count=1),
    )
    yield "code", json.dumps({**whole, "content": "__import__('os').system('true')"})
    for key in content:
        yield (
            f"without {key}",
            json.dumps({**whole, "content": {k: v for k, v in content.items() if k != key}}),
        )
    for key in lists:
        yield (
            f"{key} one short",
            json.dumps({**whole, "content": {**content, key: content[key][:-1]}}),
        )
        yield (
            f"{key} of objects",
            json.dumps({**whole, "content": {**content, key: [{}] * len(content[key])}}),
        )


@pytest.mark.parametrize("name", RESULTS)
def test_a_broken_or_hostile_file_is_refused(results, name, tmp_path):
    kind = type(results[name])
    for what, text in hostile(results[name].to_json()):
        with pytest.raises(
            exceptions.ModelFileError, match=r"^this is not a usable ilk file: "
        ) as error:
            pytest.fail(f"accepted: {what}: {kind.from_json(text)!r:.200}")
        assert len(str(error.value)) < 2000, what
    binary = tmp_path / "model.json"
    binary.write_bytes(b"\x80\x04\x95\xff\xfe")
    with pytest.raises(exceptions.ModelFileError, match="is not text"):
        kind.from_json(binary)
    with pytest.raises(FileNotFoundError):
        kind.from_json(tmp_path / "not there.json")
    with pytest.raises(exceptions.ModelFileError):
        kind.from_json("no such file " * 10_000)
    for other in RESULTS:
        if other != name:
            with pytest.raises(exceptions.ModelFileError, match="it holds a"):
                kind.from_json(results[other].to_json())


def test_loading_a_file_runs_nothing(results, tmp_path):
    """What is not JSON of ilk is not unpickled either."""
    flag = tmp_path / "ran"

    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(flag),)

    path = tmp_path / "result.json"
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(exceptions.ModelFileError):
        type(results["scorecard"]).from_json(path)
    assert not flag.exists()
