/// <reference types="node" />

/** Bytes: a number, or text such as '512M'. */
export type Size = number | bigint | string;
export type State = 'ok' | 'warning' | 'critical' | 'exhausted';
export type Level = 'standalone' | 'page' | 'runtime';
export type Items<T> = Iterable<T> | AsyncIterable<T>;

export const STATES: readonly State[];
export const LEVELS: readonly Level[];
export const EXIT_NO_MEMORY: 75;
export const EXIT_CHECKPOINT: 85;

// --- what can go wrong -------------------------------------------------------

/** What heaptide could not do; code is an errno's name. */
export class HeaptideError extends Error {
  constructor(message: string, code: string);
  code: string;
}
/** There is no room, and none is to be expected. */
export class NoMemoryError extends HeaptideError {}
/** No room came free in the time that was given. */
export class TimedOutError extends HeaptideError {}
/** The program has been asked to come to its end. */
export class StoppedError extends HeaptideError {}
/** Is this what an engine throws where memory is short? */
export function isMemoryError(error: unknown): boolean;

// --- questions ---------------------------------------------------------------

/** Bytes; null: not known, or there is no limit. */
export interface Status {
  status: State;
  memory_usage_gb: number;
  peak_memory_gb: number;
  memory_warnings: number;
  used: number;
  peakUsed: number;
  budget: number | null;
  available: number | null;
  live: number | null;
  blocks: number | null;
  peakLive: number;
  resident: number;
  retained: number;
  lease: number;
  rate: number;
  source: string;
  level: Level;
  soft: boolean;
  exact: boolean;
  stop: boolean;
}

export function parseSize(value: Size, name?: string): number;
export function status(): Status;
/** May something start that needs so much, with maxUsed used at most? */
export function safe(need: Size, maxUsed?: Size):
  Status & { safe: boolean; current: number };
export function level(): Level;
export function state(): State;
export function version(): string | null;
/** Why the program should come to its end; empty: it should not. */
export function shouldStop(): Array<'term' | 'drain' | 'exhausted' |
  'recycle'>;
/** Settings that go before the environment's: 'budget=512M warn=70%'. */
export function init(settings: string): void;
/** Use no more than so much; 0: as it is without. */
export function budgetSet(size: Size): void;
/** Between the two, by how much of the budget is used. */
export function knob(name: string, best: number, cheapest: number): number;
/** An epoch ends here, for `heaptide leaks`.  False: nobody counts. */
export function mark(name: string): boolean;
/** What of the heap nobody can reach. */
export function leakScan(): { blocks: number; bytes: number };
/** Ask the control socket of this process, heaptide-control(7). */
export function ask(request: string, options?: { timeout?: number }):
  Promise<Record<string, unknown>>;

// --- cleanup -----------------------------------------------------------------

export type Clean = (level: State, want: number | null) => unknown;

/** Call this when memory is short, in this thread, at its safe points. */
export function onPressure(fn: Clean, options?: {
  cls?: 'compact' | 'benign' | 'idle' | 'destructive';
  priority?: number;
  name?: string;
}): { cancel(): void };
/** Is garbage collection a cleanup?  It is, from the first operation on. */
export function collectGarbage(on?: boolean): void;
/** Free what can be spared, now. */
export function reclaim(options?: {
  want?: Size; emergency?: boolean; callbacks?: boolean; purge?: boolean;
}): {
  freed: number; blocks: number; returned: number; ms: number;
  callbacks: number; state: State;
};
/** A safe point in a program without batches; the state. */
export function poll(options?: { force?: boolean; emergency?: boolean }):
  State;

// --- guards, components, reservations ----------------------------------------

/** fn() as a batch of one item of an operation. */
export function guard<R>(name: string, fn: () => R | Promise<R>): Promise<R>;
export function guard<R>(name: string, need: Size,
  fn: () => R | Promise<R>): Promise<R>;

/** A part of the program with a budget of its own. */
export class Component {
  constructor(name: string, options?: { max?: Size; weight?: number });
  readonly name: string;
  /** fn() works for it, until it returns: not what it awaits. */
  run<R>(fn: () => R): R;
  used(): number | null;
  budget(): number | null;
}
export function component(name: string,
  options?: { max?: Size; weight?: number }): Component;

/** Room that batches leave alone, until release().  wait: ms. */
export function reserve(least: Size, options?: { most?: Size; wait?: number }):
  Promise<{ bytes: number; release(): void }>;

// --- runs --------------------------------------------------------------------

export interface RunOptions {
  total?: number;
  unit?: string;
  inputs?: Iterable<string>;
}

/** The work of this process, which can be gone on with. */
export class Run {
  constructor(name: string, options?: RunOptions);
  readonly id: string;
  readonly resumed: boolean;
  /** The first item that is not done. */
  at: number;
  /** What was given with that checkpoint. */
  blob: Buffer;
  input(file: string): void;
  /** All items before this one are done.  blob: at most 65536 bytes. */
  checkpoint(at: number, blob?: Uint8Array | string): void;
  onCheckpoint(fn: ((at: number) => void) | null): void;
  recycle(): void;
  finish(ok?: boolean): void;
}
export function run(name: string, options?: RunOptions): Run;
export function run<R>(name: string, fn: (run: Run) => R | Promise<R>):
  Promise<R>;
export function run<R>(name: string, options: RunOptions,
  fn: (run: Run) => R | Promise<R>): Promise<R>;

// --- operations and batches --------------------------------------------------

/** Items that fit. */
export class Batch<T> extends Array<T> {
  /** Index of its first item. */
  readonly first: number;
  /** Items that each() has handed out; all, without it. */
  readonly taken: number;
  /** Is there room for one more item? */
  more(): boolean;
  /** Its items, while there is room; the others come again in the next. */
  each(): Generator<T>;
  /** The item of this index could not be dealt with. */
  fail(index: number, why?: string): void;
}

export interface Walk<T> {
  /** Of an item: bytes, or what memory grows with. */
  weight?: (item: T) => number;
  /** Begin at run.at, and checkpoint after each batch. */
  run?: Run;
  /** ms until there must be room, or TimedOutError. */
  wait?: number;
  /** A batch is emptied when it is over. */
  clear?: boolean;
  /** A cap, asked for each batch. */
  most?: () => number;
}

export class Batches<T> implements AsyncIterableIterator<Batch<T>> {
  /** The first item that is not done. */
  readonly at: number;
  readonly finished: boolean;
  next(): Promise<IteratorResult<Batch<T>>>;
  return(value?: unknown): Promise<IteratorResult<Batch<T>>>;
  [Symbol.asyncIterator](): this;
  /** The batch is over; what it did not hand out comes again. */
  end(): Promise<void>;
  /** The batch is given up; its items come again. */
  abort(noMemory?: boolean): void;
}

/** 0: as configured.  timeout: ms.  As tide_op_conf in heaptide.h. */
export interface OperationOptions {
  initial?: number;
  min?: number;
  max?: number;
  fixed?: number;
  maxConcurrent?: number;
  target?: number;
  model?: 'auto' | 'additive' | 'padded' | 'vector';
  policy?: 'learn' | 'seed' | 'mean' | 'fixed';
  checkpointEvery?: number;
  timeout?: number;
  unit?: string;
  monitor?: boolean;
  detect?: boolean;
  reclaimBefore?: boolean;
  reclaimAfter?: boolean;
}

export interface OperationStats {
  name: string;
  unit: string;
  bound: string;
  batches: number;
  items: number;
  itemsFailed: number;
  cuts: number;
  /** Given up for any cause, and of these for lack of memory. */
  aborts: number;
  abortsMemory: number;
  active: number;
  [figure: string]: number | string | null;
}

export class Operation {
  readonly name: string;
  /** How many items the next batch had best have; a question only. */
  size(remaining?: number): number;
  batches<T>(items: Items<T>, options?: Walk<T>): Batches<T>;
  forEach<T>(items: Items<T>, fn: (batch: Batch<T>) => unknown,
    options?: Walk<T> & { retries?: number; delay?: number }):
    Promise<number>;
  stats(): OperationStats;
}
export function operation(name: string, options?: OperationOptions): Operation;
/** fn() as a batch of one item; wait: ms, -1: as long as there is hope. */
export function asBatch<R>(op: Operation, wait: number,
  fn: () => R | Promise<R>): Promise<R>;

// --- what programs were written against: heaptide/memory --------------------

export interface Usage {
  heapUsedMB: number;
  heapTotalMB: number;
  heapLimitMB: number;
  externalMB: number;
  rssMB: number;
  usedMB: number;
  budgetMB: number;
  availableMB: number;
  utilization: string;
  utilizationPct: number;
  boundBy: string;
  state: State;
}
export interface Trend {
  mbPerHour: number;
  rising: boolean;
  samples: number;
}
export interface Analysis {
  issues: Array<{ type: string; message: string }>;
  recommends: string[];
  usage: Usage;
  trend: Trend;
}
export interface ManagerOptions {
  debug?: boolean;
  autoGC?: boolean;
  gcThresholdPct?: number;
}
export interface AnalyzerOptions {
  /** MB an hour. */
  leakThresholdRate?: number;
  /** Per cent. */
  highUtilizationThreshold?: number;
}
export interface OptimizerOptions {
  maxBatchSize?: number;
  minBatchSize?: number;
  targetUtilizationPct?: number;
  preProcessGC?: boolean;
}
export type Countable = ArrayLike<unknown> | ReadonlySet<unknown> |
  ReadonlyMap<unknown, unknown> | number;

export class MemoryManager {
  constructor(options?: ManagerOptions);
  getCurrentMemoryUsage(): Usage;
  monitorMemory(options?: { forceGC?: boolean }):
    Usage & { gc: boolean; freedMB: number };
  forceGC(): unknown;
  calculateOptimalBatchSize(items: Countable,
    options?: { operation?: string }): number;
  getMemoryTrend(): Trend;
}
export class HeapAnalyzer {
  constructor(options?: AnalyzerOptions);
  analyzeHeap(): Analysis;
  getMemoryStats(): {
    availableHeapSize: number; usedHeapSize: number; totalHeapSize: number;
    heapSizeLimit: number; rss: number; used: number; budget: number | null;
    available: number | null; peak: number; live: number | null;
    malloced: number; trend: Trend;
  };
}
export class BatchOptimizer {
  constructor(options?: OptimizerOptions);
  operation(name: string): Operation;
  calculateOptimalBatchSize(items: Countable,
    options?: { operation?: string }): number;
  optimizeProcessFunction<A extends unknown[], R>(
    fn: (...values: A) => R | Promise<R>,
    options?: { operation?: string; monitored?: boolean; wait?: number }):
    (...values: A) => Promise<R>;
  getBatchStatistics(): {
    operations: Record<string, OperationStats>; recommendations: string[];
  };
}
export interface Memory {
  memoryManager: MemoryManager;
  heapAnalyzer: HeapAnalyzer;
  batchOptimizer: BatchOptimizer;
  getCurrentMemoryUsage: MemoryManager['getCurrentMemoryUsage'];
  monitorMemory: MemoryManager['monitorMemory'];
  analyzeHeap: HeapAnalyzer['analyzeHeap'];
  calculateOptimalBatchSize: BatchOptimizer['calculateOptimalBatchSize'];
  optimizeProcessFunction: BatchOptimizer['optimizeProcessFunction'];
}
export function createMemoryManager(options?: {
  memoryManager?: ManagerOptions;
  heapAnalyzer?: AnalyzerOptions;
  batchOptimizer?: OptimizerOptions;
}): Memory;
export const memoryManager: MemoryManager;
export const heapAnalyzer: HeapAnalyzer;
export const batchOptimizer: BatchOptimizer;

// --- heaptide/batchProcessor -------------------------------------------------

export class BatchProcessor {
  constructor(options?: {
    batchSize?: number;
    autoOptimize?: boolean;
    memoryMonitoring?: boolean;
    detectMemoryIssues?: boolean;
    processName?: string;
    forceGCOnCompletion?: boolean;
    maxConcurrent?: number;
    maxRetries?: number;
    continueOnError?: boolean;
    onProgress?: (done: number) => void;
  });
  readonly errors: Array<{ index: number; error: unknown }>;
  readonly issues: Array<{ type: string; message: string }>;
  process<T, R>(items: Items<T>,
    fn: (item: T, index: number) => R | Promise<R>): Promise<R[]>;
  getStatistics(): OperationStats;
}

// --- heaptide/memoryOptimization ---------------------------------------------

export const MemoryMonitor: {
  checkMemory(): {
    rssMB: number; usedMB: number; availableMB: number; budgetMB: number;
    status: State;
  };
  emergencyCleanup: typeof emergencyCleanup;
};
/** May something start that needs so many MB, with maxMB used at most? */
export function isMemorySafeForOperation(needMB: number, maxMB?: number):
  Promise<{ safe: boolean; currentMB: number; availableMB: number }>;
export function emergencyCleanup():
  Promise<{ freedMB: number; callbacks: number; state: State }>;

export type Fetched<T> = T[] | {
  data: T[] | null; error?: { message: string } | null;
};
export interface Query {
  select: string;
  filters: Record<string, unknown>;
  orderBy?: string;
  ascending: boolean;
  offset: number;
  limit: number;
}
export type QuerySource<T = any> = (table: string, query: Query) =>
  Fetched<T> | Promise<Fetched<T>>;
export function setQuerySource(source: QuerySource |
  { from(table: string): any }): void;
export function paginatedQuery<T = any>(table: string, options?: {
  batchSize?: number; maxBatches?: number; select?: string;
  filters?: Record<string, unknown>; orderBy?: string; ascending?: boolean;
  query?: QuerySource<T>;
}): Promise<T[]>;
export function processInBatches<T>(
  fetch: (offset: number, limit: number) => Fetched<T> | Promise<Fetched<T>>,
  batchSize?: number, options?: {
    maxBatches?: number; operation?: string; clear?: boolean; wait?: number;
  }): AsyncGenerator<T[]>;
export function memoryAwareBatchProcessor<T>(items: Items<T>,
  options?: number | {
    batchSize?: number; operation?: string; wait?: number;
  }): AsyncGenerator<Batch<T>>;
export function processArrayInChunks<T, R>(items: Items<T>,
  fn: (chunk: Batch<T>, index: number) => R | R[] | Promise<R | R[]>,
  options?: number | { chunkSize?: number; operation?: string }):
  Promise<R[]>;
/** Empty arrays, Sets and Maps. */
export function clearArrays(...arrays: Array<unknown[] | Set<unknown> |
  Map<unknown, unknown> | null | undefined>): void;
