//! [`Verb`]: the commands of the protocol.

/// The commands of the protocol, as far as their replies differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Verb {
    Put,
    Add,
    /// An ADD that goes before an INCR or DECR on its own account; see [`Commands::incr`](super::Commands::incr).
    Seed,
    Get,
    Del,
    Incr,
    Decr,
    InvTag,
    InvTagsAny,
    InvTagsAll,
    InvKeys,
    KeysByTag,
    Stats,
    Flush,
}

impl Verb {
    #[inline]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Put => "PUT",
            Self::Add | Self::Seed => "ADD",
            Self::Get => "GET",
            Self::Del => "DEL",
            Self::Incr => "INCR",
            Self::Decr => "DECR",
            Self::InvTag => "INV_TAG",
            Self::InvTagsAny => "INV_TAGS_ANY",
            Self::InvTagsAll => "INV_TAGS_ALL",
            Self::InvKeys => "INV_KEYS",
            Self::KeysByTag => "KEYS_BY_TAG",
            Self::Stats => "STATS",
            Self::Flush => "FLUSH",
        }
    }

    /// Returns whether the command may be sent again after bytes of it were accepted. Only what reads: a late
    /// second PUT, DEL, INV_* or FLUSH would undo a newer write or revive what was invalidated.
    pub(crate) fn replays(self) -> bool {
        matches!(self, Self::Get | Self::KeysByTag | Self::Stats)
    }

    /// Returns whether the reply carries text that somebody stored.
    pub(crate) fn returns_text(self) -> bool {
        matches!(self, Self::Get | Self::KeysByTag)
    }
}
