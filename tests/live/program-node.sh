#!/bin/sh
# program-node.sh - a million objects in node, with its threads and its JIT
. "${srcdir:-.}/tests/lib.sh"
need node

cat >objects.js <<'JS'
const zlib = require('zlib');
const things = [];
for (let i = 0; i < 300000; i++)
	things.push({ id: i, name: 'thing ' + i, list: [i, i * 2] });
const text = JSON.stringify(things);
const back = JSON.parse(zlib.gunzipSync(zlib.gzipSync(text)));
const buffers = [];
for (let i = 0; i < 2000; i++)
	buffers.push(Buffer.alloc(10000, i % 256));
console.log(back.length, text.length, Buffer.concat(buffers).length);
process.exitCode = 5;
JS
for stacks in none sampled all; do
	plain_and_under "$stacks" node objects.js
	report profile.tide
	within "allocations" 1000 1000000000 \
	    "$(json report.json .totals.allocations)"
done
