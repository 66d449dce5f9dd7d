//! A serializer that another extension of PHP brings, called by the names of its functions.

use ext_php_rs::boxed::ZBox;
use ext_php_rs::types::{ZendStr, Zval};

use crate::error::Failure;
use crate::ffi;

/// The names.
#[derive(Debug)]
pub(super) struct Foreign {
    /// The extension.
    pub(super) name: &'static str,
    /// Its function that makes bytes.
    pub(super) write: &'static str,
    /// Its function that takes them.
    pub(super) read: &'static str,
    /// The package of Debian that brings it.
    pub(super) package: &'static str,
}

impl Foreign {
    /// Returns whether it is loaded.
    pub(super) fn is_there(&self) -> bool {
        ffi::function(self.write).is_some() && ffi::function(self.read).is_some()
    }

    /// Makes bytes. *May bail out.*
    pub(super) fn write(&self, value: &Zval) -> Result<ZBox<ZendStr>, Failure> {
        let function = ffi::function(self.write).ok_or_else(|| self.missing())?;
        ffi::write_by(function, value)?.ok_or_else(|| {
            Failure::Serialization(format!("{} gives nothing for this value", self.name))
        })
    }

    /// Takes bytes. *May bail out.*
    pub(super) fn read(&self, payload: &[u8], into: &mut Zval) -> Result<(), Failure> {
        let function = ffi::function(self.read).ok_or_else(|| self.missing())?;
        match ffi::read_by(function, payload, into)? {
            None => Ok(()),
            Some(complaint) => {
                *into = Zval::null();
                Err(self.damaged(&complaint))
            }
        }
    }

    /// Returns the failure for bytes that can't be read.
    pub(super) fn damaged(&self, why: &str) -> Failure {
        Failure::Serialization(format!("{} can't read it: {why}", self.name))
    }

    /// Returns the failure for an extension that is not loaded.
    pub(super) fn missing(&self) -> Failure {
        Failure::Serialization(format!(
            "this needs the PHP extension {}, which is not loaded; install it (on Debian the \
             package {})",
            self.name, self.package
        ))
    }
}
