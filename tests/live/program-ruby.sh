#!/bin/sh
# program-ruby.sh - Ruby: fibers, threads, a heap that is compacted, C extensions
. "${srcdir:-.}/tests/lib.sh"

need ruby
cat >many.rb <<'E2'
require 'json'
require 'zlib'
require 'digest'
require 'stringio'
fibers = (0...50).map { |i| Fiber.new { 20.times { |k| Fiber.yield("x" * (i + k)) }; :end } }
sum = 0
20.times { fibers.each { |f| sum += f.resume.size } }
threads = (0...4).map { |t| Thread.new { (0...200).map { |i| { t => "word #{i}" }.to_json }.join } }
text = threads.map(&:value).join
GC.start
GC.compact if GC.respond_to?(:compact)
caught = (0...100).count { begin; raise ArgumentError, "no"; rescue ArgumentError; true; end }
packed = Zlib::Deflate.deflate(text)
back = Zlib::Inflate.inflate(packed) == text
child = IO.popen(['ruby', '-e', 'print "child"'], &:read)
pid = fork { exit!(3) }
Process.wait(pid)
puts [sum, text.size, Digest::SHA256.hexdigest(text)[0, 8], caught, back, child, $?.exitstatus].join(' ')
E2
for stacks in none sampled all; do
	plain_and_under "$stacks" ruby --disable-gems many.rb
	report profile.tide
	adds_up
done
within "allocations" 10000 10000000 "$(json report.json .totals.allocations)"
