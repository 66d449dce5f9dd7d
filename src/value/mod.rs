//! Values: zvals to what the client encodes, and back.

mod foreign;
mod igbinary;
mod json;
mod msgpack;
mod php;
mod rules;
mod serializer;
mod survey;

use std::borrow::Cow;

use ext_php_rs::boxed::ZBox;
use ext_php_rs::types::{ZendHashTable, ZendStr, Zval};
use tagcache_client::{Decoded, Value, decode_within, is_text};

use crate::error::Failure;
use crate::ffi::{self, Items, Key, Owned};

pub(crate) use self::rules::{Classes, Rules};
pub(crate) use self::serializer::Serializer;

/// A value that is ready to be encoded without running PHP code.
pub(crate) enum Prepared<'a> {
    /// One that goes as it is.
    Plain(Value<'a>),
    /// One in serialized form.
    Serialized(Payload),
}

/// What a serializer gave, in PHP's memory.
#[derive(Debug)]
pub(crate) enum Payload {
    /// Bytes.
    Serialized(ZBox<ZendStr>),
    /// JSON.
    Json(ZBox<ZendStr>),
}

impl Payload {
    /// Returns it for the client.
    fn value(&self) -> Value<'_> {
        match self {
            Self::Serialized(bytes) => Value::Serialized(bytes.as_bytes()),
            Self::Json(text) => Value::Json(text.as_bytes()),
        }
    }
}

impl Prepared<'_> {
    /// Returns it for the client.
    pub(crate) fn value(&self) -> Value<'_> {
        match self {
            Self::Plain(value) => *value,
            Self::Serialized(payload) => payload.value(),
        }
    }
}

/// Prepares a value; an array or object is serialized, which runs code of the user. *May bail
/// out.*
///
/// # Errors
///
/// [`Failure::Serialization`] for a resource at any depth, for what the serializer of `rules` can't
/// give back, and for what PHP refuses; [`Failure::Thrown`] for what code of the user throws.
pub(crate) fn prepare<'a>(value: &'a Zval, rules: &Rules) -> Result<Prepared<'a>, Failure> {
    let value = value.dereference();
    match plain(value) {
        Some(plain) => Ok(Prepared::Plain(plain)),
        None => rules.serializer.write(value).map(Prepared::Serialized),
    }
}

/// Returns a value that needs no serializer.
pub(crate) fn plain(value: &Zval) -> Option<Value<'_>> {
    if let Some(text) = value.zend_str() {
        Some(Value::Str(text.as_bytes()))
    } else if let Some(number) = value.long() {
        Some(Value::Int(number))
    } else if let Some(number) = value.double() {
        Some(Value::Float(number))
    } else if let Some(flag) = value.bool() {
        Some(Value::Bool(flag))
    } else {
        value.is_null().then_some(Value::Null)
    }
}

/// The values of an array, all serialized before any is encoded.
pub(crate) struct PreparedItems<'a> {
    items: &'a ZendHashTable,
    /// For each item its serialized form, or null; in PHP's memory, which a bailout releases.
    payloads: Option<ZBox<ZendHashTable>>,
    json: bool,
}

impl<'a> PreparedItems<'a> {
    /// Prepares the values of `items`, which has no references. `name` names an item for
    /// messages. *May bail out.*
    ///
    /// # Errors
    ///
    /// As [`prepare`], with the name of the item.
    pub(crate) fn of(
        items: &'a ZendHashTable,
        rules: &Rules,
        name: impl Fn(&Zval) -> String,
    ) -> Result<Self, Failure> {
        if ffi::values(items).all(|value| plain(value).is_some()) {
            return Ok(Self {
                items,
                payloads: None,
                json: false,
            });
        }
        let mut payloads =
            ZendHashTable::with_capacity(u32::try_from(items.len()).unwrap_or(u32::MAX));
        for (key, value) in Items::of(items) {
            let mut payload = Zval::null();
            if plain(value).is_none() {
                let written = rules.serializer.write(value);
                match written.map_err(|why| why.of(|| name(&key)))? {
                    Payload::Serialized(text) | Payload::Json(text) => {
                        payload.set_zend_string(text);
                    }
                }
            }
            payloads
                .push(payload)
                .map_err(|why| Failure::serialization(&why.to_string()))?;
        }
        Ok(Self {
            items,
            payloads: Some(payloads),
            json: rules.serializer == Serializer::Json,
        })
    }

    /// Calls `put` with each key and value, in order. Runs no PHP code.
    ///
    /// # Errors
    ///
    /// The first that `put` returns.
    pub(crate) fn each(
        &self,
        mut put: impl FnMut(Key<'_>, Value<'_>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut payloads = self.payloads.as_deref().map(ffi::values);
        for (key, value) in ffi::pairs(self.items) {
            let payload = payloads.as_mut().and_then(Iterator::next);
            let payload = payload.and_then(Zval::zend_str);
            let value = match payload {
                Some(payload) if self.json => Value::Json(payload.as_bytes()),
                Some(payload) => Value::Serialized(payload.as_bytes()),
                None => plain(value).expect("BUG: an array without references has changed"),
            };
            put(key, value)?;
        }
        Ok(())
    }
}

/// Makes a PHP value of its wire form; objects run code of the user. *May bail out.*
///
/// # Errors
///
/// [`Failure::Serialization`] if it can't be read back exactly, [`Failure::Thrown`] for what
/// code of the user throws.
#[inline]
pub(crate) fn read(wire: &[u8], rules: &Rules, into: &mut Zval) -> Result<(), Failure> {
    if is_text(wire) {
        into.set_zend_string(ffi::string(wire)?);
        return Ok(());
    }
    read_marked(wire, rules, into)
}

/// As [`read`], for text only: of anything else it makes null, without code of the user. *May bail out.*
///
/// # Errors
///
/// As [`read`].
pub(crate) fn read_text(wire: &[u8], rules: &Rules, into: &mut Zval) -> Result<(), Failure> {
    if is_text(wire) {
        into.set_zend_string(ffi::string(wire)?);
    } else if let Some(text) = ffi::unpacked(wire)? {
        into.set_zend_string(text);
    } else {
        match decode_within(wire, rules.max_decompressed)? {
            Decoded::Str(text) => into.set_zend_string(ffi::string(text)?),
            Decoded::String(text) => into.set_zend_string(ffi::string(&Owned::new(text))?),
            _ => into.set_null(),
        }
    }
    Ok(())
}

fn read_marked(wire: &[u8], rules: &Rules, into: &mut Zval) -> Result<(), Failure> {
    if let Some(text) = ffi::unpacked(wire)? {
        into.set_zend_string(text);
        return Ok(());
    }
    let decoded = decode_within(wire, rules.max_decompressed)?;
    match decoded {
        Decoded::Null => into.set_null(),
        Decoded::Bool(flag) => into.set_bool(flag),
        Decoded::Int(number) => into.set_long(number),
        Decoded::Float(number) => into.set_double(number),
        Decoded::Str(text) => into.set_zend_string(ffi::string(text)?),
        Decoded::String(text) => {
            let text = Owned::new(text);
            into.set_zend_string(ffi::string(&text)?);
        }
        Decoded::Serialized(mut payload) => {
            payload.push(0);
            let payload = Owned::new(payload);
            ffi::apart(|| php::read(&payload, &rules.classes, into))?;
        }
        Decoded::Json(Cow::Borrowed(text)) => json::read(text, into)?,
        Decoded::Json(Cow::Owned(text)) => {
            let text = Owned::new(text);
            json::read(&text, into)?;
        }
        Decoded::Igbinary(payload) => {
            any_class("igbinary", rules)?;
            let payload = Owned::new(payload);
            ffi::apart(|| igbinary::read(&payload, into))?;
        }
        Decoded::Msgpack(payload) => {
            any_class("msgpack", rules)?;
            let payload = Owned::new(payload);
            ffi::apart(|| msgpack::read(&payload, into))?;
        }
        _ => {
            return Err(Failure::serialization(
                "a newer version of this extension has written it",
            ));
        }
    }
    Ok(())
}

/// Refuses a form that can't be told which classes it may make.
fn any_class(writer: &str, rules: &Rules) -> Result<(), Failure> {
    match rules.classes {
        Classes::All => Ok(()),
        Classes::Only(_) => Err(Failure::Serialization(format!(
            "it was written by {writer}, which can't be told which classes it may make, so with the \
             option 'unserialize_allowed_classes' it is not read"
        ))),
    }
}
