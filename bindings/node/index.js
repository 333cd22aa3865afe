'use strict';
/*
 * heaptide - how much memory is left, and work in batches that fit
 *
 *   const heaptide = require('heaptide');
 *
 *   const op = heaptide.operation('index');
 *   for await (const batch of op.batches(pages))
 *     await index(batch);
 *
 * Everything of heaptide.h.  Under `heaptide run -- node app.js` the heap is
 * counted exactly; without it /proc, control groups and limits are read.
 * Sizes are bytes: a number, or text such as '512M'; times are ms.
 */
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const lib = require('./lib.js');
const { Batch, Batches, Operation, asBatch, stateName } =
  require('./batches.js');

const {
  tide, STATES, LEVELS, done, wrong, whole, real, parseSize, text, callable,
  options, oneOf, sleep,
} = lib;

const CLASSES = { compact: 0, benign: 1, idle: 2, destructive: 3 };
const STOPS = { 1: 'term', 2: 'drain', 4: 'exhausted', 8: 'recycle' };
const FORCE_RECLAIM = 2;
const EMERGENCY = 4;
const NO_CALLBACKS = 8;
const NO_PURGE = 16;
const BLOB_MOST = 65536;
const GIB = 1024 * lib.MIB;

// A batch's end may wait, to let others free memory; an event loop must not.
if (process.env.HEAPTIDE_DELAY_MODE === undefined)
  tide.init('delay.mode=off');

// --- questions ---------------------------------------------------------------

function figures(info) {
  const gb = (n) => Math.round(n / GIB * 100) / 100;
  return {
    status: stateName(info.state),
    memory_usage_gb: gb(info.used),
    peak_memory_gb: gb(info.peakUsed),
    memory_warnings: info.warnings,
    used: info.used,
    peakUsed: info.peakUsed,
    budget: info.budget,
    available: info.available,
    live: info.live,
    blocks: info.blocks,
    peakLive: info.peakLive,
    resident: info.resident,
    retained: info.retained,
    lease: info.lease,
    rate: info.rate,
    source: info.source,
    level: LEVELS[info.level],
    soft: (info.flags & 1) !== 0,
    exact: (info.flags & 2) !== 0,
    stop: (info.flags & 4) !== 0,
  };
}

/** All of it at one moment; what is not known or not limited is null. */
function status() {
  return figures(tide.status());
}

/** May something start that needs so much, with so much used at most? */
function safe(need, maxUsed = 0) {
  const info = tide.safe(parseSize(need, 'need'),
    parseSize(maxUsed, 'maxUsed'));
  return { safe: info.safe === 1, current: info.used, ...figures(info) };
}

const level = () => LEVELS[tide.level()];
const state = () => stateName(tide.state());
const version = () => tide.version();

/** Why the program should come to its end; empty: it should not. */
function shouldStop() {
  const reasons = tide.shouldStop();
  return Object.keys(STOPS).filter((bit) => reasons & Number(bit))
    .map((bit) => STOPS[bit]);
}

/** Settings that go before the environment's: 'budget=512M warn=70%'. */
function init(settings) {
  if (tide.init(text(settings, 'settings')) < 0)
    throw wrong(RangeError, 'settings', settings,
      'KEY=VALUE, as in budget=512M target=80%; see heaptide-config(5)');
}

/** Use no more than so much; 0: as it is without. */
function budgetSet(size) {
  const r = tide.budgetSet(parseSize(size, 'the budget'));
  if (r === -34)
    throw wrong(RangeError, 'the budget', size,
      `at most ${tide.status().budget}, which another limit allows`);
  done('the budget', r);
}

/** Between the two, by how much of the budget is used. */
function knob(name, best, cheapest) {
  return tide.knob(text(name, 'name'), real(best, 'best', -Infinity, Infinity),
    real(cheapest, 'cheapest', -Infinity, Infinity));
}

/** An epoch ends here, for `heaptide leaks`.  False: nobody counts. */
function mark(name) {
  const r = tide.mark(text(name, 'name'));
  return r !== -19 && done('the mark', r) === 0;
}

/** Blocks and bytes of the heap that nobody can reach. */
function leakScan() {
  const { result, blocks, bytes } = tide.leakScan();
  done('the scan', result);
  return { blocks, bytes };
}

// --- cleanup -----------------------------------------------------------------

/** What a program's function throws ends neither its caller nor the next. */
function shielded(fn, name) {
  const tell = (error) => process.emitWarning(error instanceof Error ? error :
    new Error(String(error)), { detail: `in ${name}, called by heaptide` });
  return (...given) => {
    try {
      const result = fn(...given);
      if (result && typeof result.then === 'function') {
        result.then(undefined, tell);
        return 0;
      }
      return Number(result) || 0;
    } catch (error) {
      tell(error);
      return -5;
    }
  };
}

/**
 * Call this when memory is short: fn(level, want).  It returns bytes that it
 * believes to have freed, or nothing.  cls: compact (costs nothing), benign (a
 * cache), idle, destructive (drops work).
 */
function onPressure(fn, given) {
  callable(fn, 'the cleanup');
  const { cls = 'benign', priority = 0, name } = options(given,
    'the cleanup\'s option', ['cls', 'priority', 'name']);
  const kind = oneOf(cls, 'cls', CLASSES);
  const called = text(name ?? (fn.name || 'cleanup'), 'name');
  whole(priority, 'priority', -(2 ** 31), 2 ** 31 - 1);
  const call = shielded((n, want) => fn(stateName(n),
    want < 0 ? null : want), called);
  const id = done('the cleanup', tide.onPressure(call, kind, priority,
    called));
  return { cancel: () => tide.offPressure(id) };
}

let collector = null;

/** Is garbage collection a cleanup?  It is, from the first operation on. */
function collectGarbage(on = true) {
  if (on && !collector) {
    collector = onPressure(() => {
      lib.collectGarbage();
    }, { name: 'gc' });
  } else if (!on && collector) {
    collector.cancel();
    collector = false;
  }
}

/** Free what can be spared, now. */
function reclaim(given) {
  const { want = 0, emergency = false, callbacks = true, purge = true } =
    options(given, 'the cleanup\'s option',
      ['want', 'emergency', 'callbacks', 'purge']);
  const r = tide.reclaim((emergency ? EMERGENCY : 0) |
    (callbacks ? 0 : NO_CALLBACKS) | (purge ? 0 : NO_PURGE),
  parseSize(want, 'want'));
  done('the cleanup', r.result);
  return {
    freed: r.freed, blocks: r.blocks, returned: r.returned,
    ms: r.timeNs / 1e6, callbacks: r.callbacks, state: stateName(r.state),
  };
}

/** A safe point in a program without batches; the state. */
function poll({ force = false, emergency = false } = {}) {
  return stateName(done('the look', tide.poll((force ? FORCE_RECLAIM : 0) |
    (emergency ? EMERGENCY : 0))));
}

// --- guards, components, reservations ----------------------------------------

/** fn() as a batch of one item of an operation; need: bytes it will take. */
async function guard(name, need, fn) {
  if (typeof need === 'function')
    [need, fn] = [0, need];
  const bytes = parseSize(need, 'need');
  callable(fn, 'fn');
  const id = done(`the guard ${name}`, tide.guardBegin(text(name, 'name'),
    bytes));
  try {
    return await fn();
  } finally {
    tide.guardEnd(id);
  }
}

/** A part of the program with a budget of its own. */
class Component {
  constructor(name, given) {
    const { max = 0, weight = 0 } = options(given, 'the component\'s option',
      ['max', 'weight']);
    this.name = text(name, 'name');
    this.id = done(`the component ${name}`, tide.component(this.name,
      parseSize(max, 'max'), whole(weight, 'weight', 0, 0xffffffff)));
  }

  /** fn() works for it, until it returns: not what it awaits. */
  run(fn) {
    callable(fn, 'fn');
    tide.componentEnter(this.id);
    try {
      return fn();
    } finally {
      tide.componentLeave(this.id);
    }
  }

  /** Bytes that it holds; null: nobody counts them. */
  used() {
    return tide.componentUsed(this.id);
  }

  /** Bytes that it should hold now; null: no limit. */
  budget() {
    return tide.cacheBudget(this.id);
  }
}

/** Room that batches leave alone, until release(). */
async function reserve(least, given) {
  const { most = least, wait = 0 } = options(given,
    'the reservation\'s option', ['most', 'wait']);
  const low = parseSize(least, 'least');
  const high = parseSize(most, 'most');
  const until = performance.now() + real(wait, 'wait', 0, 1e12);

  for (;;) {
    const { result, bytes } = tide.reserve(low, high);
    if (result === 0) {
      let held = bytes;
      return {
        bytes,
        release() {
          if (held > 0)
            tide.unreserve(held);
          held = 0;
        },
      };
    }
    if (result !== -110 || performance.now() >= until)
      done(`the reservation of ${low} bytes`, result);
    await sleep(10);
  }
}

// --- runs --------------------------------------------------------------------

/** The work of this process, which can be gone on with; see run(). */
class Run {
  #over = false;

  constructor(name, given) {
    const { total, unit, inputs = [] } = options(given, 'the run\'s option',
      ['total', 'unit', 'inputs']);
    const { result, id } = tide.runBegin(text(name, 'name'),
      total === undefined ? -1 : whole(total, 'total'),
      unit === undefined ? null : text(unit, 'unit'));
    done(`the run ${name}`, result);
    this.id = id;
    this.total = total;
    try {
      for (const input of inputs)
        this.input(input);
      const from = tide.resume();
      done('the checkpoint', from.result);
      this.resumed = from.result === 1;
      this.at = from.at;
      this.blob = from.blob;
    } catch (error) {
      tide.runFinish(false);
      throw error;
    }
  }

  /** The run reads this file; an error if it is not what it was. */
  input(file) {
    done(`the input ${file}`, tide.input(text(file, 'the input')));
  }

  /** All items before this one are done.  blob: at most 65536 bytes. */
  checkpoint(at, blob = Buffer.alloc(0)) {
    if (typeof blob === 'string')
      blob = Buffer.from(blob);
    if (!(blob instanceof Uint8Array))
      throw wrong(TypeError, 'blob', blob,
        'a Buffer or text; JSON.stringify() makes it');
    if (blob.length > BLOB_MOST)
      throw wrong(RangeError, 'blob', `${blob.length} bytes`,
        `at most ${BLOB_MOST}`);
    done('the checkpoint', tide.checkpoint(whole(at, 'at'), blob));
    this.at = at;
    this.blob = Buffer.from(blob);
  }

  /** Call this when one is due: fn(at) flushes, and calls checkpoint(). */
  onCheckpoint(fn) {
    tide.onCheckpoint(fn === null ? null :
      shielded(callable(fn, 'the callback'), 'onCheckpoint'));
  }

  /** Start anew, if that makes room; returns if it does not. */
  recycle() {
    tide.recycle();
  }

  /** ok: all is done, and the next one starts anew. */
  finish(ok = true) {
    if (this.#over)
      return;
    this.#over = true;
    tide.onCheckpoint(null);
    done('the end of the run', tide.runFinish(Boolean(ok)));
  }
}

/**
 * Begin a run, or go on with the last of this name, arguments and directory
 * that did not come to its end.  With fn it is finished behind `await fn(run)`:
 * if all `total` items are done; of unknown length, if nothing was thrown nor
 * asked to stop.
 */
function run(name, given, fn) {
  if (typeof given === 'function')
    [given, fn] = [undefined, given];
  const begun = new Run(name, given);
  return fn === undefined ? begun : within(begun, callable(fn, 'fn'));
}

async function within(begun, fn) {
  try {
    const result = await fn(begun);
    begun.finish(begun.total === undefined ? shouldStop().length === 0 :
      begun.at >= begun.total);
    return result;
  } catch (error) {
    begun.finish(false);
    throw error;
  }
}

// --- operations --------------------------------------------------------------

const operations = new Map();

/**
 * A kind of work whose batches are alike.  The same name is the same
 * operation; who names it first says how it is done.
 */
function operation(name, conf) {
  if (collector === null)
    collectGarbage();
  const op = operations.get(name);
  if (op !== undefined && conf === undefined)
    return op;
  const again = new Operation(name, conf, Run); // conf is looked at
  if (op === undefined)
    operations.set(name, again);
  return op ?? again;
}

// --- the operator's line -----------------------------------------------------

function* directories() {
  const uid = process.getuid();
  if (process.env.HEAPTIDE_DIR)
    yield process.env.HEAPTIDE_DIR;
  if (process.env.XDG_RUNTIME_DIR)
    yield path.join(process.env.XDG_RUNTIME_DIR, 'heaptide');
  yield `/dev/shm/heaptide-${uid}`;
  yield `/tmp/heaptide-${uid}`;
}

/**
 * Ask the control socket of this process, heaptide-control(7): ask('analyze').
 * Somebody has to serve it: `heaptide run`, or the library's own keeper.
 */
function ask(request, { timeout = 5000 } = {}) {
  text(request, 'the request');
  if (request.includes('\n'))
    throw wrong(RangeError, 'the request', request, 'one line');
  let socket = null;
  for (const directory of directories()) {
    const place = path.join(directory, `${process.pid}.sock`);
    if (fs.existsSync(place)) {
      socket = place;
      break;
    }
  }
  if (socket === null) {
    return Promise.reject(new lib.HeaptideError(
      'nobody serves the control socket of this process', 'ENOENT'));
  }
  return talk(socket, request, timeout);
}

function talk(socket, request, timeout) {
  return new Promise((resolve, reject) => {
    const line = net.connect(socket);
    let said = '';
    line.setEncoding('utf8').setTimeout(timeout, () => line.destroy(
      new lib.TimedOutError(`no answer to '${request}'`, 'ETIMEDOUT')));
    line.on('connect', () => line.write(`${request}\n`));
    line.on('error', reject);
    line.on('close', () => reject(new lib.HeaptideError(
      `the answer to '${request}' is cut off`, 'EIO')));
    line.on('data', (part) => {
      said += part;
      const end = said.indexOf('\n');
      if (end < 0)
        return;
      line.removeAllListeners('close').end();
      const answer = JSON.parse(said.slice(0, end));
      if (answer.ok === false)
        reject(new lib.HeaptideError(answer.message, answer.error));
      else
        resolve(answer);
    });
  });
}

exports.STATES = STATES;
exports.LEVELS = LEVELS;
exports.EXIT_NO_MEMORY = 75;
exports.EXIT_CHECKPOINT = 85;
exports.HeaptideError = lib.HeaptideError;
exports.NoMemoryError = lib.NoMemoryError;
exports.TimedOutError = lib.TimedOutError;
exports.StoppedError = lib.StoppedError;
exports.isMemoryError = lib.isMemoryError;
exports.parseSize = parseSize;
exports.status = status;
exports.safe = safe;
exports.level = level;
exports.state = state;
exports.version = version;
exports.shouldStop = shouldStop;
exports.init = init;
exports.budgetSet = budgetSet;
exports.knob = knob;
exports.mark = mark;
exports.leakScan = leakScan;
exports.onPressure = onPressure;
exports.collectGarbage = collectGarbage;
exports.reclaim = reclaim;
exports.poll = poll;
exports.guard = guard;
exports.Component = Component;
exports.component = (name, given) => new Component(name, given);
exports.reserve = reserve;
exports.Run = Run;
exports.run = run;
exports.Batch = Batch;
exports.Batches = Batches;
exports.Operation = Operation;
exports.operation = operation;
exports.asBatch = asBatch;
exports.ask = ask;
// What programs were written against.
for (const name of ['createMemoryManager', 'memoryManager', 'heapAnalyzer',
  'batchOptimizer', 'MemoryManager', 'HeapAnalyzer', 'BatchOptimizer'])
  later(name, './memory.js');
for (const name of ['isMemorySafeForOperation', 'paginatedQuery',
  'setQuerySource', 'processInBatches', 'memoryAwareBatchProcessor',
  'processArrayInChunks', 'clearArrays', 'emergencyCleanup', 'MemoryMonitor'])
  later(name, './memoryOptimization.js');
Object.defineProperty(exports, 'BatchProcessor', {
  enumerable: true, get: () => require('./batchProcessor.js'),
});

/* They stand on what is above, so they are loaded when they are asked for. */
function later(name, file) {
  Object.defineProperty(exports, name, {
    enumerable: true, get: () => require(file)[name],
  });
}
