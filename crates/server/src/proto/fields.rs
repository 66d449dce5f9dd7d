//! A request line cut at its TABs, without allocation.

use std::sync::Arc;

use super::verb::Verb;

/// Fields of a line; the fifth takes the rest, as the real server cuts.
const MOST: usize = 5;

/// Iterator over the fields of one line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a> {
    rest: Option<&'a [u8]>,
    given: usize,
    /// What the line fills, if it may be kept.
    pub(super) buffer: Option<&'a Arc<Vec<u8>>>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(line: &'a [u8]) -> Self {
        Self {
            rest: Some(line),
            given: 0,
            buffer: None,
        }
    }

    /// Reads the verb in front and returns it with the fields behind.
    pub(super) fn after_verb(line: &'a [u8]) -> (Verb, Self) {
        // What nearly every line begins with is settled by one comparison.
        let known = match line.first_chunk() {
            Some(b"GET\t") => Some(Verb::Get),
            Some(b"PUT\t") => Some(Verb::Put),
            _ => None,
        };
        match known {
            Some(verb) => {
                let rest = Some(&line[4..]);
                (
                    verb,
                    Self {
                        rest,
                        given: 1,
                        buffer: None,
                    },
                )
            }
            None => {
                let mut fields = Self::new(line);
                (Verb::parse(fields.next().unwrap_or_default()), fields)
            }
        }
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest?;
        self.given += 1;
        let tab = match self.given {
            MOST => None,
            _ => memchr::memchr(b'\t', rest),
        };
        let (field, rest) = match tab {
            Some(at) => (&rest[..at], Some(&rest[at + 1..])),
            None => (rest, None),
        };
        self.rest = rest;
        Some(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verb_is_read_alike_with_and_without_the_short_cut() {
        for line in [
            "GET\tk\tx",
            "PUT\tk\t-\t-\tv\tw",
            "get\tk",
            "GET",
            "GETS\tk",
            "GET\t",
            "\tk",
        ] {
            let line = line.as_bytes();
            let mut fields = Fields::new(line);
            let verb = Verb::parse(fields.next().unwrap_or_default());
            let (found, rest) = Fields::after_verb(line);
            assert_eq!(found, verb, "{line:?}");
            assert!(rest.eq(fields), "{line:?}");
        }
    }

    #[test]
    fn cuts_as_splitn_does() {
        for line in [
            "",
            "a",
            "\t",
            "a\t",
            "a\tb",
            "\t\t\t\t\t\t",
            "a\tb\tc\td\te\tf",
            "ü\té",
        ] {
            let cut = line.splitn(5, '\t').map(str::as_bytes);
            assert!(Fields::new(line.as_bytes()).eq(cut), "{line:?}");
        }
    }
}
