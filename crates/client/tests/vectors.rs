//! The test vectors of `docs/values.md`, which other clients can use too.

use serde_json::Value as Json;
use tagcache_client::{Decoded, Value, codec, decode};

fn vectors() -> Json {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/data/value-vectors.json"
    );
    let text = std::fs::read_to_string(path).expect("the file of vectors");
    serde_json::from_str(&text).expect("JSON")
}

fn text<'j>(vector: &'j Json, field: &str) -> &'j str {
    vector[field].as_str().expect("a text")
}

fn php(vector: &Json) -> Vec<u8> {
    base64_simd::STANDARD
        .decode_to_vec(text(vector, "php"))
        .expect("base64")
}

/// Reads PHP's serialized form, scalars apart from the rest.
fn value(php: &[u8]) -> Value<'_> {
    let number = || std::str::from_utf8(&php[2..php.len() - 1]).expect("a number");
    match php {
        b"N;" => Value::Null,
        b"b:0;" => Value::Bool(false),
        b"b:1;" => Value::Bool(true),
        [b'i', ..] => Value::Int(number().parse().expect("an integer")),
        [b'd', ..] => Value::Float(match number() {
            "NAN" => f64::NAN,
            "INF" => f64::INFINITY,
            "-INF" => f64::NEG_INFINITY,
            digits => digits.parse().expect("a float"),
        }),
        [b's', ..] => {
            let begin = php.iter().position(|byte| *byte == b'"').expect("a quote") + 1;
            Value::Str(&php[begin..php.len() - 2])
        }
        _ => Value::Serialized(php),
    }
}

/// Returns whether what was read is `php`; other serializers are for the extension.
fn is(read: &Decoded<'_>, php: &[u8]) -> bool {
    match (read, value(php)) {
        (Decoded::Null, Value::Null) => true,
        (Decoded::Bool(read), Value::Bool(want)) => *read == want,
        (Decoded::Int(read), Value::Int(want)) => *read == want,
        (Decoded::Float(read), Value::Float(want)) => read.to_bits() == want.to_bits(),
        (Decoded::Str(read), Value::Str(want)) => *read == want,
        (Decoded::String(read), Value::Str(want)) => read == want,
        (Decoded::Serialized(read), _) => read == php,
        (Decoded::Igbinary(_) | Decoded::Msgpack(_) | Decoded::Json(_), Value::Serialized(_)) => {
            true
        }
        _ => false,
    }
}

#[test]
fn values_are_written_as_the_vectors_say() {
    for vector in vectors()["write"].as_array().expect("a list") {
        let php = php(vector);
        let wire = codec::encode(value(&php), None);
        assert_eq!(
            String::from_utf8_lossy(&wire),
            text(vector, "wire"),
            "{}",
            text(vector, "name")
        );
    }
}

#[test]
fn what_the_vectors_write_and_list_is_read() {
    let vectors = vectors();
    for part in ["write", "read"] {
        for vector in vectors[part].as_array().expect("a list") {
            let read = decode(text(vector, "wire").as_bytes()).expect("a value");
            assert!(
                is(&read, &php(vector)),
                "{}: {read:?}",
                text(vector, "name")
            );
        }
    }
}

#[test]
fn what_is_damaged_is_an_error_here_or_for_its_serializer() {
    for wire in vectors()["error"].as_array().expect("a list") {
        let wire = wire.as_str().expect("a text");
        let read = decode(wire.as_bytes());
        assert!(
            matches!(
                read,
                Err(_)
                    | Ok(Decoded::Serialized(_)
                        | Decoded::Igbinary(_)
                        | Decoded::Msgpack(_)
                        | Decoded::Json(_))
            ),
            "{wire}: {read:?}"
        );
    }
}
