'use strict';
/*
 * batchProcessor.js - await new BatchProcessor(conf).process(items, fn)
 *
 * fn(item, index) for all items, those of a batch side by side; batches are
 * sized to the room there is.
 */
const heaptide = require('./index.js');
const { memoryManager, heapAnalyzer } = require('./memory.js');
const { options, whole, callable, text, isMemoryError } =
  require('./lib.js');

const CONF = ['batchSize', 'autoOptimize', 'memoryMonitoring',
  'detectMemoryIssues', 'processName', 'forceGCOnCompletion', 'maxConcurrent',
  'maxRetries', 'continueOnError', 'onProgress'];

class BatchProcessor {
  constructor(given) {
    const conf = options(given, 'the processor\'s option', CONF);
    this.batchSize = whole(conf.batchSize ?? 10, 'batchSize', 1, 0xffffffff);
    this.autoOptimize = conf.autoOptimize ?? true;
    this.memoryMonitoring = conf.memoryMonitoring ?? false;
    this.detectMemoryIssues = conf.detectMemoryIssues ?? false;
    this.forceGCOnCompletion = conf.forceGCOnCompletion ?? false;
    this.processName = text(conf.processName ?? 'batch', 'processName');
    this.maxConcurrent = whole(conf.maxConcurrent ?? this.batchSize,
      'maxConcurrent', 1, 0xffffffff);
    this.maxRetries = whole(conf.maxRetries ?? 3, 'maxRetries');
    this.continueOnError = conf.continueOnError ?? false;
    this.onProgress = conf.onProgress === undefined ? () => {} :
      callable(conf.onProgress, 'onProgress');
    this.errors = [];
    this.issues = [];
    // A size that is not to be found out is the same for every batch.
    this.op = heaptide.operation(this.processName, this.autoOptimize ?
      { initial: this.batchSize } : { fixed: this.batchSize });
  }

  /** What fn returned, in the order of items. */
  async process(items, fn) {
    callable(fn, 'the process function');
    const results = [];
    this.errors = [];
    await this.op.forEach(items, async (batch) => {
      const part = await this.#batch(batch, fn);
      for (const result of part)
        results.push(result);
      this.#look();
      this.onProgress(results.length);
    }, { retries: this.maxRetries });
    if (this.forceGCOnCompletion)
      memoryManager.forceGC();
    return results;
  }

  async #batch(batch, fn) {
    const results = new Array(batch.length).fill(undefined);
    let at = 0;
    let stop = null;
    const worker = async () => {
      while (at < batch.length && stop === null) {
        const i = at++;
        try {
          results[i] = await fn(batch[i], batch.first + i);
        } catch (error) {
          stop = this.#failed(batch, batch.first + i, error);
        }
      }
    };
    await Promise.all(Array.from({
      length: Math.min(this.maxConcurrent, batch.length),
    }, worker));
    if (stop !== null)
      throw stop;
    return results;
  }

  /** What is to be thrown for it, or null: the others go on. */
  #failed(batch, index, error) {
    if (isMemoryError(error))
      return error;
    batch.fail(index, error && error.message);
    if (!this.continueOnError)
      return error ?? new Error(`item ${index} failed`);
    this.errors.push({ index, error });
    return null;
  }

  #look() {
    if (this.memoryMonitoring)
      memoryManager.monitorMemory();
    if (!this.detectMemoryIssues)
      return;
    const { issues } = heapAnalyzer.analyzeHeap();
    for (const issue of issues) {
      if (!this.issues.some((known) => known.type === issue.type))
        process.emitWarning(issue.message, { type: 'MemoryIssue' });
    }
    this.issues = issues;
  }

  getStatistics() {
    return this.op.stats();
  }
}

module.exports = BatchProcessor;
module.exports.BatchProcessor = BatchProcessor;
