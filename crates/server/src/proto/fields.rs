//! A request line cut at its TABs, without allocation.

/// Fields of a line; the fifth takes the rest, as the real server cuts.
const MOST: usize = 5;

/// Iterator over the fields of one line.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    rest: Option<&'a str>,
    given: usize,
}

impl<'a> Fields<'a> {
    pub(super) fn new(line: &'a str) -> Self {
        Self {
            rest: Some(line),
            given: 0,
        }
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let rest = self.rest?;
        self.given += 1;
        let tab = match self.given {
            MOST => None,
            _ => memchr::memchr(b'\t', rest.as_bytes()),
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
            assert!(Fields::new(line).eq(line.splitn(5, '\t')), "{line:?}");
        }
    }
}
