//! The figures of the loads: medians, for people and as JSON.

use std::fmt;
use std::fmt::Write as _;

use crate::load::{Outcome, Waits};

const PARTS: [f64; 3] = [0.5, 0.99, 0.999];

/// One pool under one load: medians of rounds.
#[derive(Debug)]
pub(crate) struct Cell {
    name: String,
    threads: usize,
    size: u32,
    per_second: f64,
    unfairness: f64,
    /// p50, p99 and p99.9 in microseconds.
    waits: [f64; 3],
}

impl Cell {
    /// Takes rounds of two loads each: throughput from the first, all else from the second.
    pub(crate) fn of(name: &str, threads: usize, size: u32, rounds: &[(Outcome, Outcome)]) -> Self {
        let of = |value: &dyn Fn(&(Outcome, Outcome)) -> f64| median(rounds.iter().map(value));
        let wait = |part| of(&|round| round.1.waits.as_ref().map_or(0.0, |waits| waits.at(part)));
        Self {
            name: name.to_owned(),
            threads,
            size,
            per_second: of(&|round| round.0.per_second),
            unfairness: of(&|round| round.1.unfairness),
            waits: PARTS.map(wait),
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [p50, p99, p999] = self.waits;
        write!(
            f,
            "{:3} threads on {:2}  {:18} {:10.0}/s  wait us p50 {p50:9.1} p99 {p99:9.1} p99.9 {p999:9.1}  \
             max/min {:.2}",
            self.threads, self.size, self.name, self.per_second, self.unfairness
        )
    }
}

/// Ours against another, measured in the order A B B A.
#[derive(Debug)]
pub(crate) struct Pair {
    throughput: f64,
    /// Of the p99.9 waits, if they were measured.
    wait: Option<f64>,
    unfairness: f64,
}

impl Pair {
    pub(crate) fn of([a1, b1, b2, a2]: [Outcome; 4]) -> Self {
        let tail = |waits: &Option<Waits>| waits.as_ref().map(|waits| waits.at(0.999));
        let tails = |a: &Outcome, b: &Outcome| Some(tail(&a.waits)? + tail(&b.waits)?);
        Self {
            throughput: (a1.per_second + a2.per_second) / (b1.per_second + b2.per_second),
            wait: tails(&a1, &a2)
                .zip(tails(&b1, &b2))
                .map(|(ours, theirs)| ours / theirs),
            unfairness: (a1.unfairness + a2.unfairness) / 2.0,
        }
    }
}

/// What `TAGCACHE_BENCH_OUT` gets.
#[derive(Debug, Default)]
pub(crate) struct Report {
    cells: Vec<String>,
    pairs: Vec<String>,
}

impl Report {
    pub(crate) fn cell(&mut self, group: &str, cell: Cell) {
        println!("{group:6} {cell}");
        let [p50, p99, p999] = cell.waits;
        self.cells.push(format!(
            "{{\"group\": \"{group}\", \"pool\": \"{}\", \"threads\": {}, \"size\": {}, \"per_second\": {:.0}, \
             \"max_min\": {:.3}, \"wait_us\": [{p50:.2}, {p99:.2}, {p999:.2}]}}",
            cell.name, cell.threads, cell.size, cell.per_second, cell.unfairness
        ));
    }

    pub(crate) fn pairs(&mut self, name: &str, pairs: impl Iterator<Item = Pair>) {
        let pairs: Vec<Pair> = pairs.collect();
        let throughput: Vec<f64> = pairs.iter().map(|pair| pair.throughput).collect();
        let waits: Vec<f64> = pairs.iter().filter_map(|pair| pair.wait).collect();
        let unfairness: Vec<f64> = pairs.iter().map(|pair| pair.unfairness).collect();
        println!(
            "{name}: throughput x {:.2}, p99.9 wait x {:.2}, our max/min {:.2} (medians of {} pairs)",
            median(throughput.iter().copied()),
            median(waits.iter().copied()),
            median(unfairness.iter().copied()),
            pairs.len()
        );
        self.pairs.push(format!(
            "{{\"name\": \"{name}\", \"throughput\": {throughput:.4?}, \"wait\": {waits:.4?}, \"max_min\": \
             {unfairness:.4?}}}"
        ));
    }

    /// Writes the file, if one is wanted.
    pub(crate) fn write(&self) {
        let Some(path) = std::env::var_os("TAGCACHE_BENCH_OUT") else {
            return;
        };
        let mut json = String::new();
        let (cells, pairs) = (self.cells.join(",\n  "), self.pairs.join(",\n  "));
        write!(
            json,
            "{{\"cells\": [\n  {cells}],\n \"pairs\": [\n  {pairs}]}}\n"
        )
        .expect("a string takes everything");
        std::fs::write(path, json).expect("a file that can be written");
    }
}

/// Returns the middle value; 0 if there is none.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
