#!/bin/sh
# program-xmllint.sh - ten megabytes of XML
. "${srcdir:-.}/tests/lib.sh"
need xmllint awk

awk 'BEGIN { print "<rows>"; for (i = 0; i < 100000; i++) printf "<row " \
    "id=\"%d\" kind=\"k%d\"><name>name %d</name><text>some words %d &amp; " \
    "more</text></row>\n", i, i % 17, i, i * 7; print "</rows>" }' >input.xml
unharmed xmllint --xpath 'count(//row[@kind="k3"]/name)' input.xml
unharmed xmllint --format --c14n input.xml
# An end tag is missing.
head -n 1000 input.xml >broken.xml
unharmed xmllint --noout broken.xml
