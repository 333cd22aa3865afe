#!/bin/sh
# program-lua.sh - Lua: coroutines, errors by longjmp, an allocator that is all
# realloc()
. "${srcdir:-.}/tests/lib.sh"

lua=
for name in lua5.4 lua5.3 lua; do
	command -v $name >/dev/null && lua=$name && break
done
[ -n "$lua" ] || skip "lua is not installed"
cat >many.lua <<'E2'
local sum, caught = 0, 0
for i = 1, 200 do
	local co = coroutine.wrap(function(n)
		for k = 1, n do coroutine.yield(string.rep("x", k)) end
		return ""
	end)
	for k = 0, i % 20 do sum = sum + #co(i % 20) end
end
local function deep(n) if n == 0 then error({ n }) end deep(n - 1) end
for i = 1, 500 do if not pcall(deep, i % 100) then caught = caught + 1 end end
local t = {}
for i = 1, 50000 do t[i] = { tostring(i) } end
t = nil
collectgarbage()
print(sum, caught)
E2
unharmed $lua many.lua
within "allocations" 10000 10000000 "$(json report.json .totals.allocations)"
