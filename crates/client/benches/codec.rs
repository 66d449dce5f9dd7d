//! Values to bytes and back: time and allocations of one. `cargo bench -p tagcache-client --bench codec`.
//!
//! The libraries with SIMD are measured in turn with what they replace (A B B A); the figures are medians.

use std::hint::black_box;
use std::time::Instant;

use tagcache_client::codec::{Algorithm, Compression, Value, decode, encode};
use tagcache_client::{Commands, TagList};

const ROUNDS: usize = 15;
/// How long one round takes, about.
const ROUND_NS: f64 = 2e6;

fn main() {
    let text = "plain text, a word after another. ".repeat(40_000);
    let binary: Vec<u8> = (0..1_u32 << 20)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let list = list_of_fifty();
    println!("| value | encode ns | allocations | decode ns | allocations |");
    println!("|---|---|---|---|---|");
    for (name, value) in [
        ("string 100 B", Value::Str(&text.as_bytes()[..100])),
        ("string 7 KB", Value::Str(&text.as_bytes()[..7168])),
        ("string 1 MB", Value::Str(&text.as_bytes()[..1 << 20])),
        ("bytes 100 B", Value::Str(&binary[..100])),
        ("bytes 7 KB", Value::Str(&binary[..7168])),
        ("bytes 1 MB", Value::Str(&binary)),
        ("int", Value::Int(1_234_567_890)),
        ("float", Value::Float(0.1 + 0.2)),
        (
            "array of 50, serialized",
            Value::Serialized(list.as_bytes()),
        ),
    ] {
        row(name, value, None);
    }
    for (name, algorithm) in [("lz4", Algorithm::Lz4), ("zstd", Algorithm::Zstd)] {
        let compression = Compression {
            algorithm,
            level: 0,
            threshold: 0,
            limit: usize::MAX,
        };
        let value = Value::Str(&text.as_bytes()[..7168]);
        row(&format!("string 7 KB, {name}"), value, Some(compression));
    }
    println!();
    for (name, bytes) in [("100 B", 100), ("7 KB", 7168), ("1 MB", 1 << 20)] {
        let plain = &binary[..bytes];
        let accents = "é, ü; ".repeat(bytes / 8);
        let coded = base64_simd::STANDARD.encode_to_string(plain);
        versus(
            &format!("base64 encode {name}"),
            || base64_simd::STANDARD.encode_to_string(plain).len(),
            || base64::Engine::encode(&base64::engine::general_purpose::STANDARD, plain).len(),
        );
        versus(
            &format!("base64 decode {name}"),
            || {
                base64_simd::STANDARD
                    .decode_to_vec(&coded)
                    .map_or(0, |bytes| bytes.len())
            },
            || {
                base64::Engine::decode(&base64::engine::general_purpose::STANDARD, &coded)
                    .map_or(0, |bytes| bytes.len())
            },
        );
        versus(
            &format!("UTF-8 check {name}, ASCII"),
            || usize::from(simdutf8::basic::from_utf8(&text.as_bytes()[..bytes]).is_ok()),
            || usize::from(std::str::from_utf8(&text.as_bytes()[..bytes]).is_ok()),
        );
        versus(
            &format!("UTF-8 check {name}, accents"),
            || usize::from(simdutf8::basic::from_utf8(accents.as_bytes()).is_ok()),
            || usize::from(std::str::from_utf8(accents.as_bytes()).is_ok()),
        );
    }
}

/// What `serialize()` gives for an array of 50 short strings and numbers.
fn list_of_fifty() -> String {
    let items: String = (0..50)
        .map(|n| {
            if n % 2 == 0 {
                format!("i:{n};i:{};", n * 1000)
            } else {
                format!("i:{n};s:8:\"item {n:03}\";")
            }
        })
        .collect();
    format!("a:50:{{{items}}}")
}

fn row(name: &str, value: Value<'_>, compression: Option<Compression>) {
    let none = TagList::new();
    let mut commands = Commands::new();
    commands.set_compression(compression);
    let (encode_ns, encode_allocations) = measure(&mut || {
        commands.clear(usize::MAX);
        commands.put(b"k", None, &none, value).expect("a valid key");
        commands.byte_len()
    });
    let wire = encode(value, compression.as_ref());
    let (decode_ns, decode_allocations) =
        measure(&mut || usize::from(decode(black_box(&wire)).is_ok()));
    println!(
        "| {name} | {encode_ns:.0} | {encode_allocations} | {decode_ns:.0} | {decode_allocations} |"
    );
}

fn versus(name: &str, mut a: impl FnMut() -> usize, mut b: impl FnMut() -> usize) {
    let mut ratios = Vec::new();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (a1, b1, b2, a2) = (once(&mut a), once(&mut b), once(&mut b), once(&mut a));
        ours.push((a1 + a2) / 2.0);
        theirs.push((b1 + b2) / 2.0);
        ratios.push((b1 + b2) / (a1 + a2));
    }
    println!(
        "{name}: with SIMD {:.0} ns, without {:.0} ns, {:.2} times as fast",
        median(ours),
        median(theirs),
        median(ratios)
    );
}

/// Returns nanoseconds and allocations of one call.
fn measure(what: &mut impl FnMut() -> usize) -> (f64, u64) {
    what();
    let allocations = allocation_counter::measure(|| {
        black_box(what());
    })
    .count_total;
    (
        median((0..ROUNDS).map(|_| once(what)).collect()),
        allocations,
    )
}

/// Returns the nanoseconds of a call, over as many as fill a round.
fn once(what: &mut impl FnMut() -> usize) -> f64 {
    let start = Instant::now();
    black_box(what());
    let one = start.elapsed().as_nanos().max(1) as f64;
    let count = (ROUND_NS / one).clamp(1.0, 100_000.0) as u32;
    let start = Instant::now();
    for _ in 0..count {
        black_box(what());
    }
    start.elapsed().as_nanos() as f64 / f64::from(count)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
