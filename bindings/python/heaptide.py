"""heaptide - a program asks how much memory is left, and works in what fits.

    import heaptide

    for batch in heaptide.operation("index").batches(pages):
        index(batch)

Everything of heaptide.h by ctypes, without a compiler.  Under `heaptide run`
the heap is counted exactly; without it /proc, control groups and limits are
read.  level() tells which it is.

Sizes are bytes: an int, or text such as "512M"; times are seconds.  What is
wrong with an argument is a BadValue or a BadType, raised before anything is
done.  All of it may be called from any thread; a call that waits lets the
others run.  A child of os.fork() begins anew, as heaptide.h has it.
"""

import atexit
import ctypes
import gc
import glob
import inspect
import json
import logging
import os
import re
import shutil
import sys
import threading
import time
from collections import deque
from contextlib import ContextDecorator
from ctypes import (CFUNCTYPE, POINTER, byref, c_char, c_char_p, c_double,
                    c_int, c_int64, c_size_t, c_uint, c_uint32, c_uint64,
                    c_void_p, create_string_buffer, sizeof)
from itertools import islice
from typing import (Any, Callable, Deque, Dict, Generic, Iterable, Iterator,
                    List, Optional, Sequence, Tuple, TypeVar, Union)

__version__ = "0.1.0"

T = TypeVar("T")
Size = Union[int, str]

log = logging.getLogger("heaptide")

NONE = (1 << 64) - 1  # no limit; not known: None in what is returned
STATES = ("ok", "warning", "critical", "exhausted")
LEVELS = ("standalone", "page", "runtime")
CLASSES = {"compact": 0, "benign": 1, "idle": 2, "destructive": 3}
MODELS = {"auto": 0, "additive": 1, "padded": 2, "vector": 3}
POLICIES = {"learn": 0, "seed": 1, "mean": 2, "fixed": 3}
STOPS = {1: "term", 2: "drain", 4: "exhausted", 8: "recycle"}
EXIT_NO_MEMORY = 75  # exit with this: no room, gracefully
EXIT_CHECKPOINT = 85  # exit with this: go on from the checkpoint

_NOMEM, _ERROR, _CANCEL = 1, 2, 3
_ANY_THREAD, _FORCE_RECLAIM, _EMERGENCY = 1, 2, 4
_NO_CALLBACKS, _NO_PURGE = 8, 16
_NAP = 2.0  # s that the main thread waits before it looks for signals
_RUN_ROOM = 40
_BLOB_MOST = 65536


# --- what can go wrong -------------------------------------------------------

class Error(Exception):
    """What heaptide could not do; errno is that of heaptide.h, positive."""

    def __init__(self, text: str, errno: int = 0) -> None:
        super().__init__(text)
        self.errno = errno


class BadValue(Error, ValueError):
    """An argument is out of its range."""


class BadType(Error, TypeError):
    """An argument is of a kind that cannot be meant."""


class NoMemory(Error, MemoryError):
    """There is no room, and none is to be expected."""


class TimedOut(Error, TimeoutError):
    """No room came free in the time that was given."""


class Stopped(Error):
    """The program has been asked to come to its end: should_stop()."""


_KINDS = {12: NoMemory, 110: TimedOut, 125: Stopped, 22: BadValue,
          34: BadValue}


def _failed(what: str, r: int) -> Error:
    kind = _KINDS.get(-r, Error)
    return kind("%s: %s" % (what, os.strerror(-r)), -r)


def _done(what: str, r: int) -> int:
    if r < 0:
        raise _failed(what, r)
    return r


# --- arguments ---------------------------------------------------------------

_UNITS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}


def _number(value: Any, name: str, least: int = 0, most: int = NONE - 1) -> int:
    """A whole number in its range; numpy's are as good."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise BadType("%s is %r; accepted is a whole number" % (name, value))
    value = value.__index__()
    if not least <= value <= most:
        raise BadValue("%s is %d; accepted is %d to %d" % (name, value, least,
                                                           most))
    return value


def parse_size(value: Size, name: str = "size") -> int:
    """Bytes of 512, "64K", "1.5G", "10MiB"; powers of 1024."""
    if not isinstance(value, str):
        return _number(value, name)
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([KMGT]?)(?:iB|B)?", value.strip(),
                         re.IGNORECASE)
    if not found:
        raise BadValue("%s is %r; accepted are bytes, as 512, 64K, 512M, 1.5G"
                       % (name, value))
    return _number(int(float(found[1]) * 1024 ** _UNITS[found[2].upper()]),
                   name)


def _wait_ns(wait: Optional[float], name: str = "wait") -> int:
    """None: as long as there is hope."""
    if wait is None:
        return -1
    if isinstance(wait, bool) or not isinstance(wait, (int, float)):
        raise BadType("%s is %r; accepted are seconds, or None" % (name, wait))
    if not 0 <= wait < 1e9:
        raise BadValue("%s is %r; accepted are seconds from 0, or None"
                       % (name, wait))
    return int(wait * 1e9)


def _text(value: Any, name: str, empty: bool = False) -> bytes:
    if not isinstance(value, str):
        raise BadType("%s is %r; accepted is text" % (name, value))
    if "\0" in value or not (value or empty):
        raise BadValue("%s is %r; accepted is text that is not empty and "
                       "without zeros" % (name, value))
    return value.encode("utf-8", "surrogateescape")


def _one_of(value: Any, name: str, table: Dict[str, int]) -> int:
    if value not in table:
        raise BadValue("%s is %r; accepted are %s" % (name, value,
                                                      ", ".join(table)))
    return table[value]


def _callable(value: Any, name: str) -> None:
    if not callable(value):
        raise BadType("%s is %r; accepted is a function" % (name, value))


def _known(n: int) -> Optional[int]:
    return None if n == NONE else n


# --- the library -------------------------------------------------------------

class _Info(ctypes.Structure):
    _fields_ = [("size", c_uint32), ("version", c_uint32), ("state", c_int),
                ("level", c_int), ("warnings", c_uint32), ("flags", c_uint32),
                ("budget", c_uint64), ("used", c_uint64),
                ("available", c_uint64), ("live", c_uint64),
                ("blocks", c_uint64), ("resident", c_uint64),
                ("retained", c_uint64), ("peak_live", c_uint64),
                ("peak_used", c_uint64), ("lease", c_uint64),
                ("rate", c_uint64), ("source", c_char * 32)]


class _Conf(ctypes.Structure):
    _fields_ = [("size", c_uint32), ("initial", c_uint32), ("min", c_uint32),
                ("max", c_uint32), ("fixed", c_uint32),
                ("max_concurrent", c_uint32), ("target", c_double),
                ("model", c_int), ("policy", c_int),
                ("checkpoint_every", c_uint32), ("timeout_ns", c_uint64),
                ("unit", c_char_p), ("monitor", c_int), ("detect", c_int),
                ("reclaim_before", c_int), ("reclaim_after", c_int),
                ("page", c_uint32), ("max_pages", c_uint32)]


class _Batch(ctypes.Structure):
    _fields_ = [("first", c_uint64), ("n", c_uint32), ("op_", c_uint32),
                ("line_", c_uint64), ("p_", c_uint64 * 32)]


class _Stats(ctypes.Structure):
    _fields_ = [("name", c_char * 48), ("unit", c_char * 16)] + [
        (name, c_uint64) for name in (
            "batches", "items", "items_failed", "cuts", "aborts", "overruns",
            "n_last", "n_least", "n_most", "n_next", "growth_last",
            "growth_most", "growth_sum", "predicted_last", "retained_sum")] + [
        ("retained_last", c_int64)] + [(name, c_uint64) for name in (
            "time_ns", "delay_ns", "wait_ns", "reclaim_ns", "delay_freed",
            "first", "done", "total", "started_ns", "ended_ns", "one",
            "fixed")] + [
        ("per_item", c_double), ("power", c_double), ("knee", c_uint64),
        ("knee_rate", c_double), ("most_rate", c_double),
        ("weight_most", c_uint64), ("weight_sum", c_uint64),
        ("weights", c_uint64), ("bound", c_uint32), ("policy", c_uint32),
        ("active", c_uint32), ("active_most", c_uint32),
        ("growth_squares", c_uint64), ("changes", c_uint64),
        ("checkpoints", c_uint64), ("checkpoint_bytes", c_uint64),
        ("checkpoint_ns", c_uint64), ("item_most", c_uint64),
        ("growth_p50", c_uint64), ("growth_p95", c_uint64),
        ("growth_p99", c_uint64), ("aborts_memory", c_uint64),
        ("reserved", c_uint64 * 11)]


class _Reclaimed(ctypes.Structure):
    _fields_ = [("freed", c_uint64), ("blocks", c_uint64),
                ("returned", c_uint64), ("time_ns", c_uint64),
                ("callbacks", c_uint32), ("state", c_uint32)]


_BOUNDS = ("none", "memory", "growth", "knee", "max", "remaining", "overrun",
           "state", "lease", "fixed")

_Clean = CFUNCTYPE(c_uint64, c_void_p, c_int, c_uint64)
_Checkpoint = CFUNCTYPE(c_int, c_void_p, c_uint64)

# Name, result, arguments; as in heaptide.h, behind tide_.
_FUNCTIONS: Tuple[Tuple[str, Any, List[Any]], ...] = (
    ("budget", c_uint64, []), ("used", c_uint64, []),
    ("available", c_uint64, []), ("live", c_uint64, []),
    ("state", c_int, []), ("utilization", c_double, []),
    ("should_stop", c_int, []), ("level", c_int, []),
    ("init", c_int, [c_char_p]), ("status", c_int, [POINTER(_Info)]),
    ("json", c_int, [c_char_p, c_size_t]), ("budget_set", c_int, [c_uint64]),
    ("safe", c_int, [c_uint64, c_uint64, POINTER(_Info)]),
    ("op_open", c_void_p, [c_char_p, POINTER(_Conf)]),
    ("batch_size", c_uint32, [c_void_p, c_uint64]),
    ("batch_begin", c_int, [c_void_p, POINTER(_Batch), c_uint64, c_uint64,
                            c_int64]),
    ("batch_more", c_int, [POINTER(_Batch)]),
    ("item", c_int, [POINTER(_Batch), c_uint64]),
    ("item_done", None, [POINTER(_Batch)]),
    ("item_fail", None, [POINTER(_Batch), c_uint64, c_char_p]),
    ("batch_end", c_int, [POINTER(_Batch), c_uint64]),
    ("batch_abort", None, [POINTER(_Batch), c_int]),
    ("op_stats", c_int, [c_void_p, POINTER(_Stats)]),
    ("guard_begin", c_int, [c_char_p, c_uint64]), ("guard_end", None, [c_int]),
    ("component", c_int, [c_char_p, c_uint64, c_uint]),
    ("component_enter", None, [c_int]), ("component_leave", None, [c_int]),
    ("component_used", c_uint64, [c_int]),
    ("cache_budget", c_uint64, [c_int]),
    ("reserve", c_int, [c_uint64, c_uint64, c_int64, POINTER(c_uint64)]),
    ("unreserve", None, [c_uint64]),
    ("on_pressure", c_int, [_Clean, c_void_p, c_int, c_int, c_uint, c_char_p]),
    ("off_pressure", c_int, [c_int]),
    ("reclaim", c_int, [c_uint, c_uint64, POINTER(_Reclaimed)]),
    ("poll", c_int, [c_uint]), ("pressure_fd", c_int, []),
    ("knob", c_double, [c_char_p, c_double, c_double]),
    ("run_begin", c_int, [c_char_p, c_uint64, c_char_p, c_char_p]),
    ("input", c_int, [c_char_p]),
    ("resume", c_int, [POINTER(c_uint64), c_void_p, POINTER(c_size_t)]),
    ("checkpoint", c_int, [c_uint64, c_char_p, c_size_t]),
    ("on_checkpoint", c_int, [_Checkpoint, c_void_p]),
    ("run_finish", c_int, [c_int]), ("recycle", None, []),
    ("mark", c_int, [c_char_p]), ("version", c_char_p, []),
    ("leak_scan", c_int, [POINTER(c_uint64), POINTER(c_uint64)]),
)

_CLIENT = "libheaptide-client.so"
_INSTALLED = "@pkglibdir@"  # make install writes where it is


def _places() -> Iterator[str]:
    """Where the client may lie: beside what is preloaded, first of all."""
    try:
        with open("/proc/self/maps", errors="surrogateescape") as maps:
            for line in maps:
                if line.rstrip("\n").endswith("/libheaptide.so"):
                    beside = os.path.dirname(line[line.index("/"):])
                    yield os.path.join(beside, _CLIENT)
                    yield os.path.join(beside, "heaptide", _CLIENT)
                    break
    except OSError:
        pass
    yield os.path.join(os.path.dirname(os.path.abspath(__file__)), _CLIENT)
    yield os.path.join(_INSTALLED, _CLIENT)
    command = shutil.which("heaptide")
    prefixes = ["/usr/local", "/usr"]
    if command:
        prefixes.insert(0, os.path.dirname(os.path.dirname(
            os.path.realpath(command))))
    for prefix in prefixes:
        yield os.path.join(prefix, "lib", "heaptide", _CLIENT)
        yield from glob.glob(os.path.join(glob.escape(prefix), "lib", "*",
                                          "heaptide", _CLIENT))


def _open_client() -> ctypes.CDLL:
    given = os.environ.get("HEAPTIDE_CLIENT")
    if given:
        try:
            return ctypes.CDLL(given)
        except OSError as error:
            raise ImportError("HEAPTIDE_CLIENT is %r: %s; accepted is the "
                              "path of a %s" % (given, error, _CLIENT)
                              ) from None
    for path in _places():
        try:
            return ctypes.CDLL(path)
        except OSError:
            continue
    raise ImportError("%s is not found; install heaptide, or set "
                      "HEAPTIDE_CLIENT to its path" % _CLIENT)


class _Thread(threading.local):
    """What a callback threw that is not the callback's alone."""

    thrown: Optional[BaseException] = None


_thread = _Thread()


def _guarded(function: Any) -> Callable[..., Any]:
    """Ctrl-C and exit() inside of a callback go on where it was called."""
    def call(*arguments: Any) -> Any:
        result = function(*arguments)
        thrown = _thread.thrown
        if thrown is not None:
            _thread.thrown = None
            raise thrown
        return result
    return call


class _Library:
    def __init__(self) -> None:
        client = _open_client()
        for name, result, arguments in _FUNCTIONS:
            try:
                function = getattr(client, "tide_" + name)
            except AttributeError:
                raise ImportError("%s is of another version: it has no tide_%s"
                                  % (client._name, name)) from None
            function.restype = result
            function.argtypes = arguments
            setattr(self, name, _guarded(function))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        raise AttributeError(name)


_tide = _Library()


# --- questions ---------------------------------------------------------------

def budget() -> Optional[int]:
    """Bytes that this process may use; None: there is no limit."""
    return _known(_tide.budget())


def used() -> int:
    """Bytes of the budget that are used."""
    return _tide.used()


def available() -> Optional[int]:
    """Bytes that it may still take; None: there is no limit."""
    return _known(_tide.available())


def live() -> Optional[int]:
    """Bytes of the heap in use; None: nobody counts them."""
    return _known(_tide.live())


def state() -> str:
    """How close the limit is: one of STATES."""
    return STATES[_tide.state()]


def utilization() -> float:
    """Which part of the budget is used; 0 where there is no limit."""
    return _tide.utilization()


def level() -> str:
    """How deep heaptide is in this process: one of LEVELS."""
    return LEVELS[_tide.level()]


def version() -> Optional[str]:
    """Of the library that counts in this process; None: none does."""
    text = _tide.version()
    return None if text is None else text.decode()


def should_stop() -> List[str]:
    """Why the program should come to its end; empty: it should not."""
    reasons = _tide.should_stop()
    return [why for bit, why in STOPS.items() if reasons & bit]


def init(settings: str = "") -> None:
    """Settings that go before the environment's: "budget=512M warn=70%"."""
    if _tide.init(_text(settings, "settings", True)) < 0:
        raise BadValue("settings are %r; accepted is KEY=VALUE, as in "
                       "budget=512M target=80%%; see heaptide-config(5)"
                       % settings, 22)


def budget_set(size: Size) -> None:
    """Use no more than so much; 0: as it is without."""
    size = parse_size(size)
    r = _tide.budget_set(size)
    if r == -34:
        raise BadValue("the budget is %d; another limit is lower, %s, and "
                       "rules" % (size, budget()), 34)
    _done("the budget", r)


def _figures(info: _Info) -> Dict[str, Any]:
    gib = float(1 << 30)
    return {
        "status": STATES[info.state],
        "memory_usage_gb": round(info.used / gib, 2),
        "peak_memory_gb": round(info.peak_used / gib, 2),
        "memory_warnings": info.warnings,
        "memory_usage": info.used, "peak_memory": info.peak_used,
        "budget": _known(info.budget), "available": _known(info.available),
        "live": _known(info.live), "blocks": _known(info.blocks),
        "peak_live": _known(info.peak_live), "resident": info.resident,
        "retained": info.retained, "lease": info.lease, "rate": info.rate,
        "source": info.source.decode(), "level": LEVELS[info.level],
        "soft": bool(info.flags & 1), "exact": bool(info.flags & 2),
        "stop": bool(info.flags & 4)}


def status() -> Dict[str, Any]:
    """All of it at one moment: status, memory_usage_gb, peak_memory_gb,
    memory_warnings; in bytes memory_usage, peak_memory, budget, available,
    live, resident and more.  What is not known or not limited is None."""
    info = _Info()
    _done("the status", _tide.status(byref(info)))
    return _figures(info)


_cpu = (time.monotonic(), time.process_time())


def memory_status() -> Dict[str, float]:
    """memory_rss_mb, and cpu_percent since this was last asked."""
    global _cpu
    before, _cpu = _cpu, (time.monotonic(), time.process_time())
    wall = max(_cpu[0] - before[0], 1e-9)
    info = _Info()
    _done("the status", _tide.status(byref(info)))
    return {"memory_rss_mb": info.resident / (1 << 20),
            "cpu_percent": round(100 * (_cpu[1] - before[1]) / wall, 1)}


class Answer(Dict[str, Any]):
    """What safe() says: true if it may start, and the figures."""

    def __bool__(self) -> bool:
        return bool(self["safe"])


def safe(need: Size, max_used: Size = 0) -> Answer:
    """May something start that needs so much?  max_used: at most so much in
    all; 0: no such line.  Answer["current"], ["available"]: bytes."""
    info = _Info()
    r = _tide.safe(parse_size(need, "need"), parse_size(max_used, "max_used"),
                   byref(info))
    return Answer(_figures(info), safe=r == 1, current=info.used)


def knob(name: str, best: float, cheapest: float) -> float:
    """Between the two, by how much of the budget is used."""
    try:
        return _tide.knob(_text(name, "name"), float(best), float(cheapest))
    except (TypeError, ValueError) as error:
        if isinstance(error, Error):
            raise
        raise BadType("best and cheapest are %r and %r; accepted are numbers"
                      % (best, cheapest)) from None


def mark(name: str) -> bool:
    """An epoch ends here, for `heaptide leaks`.  False: nobody counts."""
    r = _tide.mark(_text(name, "name"))
    if r == -19:
        return False
    _done("the mark", r)
    return True


def leak_scan() -> Tuple[int, int]:
    """Blocks and bytes of the heap that nobody can reach."""
    blocks, size = c_uint64(), c_uint64()
    _done("the scan", _tide.leak_scan(byref(blocks), byref(size)))
    return blocks.value, size.value


# --- cleanup -----------------------------------------------------------------

_cleanups: Dict[int, Any] = {}  # a callback lives as long as it may be called
_kept: List[Any] = []


def _wants_arguments(fn: Callable[..., Any]) -> bool:
    try:
        inspect.signature(fn).bind(0, 0)
    except TypeError:
        return False
    except ValueError:  # of C: it does not say
        return False
    return True


def _shield(call: Callable[[], Any], name: str, failed: int) -> int:
    """A callback's exception ends neither its caller nor the next one."""
    try:
        return int(call() or 0)
    except Exception:
        log.exception("heaptide: %s failed", name)
    except BaseException as error:  # Ctrl-C, exit()
        _thread.thrown = error
    return failed


class Cleanup:
    """Registered by on_pressure(); cancel() to take it back."""

    def __init__(self, fn: Callable[..., Any], cls: int, priority: int,
                 any_thread: bool, name: str) -> None:
        self.fn = fn
        with_arguments = _wants_arguments(fn)

        def clean(_: Any, level: int, want: int) -> int:
            arguments = (STATES[level & 3], _known(want))
            return max(0, _shield(lambda: fn(
                *arguments[:2 * with_arguments]), name, 0))

        callback = _Clean(clean)
        self.id = _done("the cleanup %s" % name, _tide.on_pressure(
            callback, None, cls, priority, _ANY_THREAD if any_thread else 0,
            _text(name, "name")))
        _cleanups[self.id] = callback

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self.fn(*arguments, **named)

    def cancel(self) -> None:
        """It is not called any more."""
        callback = _cleanups.pop(self.id, None)
        if callback is not None and _tide.off_pressure(self.id) == -16:
            _kept.append(callback)  # a thread is in it


def on_pressure(fn: Optional[Callable[..., Any]] = None, *,
                cls: str = "benign", priority: int = 0,
                any_thread: bool = True, name: Optional[str] = None) -> Any:
    """Call this when memory is short; a decorator, or called with a function.

    fn() or fn(level, want): one of STATES, and bytes that are asked for.  It
    returns bytes that it believes to have freed, or None.  cls: compact (costs
    nothing), benign (a cache), idle, destructive (drops work).  any_thread:
    in whichever comes to a safe point, else in the one that registers it."""
    kind = _one_of(cls, "cls", CLASSES)
    _number(priority, "priority", -(1 << 31), (1 << 31) - 1)

    def register(fn: Callable[..., Any]) -> Cleanup:
        _callable(fn, "the cleanup")
        return Cleanup(fn, kind, priority, any_thread, name or str(getattr(
            fn, "__name__", type(fn).__name__)))

    return register if fn is None else register(fn)


_collector: Optional[Cleanup] = None
_lock = threading.Lock()


def collect_garbage(on: bool = True) -> None:
    """Is gc.collect() a cleanup?  It is from the first operation on, unless
    gc.disable() was called."""
    global _collector, _collector_wanted
    with _lock:
        _collector_wanted = on
        if on and _collector is None:
            _collector = Cleanup(
                lambda: gc.collect() * 0 if gc.isenabled() else 0,
                CLASSES["benign"], 0, True, "gc.collect")
        elif not on and _collector is not None:
            _collector.cancel()
            _collector = None


_collector_wanted = True


def reclaim(want: Size = 0, *, emergency: bool = False, callbacks: bool = True,
            purge: bool = True) -> Dict[str, Any]:
    """Free what can be spared, now: bytes freed, blocks, bytes returned to
    the system, seconds, callbacks that were called, state after it."""
    out = _Reclaimed()
    flags = (_EMERGENCY if emergency else 0) | (
        0 if callbacks else _NO_CALLBACKS) | (0 if purge else _NO_PURGE)
    _done("the cleanup", _tide.reclaim(flags, parse_size(want, "want"),
                                       byref(out)))
    return {"freed": out.freed, "blocks": out.blocks,
            "returned": out.returned, "seconds": out.time_ns / 1e9,
            "callbacks": out.callbacks, "state": STATES[out.state & 3]}


def poll(*, force: bool = False, emergency: bool = False) -> str:
    """A safe point in a program without batches; the state."""
    return STATES[_done("the look", _tide.poll(
        (_FORCE_RECLAIM if force else 0) | (_EMERGENCY if emergency else 0)))]


def pressure_fd() -> int:
    """A descriptor that can be read when the state changes; do not close."""
    return _done("the descriptor", _tide.pressure_fd())


# --- guards, components, reservations ----------------------------------------

class guard(ContextDecorator):
    """A stretch that is watched, as a batch of one item of an operation.

    need: bytes that it will take; NoMemory, TimedOut or Stopped if that must
    not be.  `with guard("resize", "100M"):`, or as a decorator."""

    def __init__(self, name: str, need: Size = 0) -> None:
        self._name, self._need = _text(name, "name"), parse_size(need, "need")
        self._open: List[int] = []

    def __enter__(self) -> "guard":
        self._open.append(_done("the guard %s" % self._name.decode(
            errors="replace"), _tide.guard_begin(self._name, self._need)))
        return self

    def __exit__(self, *_: Any) -> None:
        _tide.guard_end(self._open.pop())

    def _recreate_cm(self) -> "guard":  # each call of what it decorates
        again = guard.__new__(guard)
        again._name, again._need, again._open = self._name, self._need, []
        return again


class component:
    """A part of the program with a budget of its own; `with` it, the calling
    thread works for it."""

    def __init__(self, name: str, max: Size = 0, weight: int = 0) -> None:
        self.name = name
        self.id = _done("the component %s" % name, _tide.component(
            _text(name, "name"), parse_size(max, "max"),
            _number(weight, "weight", 0, (1 << 32) - 1)))

    def __enter__(self) -> "component":
        _tide.component_enter(self.id)
        return self

    def __exit__(self, *_: Any) -> None:
        _tide.component_leave(self.id)

    def used(self) -> Optional[int]:
        """Bytes that it holds; None: nobody counts them."""
        return _known(_tide.component_used(self.id))

    def budget(self) -> Optional[int]:
        """Bytes that it should hold now; None: no limit."""
        return _known(_tide.cache_budget(self.id))


class reserve:
    """Room that batches leave alone, until give_back() or the end of `with`.

    least: bytes that it has to be; most: that would be welcome; bytes tells.
    """

    def __init__(self, least: Size, most: Optional[Size] = None,
                 wait: Optional[float] = 0) -> None:
        low = parse_size(least, "least")
        high = low if most is None else parse_size(most, "most")
        got = c_uint64()
        _done("the reservation of %d bytes" % low, _tide.reserve(
            low, high, _wait_ns(wait), byref(got)))
        self.bytes, self._pid = got.value, os.getpid()

    def give_back(self) -> None:
        size, self.bytes = self.bytes, 0
        if size and self._pid == os.getpid():
            _tide.unreserve(size)

    def __enter__(self) -> "reserve":
        return self

    def __exit__(self, *_: Any) -> None:
        self.give_back()


# --- runs --------------------------------------------------------------------

class Run:
    """The work of this process, which can be gone on with; see run()."""

    def __init__(self, name: str, total: Optional[int], unit: Optional[str],
                 inputs: Iterable[str]) -> None:
        room = create_string_buffer(_RUN_ROOM)
        self.total = total
        self.finished = False
        self._callback: Any = None
        _done("the run %s" % name, _tide.run_begin(
            _text(name, "name"),
            NONE if total is None else _number(total, "total"),
            None if unit is None else _text(unit, "unit"), room))
        try:
            for path in inputs:
                self.input(path)
            self.id = room.value.decode(errors="replace")
            self._read()
        except BaseException:
            _tide.run_finish(0)
            raise

    def _read(self) -> None:
        cursor, size = c_uint64(), c_size_t(_BLOB_MOST)
        blob = create_string_buffer(_BLOB_MOST)
        r = _done("the checkpoint", _tide.resume(byref(cursor), blob,
                                                 byref(size)))
        self.resumed = r == 1
        self.at = cursor.value if r == 1 else 0
        self.blob = blob.raw[:size.value] if r == 1 else b""

    def input(self, path: Union[str, "os.PathLike[str]"]) -> None:
        """The run reads this file; Error if it is not what it was."""
        _done("the input %s" % os.fspath(path),
              _tide.input(os.fsencode(path)))

    def checkpoint(self, at: int, blob: bytes = b"") -> None:
        """All items before this one are done.  Once it returns it is there,
        whatever becomes of the process.  blob: at most 65536 bytes."""
        if not isinstance(blob, (bytes, bytearray, memoryview)):
            raise BadType("blob is %r; accepted are bytes; pickle.dumps() "
                          "makes them" % type(blob).__name__)
        blob = bytes(blob)
        if len(blob) > _BLOB_MOST:
            raise BadValue("blob has %d bytes; accepted are at most %d"
                           % (len(blob), _BLOB_MOST))
        _number(at, "at")
        _done("the checkpoint", _tide.checkpoint(at, blob or None, len(blob)))
        self.at, self.blob = at, blob

    def on_checkpoint(self, fn: Optional[Callable[[int], Any]]) -> Any:
        """Call this when one is due: fn(at) flushes, and calls checkpoint().
        A decorator as well."""
        callback = _Checkpoint(0)
        if fn is not None:
            _callable(fn, "the callback")
            save = fn

            def due(_: Any, cursor: int) -> int:
                return _shield(lambda: save(cursor) and 0, "on_checkpoint", -5)

            callback = _Checkpoint(due)
        _done("the callback", _tide.on_checkpoint(callback, None))
        if self._callback is not None:
            _kept.append(self._callback)  # a thread may be in it
        self._callback = callback
        return fn

    def recycle(self) -> None:
        """Start anew, if that makes room; returns if it does not."""
        sys.stdout.flush()
        sys.stderr.flush()
        _tide.recycle()

    def finish(self, ok: bool = True) -> None:
        """ok: all is done, and the next one starts anew."""
        if self.finished:
            return
        self.finished = True
        _tide.on_checkpoint(_Checkpoint(0), None)
        _done("the end of the run", _tide.run_finish(1 if ok else 0))

    def __enter__(self) -> "Run":
        return self

    def __exit__(self, kind: Any, *_: Any) -> None:
        done = not should_stop() if self.total is None else \
            self.at >= self.total
        try:
            self.finish(kind is None and done)
        except Error:
            if kind is None:
                raise


def run(name: str, total: Optional[int] = None, unit: Optional[str] = None,
        inputs: Iterable[str] = ()) -> Run:
    """Begin a run, or go on with the last of this name, arguments and
    directory that did not come to its end.

        with heaptide.run("index", total=len(pages)) as run:
            for batch in op.batches(pages, run=run):
                index(batch)

    run.at is the first item that is not done, run.blob what was given with
    that checkpoint.  At the end of `with` it is finished if all `total` items
    are done; of unknown length, if nothing was thrown nor asked to stop."""
    return Run(name, total, unit, inputs)


# --- operations and batches --------------------------------------------------

class Batch(List[T]):
    """Items that fit, as a list; first is the index of its first item."""

    def __init__(self, items: Iterable[T], raw: _Batch, first: int) -> None:
        super().__init__(items)
        self.first = first
        self._raw = raw
        self._handed: Optional[int] = None

    def more(self) -> bool:
        """Is there room for one more item?"""
        return _tide.batch_more(byref(self._raw)) == 1

    def each(self) -> Iterator[T]:
        """Its items, while there is room: what is not handed out comes again
        in the next batch."""
        if self._handed is None:
            self._handed = 0
        while self._handed < len(self) and self.more():
            item = self[self._handed]
            self._handed += 1
            yield item
            _tide.item_done(byref(self._raw))

    def fail(self, index: int, why: str = "") -> None:
        """The item of this index could not be dealt with."""
        _tide.item_fail(byref(self._raw), _number(index, "index"),
                        _text(str(why).replace("\0", ""), "why", True))

    def __reduce__(self) -> Any:  # to another process: its items
        return list, (list(self),)

    def taken(self) -> int:
        """Items that were handed out."""
        return len(self) if self._handed is None else self._handed


class Batches(Generic[T]):
    """Walks through items; finished is true once all are done.

    It ends early, with finished false, where should_stop() says so, and throws
    NoMemory where not even one item fits.  at is the first that is not done.
    """

    def __init__(self, op: "Operation", items: Iterable[T],
                 weight: Optional[Callable[[T], int]], run: Optional[Run],
                 wait: Optional[float], most: Optional[Callable[[], int]],
                 clear: bool) -> None:
        self.at = run.at if run is not None else 0
        self.finished = False
        self.batch: Optional[Batch[T]] = None
        self._op, self._run, self._weight = op, run, weight
        self._most, self._clear = most, clear
        self._wait = _wait_ns(wait)
        self._raw = _Batch()
        self._back: Deque[T] = deque()
        try:
            self._left = len(items) - self.at  # type: ignore[arg-type]
        except TypeError:
            self._left = NONE
        self._next = self._from(items)

    def _from(self, items: Iterable[T]) -> Iterator[T]:
        if self.at and isinstance(items, Sequence):
            return (items[i] for i in  # type: ignore[index]
                    range(self.at, self.at + max(self._left, 0)))
        return islice(iter(items), self.at, None)

    def __iter__(self) -> "Batches[T]":
        return self

    def _has_more(self) -> bool:
        if not self._back:
            self._back.extend(islice(self._next, 1))
        return bool(self._back)

    def _begin(self) -> int:
        left = max(self._left, 1)
        ends = time.monotonic_ns() + self._wait
        while True:
            wait = self._wait
            # A signal's handler runs between two calls, in the main thread.
            if threading.current_thread() is threading.main_thread() and \
                    "HEAPTIDE_POOL" not in os.environ:
                nap = int(_NAP * 1e9)
                wait = nap if self._wait < 0 else max(0, min(
                    nap, ends - time.monotonic_ns()))
            n = _tide.batch_begin(self._op._op, byref(self._raw), self.at,
                                  left, wait)
            if n != -110 or (self._wait >= 0 and
                             time.monotonic_ns() >= ends) or \
                    wait == self._wait:
                return n

    def _take(self, n: int) -> List[T]:
        if self._weight is None:
            items = [self._back.popleft() for _ in range(
                min(n, len(self._back)))]
            items.extend(islice(self._next, n - len(items)))
            return items
        items = []
        while self._has_more():
            weight = _number(self._weight(self._back[0]), "the weight")
            if _tide.item(byref(self._raw), weight) != 1:
                break
            items.append(self._back.popleft())
        return items

    def __next__(self) -> Batch[T]:
        self.end()
        if self.finished or not self._has_more():
            self.finished = True
            raise StopIteration
        n = _done("the operation %s" % self._op.name, self._begin())
        if n == 0:
            raise StopIteration
        try:
            if self._most is not None:
                n = max(1, min(n, self._most()))
            self.batch = Batch(self._take(n), self._raw, self.at)
        except BaseException:
            _tide.batch_abort(byref(self._raw), _ERROR)
            raise
        return self.batch

    def end(self) -> None:
        """The batch is over; what it did not hand out comes again."""
        batch, self.batch = self.batch, None
        if batch is None:
            return
        n = batch.taken()
        self._back.extendleft(reversed(batch[n:]))
        if self._clear:
            batch.clear()
        self.at += n
        if self._left != NONE:
            self._left -= n
        _tide.batch_end(byref(self._raw), n)
        if self._run is not None:
            self._run.checkpoint(self.at)

    def abort(self, no_memory: bool = False) -> None:
        """The batch is given up; its items come again, fewer at a time if
        there was no memory."""
        batch, self.batch = self.batch, None
        if batch is not None:
            _tide.batch_abort(byref(self._raw),
                              _NOMEM if no_memory else _ERROR)
            self._back.extendleft(reversed(batch))

    def close(self) -> None:
        """The walk is left; the batch under way is given up."""
        self.batch = None
        _tide.batch_abort(byref(self._raw), _CANCEL)

    def __enter__(self) -> "Batches[T]":
        return self

    def __exit__(self, kind: Any, *_: Any) -> None:
        if kind is not None and self.batch is not None:
            self.abort(issubclass(kind, MemoryError))
        self.close()

    def __del__(self) -> None:
        if hasattr(self, "_raw") and not sys.is_finalizing():
            self.close()


class Operation:
    """A kind of work whose batches are alike; see operation()."""

    def __init__(self, name: str, conf: _Conf) -> None:
        self.name = name
        self._op = _tide.op_open(_text(name, "name"), byref(conf))

    def size(self, remaining: Optional[int] = None) -> int:
        """How many items the next batch had best have; a question only."""
        return _tide.batch_size(self._op, NONE if remaining is None else
                                _number(remaining, "remaining"))

    def batches(self, items: Iterable[T], *,
                weight: Optional[Callable[[T], int]] = None,
                run: Optional[Run] = None, wait: Optional[float] = None,
                most: Optional[Callable[[], int]] = None,
                clear: bool = False) -> "Batches[T]":
        """Batches of items, each sized to the room there is.

        weight: of an item, bytes or what memory grows with, asked before the
        item is in a batch.  run: begin at run.at, and checkpoint after each
        batch.  wait: seconds until there must be room, or TimedOut.  most: a
        cap, asked for each batch.  clear: a batch is emptied when it is over,
        so that it does not stay while the next is read."""
        for fn, name in ((weight, "weight"), (most, "most")):
            if fn is not None:
                _callable(fn, name)
        if run is not None and not isinstance(run, Run):
            raise BadType("run is %r; accepted is what run() returns" % run)
        return Batches(self, items, weight, run, wait, most, clear)

    def for_each(self, items: Iterable[T], fn: Callable[[Batch[T]], Any], *,
                 retries: int = 3, delay: float = 0.1, **how: Any) -> int:
        """The whole loop: fn(batch) for all, and again with fewer items where
        it throws MemoryError, after a cleanup and a delay that doubles.
        Returns how many are done."""
        _callable(fn, "fn")
        _number(retries, "retries")
        walk = self.batches(items, **how)
        tries = 0
        with walk:
            for batch in walk:
                try:
                    fn(batch)
                    tries = 0
                except MemoryError:
                    if len(batch) <= 1:
                        tries += 1
                    if tries > retries:
                        raise
                    walk.abort(no_memory=True)
                    _recover(delay * 2 ** tries)
        return walk.at

    def stats(self) -> Dict[str, Any]:
        """What it has done so far; bytes, ns, as in heaptide.h."""
        out = _Stats()
        _done("the statistics", _tide.op_stats(self._op, byref(out)))
        stats = {field[0]: getattr(out, field[0]) for field in _Stats._fields_
                 if field[0] != "reserved"}
        stats["name"] = out.name.decode(errors="replace")
        stats["unit"] = out.unit.decode(errors="replace")
        stats["bound"] = _BOUNDS[out.bound] if out.bound < len(_BOUNDS) \
            else str(out.bound)
        return stats


def _recover(delay: float) -> None:
    gc.collect()
    try:
        reclaim()
    except Error:
        pass  # another thread is at it
    time.sleep(min(delay, 30))


def operation(name: str, *, initial: int = 0, min: int = 0, max: int = 0,
              fixed: int = 0, max_concurrent: int = 0, target: float = 0,
              model: str = "auto", policy: str = "learn",
              checkpoint_every: int = 0, timeout: float = 0,
              unit: Optional[str] = None, monitor: Optional[bool] = None,
              detect: bool = True, reclaim_before: bool = False,
              reclaim_after: bool = False) -> Operation:
    """A kind of work whose batches are alike.  The same name is the same
    operation; who names it first says how it is done.  0: as configured.

    initial, min, max: items of a batch; fixed: of every batch; target: share
    of the budget to fill; unit: of items, for people; monitor: progress on
    stderr.  More: tide_op_conf in heaptide.h."""
    conf = _Conf(size=sizeof(_Conf))
    for field, value in (("initial", initial), ("min", min), ("max", max),
                         ("fixed", fixed), ("max_concurrent", max_concurrent),
                         ("checkpoint_every", checkpoint_every)):
        setattr(conf, field, _number(value, field, 0, (1 << 32) - 1))
    if not isinstance(target, (int, float)) or not 0 <= target <= 1:
        raise BadValue("target is %r; accepted is a share, 0 to 1" % (target,))
    conf.target = target
    conf.model = _one_of(model, "model", MODELS)
    conf.policy = _one_of(policy, "policy", POLICIES)
    conf.timeout_ns = _wait_ns(timeout, "timeout") if timeout else 0
    conf.unit = None if unit is None else _text(unit, "unit")
    conf.monitor = 0 if monitor is None else 1 if monitor else -1
    conf.detect = 0 if detect else -1
    conf.reclaim_before, conf.reclaim_after = reclaim_before, reclaim_after
    if _collector is None and _collector_wanted:
        collect_garbage()
    return Operation(name, conf)


# --- the end -----------------------------------------------------------------

@atexit.register
def _leave() -> None:
    """No thread of C calls into an interpreter that is gone."""
    _tide.on_checkpoint(_Checkpoint(0), None)
    for number in list(_cleanups):
        _tide.off_pressure(number)


def __getattr__(name: str) -> Any:
    """MemoryMonitor, SmartBatchProcessor, ...: memory_optimizer's."""
    if name.startswith("_"):
        raise AttributeError(name)
    import memory_optimizer
    if name not in memory_optimizer.__all__:
        raise AttributeError("module 'heaptide' has no attribute %r" % name)
    return getattr(memory_optimizer, name)


if __name__ == "__main__":
    print(json.dumps(status()))
