#!/bin/sh
# program-openssl.sh - keys, digests, signatures and certificates
. "${srcdir:-.}/tests/lib.sh"
need openssl awk

awk 'BEGIN { for (i = 0; i < 300000; i++) print i, "some words" }' >input
openssl genrsa -out key.pem 2048 2>/dev/null || skip "openssl makes no key"
openssl req -x509 -new -key key.pem -subj /CN=test -days 30 \
    -out certificate.pem 2>/dev/null || skip "openssl makes no certificate"

unharmed openssl dgst -sha512 input
unharmed openssl dgst -sha256 -sign key.pem -hex input
unharmed openssl enc -aes-256-cbc -pbkdf2 -S 0011223344556677 \
    -pass pass:word -a -in input
unharmed openssl x509 -in certificate.pem -text -noout
unharmed openssl verify -CAfile certificate.pem certificate.pem
# No certificate: it says so, and returns it.
head -n 20 input >words
unharmed openssl x509 -in words
