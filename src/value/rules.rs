//! How a handle writes and reads values: its serializer, the classes it takes, its namespace and
//! compression.

use std::sync::Arc;

use tagcache_client::{Commands, Compression, MAX_DECOMPRESSED, Namespace};

use super::Serializer;

/// Which classes objects that are read may have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Classes {
    /// Any.
    #[default]
    All,
    /// None, or only these (without regard to case).
    Only(Vec<Vec<u8>>),
}

/// The part of a handle's options that concerns values and names.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    /// What makes bytes of arrays and objects.
    pub(crate) serializer: Serializer,
    /// What may be made of bytes.
    pub(crate) classes: Classes,
    /// What goes before keys and tags.
    pub(crate) namespace: Option<Arc<Namespace>>,
    /// What is compressed.
    pub(crate) compression: Option<Compression>,
    /// To how many bytes a value is decompressed at most.
    pub(crate) max_decompressed: usize,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            serializer: Serializer::Php,
            classes: Classes::All,
            namespace: None,
            compression: None,
            max_decompressed: MAX_DECOMPRESSED,
        }
    }
}

impl Rules {
    /// Makes `commands` write names and values so.
    pub(crate) fn apply(&self, commands: &mut Commands) {
        commands.set_namespace(self.namespace.clone());
        commands.set_compression(self.compression);
    }

    /// Returns the prefix of names, empty for none.
    pub(crate) fn prefix(&self) -> &[u8] {
        self.namespace.as_deref().map_or(&[], Namespace::prefix)
    }
}
