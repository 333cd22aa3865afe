'use strict';
/*
 * batches.js - operations, and walks through items in batches that fit
 *
 * Nobody is held up: who has to wait for room asks again by a timer.  As far as
 * heaptide is concerned all batches of a thread of JavaScript are of one
 * thread, which does not wait for its own; so while another batch is under way
 * and memory is critical, it is this file that waits for its end.
 */
const v8 = require('node:v8');
const {
  tide, STATES, failed, done, isMemoryError, wrong, whole, real, text,
  callable, options, oneOf, collectGarbage, sleep,
} = require('./lib.js');

const ETIMEDOUT = 110;
const NAP_MS = 10;
const CRITICAL = 2;
const NOMEM = 1;
const ERROR = 2;
const CANCEL = 3;
const HEAP_SHARE = 0.85; // of V8's own limit, which ends the process

const MODELS = { auto: 0, additive: 1, padded: 2, vector: 3 };
const POLICIES = { learn: 0, seed: 1, mean: 2, fixed: 3 };
const BOUNDS = ['none', 'memory', 'growth', 'knee', 'max', 'remaining',
  'overrun', 'state', 'lease', 'fixed'];

let underWay = 0; // batches of this thread

// --- waiting -----------------------------------------------------------------

async function begin(op, raw, first, remaining, waitMs) {
  const since = performance.now();

  for (;;) {
    let r = -ETIMEDOUT;
    if (underWay === 0 || tide.poll(0) < CRITICAL)
      r = tide.batchBegin(op.number, raw, first, remaining);
    if (r !== -ETIMEDOUT)
      return r;
    if (waitMs >= 0 && performance.now() - since >= waitMs)
      return r;
    await sleep(NAP_MS);
  }
}

// --- V8's own limit ----------------------------------------------------------

/*
 * The heap of JavaScript has a limit of its own, at which the process ends; it
 * may be nearer than the budget.  What an item took of it at most tells how
 * many fit.
 */
class HeapRoom {
  constructor() {
    this.perItem = 0;
    this.before = 0;
  }

  begin() {
    this.before = v8.getHeapStatistics().used_heap_size;
  }

  end(n) {
    const grown = v8.getHeapStatistics().used_heap_size - this.before;

    if (n > 0 && grown > 0)
      this.perItem = Math.max(this.perItem * 0.9, grown / n);
  }

  cap(n) {
    const limit = v8.getHeapStatistics().heap_size_limit * HEAP_SHARE;
    const fits = () => Math.floor((limit -
      v8.getHeapStatistics().used_heap_size) / this.perItem);
    if (this.perItem === 0 || fits() >= n)
      return n;
    collectGarbage();
    return Math.max(1, Math.min(n, fits()));
  }
}

// --- batches -----------------------------------------------------------------

/** Items that fit, an array; first is the index of its first item. */
class Batch extends Array {
  #raw = null;
  #handed = -1;

  // What is made of it is an array like any other.
  static get [Symbol.species]() {
    return Array;
  }

  static of_(items, raw, first) {
    const batch = new Batch();
    for (const item of items)
      batch.push(item);
    batch.#raw = raw;
    Object.defineProperty(batch, 'first', { value: first });
    return batch;
  }

  /** Is there room for one more item? */
  more() {
    return tide.batchMore(this.#raw) === 1;
  }

  /** Its items, while there is room; the others come again in the next. */
  * each() {
    if (this.#handed < 0)
      this.#handed = 0;
    while (this.#handed < this.length && this.more()) {
      yield this[this.#handed++];
      tide.itemDone(this.#raw);
    }
  }

  /** The item of this index could not be dealt with. */
  fail(index, why = '') {
    tide.itemFail(this.#raw, whole(index, 'index'), String(why).slice(0, 60));
  }

  get taken() {
    return this.#handed < 0 ? this.length : this.#handed;
  }
}

function lengthOf(items) {
  if (Array.isArray(items) || ArrayBuffer.isView(items))
    return items.length;
  if (items instanceof Set || items instanceof Map)
    return items.size;
  return -1;
}

function iteratorOf(items, from) {
  if (Array.isArray(items) || ArrayBuffer.isView(items)) {
    let at = from;
    return {
      next: () => at < items.length ? { done: false, value: items[at++] } :
        { done: true, value: undefined },
    };
  }
  if (items !== null && items !== undefined) {
    if (typeof items[Symbol.asyncIterator] === 'function')
      return items[Symbol.asyncIterator]();
    if (typeof items[Symbol.iterator] === 'function')
      return items[Symbol.iterator]();
  }
  throw wrong(TypeError, 'items', items, 'what can be iterated over');
}

/**
 * A walk through items; finished is true once all are done.  It ends early,
 * with finished false, where shouldStop() says so, and throws NoMemoryError
 * where not even one item fits.  at is the first that is not done.
 */
class Batches {
  #op;
  #how;
  #raw = tide.batchNew();
  #next;
  #back = [];
  #left;
  #skip = 0;
  #open = false;
  #batch = null;

  constructor(op, items, how) {
    this.#op = op;
    this.#how = how;
    this.at = how.run ? how.run.at : 0;
    this.finished = false;
    const n = lengthOf(items);
    this.#left = n < 0 ? -1 : Math.max(n - this.at, 0);
    this.#next = iteratorOf(items, this.at);
    if (!Array.isArray(items) && !ArrayBuffer.isView(items))
      this.#skip = this.at;
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  async #pull() {
    for (;;) {
      const { done: over, value } = await this.#next.next();
      if (over)
        return false;
      if (this.#skip === 0) {
        this.#back.push(value);
        return true;
      }
      this.#skip--;
    }
  }

  async #take(n) {
    const { weight } = this.#how;
    let k = 0;

    while (weight || k < n) {
      if (k >= this.#back.length && !await this.#pull())
        break;
      if (weight && tide.item(this.#raw, whole(weight(this.#back[k]),
        'the weight')) !== 1)
        break;
      k++;
    }
    return this.#back.splice(0, k);
  }

  async next() {
    await this.end();
    if (this.finished || (this.#back.length === 0 && !await this.#pull())) {
      this.finished = true;
      return { done: true, value: undefined };
    }
    const n = done(`the operation ${this.#op.name}`, await begin(this.#op,
      this.#raw, this.at, this.#left < 0 ? -1 : Math.max(this.#left, 1),
      this.#how.wait));
    if (n === 0)
      return { done: true, value: undefined };
    this.#open = true;
    underWay++;
    try {
      const most = this.#how.most ? this.#how.most() : n;
      const fits = Math.max(1, Math.min(this.#op.heap.cap(n), most));
      this.#op.heap.begin();
      const items = await this.#take(fits);
      this.#batch = Batch.of_(items, this.#raw, this.at);
    } catch (error) {
      this.#close(ERROR);
      throw error;
    }
    return { done: false, value: this.#batch };
  }

  /** The batch is over; what it did not hand out comes again. */
  async end() {
    const batch = this.#batch;

    if (batch === null)
      return;
    this.#batch = null;
    const n = batch.taken;
    this.#back.unshift(...batch.slice(n));
    if (this.#how.clear)
      batch.length = 0;
    this.at += n;
    if (this.#left >= 0)
      this.#left -= n;
    this.#op.heap.end(n);
    this.#open = false;
    underWay--;
    tide.batchEnd(this.#raw, n);
    if (this.#how.run)
      this.#how.run.checkpoint(this.at);
  }

  #close(why) {
    this.#batch = null;
    if (this.#open) {
      this.#open = false;
      underWay--;
      tide.batchAbort(this.#raw, why);
    }
  }

  /** The batch is given up; its items come again, fewer if why is memory. */
  abort(noMemory = false) {
    const batch = this.#batch;

    this.#close(noMemory ? NOMEM : ERROR);
    if (batch !== null)
      this.#back.unshift(...batch);
  }

  async return(value) {
    this.#close(CANCEL);
    this.#back.length = 0;
    this.finished = this.finished || false;
    if (typeof this.#next.return === 'function')
      await this.#next.return();
    return { done: true, value };
  }
}

// --- operations --------------------------------------------------------------

const CONF = ['initial', 'min', 'max', 'fixed', 'maxConcurrent', 'target',
  'model', 'policy', 'checkpointEvery', 'timeout', 'unit', 'monitor',
  'detect', 'reclaimBefore', 'reclaimAfter'];
const WALK = ['weight', 'run', 'wait', 'clear', 'most'];

function confOf(given) {
  const conf = { ...options(given, 'the operation\'s option', CONF) };
  for (const name of ['initial', 'min', 'max', 'fixed', 'maxConcurrent',
    'checkpointEvery']) {
    if (conf[name] !== undefined)
      whole(conf[name], name, 0, 0xffffffff);
  }
  if (conf.target !== undefined)
    real(conf.target, 'target', 0, 1);
  if (conf.timeout !== undefined)
    real(conf.timeout, 'timeout', 0, 1e12);
  if (conf.unit !== undefined)
    conf.unit = text(conf.unit, 'unit');
  conf.model = oneOf(conf.model ?? 'auto', 'model', MODELS);
  conf.policy = oneOf(conf.policy ?? 'learn', 'policy', POLICIES);
  conf.monitor = conf.monitor === undefined ? 0 : conf.monitor ? 1 : -1;
  conf.detect = conf.detect === false ? -1 : 0;
  conf.reclaimBefore = conf.reclaimBefore ? 1 : 0;
  conf.reclaimAfter = conf.reclaimAfter ? 1 : 0;
  return conf;
}

function walkOf(given, Run) {
  const how = { ...options(given, 'the walk\'s option', WALK) };
  for (const name of ['weight', 'most']) {
    if (how[name] !== undefined)
      callable(how[name], name);
  }
  if (how.run !== undefined && !(how.run instanceof Run))
    throw wrong(TypeError, 'run', how.run, 'what run() returns');
  how.wait = how.wait === undefined || how.wait === null ? -1 :
    real(how.wait, 'wait', 0, 1e12);
  return how;
}

/** A kind of work whose batches are alike; see operation(). */
class Operation {
  constructor(name, conf, Run) {
    this.name = text(name, 'name');
    this.number = tide.opOpen(this.name, confOf(conf));
    this.heap = new HeapRoom();
    this.Run_ = Run;
  }

  /** How many items the next batch had best have; a question only. */
  size(remaining) {
    const n = tide.batchSize(this.number, remaining === undefined ? -1 :
      whole(remaining, 'remaining'));
    return n === 0 ? 0 : this.heap.cap(n);
  }

  /** Batches of items, for `for await`, each sized to the room there is. */
  batches(items, how) {
    return new Batches(this, items, walkOf(how, this.Run_));
  }

  /**
   * The whole loop: fn(batch) for all, and again with fewer items where memory
   * is short, after a cleanup and a delay that doubles.  How many were done.
   */
  async forEach(items, fn, { retries = 3, delay = 100, ...how } = {}) {
    callable(fn, 'fn');
    whole(retries, 'retries');
    real(delay, 'delay', 0, 1e9);
    const walk = this.batches(items, how);
    let tries = 0;

    for await (const batch of walk) {
      try {
        await fn(batch);
        tries = 0;
      } catch (error) {
        if (!isMemoryError(error) || (batch.length <= 1 &&
          ++tries > retries)) {
          walk.abort();
          throw error;
        }
        walk.abort(true);
        collectGarbage();
        tide.reclaim(0, 0);
        await sleep(Math.min(delay * 2 ** tries, 30000));
      }
    }
    return walk.at;
  }

  /** What it has done so far; bytes, ns, as in heaptide.h. */
  stats() {
    const stats = tide.opStats(this.number);
    stats.bound = BOUNDS[stats.bound] ?? String(stats.bound);
    return stats;
  }
}

/** fn() as a batch of one item of an operation. */
async function asBatch(op, wait, fn) {
  const raw = tide.batchNew();
  const r = await begin(op, raw, 0, 1, wait);

  if (r === 0)
    throw failed(`the operation ${op.name}`, -125);
  done(`the operation ${op.name}`, r);
  underWay++;
  let ok = false;
  let short = false;
  try {
    const result = await fn();
    ok = true;
    return result;
  } catch (error) {
    short = isMemoryError(error);
    throw error;
  } finally {
    underWay--;
    if (ok)
      tide.batchEnd(raw, 1);
    else
      tide.batchAbort(raw, short ? NOMEM : ERROR);
  }
}

const stateName = (n) => STATES[n & 3];

module.exports = { Batch, Batches, Operation, asBatch, stateName };
