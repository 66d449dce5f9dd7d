//! [`Serializer`]: which there are, and which of them this PHP has.

use ext_php_rs::types::Zval;

use super::foreign::Foreign;
use super::survey::{self, Limits};
use super::{Payload, igbinary, json, msgpack, php};
use crate::error::Failure;
use crate::ffi;

/// What makes bytes of arrays and objects. Everything else has a form of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Serializer {
    /// PHP's `serialize()`.
    Php,
    /// The extension igbinary.
    Igbinary,
    /// The extension msgpack.
    Msgpack,
    /// JSON, for arrays only.
    Json,
    /// None: arrays and objects are refused.
    Native,
}

impl Serializer {
    /// All of them.
    pub(crate) const ALL: [Self; 5] = [
        Self::Php,
        Self::Igbinary,
        Self::Msgpack,
        Self::Json,
        Self::Native,
    ];

    /// Returns its name as the option has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Php => "php",
            Self::Igbinary => "igbinary",
            Self::Msgpack => "msgpack",
            Self::Json => "json",
            Self::Native => "native",
        }
    }

    /// Returns the one of that name.
    pub(crate) fn of_name(name: &[u8]) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|one| one.name().as_bytes() == name)
    }

    /// Returns whether this PHP has it now.
    pub(crate) fn is_there(self) -> bool {
        self.foreign().is_none_or(Foreign::is_there)
    }

    /// Returns the package of Debian that brings it, `None` if PHP itself does.
    pub(crate) fn package(self) -> Option<&'static str> {
        self.foreign().map(|foreign| foreign.package)
    }

    fn foreign(self) -> Option<&'static Foreign> {
        match self {
            Self::Igbinary => Some(&igbinary::IGBINARY),
            Self::Msgpack => Some(&msgpack::MSGPACK),
            Self::Php | Self::Json | Self::Native => None,
        }
    }

    /// Returns whether it can be told which classes it may make.
    pub(crate) fn filters_classes(self) -> bool {
        self.foreign().is_none()
    }

    /// Serializes an array or object, which runs code of the user. *May bail out.*
    ///
    /// # Errors
    ///
    /// [`Failure::Serialization`] for what would not come back as it is, [`Failure::Thrown`] for
    /// what code of the user throws.
    pub(super) fn write(self, value: &Zval) -> Result<Payload, Failure> {
        if self == Self::Native {
            return Err(Failure::Serialization(format!(
                "the serializer 'native' stores null, booleans, numbers and strings only, {} \
                 given; choose another by the option 'serializer'",
                survey::kind(value)
            )));
        }
        let limits = match self {
            Self::Msgpack => &msgpack::LIMITS,
            Self::Json => &json::LIMITS,
            Self::Igbinary => &igbinary::LIMITS,
            Self::Php | Self::Native => &Limits::PHP,
        };
        let user_decides = survey::check(value, limits)?;
        let payload = ffi::apart(|| match self {
            Self::Php | Self::Native if user_decides => php::write_settled(value),
            Self::Php | Self::Native => php::write(value),
            Self::Igbinary => igbinary::write(value),
            Self::Msgpack => msgpack::write(value),
            Self::Json => json::write(value),
        });
        // A bulk serializes thousands of values in one call.
        ffi::go_on()?;
        Ok(match self {
            Self::Json => Payload::Json(payload?),
            _ => Payload::Serialized(payload?),
        })
    }
}
