"""test_heaptide.py - the module does what heaptide.h does, and as documented

Run by tests/live/bindings-python.sh, alone and with heaptide inside, which
HEAPTIDE_EXPECT names.
"""

import ctypes
import gc
import json
import logging
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import unittest
import weakref

import heaptide
from memory_optimizer import (CircuitOpen, MemoryConfig, MemoryMonitor,
                              SmartBatchProcessor, memory_guard,
                              process_in_chunks)

MIB = 1 << 20
DEPTH = os.environ.get("HEAPTIDE_EXPECT", heaptide.level())
# A budget that a child of ours has all of for itself.
CHILD = dict(os.environ, HEAPTIDE_DELAY_MODE="off")


def child(code, *arguments, budget=None, **named):
    """A Python of its own that runs code; its output, as JSON."""
    environment = dict(CHILD)
    if budget:
        environment["HEAPTIDE_BUDGET"] = budget
    done = subprocess.run(
        [sys.executable, "-c", "import heaptide, json, sys, time\n" + code,
         *arguments], env=environment, stdout=subprocess.PIPE, timeout=120,
        **named)
    return done.returncode, done.stdout.decode()


class Layout(unittest.TestCase):
    """What is declared here is what the compiler makes of heaptide.h."""

    def test_every_structure_is_as_the_compiler_has_it(self):
        path = os.environ.get("HEAPTIDE_LAYOUT")
        if not path:
            self.skipTest("nobody compiled heaptide.h")
        ours = {"tide_info": heaptide._Info, "tide_op_conf": heaptide._Conf,
                "tide_batch": heaptide._Batch,
                "tide_op_stats": heaptide._Stats,
                "tide_reclaim_result": heaptide._Reclaimed}
        seen = 0
        with open(path) as lines:
            for line in lines:
                kind, field, number = line.split()
                mine = ctypes.sizeof(ours[kind]) if field == "-" else getattr(
                    ours[kind], field).offset
                self.assertEqual(mine, int(number), line)
                seen += 1
        self.assertGreater(seen, 25)


class Questions(unittest.TestCase):
    def test_the_level_is_what_was_started(self):
        self.assertEqual(heaptide.level(), DEPTH)
        self.assertEqual(heaptide.version() is None, DEPTH != "runtime")

    def test_status_has_the_names_that_responses_have(self):
        status = heaptide.status()
        for name in ("memory_usage_gb", "peak_memory_gb", "memory_warnings"):
            self.assertIn(name, status)
        self.assertIn(status["status"], heaptide.STATES)
        self.assertEqual(json.loads(json.dumps(status)), status)
        self.assertGreater(status["memory_usage"], 2 * MIB)
        self.assertGreaterEqual(status["peak_memory"], status["memory_usage"])

    def test_what_is_held_is_seen(self):
        before = heaptide.status()["memory_usage"]
        held = bytearray(64 * MIB)
        self.assertGreater(len(held), 0)
        deadline = time.monotonic() + 10
        while heaptide.status()["memory_usage"] < before + 50 * MIB:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)

    def test_the_heap_is_exact_with_heaptide_inside(self):
        if DEPTH != "runtime":
            self.assertIsNone(heaptide.live())
            return
        before = heaptide.status()["live"]
        held = ctypes.create_string_buffer(10 * MIB)
        grown = heaptide.status()["live"] - before
        self.assertGreaterEqual(grown, 10 * MIB)
        self.assertLess(grown, 11 * MIB)
        del held

    def test_safe_is_yes_or_no_with_its_figures(self):
        self.assertTrue(heaptide.safe("1M"))
        no = heaptide.safe("1M", max_used="2M")
        self.assertFalse(no)
        self.assertEqual(no["safe"], False)
        self.assertGreater(no["current"], 2 * MIB)

    def test_a_knob_is_at_its_best_while_there_is_room(self):
        knob = heaptide.knob("samples", 10, 6)
        if heaptide.state() == "ok":
            self.assertEqual(knob, 10.0)
        self.assertTrue(6 <= knob <= 10)

    def test_a_mark_is_set_where_somebody_counts(self):
        self.assertEqual(heaptide.mark("here"), DEPTH == "runtime")

    def test_memory_status_has_its_two_names_first(self):
        status = heaptide.memory_status()
        self.assertEqual(list(status)[:2], ["memory_rss_mb", "cpu_percent"])
        self.assertGreater(status["memory_rss_mb"], 2)

    def test_a_leak_scan_answers_where_somebody_counts(self):
        if DEPTH == "runtime":
            blocks, size = heaptide.leak_scan()
            self.assertGreaterEqual(size, blocks)
        else:
            with self.assertRaises(heaptide.Error) as caught:
                heaptide.leak_scan()
            self.assertEqual(caught.exception.errno, 19)


class Arguments(unittest.TestCase):
    """Of what is wrong nothing is done, and one sentence is said."""

    BAD_TYPES = [
        lambda: heaptide.safe(1.5), lambda: heaptide.safe(None),
        lambda: heaptide.safe(True), lambda: heaptide.safe(b"1M"),
        lambda: heaptide.mark(7), lambda: heaptide.mark(None),
        lambda: heaptide.operation(None), lambda: heaptide.operation(b"x"),
        lambda: heaptide.operation("x", max="5"),
        lambda: heaptide.on_pressure(5), lambda: heaptide.guard(5),
        lambda: heaptide.component(["x"]), lambda: heaptide.knob("x", "a", 1),
        lambda: heaptide.operation("x").for_each([1], None),
        lambda: heaptide.operation("x").batches([1], run="run"),
        lambda: heaptide.operation("x").batches([1], weight=3),
        lambda: heaptide.operation("x").batches([1], wait="1s"),
        lambda: heaptide.run(5), lambda: heaptide.reserve(1, wait="x"),
        lambda: heaptide.operation("x").size("5"),
    ]
    BAD_VALUES = [
        lambda: heaptide.safe(-1), lambda: heaptide.safe("1X"),
        lambda: heaptide.safe("-1M"), lambda: heaptide.safe(1 << 64),
        lambda: heaptide.mark(""), lambda: heaptide.mark("a\0b"),
        lambda: heaptide.operation("x", max=-1),
        lambda: heaptide.operation("x", max=1 << 32),
        lambda: heaptide.operation("x", target=2),
        lambda: heaptide.operation("x", model="best"),
        lambda: heaptide.operation("x", policy="none"),
        lambda: heaptide.on_pressure(print, cls="free"),
        lambda: heaptide.init("nonsense=1"),
        lambda: heaptide.init("budget=lots"),
        lambda: heaptide.operation("x").batches([1], wait=-1),
        lambda: heaptide.operation("x").batches([1], wait=float("nan")),
        lambda: heaptide.component(""),
        lambda: heaptide.reserve(5, 2), lambda: heaptide.reserve(0, 0),
        lambda: MemoryConfig(max_memory_gb=0.5),
        lambda: MemoryConfig(batch_size_min=0),
    ]

    def test_a_wrong_type_is_a_BadType(self):
        for number, call in enumerate(self.BAD_TYPES):
            with self.subTest(number=number):
                with self.assertRaises(heaptide.BadType) as caught:
                    call()
                self.assertIsInstance(caught.exception, TypeError)
                self.assertIn("accepted", str(caught.exception))

    def test_a_wrong_value_is_a_BadValue(self):
        for number, call in enumerate(self.BAD_VALUES):
            with self.subTest(number=number):
                with self.assertRaises(heaptide.BadValue) as caught:
                    call()
                self.assertIsInstance(caught.exception, ValueError)

    def test_sizes_are_read_as_everywhere(self):
        for text, size in (("512", 512), ("64K", 65536), ("512M", 512 * MIB),
                           ("1.5G", 1536 * MIB), ("2GiB", 2048 * MIB),
                           ("3 MB", 3 * MIB), (7, 7)):
            self.assertEqual(heaptide.parse_size(text), size)


class Batches(unittest.TestCase):
    def test_every_item_comes_once_and_in_order(self):
        for items in (range(1000), list(range(1000)), iter(range(1000)),
                      (i for i in range(1000)), tuple(range(1000))):
            op = heaptide.operation("order", max=37)
            walk = op.batches(items)
            seen = []
            for batch in walk:
                self.assertEqual(batch.first, len(seen))
                self.assertLessEqual(len(batch), 37)
                self.assertGreater(len(batch), 0)
                seen += batch
            self.assertEqual(seen, list(range(1000)))
            self.assertTrue(walk.finished)
            self.assertEqual(walk.at, 1000)

    def test_of_nothing_there_is_no_batch(self):
        for items in ([], iter([]), range(0), {}, ""):
            walk = heaptide.operation("nothing").batches(items)
            self.assertEqual(list(walk), [])
            self.assertTrue(walk.finished)

    def test_what_is_configured_holds(self):
        op = heaptide.operation("fixed", fixed=20)
        self.assertEqual([len(b) for b in op.batches(range(70))],
                         [20, 20, 20, 10])
        stats = op.stats()
        self.assertEqual(stats["name"], "fixed")
        self.assertEqual((stats["batches"], stats["items"]), (4, 70))
        self.assertEqual(stats["active"], 0)

    def test_weights_close_a_batch_before_what_would_not_fit(self):
        code = """
op = heaptide.operation("weights")
sizes = [1 << 20] * 400
most = 0
for batch in op.batches(sizes, weight=lambda n: n):
    data = [bytearray(n) for n in batch]
    most = max(most, heaptide.status()["memory_usage"])
    del data
print(json.dumps([most, op.stats()["items"], op.stats()["weights"]]))
"""
        status, out = child(code, budget="160M")
        self.assertEqual(status, 0)
        most, items, weights = json.loads(out)
        self.assertEqual((items, weights), (400, 400))
        self.assertLess(most, 160 * MIB)

    def test_batches_keep_within_the_budget(self):
        code = """
op = heaptide.operation("sized")
most = 0
seen = []
for batch in op.batches(range(300)):
    data = [(bytearray(1 << 20), time.sleep(0.002)) for _ in batch]
    most = max(most, heaptide.status()["memory_usage"])
    seen += batch
    del data
stats = op.stats()
print(json.dumps([most, seen == list(range(300)), stats["n_most"]]))
"""
        status, out = child(code, budget="160M")
        self.assertEqual(status, 0)
        most, complete, largest = json.loads(out)
        self.assertTrue(complete)
        self.assertLess(most, 160 * MIB)
        self.assertGreater(largest, 1)

    def test_each_gives_back_what_was_not_handed_out(self):
        code = """
op = heaptide.operation("each", initial=200, min=200)
seen, cut = [], 0
for batch in op.batches(range(500)):
    held = []
    for item in batch.each():
        held.append(bytearray(1 << 20))
        seen.append(item)
        time.sleep(0.002)  # alone, what is resident is looked at, not counted
    cut += batch.taken() < len(batch)
    del held
print(json.dumps([seen == list(range(500)), cut]))
"""
        status, out = child(code, budget="80M")
        self.assertEqual(status, 0)
        complete, cut = json.loads(out)
        self.assertTrue(complete)
        self.assertGreater(cut, 0)

    def test_where_nothing_fits_it_is_NoMemory(self):
        code = """
held = bytearray(90 << 20)
op = heaptide.operation("full")
try:
    for batch in op.batches(range(5)):
        held += bytearray(8 << 20)
    print("all")
except heaptide.NoMemory as error:
    print(isinstance(error, MemoryError), error.errno)
"""
        status, out = child(code, budget="60M")
        self.assertEqual((status, out), (0, "True 12\n"))

    def test_a_loop_that_is_left_gives_its_batch_up(self):
        op = heaptide.operation("left", max=5)
        for batch in op.batches(range(100)):
            break
        self.assertEqual(op.stats()["active"], 0)
        with self.assertRaises(KeyError):
            for batch in op.batches(range(100)):
                raise KeyError
        gc.collect()
        self.assertEqual(op.stats()["active"], 0)

    def test_MemoryError_is_tried_again_with_fewer(self):
        op = heaptide.operation("again", initial=16, min=1, max=16)
        seen, sizes = [], []

        def work(batch):
            sizes.append(len(batch))
            if len(batch) > 4:
                raise MemoryError
            seen.extend(batch)

        done = op.for_each(range(60), work, delay=0.001)
        self.assertEqual((done, seen), (60, list(range(60))))
        self.assertGreater(sizes[0], 4)

    def test_a_single_item_is_not_tried_for_ever(self):
        tries = []

        def work(batch):
            tries.append(len(batch))
            raise MemoryError

        with self.assertRaises(MemoryError):
            heaptide.operation("never", max=1).for_each(
                range(3), work, retries=2, delay=0.001)
        self.assertEqual(len(tries), 3)

    def test_a_batch_is_a_list_also_for_another_process(self):
        batch = next(heaptide.operation("sent", fixed=3).batches("abc"))
        again = pickle.loads(pickle.dumps(batch))
        self.assertEqual((type(again), again), (list, ["a", "b", "c"]))

    def test_clear_lets_go_of_a_batch_that_is_over(self):
        class Row:
            pass

        alive = []
        walk = heaptide.operation("clear", fixed=4).batches(
            (Row() for _ in range(12)), clear=True)
        for batch in walk:
            alive += [weakref.ref(row) for row in batch]
            self.assertLessEqual(sum(r() is not None for r in alive), 4)

    def test_threads_work_side_by_side(self):
        seen, errors = [[], [], [], []], []

        def work(mine, number):
            try:
                for batch in heaptide.operation("threads", max=7).batches(
                        range(200)):
                    mine += batch
                    time.sleep(0)
            except Exception as error:
                errors.append((number, error))

        threads = [threading.Thread(target=work, args=(mine, i))
                   for i, mine in enumerate(seen)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        self.assertEqual(errors, [])
        self.assertEqual(seen, [list(range(200))] * 4)

    def test_a_forked_child_begins_anew(self):
        op = heaptide.operation("forked", fixed=10)
        walk = op.batches(range(30))
        next(walk)
        pid = os.fork()
        if pid == 0:
            try:
                walk.close()
                n = sum(len(b) for b in op.batches(range(50)))
                os._exit(0 if n == 50 and op.stats()["items"] == 50 else 1)
            finally:
                os._exit(2)
        self.assertEqual(os.waitpid(pid, 0)[1], 0)
        self.assertEqual(sum(len(b) for b in walk), 20)

    def test_a_signal_is_heard_while_it_waits(self):
        code = """
import signal, threading, time, os
heaptide.operation("held", max_concurrent=1)
walk = heaptide.operation("held").batches(range(2))
batch = next(walk)
def later():
    time.sleep(1)
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=later).start()
done = []
def hold():
    other = heaptide.operation("held").batches(range(1), wait=0)
    try:
        next(other)
    except heaptide.Error as error:
        done.append(type(error).__name__)
t = threading.Thread(target=hold); t.start(); t.join()
walk.end()
keeper = threading.Event()
def keep():
    w = heaptide.operation("held").batches(range(1))
    next(w); keeper.set(); time.sleep(15); w.end()
threading.Thread(target=keep, daemon=True).start()
keeper.wait()
try:
    next(heaptide.operation("held").batches(range(1)))
    print("began")
except KeyboardInterrupt:
    print("heard", done)
sys.stdout.flush()
os._exit(0)
"""
        status, out = child(code)
        self.assertEqual((status, out), (0, "heard ['TimedOut']\n"))


class Cleanups(unittest.TestCase):
    def test_a_cleanup_is_called_with_what_it_asks_for(self):
        told = []

        @heaptide.on_pressure
        def plain():
            told.append("plain")

        @heaptide.on_pressure(cls="compact", priority=3)
        def with_arguments(level, want):
            told.append((level, want))
            return 5

        result = heaptide.reclaim()
        self.assertIn("plain", told)
        self.assertIn(("critical", None), told)
        self.assertGreaterEqual(result["callbacks"], 2)
        plain.cancel()
        with_arguments.cancel()
        told.clear()
        heaptide.reclaim()
        self.assertEqual(told, [])
        plain()  # what it decorates is what it was
        self.assertEqual(told, ["plain"])

    def test_what_throws_is_logged_and_the_others_are_called(self):
        told = []
        bad = heaptide.on_pressure(lambda: 1 / 0, cls="compact", name="bad")
        good = heaptide.on_pressure(lambda: told.append(1), cls="idle")
        with self.assertLogs("heaptide", "ERROR") as log:
            heaptide.reclaim()
        self.assertIn("bad failed", log.output[0])
        self.assertEqual(told, [1])
        bad.cancel()
        good.cancel()

    def test_exit_in_a_cleanup_goes_on_where_it_was_called(self):
        def leave():
            raise SystemExit(7)

        cleanup = heaptide.on_pressure(leave)
        with self.assertRaises(SystemExit):
            heaptide.reclaim()
        cleanup.cancel()
        heaptide.reclaim()

    def test_a_cleanup_lives_though_nobody_keeps_it(self):
        told = []
        heaptide.on_pressure(lambda: told.append(1), name="kept")
        gc.collect()
        heaptide.reclaim()
        self.assertEqual(told, [1])

    def test_garbage_is_collected(self):
        class Circle:
            def __init__(self):
                self.me = self

        heaptide.operation("first")
        gone = weakref.ref(Circle())
        heaptide.reclaim()
        self.assertIsNone(gone())

    def test_another_thread_may_be_the_one_that_cleans(self):
        told = []
        cleanup = heaptide.on_pressure(
            lambda: told.append(threading.current_thread().name))
        thread = threading.Thread(target=heaptide.reclaim, name="other")
        thread.start()
        thread.join(30)
        self.assertEqual(told, ["other"])
        cleanup.cancel()

    def test_the_state_is_told_by_a_descriptor(self):
        self.assertEqual(os.fstat(heaptide.pressure_fd()).st_mode & 0o170000,
                         0o010000)


class Rooms(unittest.TestCase):
    def test_a_guard_is_a_batch_of_one_item(self):
        with heaptide.guard("watched"):
            pass

        @heaptide.guard("watched")
        def twice(n):
            return twice(n - 1) if n else "done"

        self.assertEqual(twice(3), "done")
        stats = heaptide.operation("watched").stats()
        self.assertEqual((stats["batches"], stats["active"]), (5, 0))

    def test_a_guard_that_asks_for_too_much_is_refused(self):
        status, out = child("""
try:
    with heaptide.guard("huge", "1G"):
        print("in")
except heaptide.NoMemory:
    print("no")
""", budget="200M")
        self.assertEqual((status, out), (0, "no\n"))

    def test_a_component_holds_what_was_taken_inside(self):
        part = heaptide.component("cache", max="64M")
        with part:
            held = ctypes.create_string_buffer(8 * MIB)
        if DEPTH == "runtime":
            self.assertGreaterEqual(part.used(), 8 * MIB)
        else:
            self.assertIsNone(part.used())
        # All of it, unless the machine is short of memory.
        self.assertIn(part.budget() / MIB, (64, 48, 32, 16))
        del held

    def test_room_is_reserved_until_it_is_given_back(self):
        status, out = child("""
with heaptide.reserve("20M", "40M") as room:
    print(20 << 20 <= room.bytes <= 40 << 20, heaptide.operation(
        "r").size(100) > 0)
try:
    heaptide.reserve("1G", wait=0.1)
except heaptide.Error as error:
    print(type(error).__name__)
heaptide.reserve("60M"); print("again")
""", budget="200M")
        self.assertEqual((status, out), (0, "True True\nNoMemory\nagain\n"))


class Runs(unittest.TestCase):
    LOOP = """
import os
stop = int(sys.argv[1])
done = []
op = heaptide.operation("job", fixed=10)
run = heaptide.run("job", total=100, unit="page")
with run:
    first, blob = run.at, run.blob
    walk = op.batches(range(100), run=run)
    for batch in walk:
        done += batch
        if batch.first == stop:
            print(json.dumps([first, done])); sys.stdout.flush()
            os.kill(os.getpid(), 9)
print(json.dumps([first, done]))
"""

    # A run is known by its arguments: the same for each of its starts.
    def start(self, stop):
        environment = dict(CHILD, STOP=str(stop))
        done = subprocess.run(
            [sys.executable, "-c", "import heaptide, json, sys\n" +
             self.LOOP.replace("sys.argv[1]", "os.environ['STOP']")],
            env=environment, stdout=subprocess.PIPE, timeout=120)
        return done.returncode, json.loads(done.stdout)

    def test_a_killed_run_goes_on_where_it_was(self):
        status, (first, done) = self.start(40)
        self.assertEqual((status, first, done), (-9, 0, list(range(50))))
        status, (first, done) = self.start(-1)
        self.assertEqual((status, first), (0, 40))
        self.assertEqual(done, list(range(40, 100)))
        # It was finished: the next begins at the start.
        status, (first, done) = self.start(-1)
        self.assertEqual((status, first, len(done)), (0, 0, 100))

    def test_what_was_kept_comes_back(self):
        kept = {"sum": 12, "names": ["a", "b"]}
        run = heaptide.run("blob", total=10, unit="page")
        run.checkpoint(4, pickle.dumps(kept))
        run.finish(False)
        with heaptide.run("blob", total=10, unit="page") as run:
            self.assertTrue(run.resumed)
            self.assertEqual(run.at, 4)
            self.assertEqual(pickle.loads(run.blob), kept)
            with self.assertRaises(heaptide.BadType):
                run.checkpoint(5, {"not": "bytes"})
            with self.assertRaises(heaptide.BadType):
                run.checkpoint(5, "text")
            with self.assertRaises(heaptide.BadValue):
                run.checkpoint(5, bytes(65537))
            with self.assertRaises(heaptide.BadValue):
                run.checkpoint(-1)
            run.checkpoint(10)
        with heaptide.run("blob", total=10) as run:
            self.assertFalse(run.resumed)
            run.checkpoint(10, bytes(65536))

    def test_one_run_at_a_time(self):
        with heaptide.run("one") as run:
            with self.assertRaises(heaptide.Error) as caught:
                heaptide.run("two")
            self.assertEqual(caught.exception.errno, 114)
            self.assertTrue(run.id.startswith("one"))

    def test_a_callback_is_called_when_one_is_due(self):
        due = []
        with heaptide.run("due") as run:
            @run.on_checkpoint
            def save(at):
                due.append(at)
                run.checkpoint(at)

            for _ in heaptide.operation("due", fixed=2,
                                        checkpoint_every=3).batches(range(20)):
                pass
        self.assertEqual(due, [6, 12, 18])

    def test_an_input_that_has_changed_is_told(self):
        path = os.path.join(os.environ.get("TMPDIR", "/tmp"),
                            "heaptide-input-%d" % os.getpid())
        with open(path, "w") as f:
            f.write("one\n")
        try:
            run = heaptide.run("inputs", inputs=[path])
            run.checkpoint(1)
            run.finish(False)
            with open(path, "w") as f:
                f.write("another\n")
            with self.assertRaises(heaptide.Error) as caught:
                heaptide.run("inputs", inputs=[path])
            self.assertEqual(caught.exception.errno, 116)
        finally:
            os.unlink(path)

    def test_a_run_that_throws_is_gone_on_with(self):
        with self.assertRaises(KeyError):
            with heaptide.run("throws", total=3) as run:
                run.checkpoint(2)
                raise KeyError
        with heaptide.run("throws", total=3) as run:
            self.assertEqual(run.at, 2)
            run.checkpoint(3)


class AsTheyStand(unittest.TestCase):
    """The examples that were asked for."""

    def test_monitor_and_processor(self):
        data, your_function = list(range(37)), lambda batch: [
            i * 2 for i in batch]

        monitor = MemoryMonitor()
        processor = SmartBatchProcessor(monitor)

        # Automatically adjusts batch sizes based on memory
        result = processor.process_with_memory_awareness(data, your_function)
        self.assertEqual(result, [i * 2 for i in data])

    def test_batches_are_five_and_one_and_none(self):
        # Lines around where this process stands, instead of 1.0 and 1.5.
        now = heaptide.status()["memory_usage"] / (1 << 30)
        for warning, most, size in ((now + 5, now + 9, 5), (now / 2, now + 5,
                                    1), (now / 4, now / 2, 0)):
            monitor = MemoryMonitor(MemoryConfig(
                max_memory_gb=most, warning_memory_gb=warning))
            self.assertEqual(monitor.get_optimal_batch_size(), size)

    def test_a_batch_is_small_where_memory_is_high(self):
        now = heaptide.status()["memory_usage"] / (1 << 30)
        monitor = MemoryMonitor(MemoryConfig(
            max_memory_gb=now + 5, warning_memory_gb=now / 2))
        sizes = []
        SmartBatchProcessor(monitor, "small").process_with_memory_awareness(
            range(6), lambda batch: sizes.append(len(batch)))
        self.assertEqual(sizes, [1] * 6)
        self.assertGreaterEqual(monitor.memory_warnings, 1)

    def test_the_breaker_opens_and_tells_what_is_done(self):
        monitor = MemoryMonitor(MemoryConfig(max_memory_gb=100,
                                             warning_memory_gb=99,
                                             patience=0.3))
        held = []

        def work(batch):
            held.append(batch)
            if len(held) == 3:
                monitor.config.warning_memory_gb = 0.0001
                monitor.config.max_memory_gb = 0.0002
            return list(batch)

        with self.assertRaises(CircuitOpen) as caught:
            SmartBatchProcessor(monitor, "breaker") \
                .process_with_memory_awareness(range(100), work)
        n = sum(len(batch) for batch in held)
        self.assertEqual(caught.exception.done, n)
        self.assertEqual(caught.exception.results, list(range(n)))

    def test_the_breaker_closes_when_memory_normalises(self):
        monitor = MemoryMonitor(MemoryConfig(
            max_memory_gb=0.0002, warning_memory_gb=0.0001, patience=30))

        @heaptide.on_pressure
        def normalise():
            monitor.config.max_memory_gb = 100
            monitor.config.warning_memory_gb = 99

        with self.assertLogs("heaptide", "INFO") as log:
            result = SmartBatchProcessor(monitor, "reset") \
                .process_with_memory_awareness(range(9), list)
        normalise.cancel()
        self.assertEqual(result, list(range(9)))
        self.assertRegex("\n".join(log.output), "Circuit breaker reset at")

    def test_memory_guard_says_what_it_does(self):
        generate_embeddings, texts = len, ["a"] * 1000
        monitor = MemoryMonitor()

        # Wrap memory-intensive operations
        with self.assertLogs("heaptide", "INFO") as log:
            with memory_guard(monitor, "embedding_generation"):
                embeddings = generate_embeddings(texts)
        self.assertEqual(embeddings, 1000)
        self.assertRegex(log.output[0], r"Starting embedding_generation "
                         r"\(Memory: \d+\.\d\dGB\)$")
        with self.assertLogs("heaptide", "INFO") as log:
            monitor.force_cleanup()
        self.assertRegex(log.output[-1], r"Cleanup: \d+ objects collected, "
                         r"now \d+\.\d\dGB$")

    def test_responses_have_the_fields(self):
        status = MemoryMonitor().get_status()
        self.assertEqual(status["status"], "success")
        for name in ("memory_usage_gb", "peak_memory_gb", "memory_warnings"):
            self.assertIsInstance(status[name], (int, float))

    def test_chunks_of_fifty(self):
        status, out = child("""
from memory_optimizer import process_in_chunks
n = process_in_chunks(range(120), lambda pages: None, chunk_size=50)
print(n)
""", stderr=subprocess.STDOUT)
        self.assertEqual(status, 0)
        self.assertIn("--- PROCESSING CHUNK 1/3 (pages 1-50) ---", out)
        self.assertIn("Progress: 1/3 chunks completed (33.3%)", out)
        self.assertTrue(out.endswith("120\n"))
        self.assertEqual(process_in_chunks(range(120), len, progress=False),
                         120)

    def test_heaptide_has_these_names_too(self):
        self.assertIs(heaptide.MemoryMonitor, MemoryMonitor)
        with self.assertRaises(AttributeError):
            heaptide.NoSuchThing


class Endings(unittest.TestCase):
    def test_the_end_of_the_interpreter_is_quiet(self):
        status, out = child("""
import threading
heaptide.on_pressure(lambda: 0)
walk = heaptide.operation("open").batches(range(10))
keep = next(walk)
print("end")
""", stderr=subprocess.STDOUT)
        self.assertEqual((status, out), (0, "end\n"))

    def test_a_client_that_is_not_there_is_said(self):
        environment = dict(os.environ, HEAPTIDE_CLIENT="/nowhere/x.so")
        done = subprocess.run([sys.executable, "-c", "import heaptide"],
                              env=environment, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"ImportError: HEAPTIDE_CLIENT is '/nowhere/x.so'",
                      done.stderr)


if __name__ == "__main__":
    logging.getLogger("heaptide").addHandler(logging.NullHandler())
    unittest.main()
