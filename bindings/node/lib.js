'use strict';
/*
 * lib.js - the addon, what goes wrong, and how arguments are looked at
 */
const path = require('node:path');
const v8 = require('node:v8');
const vm = require('node:vm');

const STATES = ['ok', 'warning', 'critical', 'exhausted'];
const LEVELS = ['standalone', 'page', 'runtime'];
const MIB = 1024 * 1024;

// --- the addon ---------------------------------------------------------------

function load() {
  const given = process.env.HEAPTIDE_NODE;
  const places = given ? [given] : [
    path.join(__dirname, 'heaptide.node'),
    path.join(__dirname, 'build', 'Release', 'heaptide.node'),
  ];
  const why = [];
  for (const place of places) {
    try {
      return require(place);
    } catch (error) {
      why.push(error.message.split('\n')[0]);
    }
  }
  throw new Error('heaptide.node is not found; install heaptide, run ' +
    `node-gyp here, or set HEAPTIDE_NODE to its path (${why.join('; ')})`);
}

const tide = load();

// --- what can go wrong -------------------------------------------------------

/** What heaptide could not do; code is an errno's name. */
class HeaptideError extends Error {
  constructor(message, code) {
    super(message);
    this.name = new.target.name;
    this.code = code;
  }
}

/** There is no room, and none is to be expected. */
class NoMemoryError extends HeaptideError {}

/** No room came free in the time that was given. */
class TimedOutError extends HeaptideError {}

/** The program has been asked to come to its end. */
class StoppedError extends HeaptideError {}

const ERRNO = {
  1: 'EPERM', 2: 'ENOENT', 5: 'EIO', 7: 'E2BIG', 11: 'EAGAIN', 12: 'ENOMEM',
  13: 'EACCES', 16: 'EBUSY', 17: 'EEXIST', 19: 'ENODEV', 22: 'EINVAL',
  28: 'ENOSPC', 30: 'EROFS', 34: 'ERANGE', 35: 'EDEADLK', 36: 'ENAMETOOLONG',
  90: 'EMSGSIZE', 95: 'ENOTSUP', 110: 'ETIMEDOUT', 114: 'EALREADY',
  116: 'ESTALE', 125: 'ECANCELED',
};
const KINDS = {
  ENOMEM: NoMemoryError, ETIMEDOUT: TimedOutError, ECANCELED: StoppedError,
};

function failed(what, r) {
  const code = ERRNO[-r] || `E${-r}`;
  return new (KINDS[code] || HeaptideError)(`${what}: ${code}`, code);
}

/** r, or what it means is thrown. */
function done(what, r) {
  if (r < 0)
    throw failed(what, r);
  return r;
}

/** Is this what an engine throws where memory is short? */
function isMemoryError(error) {
  return error instanceof NoMemoryError ||
    (error && (error.code === 'ENOMEM' ||
      error.code === 'ERR_MEMORY_ALLOCATION_FAILED')) ||
    (error instanceof RangeError &&
      /allocation failed|out of memory/i.test(error.message));
}

// --- arguments ---------------------------------------------------------------

function wrong(Kind, name, value, accepted) {
  let shown;
  try {
    shown = typeof value === 'string' ? `'${value}'` : String(value);
  } catch {
    shown = typeof value;
  }
  const error = new Kind(`${name} is ${shown}; accepted is ${accepted}`);
  error.code = 'ERR_HEAPTIDE_ARGUMENT';
  return error;
}

/** A whole number in its range. */
function whole(value, name, least = 0, most = Number.MAX_SAFE_INTEGER) {
  if (typeof value !== 'number')
    throw wrong(TypeError, name, value, 'a whole number');
  if (!Number.isInteger(value) || value < least || value > most)
    throw wrong(RangeError, name, value, `a whole number, ${least} to ${most}`);
  return value;
}

/** Any number in its range. */
function real(value, name, least, most) {
  if (typeof value !== 'number')
    throw wrong(TypeError, name, value, 'a number');
  if (!(value >= least && value <= most))
    throw wrong(RangeError, name, value, `${least} to ${most}`);
  return value;
}

const UNITS = { '': 0, k: 1, m: 2, g: 3, t: 4 };

/** Bytes of 512, '64K', '1.5G', '10MiB'; powers of 1024. */
function parseSize(value, name = 'size') {
  if (typeof value === 'bigint')
    value = Number(value);
  if (typeof value !== 'string')
    return whole(value, name);
  const found = /^(\d+(?:\.\d+)?) ?([kmgt]?)(?:ib|b)?$/i.exec(value.trim());
  if (!found)
    throw wrong(RangeError, name, value, 'bytes, as 512, 64K, 512M, 1.5G');
  return whole(Math.floor(Number(found[1]) *
    1024 ** UNITS[found[2].toLowerCase()]), name);
}

function text(value, name) {
  if (typeof value !== 'string')
    throw wrong(TypeError, name, value, 'text');
  if (value === '' || value.includes('\0'))
    throw wrong(RangeError, name, value,
      'text that is not empty and without zeros');
  // The addon keeps 255 bytes; what is cut must stay text.
  while (Buffer.byteLength(value) > 240)
    value = value.slice(0, -1);
  return value;
}

function callable(value, name) {
  if (typeof value !== 'function')
    throw wrong(TypeError, name, value, 'a function');
  return value;
}

function options(value, name, known) {
  if (value === undefined)
    return {};
  if (value === null || typeof value !== 'object')
    throw wrong(TypeError, name, value, 'an object');
  for (const key of Object.keys(value)) {
    if (!known.includes(key))
      throw wrong(RangeError, name, key, known.join(', '));
  }
  return value;
}

function oneOf(value, name, table) {
  if (!Object.prototype.hasOwnProperty.call(table, value))
    throw wrong(RangeError, name, value, Object.keys(table).join(', '));
  return table[value];
}

// --- garbage -----------------------------------------------------------------

let gc = null;

/** Collect garbage, with --expose-gc or without. */
function collectGarbage() {
  if (typeof globalThis.gc === 'function') {
    globalThis.gc();
    return;
  }
  if (gc === null) {
    v8.setFlagsFromString('--expose-gc');
    gc = vm.runInNewContext('gc');
    v8.setFlagsFromString('--no-expose-gc');
  }
  gc();
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

module.exports = {
  tide, STATES, LEVELS, MIB, HeaptideError, NoMemoryError, TimedOutError,
  StoppedError, failed, done, isMemoryError, wrong, whole, real, parseSize,
  text, callable, options, oneOf, collectGarbage, sleep,
};
