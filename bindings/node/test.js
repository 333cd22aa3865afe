'use strict';
/*
 * test.js - the package does what heaptide.h does, and as documented
 *
 * Run by tests/live/bindings-node.sh, alone and with heaptide inside, which
 * HEAPTIDE_EXPECT names.
 */
const test = require('node:test');
const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { Worker } = require('node:worker_threads');

const heaptide = require('heaptide');

const MIB = 1024 * 1024;
const DEPTH = process.env.HEAPTIDE_EXPECT || heaptide.level();
const numbers = (n) => Array.from({ length: n }, (_, i) => i);

/** A Node of its own that runs code, with a budget all of its own. */
function child(code, budget, more = {}) {
  const env = { ...process.env, ...more };
  if (budget)
    env.HEAPTIDE_BUDGET = budget;
  const done = spawnSync(process.execPath, ['-e',
    `const heaptide = require('heaptide');
     const tell = (v) => console.log(JSON.stringify(v));
     const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
     (async () => { ${code} })();`], { env, timeout: 120000 });
  return { status: done.status, signal: done.signal,
    out: done.stdout.toString(), err: done.stderr.toString() };
}

function answer(code, budget, more) {
  const said = child(code, budget, more);
  assert.equal(said.status, 0, said.err);
  return JSON.parse(said.out);
}

async function rejects(fn, kind, code) {
  await assert.rejects(async () => fn(), (error) => {
    assert.ok(error instanceof kind, `${error}`);
    if (code !== undefined)
      assert.equal(error.code, code);
    return true;
  });
}

// --- questions ---------------------------------------------------------------

test('the level is what was started', () => {
  assert.equal(heaptide.level(), DEPTH);
  assert.equal(heaptide.version() === null, DEPTH !== 'runtime');
});

test('status has its names, and what is held is seen', async () => {
  const before = heaptide.status();
  for (const name of ['memory_usage_gb', 'peak_memory_gb', 'memory_warnings'])
    assert.equal(typeof before[name], 'number');
  const held = Buffer.alloc(64 * MIB, 1);
  for (let i = 0; heaptide.status().used < before.used + 50 * MIB; i++) {
    assert.ok(i < 200, 'never seen');
    await new Promise((r) => setTimeout(r, 50));
  }
  if (DEPTH === 'runtime')
    assert.ok(heaptide.status().live >= held.length);
  else
    assert.equal(heaptide.status().live, null);
});

test('safe, knob, mark, leakScan answer', () => {
  assert.equal(heaptide.safe('1M').safe, true);
  assert.equal(heaptide.safe('1M', '2M').safe, false);
  const knob = heaptide.knob('samples', 10, 6);
  assert.ok(heaptide.state() === 'ok' ? knob === 10 : knob >= 6, `${knob}`);
  assert.equal(heaptide.mark('here'), DEPTH === 'runtime');
  if (DEPTH !== 'runtime')
    assert.throws(() => heaptide.leakScan(), { code: 'ENODEV' });
  assert.deepEqual(heaptide.shouldStop(), []);
});

test('the control socket is asked where somebody serves it', async () => {
  if (DEPTH !== 'runtime') {
    await rejects(() => heaptide.ask('status'), heaptide.HeaptideError);
    return;
  }
  let said;
  for (let i = 0; said === undefined; i++) {
    said = await heaptide.ask('status').catch((error) => {
      if (i > 100)
        throw error;
    });
    await new Promise((r) => setTimeout(r, 50));
  }
  assert.equal(said.ok, true);
  await rejects(() => heaptide.ask('nonsense'), heaptide.HeaptideError);
});

test('of what is wrong nothing is done', async () => {
  const op = heaptide.operation('wrong');
  const types = [
    () => heaptide.safe(null), () => heaptide.safe({}), () => heaptide.mark(7),
    () => heaptide.operation(5), () => heaptide.operation(undefined),
    () => heaptide.operation('wrong', { max: '5' }),
    () => heaptide.operation('wrong', 7), () => heaptide.onPressure(5),
    () => heaptide.component(null), () => heaptide.knob('x', 'a', 1),
    () => op.batches(5), () => op.batches(null), () => op.size('5'),
    () => op.batches([1], { run: 'run' }), () => op.batches([1], { weight: 3 }),
    () => op.forEach([1], null), () => heaptide.guard('x', 0),
    () => heaptide.reserve(undefined), () => heaptide.run(5),
    () => heaptide.clearArrays(7), () => heaptide.processArrayInChunks([1], 5),
    () => heaptide.memoryManager.calculateOptimalBatchSize('items'),
    () => heaptide.isMemorySafeForOperation('100'),
    () => heaptide.batchOptimizer.optimizeProcessFunction(7),
  ];
  const values = [
    () => heaptide.safe(-1), () => heaptide.safe('1X'),
    () => heaptide.safe(1.5), () => heaptide.safe(NaN), () => heaptide.mark(''),
    () => heaptide.mark('a\0b'), () => heaptide.operation('wrong', { max: -1 }),
    () => heaptide.operation('wrong', { target: 2 }),
    () => heaptide.operation('wrong', { model: 'best' }),
    () => heaptide.operation('wrong', { maximum: 5 }),
    () => heaptide.onPressure(() => 0, { cls: 'free' }),
    () => heaptide.init('nonsense=1'), () => op.batches([1], { wait: -1 }),
    () => op.batches([1], { wayt: 1 }), () => heaptide.reclaim({ all: true }),
    () => heaptide.createMemoryManager({ memoryManagr: {} }),
    () => heaptide.createMemoryManager({
      memoryManager: { gcThresholdPct: 175 } }),
  ];
  for (const call of types)
    await rejects(call, TypeError, 'ERR_HEAPTIDE_ARGUMENT');
  for (const call of values)
    await rejects(call, RangeError, 'ERR_HEAPTIDE_ARGUMENT');
  assert.equal(heaptide.parseSize('1.5G'), 1536 * MIB);
  assert.equal(op.stats().batches, 0);
});

// --- batches -----------------------------------------------------------------

test('every item comes once and in order', async () => {
  async function* slowly() {
    for (const i of numbers(500))
      yield i;
  }
  for (const items of [numbers(500), new Set(numbers(500)), slowly(),
    numbers(500)[Symbol.iterator](), Int32Array.from(numbers(500))]) {
    const walk = heaptide.operation('order', { max: 37 }).batches(items);
    const seen = [];
    for await (const batch of walk) {
      assert.equal(batch.first, seen.length);
      assert.ok(batch.length > 0 && batch.length <= 37);
      seen.push(...batch);
    }
    assert.deepEqual(seen, numbers(500));
    assert.equal(walk.finished, true);
    assert.equal(walk.at, 500);
  }
  for (const items of [[], new Set(), slowly.call].slice(0, 2)) {
    for await (const batch of heaptide.operation('order').batches(items))
      assert.fail(`${batch}`);
  }
});

test('what is configured holds; a batch is an array', async () => {
  const op = heaptide.operation('fixed', { fixed: 20, unit: 'page' });
  const sizes = [];
  for await (const batch of op.batches(numbers(70))) {
    assert.ok(Array.isArray(batch));
    assert.equal(batch.map((i) => i).constructor, Array);
    sizes.push(batch.length);
  }
  assert.deepEqual(sizes, [20, 20, 20, 10]);
  const stats = op.stats();
  assert.deepEqual([stats.name, stats.unit, stats.batches, stats.items,
    stats.active, stats.bound], ['fixed', 'page', 4, 70, 0, 'remaining']);
});

test('batches keep within the budget', () => {
  const [most, complete, largest] = answer(`
    const op = heaptide.operation('sized');
    let most = 0;
    const seen = [];
    for await (const batch of op.batches(
      Array.from({ length: 300 }, (_, i) => i))) {
      let data = [];
      for (const item of batch) {
        data.push(Buffer.alloc(1 << 20, 1));
        await sleep(2);
        seen.push(item);
      }
      most = Math.max(most, heaptide.status().used);
      data = null;
    }
    tell([most, seen.every((v, i) => v === i) && seen.length === 300,
      op.stats().nMost]);`, '300M');
  assert.ok(complete);
  assert.ok(most < 300 * MIB, `${most}`);
  assert.ok(largest > 1, `${largest}`);
});

test('each() gives back what was not handed out', () => {
  const [complete, cut] = answer(`
    const op = heaptide.operation('each', { initial: 600, min: 600 });
    const seen = [];
    let cut = 0;
    for await (const batch of op.batches(
      Array.from({ length: 900 }, (_, i) => i))) {
      let held = [];
      for (const item of batch.each()) {
        held.push(Buffer.alloc(1 << 20, 1));
        seen.push(item);
        await sleep(2);
      }
      cut += batch.taken < batch.length ? 1 : 0;
      held = null;
    }
    tell([seen.every((v, i) => v === i) && seen.length === 900, cut]);`,
  '260M');
  assert.ok(complete);
  assert.ok(cut > 0);
});

test('weights close a batch before what would not fit', () => {
  const [most, items] = answer(`
    const op = heaptide.operation('weights');
    let most = 0;
    for await (const batch of op.batches(new Array(300).fill(1 << 20),
      { weight: (n) => n })) {
      let data = batch.map((n) => Buffer.alloc(n, 1));
      most = Math.max(most, heaptide.status().used);
      data = null;
    }
    tell([most, op.stats().items]);`, '300M');
  assert.equal(items, 300);
  assert.ok(most < 300 * MIB, `${most}`);
});

test('where nothing fits it is a NoMemoryError, and nobody is held up', () => {
  const [name, ticks] = answer(`
    let ticks = 0;
    const timer = setInterval(() => ticks++, 20);
    const held = Buffer.alloc(200 << 20, 1);
    let name = 'all';
    try {
      for await (const batch of heaptide.operation('full').batches([1, 2, 3]))
        held.fill(batch.length);
    } catch (error) {
      name = error.constructor.name + error.code + held.length;
    }
    clearInterval(timer);
    tell([name, ticks]);`, '150M');
  assert.equal(name, `NoMemoryErrorENOMEM${200 << 20}`);
  assert.ok(ticks > 20, `${ticks}`);
});

test('a wait that is too long is a TimedOutError', () => {
  assert.equal(answer(`
    const held = Buffer.alloc(200 << 20, 1);
    try {
      for await (const batch of heaptide.operation('w').batches([1], {
        wait: 100 }))
        held.fill(batch.length);
    } catch (error) {
      tell(error.constructor.name + held.length);
    }`, '150M'), `TimedOutError${200 << 20}`);
});

test('a loop that is left gives its batch up', async () => {
  const op = heaptide.operation('left', { fixed: 5 });
  for await (const batch of op.batches(numbers(100)))
    if (batch.first >= 0)
      break;
  await assert.rejects(async () => {
    for await (const batch of op.batches(numbers(100)))
      throw new Error(`${batch.length}`);
  }, /5/);
  assert.equal(op.stats().active, 0);
});

test('where memory is short fewer are tried', async () => {
  const seen = [];
  const sizes = [];
  const n = await heaptide.operation('again', { initial: 16, max: 16 })
    .forEach(numbers(60), async (batch) => {
      sizes.push(batch.length);
      if (batch.length > 4)
        throw new RangeError('Array buffer allocation failed');
      seen.push(...batch);
    }, { delay: 1 });
  assert.deepEqual([n, seen], [60, numbers(60)]);
  assert.ok(sizes[0] > 4);
  await rejects(() => heaptide.operation('never', { max: 1 }).forEach([1],
    () => {
      throw new heaptide.NoMemoryError('none', 'ENOMEM');
    }, { delay: 1, retries: 2 }), heaptide.NoMemoryError);
  await rejects(() => heaptide.operation('other').forEach([1], () => {
    throw new SyntaxError('other');
  }), SyntaxError);
});

test('walks go side by side', async () => {
  const op = heaptide.operation('side', { max: 7, maxConcurrent: 2 });
  let open = 0;
  let most = 0;
  const seen = await Promise.all(numbers(5).map(async () => {
    const mine = [];
    for await (const batch of op.batches(numbers(40))) {
      most = Math.max(most, ++open);
      await new Promise((r) => setTimeout(r, 1));
      mine.push(...batch);
      open--;
    }
    return mine;
  }));
  for (const mine of seen)
    assert.deepEqual(mine, numbers(40));
  assert.ok(most <= 2, `${most}`);
});

test('a worker has an environment of its own', async () => {
  const worker = new Worker(`
    const heaptide = require('heaptide');
    const { parentPort } = require('node:worker_threads');
    let told = 0;
    heaptide.onPressure(() => { told++; });
    (async () => {
      let n = 0;
      for await (const batch of heaptide.operation('w').batches(
        new Array(50).fill(1)))
        n += batch.length;
      heaptide.reclaim();
      parentPort.postMessage([n, told, heaptide.level()]);
    })();`, { eval: true });
  const said = await new Promise((resolve, reject) => {
    worker.on('message', resolve);
    worker.on('error', reject);
  });
  await worker.terminate();
  assert.deepEqual(said, [50, 1, DEPTH]);
  heaptide.reclaim(); // what it registered is gone with it
});

// --- cleanups, guards, components, reservations ------------------------------

test('a cleanup is called, and no longer', () => {
  const told = [];
  const cleanup = heaptide.onPressure((level, want) => {
    told.push([level, want]);
    return 5;
  }, { cls: 'compact', priority: 2, name: 'mine' });
  const result = heaptide.reclaim();
  assert.ok(result.callbacks >= 1);
  assert.deepEqual(told, [['critical', null]]);
  cleanup.cancel();
  cleanup.cancel();
  heaptide.reclaim();
  assert.equal(told.length, 1);
});

test('one that cancels itself while it is called', () => {
  let n = 0;
  const cleanup = heaptide.onPressure(() => {
    n++;
    cleanup.cancel();
  });
  heaptide.reclaim();
  heaptide.reclaim();
  assert.equal(n, 1);
});

test('what throws is told, and the others are called', () => {
  const said = child(`
    let told = 0;
    heaptide.onPressure(() => { throw new Error('broken'); },
      { cls: 'compact' });
    heaptide.onPressure(async () => { throw new Error('later'); });
    heaptide.onPressure(() => { told++; }, { cls: 'idle' });
    heaptide.reclaim();
    tell(told);`);
  assert.equal(said.status, 0, said.err);
  assert.equal(said.out, '1\n');
  assert.match(said.err, /broken/);
  assert.match(said.err, /later/);
});

test('garbage is collected without a flag', async () => {
  heaptide.operation('first');
  let gone = false;
  const registry = new FinalizationRegistry(() => {
    gone = true;
  });
  (() => registry.register({ big: new Array(10) }))();
  for (let i = 0; i < 50 && !gone; i++) {
    heaptide.reclaim();
    await new Promise((r) => setTimeout(r, 10));
  }
  assert.ok(gone);
});

test('guards, components and reservations', async () => {
  assert.equal(await heaptide.guard('watched', async () => 'done'), 'done');
  assert.equal(await heaptide.guard('watched', '1M', () => 3), 3);
  await assert.rejects(heaptide.guard('watched', () => {
    throw new Error('mine');
  }), /mine/);
  const stats = heaptide.operation('watched').stats();
  assert.deepEqual([stats.batches, stats.active], [3, 0]);
  const part = heaptide.component('cache', { max: '64M' });
  const held = part.run(() => Buffer.alloc(8 * MIB, 1));
  assert.equal(held.length, 8 * MIB);
  if (DEPTH === 'runtime')
    assert.ok(part.used() >= 8 * MIB, `${part.used()}`);
  else
    assert.equal(part.used(), null);
  // All of it, unless the machine is short of memory.
  assert.ok([64, 48, 32, 16].includes(part.budget() / MIB),
    `${part.budget()}`);
  assert.deepEqual(answer(`
    const room = await heaptide.reserve('20M', { most: '40M' });
    const ok = room.bytes >= 20 << 20;
    room.release();
    let code = '';
    await heaptide.reserve('2G', { wait: 50 }).catch((e) => code = e.code);
    await heaptide.guard('x', '1G', () => 0).catch((e) => code += e.code);
    tell([ok, code]);`, '400M'), [true, 'ENOMEMENOMEM']);
});

// --- runs --------------------------------------------------------------------

const LOOP = `
  const stop = Number(process.env.STOP);
  const op = heaptide.operation('job', { fixed: 10 });
  const done = [];
  await heaptide.run('job', { total: 100, unit: 'page' }, async (run) => {
    const first = run.at;
    for await (const batch of op.batches(
      Array.from({ length: 100 }, (_, i) => i), { run })) {
      done.push(...batch);
      if (batch.first === stop) {
        require('fs').writeSync(1, JSON.stringify([first, done]));
        process.kill(process.pid, 'SIGKILL');
        await sleep(10000);
      }
    }
    tell([first, done]);
  });`;

test('a killed run goes on where it was', () => {
  const said = child(LOOP, undefined, { STOP: '40' });
  assert.equal(said.signal ?? said.status, 'SIGKILL', said.err);
  assert.deepEqual(JSON.parse(said.out), [0, numbers(50)]);
  assert.deepEqual(answer(LOOP, undefined, { STOP: '-1' }),
    [40, numbers(100).slice(40)]);
  const [first, done] = answer(LOOP, undefined, { STOP: '-1' });
  assert.deepEqual([first, done.length], [0, 100]);
});

test('what was kept comes back', async () => {
  const kept = { sum: 12, names: ['a', 'b'] };
  const first = heaptide.run('blob', { total: 10 });
  first.checkpoint(4, JSON.stringify(kept));
  assert.throws(() => heaptide.run('another'), { code: 'EALREADY' });
  first.finish(false);
  await heaptide.run('blob', { total: 10 }, (run) => {
    assert.equal(run.resumed, true);
    assert.equal(run.at, 4);
    assert.deepEqual(JSON.parse(run.blob), kept);
    assert.throws(() => run.checkpoint(5, { not: 'bytes' }), TypeError);
    assert.throws(() => run.checkpoint(5, Buffer.alloc(65537)), RangeError);
    assert.throws(() => run.checkpoint(-1), RangeError);
    run.checkpoint(10, Buffer.alloc(65536));
  });
  const again = heaptide.run('blob', { total: 10 });
  assert.equal(again.resumed, false);
  again.finish();
});

test('a callback is called when a checkpoint is due', async () => {
  const due = [];
  await heaptide.run('due', async (run) => {
    run.onCheckpoint((at) => {
      due.push(at);
      run.checkpoint(at);
    });
    for await (const batch of heaptide.operation('due', { fixed: 2,
      checkpointEvery: 3 }).batches(numbers(20)))
      assert.equal(batch.length, 2);
  });
  assert.deepEqual(due, [6, 12, 18]);
});

test('a checkpoint that is due in a worker is left to its owner', async () => {
  const due = [];
  const run = heaptide.run('workers');
  run.onCheckpoint((at) => {
    due.push(at);
    run.checkpoint(at);
  });
  const batches = `
    const heaptide = require('heaptide');
    heaptide.onPressure(() => 0);
    (async () => {
      for await (const batch of heaptide.operation('due in a worker', {
        fixed: 1, checkpointEvery: 1 }).batches([1, 2, 3]))
        batch.length;
    })();`;
  const worker = new Worker(batches, { eval: true });
  await new Promise((resolve, reject) => {
    worker.on('exit', resolve);
    worker.on('error', reject);
  });
  assert.deepEqual(due, []);
  for await (const batch of heaptide.operation('due in a worker').batches(
    numbers(2)))
    assert.equal(batch.length, 1);
  assert.ok(due.length > 0);
  run.finish();
});

test('an input that has changed is told', () => {
  const file = path.join(process.env.TMPDIR || '/tmp',
    `heaptide-input-${process.pid}`);
  try {
    fs.writeFileSync(file, 'one\n');
    const run = heaptide.run('inputs', { inputs: [file] });
    run.checkpoint(1);
    run.finish(false);
    fs.writeFileSync(file, 'another\n');
    assert.throws(() => heaptide.run('inputs', { inputs: [file] }),
      { code: 'ESTALE' });
  } finally {
    fs.unlinkSync(file);
  }
});

// --- the examples that were asked for, as they stand -------------------------

test('MemoryManager, HeapAnalyzer, BatchOptimizer', async () => {
  const { memoryManager } = require('heaptide/memory');
  const { heapAnalyzer, batchOptimizer } = require('heaptide/memory');
  const items = numbers(100);
  const processFn = async (item) => item * 2;

  // Get current memory usage
  const usage = memoryManager.getCurrentMemoryUsage();
  assert.match(`Current heap usage: ${usage.heapUsedMB}MB (${
    usage.utilization})`, /usage: [\d.]+MB \([\d.]+%\)$/);

  // Monitor memory and trigger GC if needed
  assert.equal(memoryManager.monitorMemory({ forceGC: true }).gc, true);

  // Calculate optimal batch size for memory-efficient processing
  const batchSize = memoryManager.calculateOptimalBatchSize(items);
  assert.ok(batchSize >= 1 && batchSize <= 100);

  // Analyze heap for potential issues
  const analysis = heapAnalyzer.analyzeHeap();
  assert.ok(Array.isArray(analysis.issues));
  assert.equal(analysis.recommends.length, analysis.issues.length);

  // Get detailed memory statistics
  const stats = heapAnalyzer.getMemoryStats();
  assert.ok(stats.availableHeapSize > 0);

  assert.ok(batchOptimizer.calculateOptimalBatchSize(items, {
    operation: 'document_embedding'
  }) >= 1);

  // Optimize a process function with memory monitoring
  const optimizedFn = batchOptimizer.optimizeProcessFunction(processFn, {
    operation: 'image_processing',
    monitored: true
  });
  assert.deepEqual(await Promise.all([1, 2, 3].map((i) => optimizedFn(i))),
    [2, 4, 6]);

  // Get statistics and recommendations
  const batchStats = batchOptimizer.getBatchStatistics();
  assert.ok(Array.isArray(batchStats.recommendations));
  assert.equal(batchStats.operations.image_processing.batches, 3);
});

test('issues are found where they are', async () => {
  const { HeapAnalyzer, trendOf } = require('heaptide/memory');
  const high = new HeapAnalyzer({ highUtilizationThreshold: 0 }).analyzeHeap();
  assert.equal(high.issues[0].type, 'high_utilization');
  assert.match(high.recommends[0], /smaller batches/);
  const rising = trendOf(numbers(20).map((i) => ({ at: i * 1000,
    used: i * MIB + (i % 3) * 1000 })));
  assert.equal(rising.rising, true);
  assert.ok(Math.abs(rising.mbPerHour - 3600) < 100, `${rising.mbPerHour}`);
  assert.equal(trendOf(numbers(20).map((i) => ({ at: i,
    used: (i * 7919) % 13 }))).rising, false);
});

test('BatchProcessor', async () => {
  const BatchProcessor = require('heaptide/batchProcessor');
  const processor = new BatchProcessor({
    batchSize: 10,
    autoOptimize: true,         // Use BatchOptimizer for memory optimization
    memoryMonitoring: true,     // Track memory usage during processing
    detectMemoryIssues: true,   // Use HeapAnalyzer
    processName: 'document_processing'
  });
  const items = numbers(95);
  let open = 0;
  const processFn = async (item, index) => {
    open++;
    assert.ok(open <= 10);
    assert.equal(item, index);
    await null;
    open--;
    return item + 1;
  };

  const results = await processor.process(items, processFn);
  assert.deepEqual(results, items.map((i) => i + 1));

  const picky = new BatchProcessor({ processName: 'picky', batchSize: 4,
    autoOptimize: false, continueOnError: true, forceGCOnCompletion: true });
  const some = await picky.process(numbers(10), (i) => {
    if (i === 5)
      throw new Error('five');
    return i;
  });
  assert.deepEqual([some.length, some[5], picky.errors.length,
    picky.errors[0].index], [10, undefined, 1, 5]);
  assert.equal(picky.getStatistics().itemsFailed, 1);
  await assert.rejects(new BatchProcessor().process([1], () => {
    throw new Error('six');
  }), /six/);
});

test('createMemoryManager', () => {
  const { createMemoryManager } = require('heaptide/memory');
  const customMemory = createMemoryManager({
    memoryManager: {
      debug: false,
      autoGC: true,
      gcThresholdPct: 75
    },
    heapAnalyzer: {
      leakThresholdRate: 10,
      highUtilizationThreshold: 80
    },
    batchOptimizer: {
      maxBatchSize: 50,
      targetUtilizationPct: 60,
      preProcessGC: true
    }
  });

  // Use custom configuration
  assert.equal(customMemory.monitorMemory().gc, false);
  assert.ok(customMemory.calculateOptimalBatchSize(numbers(1000)) <= 50);
});

test('a job asks before it starts', async () => {
  const { isMemorySafeForOperation } = await import(
    'heaptide/memoryOptimization');
  const memoryCheck = await isMemorySafeForOperation(100, 4000);
  assert.equal(memoryCheck.safe, true);
  assert.ok(memoryCheck.currentMB > 0);
  assert.ok(memoryCheck.availableMB > 100);
  const no = await isMemorySafeForOperation(100, 50);
  assert.equal(no.safe, false);
  assert.equal(typeof `Low memory (${no.currentMB}MB), skipping`, 'string');
});

test('paginatedQuery', async () => {
  const { paginatedQuery, setQuerySource } = await import(
    'heaptide/memoryOptimization');
  await rejects(() => paginatedQuery('outcomes'), heaptide.HeaptideError);
  const table = numbers(100).map((id) => ({ id, simulated: id % 2 === 1 }));
  const asked = [];
  setQuerySource({
    from(name) {
      let rows = name === 'outcomes' ? table.slice() : [];
      const q = {
        select: () => q,
        eq(column, value) {
          rows = rows.filter((row) => row[column] === value);
          return q;
        },
        order(column, { ascending }) {
          rows.sort((a, b) => (a[column] - b[column]) * (ascending ? 1 : -1));
          return q;
        },
        async range(from, to) {
          asked.push(to - from + 1);
          return { data: rows.slice(from, to + 1), error: null };
        },
      };
      return q;
    },
  });

  const data = await paginatedQuery('outcomes', {
    select: '*',
    filters: { simulated: false },
    orderBy: 'id',
    ascending: false,
    batchSize: 20,
    maxBatches: 2 // Max 40 items
  });
  assert.equal(data.length, 40);
  assert.deepEqual([data[0].id, data[39].id], [98, 20]);
  assert.ok(asked.every((n) => n <= 20));
  assert.equal((await paginatedQuery('outcomes', {})).length, 100);
  setQuerySource(async () => ({ data: null, error: { message: 'no table' } }));
  await assert.rejects(paginatedQuery('outcomes'), /no table/);
});

test('processInBatches', async () => {
  const { processInBatches } = await import('heaptide/memoryOptimization');
  const table = numbers(73);
  const seen = [];
  const pages = [];
  for await (const batch of processInBatches(
    async (offset, limit) => {
      const data = table.slice(offset, offset + limit);
      return { data, error: null };
    },
    20 // batch size
  )) {
    seen.push(...batch);
    pages.push(batch);
    // Batch automatically cleared from memory
  }
  assert.deepEqual(seen, table);
  assert.ok(pages.every((page) => page.length === 0));
});

test('arrays in chunks, and cleared', async () => {
  const { processArrayInChunks, memoryAwareBatchProcessor, clearArrays,
    emergencyCleanup, MemoryMonitor } = await import(
    'heaptide/memoryOptimization');
  const seen = await processArrayInChunks(numbers(120), (chunk) => {
    assert.ok(chunk.length <= 50);
    return chunk.map((i) => i);
  }, 50);
  assert.deepEqual(seen, numbers(120));
  let n = 0;
  for await (const batch of memoryAwareBatchProcessor(numbers(30), 8)) {
    assert.ok(batch.length <= 8);
    n += batch.length;
  }
  assert.equal(n, 30);
  const largeArray1 = numbers(10);
  const largeArray2 = numbers(20);
  clearArrays(largeArray1, largeArray2, new Map(), undefined);
  assert.equal(largeArray1.length + largeArray2.length, 0);
  let called = 0;
  const cleanup = heaptide.onPressure(() => {
    called++;
  }, { cls: 'destructive' });
  assert.ok((await emergencyCleanup()).callbacks >= 1);
  assert.equal(called, 1);
  cleanup.cancel();
  assert.ok(MemoryMonitor.checkMemory().usedMB > 0);
});

test('all names are there, and are declared', () => {
  const declared = fs.readFileSync(path.join(path.dirname(
    require.resolve('heaptide/package.json')), 'index.d.ts'), 'utf8');
  for (const name of Object.keys(heaptide)) {
    assert.notEqual(heaptide[name], undefined, name);
    assert.match(declared, new RegExp(`\\b${name}\\b`), name);
  }
});
