'use strict';
/*
 * memoryOptimization.js - jobs that ask before they start, page by page
 */
const heaptide = require('./index.js');
const {
  MIB, collectGarbage, options, real, whole, callable, text, wrong,
} = require('./lib.js');

const mb = (bytes) => bytes === null ? Infinity : Math.round(bytes / MIB);

// --- may it start? -----------------------------------------------------------

const MemoryMonitor = {
  /** What is used now, in MB; state: ok, warning, critical, exhausted. */
  checkMemory() {
    heaptide.poll();
    const now = heaptide.status();
    return {
      rssMB: mb(now.resident), usedMB: mb(now.used),
      availableMB: mb(now.available), budgetMB: mb(now.budget),
      status: now.status,
    };
  },
  emergencyCleanup: () => emergencyCleanup(),
};

/**
 * May something start that needs so many MB, with maxMB used at most?
 * Return: {safe, currentMB, availableMB}.
 */
async function isMemorySafeForOperation(needMB, maxMB = 0) {
  const answer = heaptide.safe(
    Math.ceil(real(needMB, 'needMB', 0, 2 ** 32) * MIB),
    Math.ceil(real(maxMB, 'maxMB', 0, 2 ** 32) * MIB));
  const left = maxMB > 0 ? Math.max(0, maxMB * MIB - answer.current) :
    Infinity;
  return {
    safe: answer.safe,
    currentMB: mb(answer.current),
    availableMB: Math.min(mb(answer.available), Math.floor(left / MIB)),
  };
}

/** All that can be had: garbage, every cleanup, what the allocator keeps. */
async function emergencyCleanup() {
  const before = heaptide.status().used;
  collectGarbage();
  const result = heaptide.reclaim({ emergency: true });
  return {
    freedMB: Math.max(0, mb(before) - mb(heaptide.status().used)),
    callbacks: result.callbacks, state: result.state,
  };
}

// --- pages -------------------------------------------------------------------

/** data of {data, error}, or of data itself. */
function rowsOf(answer) {
  if (Array.isArray(answer))
    return answer;
  if (answer && answer.error)
    throw answer.error instanceof Error ? answer.error :
      new Error(answer.error.message ?? String(answer.error));
  if (answer && (answer.data === null || Array.isArray(answer.data)))
    return answer.data ?? [];
  throw wrong(TypeError, 'what was fetched', answer,
    'an array, or {data, error}');
}

/**
 * Pages of a query, each as long as there is room for, batchSize at most:
 * fetch(offset, limit) returns rows or {data, error}.  It ends with the first
 * page that is not full, after maxBatches, or where shouldStop() says so.  A
 * page is emptied when the next is asked for; clear: false leaves it.
 */
async function* processInBatches(fetch, batchSize = 20, given) {
  const { maxBatches = Infinity, operation = 'processInBatches', clear = true,
    wait } = options(given, 'the option', ['maxBatches', 'operation', 'clear',
    'wait']);
  callable(fetch, 'fetch');
  whole(batchSize, 'batchSize', 1, 0xffffffff);
  if (maxBatches !== Infinity)
    whole(maxBatches, 'maxBatches', 1);
  // Rows that there may be; which are fetched is known by the batch.
  const most = batchSize * maxBatches;
  const walk = heaptide.operation(text(operation, 'operation'),
    { initial: batchSize }).batches(numbers(most),
    { wait, most: () => batchSize, clear: true });
  let offset = 0;

  for await (const batch of walk) {
    const limit = batch.length;
    const rows = rowsOf(await fetch(offset, limit));
    offset += rows.length;
    const full = rows.length >= limit;
    if (rows.length > 0)
      yield rows;
    if (clear)
      rows.length = 0;
    if (!full)
      return await walk.end();
  }
}

function* numbers(n) {
  for (let i = 0; i < n; i++)
    yield i;
}

let source = null;

/**
 * Where paginatedQuery() has its rows from: a function (table, {select,
 * filters, orderBy, ascending, offset, limit}) that returns rows or {data,
 * error}; or a client with .from(table), as Supabase has it.
 */
function setQuerySource(from) {
  if (from && typeof from.from === 'function')
    source = (table, query) => fromClient(from, table, query);
  else
    source = callable(from, 'the query source');
}

function fromClient(client, table, query) {
  let q = client.from(table).select(query.select);
  for (const [column, value] of Object.entries(query.filters))
    q = q.eq(column, value);
  if (query.orderBy !== undefined)
    q = q.order(query.orderBy, { ascending: query.ascending });
  return q.range(query.offset, query.offset + query.limit - 1);
}

/** Rows of a table, batchSize * maxBatches at most, page by page. */
async function paginatedQuery(table, given) {
  const { batchSize = 20, maxBatches = Infinity, select = '*', filters = {},
    orderBy, ascending = true, query = source } = options(given, 'the query',
    ['batchSize', 'maxBatches', 'select', 'filters', 'orderBy', 'ascending',
      'query']);
  if (query === null)
    throw new heaptide.HeaptideError('paginatedQuery() has no rows: call ' +
      'setQuerySource() first', 'EINVAL');
  text(table, 'table');
  callable(query, 'query');
  const rows = [];

  for await (const page of processInBatches((offset, limit) => query(table, {
    select, filters, orderBy, ascending, offset, limit,
  }), batchSize, { maxBatches, operation: 'paginatedQuery' })) {
    for (const row of page)
      rows.push(row);
  }
  return rows;
}

// --- arrays ------------------------------------------------------------------

/** Batches of items, for `for await`; batchSize is the most of one. */
async function* memoryAwareBatchProcessor(items, given) {
  const { batchSize, operation = 'memoryAwareBatchProcessor', wait } = options(
    typeof given === 'number' ? { batchSize: given } : given, 'the option',
    ['batchSize', 'operation', 'wait']);
  const most = batchSize === undefined ? undefined :
    whole(batchSize, 'batchSize', 1, 0xffffffff);
  yield* heaptide.operation(text(operation, 'operation'),
    { initial: most ?? 0 }).batches(items,
    { wait, ...(most === undefined ? {} : { most: () => most }) });
}

/**
 * fn(chunk, index) for all items, chunkSize at most at a time, fewer where
 * memory is short; what it returned, arrays joined.
 */
async function processArrayInChunks(items, fn, given) {
  const { chunkSize = 50, operation = 'processArrayInChunks' } = options(
    typeof given === 'number' ? { chunkSize: given } : given, 'the option',
    ['chunkSize', 'operation']);
  callable(fn, 'fn');
  whole(chunkSize, 'chunkSize', 1, 0xffffffff);
  const results = [];
  let index = 0;

  await heaptide.operation(text(operation, 'operation'),
    { initial: chunkSize }).forEach(items, async (chunk) => {
    const result = await fn(chunk, index);
    index++;
    if (Array.isArray(result)) {
      for (const value of result)
        results.push(value);
    } else if (result !== undefined) {
      results.push(result);
    }
  }, { most: () => chunkSize });
  return results;
}

/** Empty arrays, Sets and Maps, so that what they held can be collected. */
function clearArrays(...arrays) {
  for (const array of arrays) {
    if (Array.isArray(array))
      array.length = 0;
    else if (array instanceof Map || array instanceof Set)
      array.clear();
    else if (array !== null && array !== undefined)
      throw wrong(TypeError, 'what is to be cleared', array,
        'an array, a Set or a Map');
  }
}

exports.MemoryMonitor = MemoryMonitor;
exports.isMemorySafeForOperation = isMemorySafeForOperation;
exports.emergencyCleanup = emergencyCleanup;
exports.processInBatches = processInBatches;
exports.setQuerySource = setQuerySource;
exports.paginatedQuery = paginatedQuery;
exports.memoryAwareBatchProcessor = memoryAwareBatchProcessor;
exports.processArrayInChunks = processArrayInChunks;
exports.clearArrays = clearArrays;
