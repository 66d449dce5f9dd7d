//! What has to hold for any bytes at all. The fuzzers of `fuzz/` feed it, and the tests below in small.

use std::num::NonZeroU64;

use crate::codec::{Algorithm, Compression, Decoded, Value, decode_within};
use crate::config::CallLimits;
use crate::exchange::{Cause, replay};
use crate::proto::{Commands, Namespace, TagList, TagMatch};

/// The longest reply that [`any_split_reads_alike`] allows.
const REPLY: usize = 200;

/// More than this nothing may unpack to.
const UNPACKED: usize = 1 << 16;

/// Takes structured values off the front of a fuzzer's bytes.
#[derive(Debug)]
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    fn bytes(&mut self) -> &'a [u8] {
        let len = usize::from(self.byte()).min(self.0.len());
        let (bytes, rest) = self.0.split_at(len);
        self.0 = rest;
        bytes
    }

    fn word(&mut self) -> u64 {
        (0..8).fold(0, |word, _| word << 8 | u64::from(self.byte()))
    }

    fn compression(&mut self) -> Option<Compression> {
        let algorithm = match self.byte() % 3 {
            0 => return None,
            1 => Algorithm::Lz4,
            _ => Algorithm::Zstd,
        };
        Some(Compression {
            algorithm,
            level: 1,
            threshold: usize::from(self.byte()),
            limit: UNPACKED,
        })
    }

    fn value(&mut self) -> Value<'a> {
        match self.byte() % 6 {
            0 => Value::Null,
            1 => Value::Bool(self.byte() & 1 == 1),
            2 => Value::Int(self.word() as i64),
            3 => Value::Float(f64::from_bits(self.word())),
            4 => Value::Serialized(self.bytes()),
            _ => Value::Str(self.bytes()),
        }
    }
}

/// However the bytes of some replies are cut into segments, the same comes out.
pub fn any_split_reads_alike(data: &[u8]) {
    let mut input = Input(data);
    let limits = CallLimits {
        max_reply_bytes: REPLY,
        max_call_bytes: usize::from(input.byte()),
        ..CallLimits::default()
    };
    let mut commands = Commands::new();
    for _ in 0..1 + input.byte() % 6 {
        encode(&mut input, &mut commands, b"k", &[b"t"]);
    }
    if commands.is_empty() {
        commands.stats();
        commands.flush();
        let _ = commands.get(b"k");
    }
    let cuts: Vec<usize> = input.bytes().iter().map(|cut| usize::from(*cut)).collect();
    let wire = input.0;
    let (whole, why) = replay(&commands, std::iter::once(wire), &limits);
    let mut rest = wire;
    let mut cuts = cuts.iter().cycle();
    let chunks = std::iter::from_fn(|| {
        let len = cuts.next().map_or(1, |cut| cut + 1).min(rest.len());
        let (chunk, after) = rest.split_at(len);
        rest = after;
        (!chunk.is_empty()).then_some(chunk)
    });
    let (split, split_why) = replay(&commands, chunks, &limits);
    assert_eq!(kind(why.as_ref()), kind(split_why.as_ref()));
    assert_eq!(whole.len(), split.len());
    for (a, b) in whole.iter().zip(split.iter()) {
        // STATS may say NaN, which is not equal to itself.
        assert_eq!(format!("{a:?}"), format!("{b:?}"));
    }
}

fn kind(cause: Option<&Cause>) -> String {
    match cause {
        None => "done".to_owned(),
        Some(Cause::Protocol(crate::error::ProtocolFault::Surplus { .. })) => "surplus".to_owned(),
        Some(cause) => format!("{cause:?}"),
    }
}

/// Whatever the arguments contain: a command that is taken is one line that is not empty, and one that is refused
/// leaves nothing.
pub fn every_command_is_one_line(data: &[u8]) {
    let mut input = Input(data);
    let mut commands = Commands::new();
    if input.byte() & 1 == 1 {
        let namespace = Namespace::new(input.bytes()).ok();
        commands.set_namespace(namespace.map(std::sync::Arc::new));
    }
    commands.set_compression(input.compression());
    while !input.0.is_empty() {
        let before = (commands.bytes().to_vec(), commands.lines());
        let key = input.bytes();
        let tags = [input.bytes(), input.bytes()];
        let taken = encode(&mut input, &mut commands, key, &tags);
        if !taken {
            assert_eq!(commands.bytes(), before.0);
        }
        assert_eq!(taken, commands.lines() > before.1);
        let added = &commands.bytes()[before.0.len()..];
        assert_eq!(
            memchr::memchr_iter(b'\n', added).count(),
            commands.lines() - before.1
        );
        assert!(added.is_empty() || added.ends_with(b"\n"));
        let text = std::str::from_utf8(added).expect("the server ends a connection that sends it");
        for line in text.lines() {
            assert!(!line.trim_end_matches('\r').is_empty(), "no reply comes");
            assert!(!line.contains(['\0', '\r']), "{line:?}");
        }
    }
}

/// Encodes a command of the input's choice; returns whether it was taken.
fn encode(input: &mut Input<'_>, commands: &mut Commands, key: &[u8], names: &[&[u8]]) -> bool {
    let mut tags = TagList::new();
    for name in names {
        // A refused tag is not in the list.
        let _ = tags.push(name);
    }
    let ttl = NonZeroU64::new(u64::from(input.byte()));
    let done = match input.byte() % 13 {
        0 => commands.put(key, ttl, &tags, input.value()),
        1 => commands.add(key, ttl, &tags, input.value()),
        2 => commands.get(key),
        3 => commands.delete(key),
        4 => commands.incr(key, input.word() as i64, ttl, &tags),
        5 => commands.decr(key, input.word() as i64, ttl, &tags),
        6 => commands.invalidate_tag(names[0]),
        7 => commands.invalidate_tags(&tags, TagMatch::Any),
        8 => commands.invalidate_tags(&tags, TagMatch::All),
        9 => commands.invalidate_keys(names.iter().copied().chain([key])),
        10 => commands.keys_by_tag(names[0]),
        11 => {
            commands.stats();
            Ok(())
        }
        _ => {
            commands.flush();
            Ok(())
        }
    };
    done.is_ok()
}

/// What is encoded comes back; whatever else is decoded comes to an end, and within its limit.
pub fn values_come_back(data: &[u8]) {
    if let Ok(decoded) = decode_within(data, UNPACKED) {
        let unpacked = match &decoded {
            Decoded::String(bytes)
            | Decoded::Serialized(bytes)
            | Decoded::Igbinary(bytes)
            | Decoded::Msgpack(bytes) => bytes.len(),
            _ => 0,
        };
        assert!(unpacked <= UNPACKED.max(data.len()));
    }
    let mut input = Input(data);
    let compression = input.compression();
    let value = match input.byte() {
        // What is left as a whole is longer than a counted string can be.
        0..128 => Value::Str(input.0),
        _ => input.value(),
    };
    let mut wire = Vec::new();
    value.write(compression.as_ref(), &mut wire);
    let back = decode_within(&wire, UNPACKED + 32);
    let same = match (value, &back) {
        (Value::Null, Ok(Decoded::Null)) => true,
        (Value::Bool(a), Ok(Decoded::Bool(b))) => a == *b,
        (Value::Int(a), Ok(Decoded::Int(b))) => a == *b,
        (Value::Float(a), Ok(Decoded::Float(b))) => a.to_bits() == b.to_bits(),
        (Value::Float(a), Ok(Decoded::Serialized(php))) => !a.is_finite() && php.starts_with(b"d:"),
        (Value::Str(a), Ok(Decoded::Str(b))) => a == *b,
        (Value::Str(a), Ok(Decoded::String(b))) => a == b,
        // Bytes that no serializer made are told apart as well as may be.
        (
            Value::Serialized(a),
            Ok(Decoded::Serialized(b) | Decoded::Igbinary(b) | Decoded::Msgpack(b)),
        ) => a == b,
        (Value::Serialized(a), Ok(Decoded::String(_))) => a.starts_with(b"s:"),
        (Value::Serialized(a), Ok(Decoded::Json(_))) => a.starts_with(b"__TC_JSON__"),
        (Value::Serialized([]), Err(_)) => true,
        _ => false,
    };
    assert!(same, "{value:?} became {back:?}");
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// Bytes in which what matters to the protocol turns up often.
    fn spiced() -> impl Strategy<Value = Vec<u8>> {
        let words = prop::sample::select(vec![
            &b"VALUE\t"[..],
            b"OK\n",
            b"NF\n",
            b"ERR no\n",
            b"STATS\t1\t2\t3\t4\t0.5\n",
            b"FLUSH\t3\n",
            b"VALUE\t12\n",
            b"__TC_SERIALIZED__",
            b"__TC_ZSTD__KLUv/SAA",
            b"__TC_LZ4__/////w==",
            b"s:3:\"",
            b"\n",
            b"\t",
            b"\r",
            b",",
        ]);
        let piece = prop_oneof![
            2 => words.prop_map(<[u8]>::to_vec),
            1 => vec(any::<u8>(), 0..12),
        ];
        vec(piece, 0..24).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 2_000,
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn replies(data in spiced()) {
            any_split_reads_alike(&data);
        }

        #[test]
        fn commands(data in spiced()) {
            every_command_is_one_line(&data);
        }

        #[test]
        fn values(data in spiced()) {
            values_come_back(&data);
        }
    }
}
