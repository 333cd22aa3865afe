'use strict';
/*
 * memory.js - MemoryManager, HeapAnalyzer, BatchOptimizer
 *
 *   const { memoryManager, heapAnalyzer, batchOptimizer } =
 *     require('heaptide/memory');
 *
 * For programs that are written against these names.  What limits the process
 * is the nearer of two: its budget (control groups, limits, the machine), and
 * V8's own heap limit.
 */
const v8 = require('node:v8');
const heaptide = require('./index.js');
const {
  MIB, collectGarbage, options, real, whole, callable, text, wrong,
} = require('./lib.js');

const SAMPLES = 120; // that a trend is made of
const EVERY_MS = 250; // between two of them, at the least

const mb = (bytes) => bytes === null ? Infinity :
  Math.round(bytes / MIB * 100) / 100;
const pct = (part) => `${(part * 100).toFixed(1)}%`;

// --- what is used ------------------------------------------------------------

function usageNow() {
  const now = heaptide.status();
  const heap = v8.getHeapStatistics();
  const ofBudget = now.budget ? now.used / now.budget : 0;
  const ofHeap = heap.used_heap_size / heap.heap_size_limit;
  const part = Math.max(ofBudget, ofHeap);
  return {
    heapUsedMB: mb(heap.used_heap_size),
    heapTotalMB: mb(heap.total_heap_size),
    heapLimitMB: mb(heap.heap_size_limit),
    externalMB: mb(heap.external_memory ?? 0),
    rssMB: mb(now.resident),
    usedMB: mb(now.used),
    budgetMB: mb(now.budget),
    availableMB: mb(now.available),
    utilization: pct(part),
    utilizationPct: part * 100,
    boundBy: ofHeap > ofBudget ? 'v8' : now.source,
    state: now.status,
  };
}

// --- trends ------------------------------------------------------------------

/** Slope by Theil and Sen, and whether it rises by Mann and Kendall. */
function trendOf(samples) {
  const n = samples.length;
  const slopes = [];
  let s = 0;

  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) {
      s += Math.sign(samples[j].used - samples[i].used);
      if (samples[j].at > samples[i].at)
        slopes.push((samples[j].used - samples[i].used) /
          (samples[j].at - samples[i].at));
    }
  }
  slopes.sort((a, b) => a - b);
  const slope = slopes.length === 0 ? 0 :
    slopes[Math.floor(slopes.length / 2)];
  const deviation = Math.sqrt(n * (n - 1) * (2 * n + 5) / 18);
  const z = n < 8 ? 0 : (Math.abs(s) - 1) * Math.sign(s) / deviation;
  return {
    mbPerHour: slope * 3600000 / MIB,
    rising: z > 2.58, // p < 0.005
    samples: n,
  };
}

/** Thins itself out, so that it spans the whole run in fixed room. */
class Samples {
  #list = [];
  #every = EVERY_MS;

  note(used) {
    const at = performance.now();
    const last = this.#list[this.#list.length - 1];
    if (last !== undefined && at - last.at < this.#every)
      return;
    this.#list.push({ at, used });
    if (this.#list.length > SAMPLES) {
      this.#list = this.#list.filter((_, i) => i % 2 === 0);
      this.#every *= 2;
    }
  }

  trend() {
    return trendOf(this.#list);
  }
}

const seen = new Samples();

// --- the manager -------------------------------------------------------------

class MemoryManager {
  constructor(given) {
    const { debug = false, autoGC = true, gcThresholdPct = 75 } = options(
      given, 'memoryManager', ['debug', 'autoGC', 'gcThresholdPct']);
    this.debug = Boolean(debug);
    this.autoGC = Boolean(autoGC);
    this.gcThresholdPct = real(gcThresholdPct, 'gcThresholdPct', 1, 100);
  }

  getCurrentMemoryUsage() {
    return usageNow();
  }

  /** Look, and clean up where it is high or forceGC says so. */
  monitorMemory(given) {
    const { forceGC = false } = options(given, 'monitorMemory', ['forceGC']);
    heaptide.poll();
    let usage = usageNow();
    seen.note(usage.usedMB * MIB);
    const before = usage.usedMB;
    const gc = Boolean(forceGC) || (this.autoGC &&
      usage.utilizationPct >= this.gcThresholdPct);
    if (gc) {
      this.forceGC();
      usage = usageNow();
    }
    usage.gc = gc;
    usage.freedMB = gc ? Math.max(0, before - usage.usedMB) : 0;
    if (this.debug)
      console.error(`Memory: ${usage.usedMB}MB/${usage.budgetMB}MB ` +
        `${usage.state}`);
    return usage;
  }

  /** Collect garbage, call the cleanups, give free memory back. */
  forceGC() {
    collectGarbage();
    try {
      return heaptide.reclaim();
    } catch (error) {
      if (error.code !== 'EBUSY') // a cleanup called this
        throw error;
      return null;
    }
  }

  /** How many items the next batch had best have: 1 at least, of any. */
  calculateOptimalBatchSize(items, given) {
    const { operation = 'batch' } = options(given, 'the option',
      ['operation']);
    const n = countOf(items);
    return n === 0 ? 0 : Math.max(1, heaptide.operation(operation).size(n));
  }

  getMemoryTrend() {
    seen.note(heaptide.status().used);
    return seen.trend();
  }
}

function countOf(items) {
  if (Array.isArray(items) || ArrayBuffer.isView(items))
    return items.length;
  if (items instanceof Set || items instanceof Map)
    return items.size;
  if (typeof items === 'number')
    return whole(items, 'items');
  throw wrong(TypeError, 'items', items, 'an array, a Set or a number');
}

// --- the analyzer ------------------------------------------------------------

const RULES = [
  (f, conf) => f.usage.utilizationPct < conf.highUtilizationThreshold ? null :
    {
      type: 'high_utilization',
      message: `${f.usage.utilization} of the memory that ` +
        `${f.usage.boundBy} allows is used`,
      recommend: f.usage.boundBy === 'v8' ?
        'raise --max-old-space-size, or use smaller batches' :
        'use smaller batches, or raise the budget',
    },
  (f, conf) => !f.trend.rising || f.trend.mbPerHour < conf.leakThresholdRate ?
    null : {
      type: 'potential_leak',
      message: `memory grows by ${f.trend.mbPerHour.toFixed(1)} MB an hour`,
      recommend: 'run it with `heaptide run --stacks all -- node ...` and ' +
        'see `heaptide leaks`; look for what is kept from batch to batch',
    },
  (f) => f.heap.number_of_detached_contexts === 0 ? null : {
    type: 'detached_contexts',
    message: `${f.heap.number_of_detached_contexts} contexts are detached ` +
      'and still held',
    recommend: 'look for what refers to closed windows or vm contexts',
  },
  (f) => f.now.retained < 64 * MIB || f.now.retained < f.now.used / 4 ? null :
    {
      type: 'fragmentation',
      message: `${mb(f.now.retained)} MB are free, and still with the ` +
        'allocator',
      recommend: 'set MALLOC_ARENA_MAX=2, or call reclaim() between batches',
    },
  (f) => f.now.status !== 'critical' && f.now.status !== 'exhausted' ? null : {
    type: 'critical',
    message: `the state is ${f.now.status}: ${mb(f.now.available)} MB are left`,
    recommend: 'stop what can be stopped; emergencyCleanup()',
  },
];

class HeapAnalyzer {
  constructor(given) {
    const { leakThresholdRate = 10, highUtilizationThreshold = 80 } = options(
      given, 'heapAnalyzer', ['leakThresholdRate',
        'highUtilizationThreshold']);
    this.conf = {
      leakThresholdRate: real(leakThresholdRate, 'leakThresholdRate', 0,
        Infinity), // MB an hour
      highUtilizationThreshold: real(highUtilizationThreshold,
        'highUtilizationThreshold', 0, 100),
    };
  }

  analyzeHeap() {
    const facts = {
      usage: usageNow(),
      now: heaptide.status(),
      heap: v8.getHeapStatistics(),
    };
    seen.note(facts.now.used);
    facts.trend = seen.trend();
    const found = RULES.map((rule) => rule(facts, this.conf))
      .filter((issue) => issue !== null);
    return {
      issues: found.map(({ type, message }) => ({ type, message })),
      recommends: found.map(({ recommend }) => recommend),
      usage: facts.usage,
      trend: facts.trend,
    };
  }

  /** Bytes; availableHeapSize: until the nearer of the two limits. */
  getMemoryStats() {
    const now = heaptide.status();
    const heap = v8.getHeapStatistics();
    return {
      availableHeapSize: Math.min(heap.total_available_size,
        now.available ?? Infinity),
      usedHeapSize: heap.used_heap_size,
      totalHeapSize: heap.total_heap_size,
      heapSizeLimit: heap.heap_size_limit,
      rss: now.resident,
      used: now.used,
      budget: now.budget,
      available: now.available,
      peak: now.peakUsed,
      live: now.live,
      malloced: heap.malloced_memory,
      trend: seen.trend(),
    };
  }
}

// --- the optimizer -----------------------------------------------------------

function adviceOn(name, s, conf) {
  const advice = [];

  if (s.cuts > 0)
    advice.push(`${name}: ${s.cuts} of ${s.batches} batches were ended early ` +
      'for lack of room; set a lower maxBatchSize or a higher budget');
  if (s.itemsFailed > 0)
    advice.push(`${name}: ${s.itemsFailed} items failed`);
  if (s.batches > 8 && s.retainedSum / s.batches > MIB)
    advice.push(`${name}: a batch leaves ${mb(s.retainedSum / s.batches)} MB ` +
      'behind; see `heaptide leaks`');
  if (s.bound === 'max' && s.nMost >= conf.maxBatchSize && s.batches > 8)
    advice.push(`${name}: memory would allow more than ` +
      `${conf.maxBatchSize} items a batch`);
  return advice;
}

class BatchOptimizer {
  #operations = new Set();

  constructor(given) {
    const { maxBatchSize = 0, minBatchSize = 0, targetUtilizationPct = 0,
      preProcessGC = false } = options(given, 'batchOptimizer',
      ['maxBatchSize', 'minBatchSize', 'targetUtilizationPct',
        'preProcessGC']);
    this.conf = {
      maxBatchSize: whole(maxBatchSize, 'maxBatchSize', 0, 0xffffffff),
      minBatchSize: whole(minBatchSize, 'minBatchSize', 0, 0xffffffff),
      target: real(targetUtilizationPct, 'targetUtilizationPct', 0, 100) / 100,
      preProcessGC: Boolean(preProcessGC),
    };
  }

  /** Its operation of this name, as it is configured. */
  operation(name) {
    this.#operations.add(text(name, 'operation'));
    return heaptide.operation(name, {
      max: this.conf.maxBatchSize, min: this.conf.minBatchSize,
      target: this.conf.target, reclaimBefore: this.conf.preProcessGC,
    });
  }

  calculateOptimalBatchSize(items, given) {
    const { operation = 'batch' } = options(given, 'the option',
      ['operation']);
    const n = countOf(items);
    return n === 0 ? 0 : Math.max(1, this.operation(operation).size(n));
  }

  /**
   * The same function, but each call waits until there is room, and what it
   * takes is learned.  monitored: what it took is noted for trends.
   */
  optimizeProcessFunction(fn, given) {
    const { operation = fn && fn.name || 'process', monitored = false, wait } =
      options(given, 'the option', ['operation', 'monitored', 'wait']);
    callable(fn, 'the process function');
    const op = this.operation(operation);
    const waitMs = wait === undefined ? -1 : real(wait, 'wait', 0, 1e12);

    return async function optimized(...values) {
      if (monitored)
        seen.note(heaptide.status().used);
      return heaptide.asBatch(op, waitMs, () => fn.apply(this, values));
    };
  }

  getBatchStatistics() {
    const operations = {};
    const recommendations = [];

    for (const name of this.#operations) {
      const stats = heaptide.operation(name).stats();
      operations[name] = stats;
      recommendations.push(...adviceOn(name, stats, this.conf));
    }
    return { operations, recommendations };
  }
}

// --- all of it ---------------------------------------------------------------

class Memory {
  constructor(given) {
    const { memoryManager, heapAnalyzer, batchOptimizer } = options(given,
      'createMemoryManager', ['memoryManager', 'heapAnalyzer',
        'batchOptimizer']);
    this.memoryManager = new MemoryManager(memoryManager);
    this.heapAnalyzer = new HeapAnalyzer(heapAnalyzer);
    this.batchOptimizer = new BatchOptimizer(batchOptimizer);
  }

  getCurrentMemoryUsage() {
    return this.memoryManager.getCurrentMemoryUsage();
  }

  monitorMemory(given) {
    return this.memoryManager.monitorMemory(given);
  }

  analyzeHeap() {
    return this.heapAnalyzer.analyzeHeap();
  }

  calculateOptimalBatchSize(items, given) {
    return this.batchOptimizer.calculateOptimalBatchSize(items, given);
  }

  optimizeProcessFunction(fn, given) {
    return this.batchOptimizer.optimizeProcessFunction(fn, given);
  }
}

const own = new Memory();

exports.createMemoryManager = (given) => new Memory(given);
exports.memoryManager = own.memoryManager;
exports.heapAnalyzer = own.heapAnalyzer;
exports.batchOptimizer = own.batchOptimizer;
exports.MemoryManager = MemoryManager;
exports.HeapAnalyzer = HeapAnalyzer;
exports.BatchOptimizer = BatchOptimizer;
exports.trendOf = trendOf;
