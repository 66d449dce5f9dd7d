//! `tagcache://host:port?option=value` and `unix:///path?option=value`.

use super::spec;
use crate::error::Failure;

/// Names and values of options as bytes.
type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// Splits a DSN into options by name, values as text with `%41` resolved.
///
/// # Errors
///
/// [`Failure::Invalid`] that says what is wrong with the form. Names and values are not looked at.
pub(super) fn parse(dsn: &[u8]) -> Result<Pairs, Failure> {
    let (main, query) = match dsn.iter().position(|byte| *byte == b'?') {
        Some(at) => (&dsn[..at], &dsn[at + 1..]),
        None => (dsn, &b""[..]),
    };
    let mut options = Vec::new();
    if let Some(address) = main.strip_prefix(b"tagcache://") {
        read_address(address, dsn, &mut options)?;
    } else if let Some(path) = main.strip_prefix(b"unix://") {
        if path.is_empty() {
            return Err(malformed(
                dsn,
                "behind unix:// stands the path of the socket",
            ));
        }
        options.push((b"path".to_vec(), unescape(path, dsn)?));
    } else {
        return Err(malformed(dsn, "it must begin with tagcache:// or unix://"));
    }
    for pair in query
        .split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty())
    {
        let Some(at) = pair.iter().position(|byte| *byte == b'=') else {
            return Err(malformed(
                dsn,
                "behind the ? stand pairs such as pool_size=8",
            ));
        };
        options.push((unescape(&pair[..at], dsn)?, unescape(&pair[at + 1..], dsn)?));
    }
    Ok(options)
}

fn read_address(address: &[u8], dsn: &[u8], options: &mut Pairs) -> Result<(), Failure> {
    let address = address.strip_suffix(b"/").unwrap_or(address);
    if address.contains(&b'/') {
        return Err(malformed(
            dsn,
            "behind host and port may stand only ?option=value",
        ));
    }
    if address.contains(&b'@') {
        return Err(malformed(dsn, "the server knows no users and passwords"));
    }
    // The colons of an IPv6 address are within brackets.
    let name_end = address
        .iter()
        .position(|byte| *byte == b']')
        .map_or(0, |at| at + 1);
    let (host, port) = match address[name_end..].iter().position(|byte| *byte == b':') {
        Some(at) => (
            &address[..name_end + at],
            Some(&address[name_end + at + 1..]),
        ),
        None => (address, None),
    };
    if !host.is_empty() {
        options.push((b"host".to_vec(), unescape(host, dsn)?));
    }
    if let Some(port) = port {
        options.push((b"port".to_vec(), port.to_vec()));
    }
    Ok(())
}

fn unescape(text: &[u8], dsn: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, behind)) = rest.split_first() {
        if byte != b'%' {
            plain.push(byte);
            rest = behind;
            continue;
        }
        let code = behind.get(..2).and_then(|hex| {
            let digit = |byte: u8| char::from(byte).to_digit(16);
            u8::try_from(digit(hex[0])? * 16 + digit(hex[1])?).ok()
        });
        let Some(code) = code else {
            return Err(malformed(
                dsn,
                "% must be followed by two hexadecimal digits",
            ));
        };
        plain.push(code);
        rest = &behind[2..];
    }
    Ok(plain)
}

/// Returns the failure for a DSN; what may be a password is not repeated.
fn malformed(dsn: &[u8], why: &str) -> Failure {
    let name = dsn
        .windows(3)
        .position(|three| three == b"://")
        .map_or(0, |at| at + 3);
    let shown = match dsn.iter().rposition(|byte| *byte == b'@') {
        Some(at) if at >= name => [&dsn[..name], b"***", &dsn[at..]].concat(),
        _ => dsn.to_vec(),
    };
    Failure::Invalid(format!(
        "{} is no DSN such as tagcache://127.0.0.1:1984?pool_size=8 or unix:///run/tagcache.sock: \
         {why}",
        spec::quoted(&shown)
    ))
}
