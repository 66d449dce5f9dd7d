//! The table of options, and one value of an option: from PHP, from text, in messages.

use std::ffi::CStr;

use ext_php_rs::types::Zval;

use crate::error::Failure;
use crate::ffi::{Items, first_name};
use crate::value::Classes;

/// A day; longer limits are a mistake in the unit.
const DAY_MS: u64 = 86_400_000;
/// Seconds and counts that the socket options of the kernel take.
const KEEP_ALIVE_MAX: u64 = 32_767;

/// Index of an option in [`SPECS`].
#[derive(Clone, Copy, Debug)]
pub(super) enum Id {
    Mode,
    Host,
    Port,
    Path,
    TimeoutMs,
    AcquireTimeoutMs,
    ConnectTimeoutMs,
    ConnectBackoffMs,
    PoolSize,
    MinIdle,
    IdleTimeoutMs,
    MaxLifetimeMs,
    ProbeAfterMs,
    MaxReplyBytes,
    MaxCallBytes,
    EnableKeepAlive,
    KeepAliveIdle,
    KeepAliveInterval,
    KeepAliveCount,
    Serializer,
    UnserializeAllowedClasses,
    Prefix,
    Compression,
    CompressionThreshold,
    CompressionLevel,
    MaxDecompressedBytes,
}

/// What values an option takes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// A string, checked further by its user.
    Text,
    /// An integer in a range, both ends included.
    Int(u64, u64),
    /// A number of bytes in a range; as text also with the suffix K, M or G.
    Bytes(u64, u64),
    /// True or false.
    Bool,
    /// True, false or a list of class names.
    Classes,
}

/// An option.
pub(super) struct Spec {
    /// Its name.
    pub(super) name: &'static str,
    /// The name of its INI setting.
    pub(super) ini: &'static CStr,
    /// The default of the INI setting.
    pub(super) default: &'static CStr,
    /// What it takes.
    pub(super) kind: Kind,
}

/// A value of an option.
#[derive(Debug)]
pub(super) enum Setting {
    Text(Vec<u8>),
    Int(u64),
    Bool(bool),
    Classes(Classes),
}

/// Options of the old extension that have no meaning here.
pub(super) const DEAD: [&str; 4] = [
    "pipeline_depth",
    "enable_pipelining",
    "enable_async_io",
    "http_base",
];

macro_rules! spec {
    ($name:literal, $default:literal, $kind:expr) => {
        Spec {
            name: $name,
            ini: match CStr::from_bytes_with_nul(concat!("tagcache.", $name, "\0").as_bytes()) {
                Ok(name) => name,
                Err(_) => panic!("BUG: NUL in the name of an option"),
            },
            default: match CStr::from_bytes_with_nul(concat!($default, "\0").as_bytes()) {
                Ok(text) => text,
                Err(_) => panic!("BUG: NUL in the default of an option"),
            },
            kind: $kind,
        }
    };
}

/// All options, in the order of [`Id`].
pub(super) static SPECS: [Spec; Id::MaxDecompressedBytes as usize + 1] = [
    spec!("mode", "tcp", Kind::Text),
    spec!("host", "127.0.0.1", Kind::Text),
    spec!("port", "1984", Kind::Int(1, 65_535)),
    spec!("path", "", Kind::Text),
    spec!("timeout_ms", "5000", Kind::Int(1, DAY_MS)),
    spec!("acquire_timeout_ms", "5000", Kind::Int(1, DAY_MS)),
    spec!("connect_timeout_ms", "3000", Kind::Int(1, DAY_MS)),
    spec!("connect_backoff_ms", "2000", Kind::Int(0, 60_000)),
    spec!("pool_size", "8", Kind::Int(1, 1024)),
    spec!("min_idle", "0", Kind::Int(0, 1024)),
    spec!("idle_timeout_ms", "60000", Kind::Int(0, DAY_MS)),
    spec!("max_lifetime_ms", "1800000", Kind::Int(0, DAY_MS)),
    spec!("probe_after_ms", "0", Kind::Int(0, DAY_MS)),
    spec!("max_reply_bytes", "67108864", Kind::Bytes(1024, 1 << 30)),
    spec!("max_call_bytes", "67108864", Kind::Bytes(1024, 1 << 40)),
    spec!("enable_keep_alive", "1", Kind::Bool),
    spec!("keep_alive_idle", "60", Kind::Int(1, KEEP_ALIVE_MAX)),
    spec!("keep_alive_interval", "10", Kind::Int(1, KEEP_ALIVE_MAX)),
    spec!("keep_alive_count", "3", Kind::Int(1, 127)),
    spec!("serializer", "php", Kind::Text),
    spec!("unserialize_allowed_classes", "1", Kind::Classes),
    spec!("prefix", "", Kind::Text),
    spec!("compression", "none", Kind::Text),
    spec!("compression_threshold", "2048", Kind::Bytes(0, 1 << 30)),
    spec!("compression_level", "0", Kind::Int(0, 19)),
    spec!(
        "max_decompressed_bytes",
        "67108864",
        Kind::Bytes(1024, 1 << 30)
    ),
];

/// Reads a value that PHP code gave. Integers may also come as strings of digits, as from
/// `getenv()`, booleans also as 0 and 1.
pub(super) fn from_zval(spec: &Spec, value: &Zval) -> Result<Setting, Failure> {
    let wrong = || refuse(spec, "option", &described(value));
    match spec.kind {
        Kind::Text => match value.zend_str() {
            Some(text) => Ok(Setting::Text(text.as_bytes().to_vec())),
            None => Err(wrong()),
        },
        Kind::Int(low, high) | Kind::Bytes(low, high) => {
            let number = match (value.long(), value.zend_str()) {
                (Some(number), _) => u64::try_from(number).ok(),
                (None, Some(text)) => digits(text.as_bytes()),
                (None, None) => None,
            };
            match number {
                Some(number) if (low..=high).contains(&number) => Ok(Setting::Int(number)),
                _ => Err(wrong()),
            }
        }
        Kind::Bool => match (value.bool(), value.long()) {
            (Some(flag), _) => Ok(Setting::Bool(flag)),
            (None, Some(number @ 0..=1)) => Ok(Setting::Bool(number == 1)),
            _ => Err(wrong()),
        },
        Kind::Classes => match (value.bool(), value.array()) {
            (Some(flag), _) => Ok(Setting::Classes(any_or_none(flag))),
            (None, Some(names)) => {
                if let Some(key) = first_name(names) {
                    let given = format!("an array with the key {}", quoted(key));
                    return Err(refuse(spec, "option", &given));
                }
                let mut list = Vec::with_capacity(names.len());
                for (_, name) in Items::of(names) {
                    match name.dereference().zend_str() {
                        Some(name) if is_class_name(name.as_bytes()) => {
                            list.push(bare(name.as_bytes()).to_vec());
                        }
                        _ => {
                            return Err(refuse(
                                spec,
                                "option",
                                &format!("a list with {}", described(name)),
                            ));
                        }
                    }
                }
                Ok(Setting::Classes(Classes::Only(list)))
            }
            (None, None) => Err(wrong()),
        },
    }
}

fn any_or_none(any: bool) -> Classes {
    if any {
        Classes::All
    } else {
        Classes::Only(Vec::new())
    }
}

/// Returns whether PHP could have a class of that name.
fn is_class_name(name: &[u8]) -> bool {
    let part = |part: &[u8]| {
        part.first().is_some_and(|first| !first.is_ascii_digit())
            && part
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte >= 0x80)
    };
    bare(name).split(|byte| *byte == b'\\').all(part)
}

/// Returns a class name as PHP keeps it, without a backslash in front.
fn bare(name: &[u8]) -> &[u8] {
    name.strip_prefix(b"\\").unwrap_or(name)
}

/// Reads a value from text, of a DSN or an INI setting; `place` says which in messages.
pub(super) fn from_text(spec: &Spec, text: &[u8], place: &str) -> Result<Setting, Failure> {
    let wrong = || refuse(spec, place, &quoted(text));
    match spec.kind {
        Kind::Text => Ok(Setting::Text(text.to_vec())),
        Kind::Int(low, high) => digits(text)
            .filter(|number| (low..=high).contains(number))
            .map(Setting::Int)
            .ok_or_else(wrong),
        Kind::Bytes(low, high) => quantity(text)
            .filter(|number| (low..=high).contains(number))
            .map(Setting::Int)
            .ok_or_else(wrong),
        Kind::Bool => flag(text).map(Setting::Bool).ok_or_else(wrong),
        Kind::Classes => match flag(text) {
            Some(flag) => Ok(Setting::Classes(any_or_none(flag))),
            None => {
                let names = text.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
                if !names.clone().all(is_class_name) {
                    return Err(wrong());
                }
                let names = names.map(|name| bare(name).to_vec()).collect();
                Ok(Setting::Classes(Classes::Only(names)))
            }
        },
    }
}

/// Reads what PHP's settings take for true and false.
fn flag(text: &[u8]) -> Option<bool> {
    match text.to_ascii_lowercase().as_slice() {
        b"1" | b"on" | b"true" | b"yes" => Some(true),
        b"" | b"0" | b"off" | b"false" | b"no" | b"none" => Some(false),
        _ => None,
    }
}

/// Returns the failure for a name that is no option, with the one that was probably meant.
pub(super) fn unknown(name: &[u8]) -> Failure {
    // Names are short; of a long one the beginning decides.
    let lower = String::from_utf8_lossy(&name[..name.len().min(64)]).to_ascii_lowercase();
    let nearest = SPECS
        .iter()
        .map(|spec| (strsim::levenshtein(&lower, spec.name), spec.name))
        .min()
        .filter(|(distance, candidate)| *distance <= candidate.len().div_ceil(2));
    let name = quoted(name);
    Failure::Invalid(match nearest {
        Some((_, nearest)) => format!("there is no option {name}; did you mean '{nearest}'?"),
        None => {
            let names: Vec<_> = SPECS.iter().map(|spec| spec.name).collect();
            format!("there is no option {name}; there are {}", names.join(", "))
        }
    })
}

/// Returns text from outside, fit to be shown and not too long.
pub(crate) fn shown(text: &[u8]) -> String {
    const MOST: usize = 80;
    let cut = &text[..text.len().min(MOST)];
    let mut shown: String = String::from_utf8_lossy(cut)
        .chars()
        .flat_map(shown_char)
        .collect();
    if text.len() > MOST {
        shown.push_str("...");
    }
    shown
}

/// As [`shown`], between quotes.
pub(crate) fn quoted(text: &[u8]) -> String {
    format!("\"{}\"", shown(text))
}

fn shown_char(c: char) -> impl Iterator<Item = char> {
    let escape = c.is_control() || c == '"' || c == '\\';
    let escaped = escape.then(|| c.escape_default()).into_iter().flatten();
    escaped.chain((!escape).then_some(c))
}

fn refuse(spec: &Spec, place: &str, given: &str) -> Failure {
    let prefix = if place == "option" { "" } else { "tagcache." };
    let expected = match spec.kind {
        Kind::Text => "a string".to_owned(),
        Kind::Int(low, high) => format!("an integer from {low} to {high}"),
        Kind::Bytes(low, high) => format!("a number of bytes from {low} to {high}"),
        Kind::Bool => "true or false".to_owned(),
        Kind::Classes => "true, false or a list of class names".to_owned(),
    };
    Failure::Invalid(format!(
        "{place} '{prefix}{}' must be {expected}, {given} given",
        spec.name
    ))
}

fn described(value: &Zval) -> String {
    if let Some(number) = value.long() {
        number.to_string()
    } else if let Some(text) = value.zend_str() {
        quoted(text.as_bytes())
    } else if let Some(flag) = value.bool() {
        flag.to_string()
    } else if let Some(number) = value.double() {
        format!("float {number}")
    } else if value.is_null() {
        "null".to_owned()
    } else if value.is_array() {
        "an array".to_owned()
    } else if value.is_object() {
        "an object".to_owned()
    } else {
        "a resource".to_owned()
    }
}

/// Reads decimal digits and nothing else.
fn digits(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Reads digits with an optional K, M or G, as PHP's own settings of sizes.
pub(crate) fn quantity(text: &[u8]) -> Option<u64> {
    let (number, shift) = match text.split_last()? {
        (b'k' | b'K', number) => (number, 10),
        (b'm' | b'M', number) => (number, 20),
        (b'g' | b'G', number) => (number, 30),
        _ => (text, 0),
    };
    digits(number)?.checked_mul(1 << shift)
}
