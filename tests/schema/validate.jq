# validate.jq - what of a JSON text is not as a schema has it, a line each
#
# jq -r --slurpfile schema SCHEMA -f validate.jq FILE
#
# Of JSON Schema the words that our schemas use; a $ref is a name in
# definitions.
def is($wanted):
	if $wanted == "integer" then type == "number" and floor == .
	else type == $wanted end;
def check($s; $at; $all):
	if $s["$ref"] then check($all.definitions[$s["$ref"]]; $at; $all)
	else
		(if $s.type and (is($s.type) | not) then
			"\($at): is no \($s.type)" else empty end),
		(. as $v | if $s.enum and ($s.enum | index([$v]) == null) then
			"\($at): is none of \($s.enum)" else empty end),
		(if $s.minimum and . < $s.minimum then
			"\($at): is below \($s.minimum)" else empty end),
		(if $s.pattern and (test($s.pattern) | not) then
			"\($at): is not like \($s.pattern)" else empty end),
		(if $s.required then . as $v | $s.required[] |
			select(. as $k | $v | has($k) | not) |
			"\($at): has no \(.)" else empty end),
		(if $s.properties then to_entries[] | . as $e |
			if $s.properties[$e.key] then
				$e.value | check($s.properties[$e.key];
				    "\($at).\($e.key)"; $all)
			elif $s.additionalProperties == false then
				"\($at).\($e.key): is not known"
			else empty end
		else empty end),
		(if $s.items then range(length) as $i | .[$i] |
			check($s.items; "\($at)[\($i)]"; $all)
		else empty end)
	end;
check($schema[0]; "."; $schema[0])
