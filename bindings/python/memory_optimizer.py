"""memory_optimizer - monitor, circuit breaker and batches by two lines

    from memory_optimizer import MemoryMonitor, SmartBatchProcessor

    monitor = MemoryMonitor()
    processor = SmartBatchProcessor(monitor)
    result = processor.process_with_memory_awareness(data, your_function)

For programs that are written against these names: below the warning line a
batch has batch_size_max items at most, above it batch_size_min, and above the
circuit breaker none, until memory has normalised.  Within that, heaptide
learns from what batches took how many fit.  What is said goes to the logger
"heaptide".
"""

import gc
import logging
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional

import heaptide

__all__ = ["MemoryConfig", "MemoryMonitor", "SmartBatchProcessor",
           "CircuitOpen", "memory_guard", "process_in_chunks"]

log = logging.getLogger("heaptide")
_GIB = float(1 << 30)


@dataclass
class MemoryConfig:
    max_memory_gb: float = 1.5  # the circuit breaker
    warning_memory_gb: float = 1.0
    batch_size_max: int = 5
    batch_size_min: int = 1  # where memory is high
    patience: float = 10.0  # seconds that a breaker may stay open
    max_retries: int = 3  # of a single item, on MemoryError
    retry_delay: float = 0.1  # seconds; each is twice the one before

    def __post_init__(self) -> None:
        if not 0 < self.warning_memory_gb <= self.max_memory_gb:
            raise heaptide.BadValue(
                "warning_memory_gb is %r; accepted is what is above 0 and not "
                "above max_memory_gb, %r" % (self.warning_memory_gb,
                                             self.max_memory_gb))
        if not 1 <= self.batch_size_min <= self.batch_size_max:
            raise heaptide.BadValue(
                "batch_size_min is %r; accepted is 1 to batch_size_max, %r"
                % (self.batch_size_min, self.batch_size_max))


class CircuitOpen(heaptide.NoMemory):
    """The breaker stayed open; results has what was done, done how many."""

    def __init__(self, text: str, results: List[Any], done: int) -> None:
        super().__init__(text, 12)
        self.results, self.done = results, done


class MemoryMonitor:
    """Watches this process; any number of them may."""

    def __init__(self, config: Optional[MemoryConfig] = None) -> None:
        self.config = MemoryConfig() if config is None else config
        self.memory_warnings = 0
        self._was_high = False
        heaptide.collect_garbage()

    def get_memory_usage(self) -> float:
        """In GiB, of what counts against a limit."""
        return heaptide.status()["memory_usage"] / _GIB

    def check_memory(self) -> str:
        """ok, warning, critical: by the two lines, or by the real limit."""
        now = heaptide.status()
        used = now["memory_usage"] / _GIB
        level = "ok"
        if used >= self.config.max_memory_gb or \
                now["status"] in ("critical", "exhausted"):
            level = "critical"
        elif used >= self.config.warning_memory_gb or \
                now["status"] == "warning":
            level = "warning"
        if level != "ok" and not self._was_high:
            self.memory_warnings += 1
            log.warning("Memory warning: %.2fGB", used)
        self._was_high = level != "ok"
        return level

    def force_cleanup(self, emergency: bool = False) -> Dict[str, Any]:
        """Collect garbage, call the cleanups, give free memory back."""
        log.info("Forcing memory cleanup...")
        objects = gc.collect()
        try:
            result = heaptide.reclaim(emergency=emergency)
        except heaptide.Error as error:  # another thread is at it
            result = {"freed": 0, "returned": 0, "why": str(error)}
        result["objects"] = objects
        log.info("Cleanup: %d objects collected, now %.2fGB", objects,
                 self.get_memory_usage())
        return result

    def emergency_cleanup(self) -> Dict[str, Any]:
        return self.force_cleanup(emergency=True)

    def should_break_circuit(self) -> bool:
        return self.check_memory() == "critical"

    def get_optimal_batch_size(self) -> int:
        """By the table: batch_size_max, batch_size_min, 0."""
        return {"ok": self.config.batch_size_max,
                "warning": self.config.batch_size_min,
                "critical": 0}[self.check_memory()]

    def get_status(self) -> Dict[str, Any]:
        """For responses: status, memory_usage_gb, peak_memory_gb,
        memory_warnings, and all that heaptide.status() has."""
        figures = heaptide.status()
        figures["state"] = figures["status"]
        figures["status"] = "success"
        figures["memory_warnings"] += self.memory_warnings
        return figures


class SmartBatchProcessor:
    """Batches by the monitor's table, within what heaptide finds to fit."""

    def __init__(self, monitor: Optional[MemoryMonitor] = None,
                 name: str = "process_with_memory_awareness") -> None:
        self.monitor = MemoryMonitor() if monitor is None else monitor
        self._op = heaptide.operation(name)

    def process_with_memory_awareness(
            self, data: Iterable[Any], fn: Callable[[List[Any]], Any]
    ) -> List[Any]:
        """fn(items) for all data, a few items at a time; a list of what it
        returned: of lists their elements, of None nothing.  On MemoryError
        fewer items are tried, after a cleanup and a delay."""
        if not callable(fn):
            raise heaptide.BadType("fn is %r; accepted is a function" % (fn,))
        results: List[Any] = []
        walk = self._op.batches(data, most=self.monitor.get_optimal_batch_size)
        self._tries = 0
        with walk:
            while self._close_circuit(results, walk):
                try:
                    batch = next(walk)
                except StopIteration:
                    break
                self._one(walk, batch, fn, results)
        return results

    def _one(self, walk: Any, batch: List[Any],
             fn: Callable[[List[Any]], Any], results: List[Any]) -> None:
        config = self.monitor.config
        try:
            result = fn(batch)
        except MemoryError:
            self._tries += 1
            if len(batch) == 1 and self._tries > config.max_retries:
                raise
            walk.abort(no_memory=True)
            self.monitor.force_cleanup()
            time.sleep(min(config.retry_delay * 2 ** self._tries, 30))
            return
        self._tries = 0
        if isinstance(result, list):
            results.extend(result)
        elif result is not None:
            results.append(result)

    def _close_circuit(self, results: List[Any], walk: Any) -> bool:
        """Waits until memory has normalised; ever longer, not for ever."""
        config = self.monitor.config
        walk.end()
        if not self.monitor.should_break_circuit():
            return True
        log.warning("Circuit breaker open at %.2fGB",
                    self.monitor.get_memory_usage())
        delay, waited = config.retry_delay, 0.0
        while True:
            self.monitor.force_cleanup(emergency=waited > 0)
            if not self.monitor.should_break_circuit():
                log.info("Circuit breaker reset at %.2fGB",
                         self.monitor.get_memory_usage())
                return True
            if waited >= config.patience:
                raise CircuitOpen(
                    "memory stays above %.2fGB, at %.2fGB; %d items are done"
                    % (config.max_memory_gb, self.monitor.get_memory_usage(),
                       walk.at), results, walk.at)
            time.sleep(min(delay, config.patience - waited))
            waited += delay
            delay *= 2


@contextmanager
def memory_guard(monitor: MemoryMonitor, name: str = "operation",
                 need: heaptide.Size = 0) -> Iterator[MemoryMonitor]:
    """A stretch that is watched, with a cleanup before it and behind it if
    memory is high; need: NoMemory if so much is not there."""
    log.info("Starting %s (Memory: %.2fGB)", name, monitor.get_memory_usage())
    if monitor.check_memory() != "ok":
        monitor.force_cleanup()
    with heaptide.guard(name, need):
        yield monitor
    if monitor.check_memory() != "ok":
        monitor.force_cleanup()


def process_in_chunks(items: Iterable[Any], fn: Callable[[List[Any]], Any],
                      chunk_size: int = 50, name: str = "chunks",
                      unit: str = "page", progress: bool = True) -> int:
    """fn(chunk) for all, chunk_size at a time, with a cleanup between them:
    memory stays the same however many there are.  Returns how many are done;
    progress: lines on standard error."""
    op = heaptide.operation(name, fixed=chunk_size, unit=unit,
                            monitor=progress, reclaim_after=True)
    return op.for_each(items, fn, clear=True)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    own = MemoryMonitor()
    with memory_guard(own, "operation"):
        squares = SmartBatchProcessor(own).process_with_memory_awareness(
            range(100), lambda batch: [i * i for i in batch])
    assert squares == [i * i for i in range(100)]
    print(own.get_status())
