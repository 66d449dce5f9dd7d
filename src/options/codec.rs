//! The options that say how values and names are written and read.

use std::sync::Arc;

use tagcache_client::{Algorithm, Compression, Namespace};

use super::spec::{Id, Setting, quoted};
use super::{Draft, Options};
use crate::error::Failure;
use crate::value::{Classes, Rules, Serializer};

impl Draft {
    /// Returns the rules.
    ///
    /// # Errors
    ///
    /// [`Failure::Invalid`] that says which option is wrong, or what has to be installed for it.
    pub(super) fn rules(&self) -> Result<Rules, Failure> {
        let serializer = self.serializer()?;
        let classes = match &self.settings[Id::UnserializeAllowedClasses as usize] {
            Setting::Classes(classes) => classes.clone(),
            _ => unreachable!("BUG: a list of classes is something else"),
        };
        if classes != Classes::All && !serializer.filters_classes() {
            return Err(Failure::Invalid(format!(
                "{} excludes the serializer '{}', which can't be told which classes it may make: \
                 take 'php' or 'json', or allow all classes",
                self.named(Id::UnserializeAllowedClasses),
                serializer.name()
            )));
        }
        Ok(Rules {
            serializer,
            classes,
            namespace: self.namespace()?,
            compression: self.compression()?,
            max_decompressed: self.bytes(Id::MaxDecompressedBytes),
        })
    }

    fn serializer(&self) -> Result<Serializer, Failure> {
        let name = self.text(Id::Serializer);
        let Some(serializer) = Serializer::of_name(name) else {
            let names = Serializer::ALL.map(|one| format!("'{}'", one.name()));
            return Err(Failure::Invalid(format!(
                "{} must be one of {}, {} given",
                self.named(Id::Serializer),
                names.join(", "),
                quoted(name)
            )));
        };
        match serializer.package() {
            Some(package) if !serializer.is_there() => Err(Failure::Invalid(format!(
                "{} is '{1}', but the PHP extension {1} is not loaded; install it \
                 (on Debian the package {package}), or take another serializer",
                self.named(Id::Serializer),
                serializer.name()
            ))),
            _ => Ok(serializer),
        }
    }

    fn namespace(&self) -> Result<Option<Arc<Namespace>>, Failure> {
        let prefix = self.text(Id::Prefix);
        if prefix.is_empty() {
            return Ok(None);
        }
        match Namespace::new(prefix) {
            Ok(namespace) => Ok(Some(Arc::new(namespace))),
            Err(why) => Err(Failure::Invalid(format!(
                "{} must be what keys and tags can begin with, {} given: {why}",
                self.named(Id::Prefix),
                quoted(prefix)
            ))),
        }
    }

    fn compression(&self) -> Result<Option<Compression>, Failure> {
        let level = self.small(Id::CompressionLevel);
        let algorithm = match self.text(Id::Compression) {
            b"none" | b"" => return Ok(None),
            b"zstd" => Algorithm::Zstd,
            b"lz4" if level > 0 && self.given(Id::CompressionLevel) => {
                return Err(Failure::Invalid(
                    "option 'compression_level' is for 'zstd'; 'lz4' has one level, leave it out"
                        .to_owned(),
                ));
            }
            b"lz4" => Algorithm::Lz4,
            other => {
                return Err(Failure::Invalid(format!(
                    "{} must be one of 'none', 'lz4', 'zstd', {} given",
                    self.named(Id::Compression),
                    quoted(other)
                )));
            }
        };
        Ok(Some(Compression {
            algorithm,
            level: i32::try_from(level).expect("BUG: the range of 'compression_level' is wrong"),
            threshold: self.bytes(Id::CompressionThreshold),
            // With room for what a serialized form adds to a string.
            limit: self.bytes(Id::MaxDecompressedBytes) - 64,
        }))
    }

    pub(super) fn bytes(&self, id: Id) -> usize {
        usize::try_from(self.int(id)).unwrap_or(usize::MAX)
    }
}

impl Options {
    /// Returns these options with `prefix` behind the prefix that they have.
    ///
    /// # Errors
    ///
    /// [`Failure::Invalid`] for what keys and tags can't begin with.
    pub(crate) fn below(&self, prefix: &[u8]) -> Result<Self, Failure> {
        let namespace = match &self.rules.namespace {
            Some(outer) => outer.within(prefix),
            None => Namespace::new(prefix),
        };
        let namespace = namespace.map_err(|why| {
            Failure::Invalid(format!(
                "$prefix must be what keys and tags can begin with, {} given: {why}",
                quoted(prefix)
            ))
        })?;
        let mut below = self.clone();
        below.rules = Arc::new(Rules {
            namespace: Some(Arc::new(namespace)),
            ..(*self.rules).clone()
        });
        Ok(below)
    }
}

/// Returns the options of words as `var_dump()` shows them.
pub(crate) fn words(options: &Options) -> [(&'static str, String); 4] {
    let rules = &options.rules;
    let compression = match rules.compression.map(|compression| compression.algorithm) {
        None => "none",
        Some(Algorithm::Lz4) => "lz4",
        Some(_) => "zstd",
    };
    let classes = match &rules.classes {
        Classes::All => "all".to_owned(),
        Classes::Only(names) if names.is_empty() => "none".to_owned(),
        Classes::Only(names) => {
            let names: Vec<_> = names
                .iter()
                .map(|name| String::from_utf8_lossy(name))
                .collect();
            names.join(",")
        }
    };
    [
        ("serializer", rules.serializer.name().to_owned()),
        ("unserialize_allowed_classes", classes),
        (
            "prefix",
            String::from_utf8_lossy(rules.prefix()).into_owned(),
        ),
        ("compression", compression.to_owned()),
    ]
}
