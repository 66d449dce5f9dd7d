//! The verbs of the protocol.

/// What a request line asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verb {
    /// Read a value.
    Get,
    /// Store a value.
    Put,
    /// Store a value unless there is one.
    Add,
    /// Add to a number.
    Incr,
    /// Subtract from a number.
    Decr,
    /// Remove a key.
    Del,
    /// Remove all keys with a tag.
    InvTag,
    /// Remove all keys with any of some tags.
    InvTagsAny,
    /// Remove all keys with all of some tags.
    InvTagsAll,
    /// Remove some keys.
    InvKeys,
    /// List the keys with a tag; also written `KEYS`.
    KeysByTag,
    /// Report the counters.
    Stats,
    /// Remove everything.
    Flush,
    /// Anything else.
    Unknown,
}

/// The longest verb has 12 letters.
const LONGEST: usize = 12;

impl Verb {
    /// Reads a verb in any case.
    #[must_use]
    pub fn parse(text: impl AsRef<[u8]>) -> Self {
        let text = text.as_ref();
        let mut upper = [0; LONGEST];
        let Some(upper) = upper.get_mut(..text.len()) else {
            return Self::Unknown;
        };
        upper.copy_from_slice(text);
        upper.make_ascii_uppercase();
        match &*upper {
            b"GET" => Self::Get,
            b"PUT" => Self::Put,
            b"ADD" => Self::Add,
            b"INCR" => Self::Incr,
            b"DECR" => Self::Decr,
            b"DEL" => Self::Del,
            b"INV_TAG" => Self::InvTag,
            b"INV_TAGS_ANY" => Self::InvTagsAny,
            b"INV_TAGS_ALL" => Self::InvTagsAll,
            b"INV_KEYS" => Self::InvKeys,
            b"KEYS_BY_TAG" | b"KEYS" => Self::KeysByTag,
            b"STATS" => Self::Stats,
            b"FLUSH" => Self::Flush,
            _ => Self::Unknown,
        }
    }

    /// The verb as it is written on the wire; `UNKNOWN` for anything else.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Add => "ADD",
            Self::Incr => "INCR",
            Self::Decr => "DECR",
            Self::Del => "DEL",
            Self::InvTag => "INV_TAG",
            Self::InvTagsAny => "INV_TAGS_ANY",
            Self::InvTagsAll => "INV_TAGS_ALL",
            Self::InvKeys => "INV_KEYS",
            Self::KeysByTag => "KEYS_BY_TAG",
            Self::Stats => "STATS",
            Self::Flush => "FLUSH",
            Self::Unknown => "UNKNOWN",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_any_case_and_nothing_else() {
        assert_eq!(Verb::parse("inv_Tags_ANY"), Verb::InvTagsAny);
        assert_eq!(Verb::parse("keys"), Verb::KeysByTag);
        for other in [
            "",
            " GET",
            "GET ",
            "GETS",
            "inv_tags_anyx",
            "GET lk",
            "\0\0\0",
        ] {
            assert_eq!(Verb::parse(other), Verb::Unknown, "{other:?}");
        }
    }
}
