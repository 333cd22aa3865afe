#!/bin/sh
# program-rust.sh - Rust: threads, panics that are caught, thread-local
# destructors that allocate, each block counted
. "${srcdir:-.}/tests/lib.sh"

PATH=$PATH:${HOME:-/root}/.cargo/bin
need rustc
cat >many.rs <<'E2'
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{mpsc, Arc, Mutex};
use std::thread;

struct Late(Vec<u8>);

impl Drop for Late {
    fn drop(&mut self) {
        // A destructor of thread-local data, which allocates once more.
        let more: Vec<u8> = self.0.iter().map(|b| b ^ 1).collect();
        assert_eq!(more.len(), self.0.len());
    }
}

thread_local!(static LATE: RefCell<Option<Late>> = RefCell::new(None));

fn deep(n: u32) -> Box<u64> {
    if n == 0 {
        panic!("as deep as it goes");
    }
    let below = deep(n - 1);
    Box::new(*below + 1)
}

fn main() {
    std::panic::set_hook(Box::new(|_| ()));
    let caught = (0..50)
        .filter(|i| std::panic::catch_unwind(|| *deep(20 + i)).is_err())
        .count();
    let words = Arc::new(Mutex::new(HashMap::new()));
    let (to, from) = mpsc::channel::<Box<[u64]>>();
    let threads: Vec<_> = (0..8u64)
        .map(|t| {
            let (words, to) = (words.clone(), to.clone());
            thread::spawn(move || {
                LATE.with(|l| *l.borrow_mut() = Some(Late(vec![t as u8; 5000])));
                for i in 0..500u64 {
                    let word = format!("{}-{}", t, i % 50);
                    *words.lock().unwrap().entry(word).or_insert(0u64) += i;
                    to.send(vec![i; 64].into_boxed_slice()).unwrap();
                }
            })
        })
        .collect();
    drop(to);
    let sum: u64 = from.iter().map(|b| b.iter().sum::<u64>()).sum();
    for t in threads {
        t.join().unwrap();
    }
    let mut grown = Vec::new();
    for i in 0..100000u32 {
        grown.push(i);
    }
    grown.shrink_to_fit();
    println!("{} {} {} {}", caught, sum, words.lock().unwrap().len(), grown.len());
}
E2
rustc -O -g -o many many.rs 2>cc.log || skip "rustc does not work here"
unharmed ./many
same "what it says" "50 63872000 400 100000" "$(cat under.out)"
within "allocations" 5000 1000000 "$(json report.json .totals.allocations)"
# Names are Rust's own, and every stack comes to its end.
json report.json '[.sites[] | .stack[] | .function // empty] | unique[]' |
	grep -q "^many::\|^alloc::" || fail "no Rust names"
