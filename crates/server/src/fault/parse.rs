//! Rules as text: `name[:key=value,...]`.

use std::str::FromStr;
use std::time::Duration;

use super::rule::{Action, Nth, Rule};
use crate::proto::Verb;

/// Why a text is no rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// The name in front is none.
    #[error(
        "unknown rule `{0}`; give stall, dribble, delay, close, reset, replace, inject, oversize, \
         close_idle, refuse, silent, blackhole or noread"
    )]
    UnknownRule(String),
    /// A part that this rule does not take.
    #[error("`{rule}` takes no `{key}`")]
    UnknownKey {
        /// Name of the rule.
        rule: String,
        /// The part.
        key: String,
    },
    /// A part that this rule cannot do without.
    #[error("`{rule}` needs {key}=")]
    Missing {
        /// Name of the rule.
        rule: String,
        /// The part.
        key: &'static str,
    },
    /// A value that is none of its kind.
    #[error("{key} is `{value}`; give {range}")]
    Value {
        /// The part.
        key: &'static str,
        /// What was given.
        value: String,
        /// What can be given.
        range: &'static str,
    },
}

const KEYS: [&str; 9] = [
    "reply", "byte", "ms", "text", "after_ms", "bytes", "after", "conn", "times",
];

/// The parts of a rule that were not used yet.
struct Parts<'a> {
    rule: &'a str,
    parts: Vec<(&'a str, &'a str)>,
}

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let (name, rest) = text.split_once(':').unwrap_or((text, ""));
        let mut parts = Parts {
            rule: name,
            parts: split(rest),
        };
        let p = &mut parts;
        let mut rule = match name {
            "stall" => Self::new(Action::Stall { byte: p.byte()? }, p.reply()?),
            "close" => Self::new(Action::Close { byte: p.byte()? }, p.reply()?),
            "reset" => Self::new(Action::Reset { byte: p.byte()? }, p.reply()?),
            "dribble" => {
                let from = p.nth("reply")?.unwrap_or(Nth::At(0));
                Self::new(Action::Dribble { pause: p.pause()? }, from)
            }
            "delay" => {
                let reply = p.nth("reply")?.unwrap_or(Nth::Every);
                Self::new(Action::Delay { pause: p.pause()? }, reply)
            }
            "replace" => Self::new(Action::Replace { text: p.text()? }, p.reply()?),
            "inject" => {
                let after = p.number("after_ms")?.map(Duration::from_millis);
                Self::new(
                    Action::Inject {
                        text: p.text()?,
                        after,
                    },
                    p.reply()?,
                )
            }
            "oversize" => {
                let bytes = p.number("bytes")?.ok_or_else(|| p.missing("bytes"))?;
                Self::new(
                    Action::Oversize {
                        bytes: bytes as usize,
                    },
                    p.reply()?,
                )
            }
            "close_idle" => {
                let after = p.nth("after")?.ok_or_else(|| p.missing("after"))?;
                Self::new(Action::CloseIdle, after)
            }
            "refuse" => Self::refuse(),
            "silent" => Self::silent(),
            "blackhole" => Self::blackhole(),
            "noread" => Self::noread(),
            _ => return Err(RuleError::UnknownRule(name.into())),
        };
        rule.conn = p.number("conn")?;
        rule.times = p.number("times")?;
        rule.verb = p.verb()?;
        match p.parts.first() {
            None => Ok(rule),
            Some((key, _)) => Err(RuleError::UnknownKey {
                rule: name.into(),
                key: (*key).into(),
            }),
        }
    }
}

impl<'a> Parts<'a> {
    fn take(&mut self, key: &str) -> Option<&'a str> {
        let at = self.parts.iter().position(|(have, _)| *have == key)?;
        Some(self.parts.remove(at).1)
    }

    fn missing(&self, key: &'static str) -> RuleError {
        RuleError::Missing {
            rule: self.rule.into(),
            key,
        }
    }

    fn number(&mut self, key: &'static str) -> Result<Option<u64>, RuleError> {
        let Some(value) = self.take(key) else {
            return Ok(None);
        };
        let range = "a number from 0";
        let bad = |_| RuleError::Value {
            key,
            value: value.into(),
            range,
        };
        value.parse().map(Some).map_err(bad)
    }

    fn nth(&mut self, key: &'static str) -> Result<Option<Nth>, RuleError> {
        let Some(value) = self.take(key) else {
            return Ok(None);
        };
        let range = "a number from 0, or *";
        let bad = |_| RuleError::Value {
            key,
            value: value.into(),
            range,
        };
        match value {
            "*" => Ok(Some(Nth::Every)),
            _ => value.parse().map(|n| Some(Nth::At(n))).map_err(bad),
        }
    }

    fn reply(&mut self) -> Result<Nth, RuleError> {
        self.nth("reply")?.ok_or_else(|| self.missing("reply"))
    }

    fn byte(&mut self) -> Result<usize, RuleError> {
        Ok(self.number("byte")?.unwrap_or(0) as usize)
    }

    fn pause(&mut self) -> Result<Duration, RuleError> {
        let ms = self.number("ms")?.ok_or_else(|| self.missing("ms"))?;
        Ok(Duration::from_millis(ms))
    }

    fn text(&mut self) -> Result<Vec<u8>, RuleError> {
        let text = self.take("text").ok_or_else(|| self.missing("text"))?;
        unescape(text).ok_or_else(|| RuleError::Value {
            key: "text",
            value: text.into(),
            range: r"text with the escapes \n \r \t \\ \xHH",
        })
    }

    fn verb(&mut self) -> Result<Option<Verb>, RuleError> {
        let Some(value) = self.take("verb") else {
            return Ok(None);
        };
        match Verb::parse(value) {
            Verb::Unknown if !value.eq_ignore_ascii_case("unknown") => Err(RuleError::Value {
                key: "verb",
                value: value.into(),
                range: "a verb such as GET, or UNKNOWN",
            }),
            verb => Ok(Some(verb)),
        }
    }
}

/// Cuts at the commas; one that no known `key=` follows belongs to the value in front of it.
fn split(rest: &str) -> Vec<(&str, &str)> {
    let mut parts = Vec::new();
    let mut rest = rest;
    while !rest.is_empty() {
        let end = rest
            .match_indices(',')
            .map(|(at, _)| at)
            .find(|at| starts_part(&rest[at + 1..]))
            .unwrap_or(rest.len());
        let part = &rest[..end];
        parts.push(part.split_once('=').unwrap_or((part, "")));
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    parts
}

fn starts_part(text: &str) -> bool {
    let key = text.split_once('=').map(|(key, _)| key);
    key.is_some_and(|key| key == "verb" || KEYS.contains(&key))
}

fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'\\' {
            bytes.push(*first);
            continue;
        }
        let [escape, tail @ ..] = rest else {
            return None;
        };
        rest = tail;
        bytes.push(match escape {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'\\' => b'\\',
            b'x' => {
                let (digits, tail) = rest.split_at_checked(2)?;
                rest = tail;
                u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?
            }
            _ => return None,
        });
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> Rule {
        text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    fn error(text: &str) -> String {
        text.parse::<Rule>().unwrap_err().to_string()
    }

    #[test]
    fn every_rule_of_the_interface_parses() {
        let ms = Duration::from_millis;
        assert_eq!(rule("stall:reply=2"), Rule::stall(2));
        assert_eq!(rule("stall:reply=2,byte=5"), Rule::stall(2).byte(5));
        assert_eq!(rule("dribble:ms=3"), Rule::dribble(ms(3), 0));
        assert_eq!(rule("dribble:ms=3,reply=4"), Rule::dribble(ms(3), 4));
        assert_eq!(rule("delay:ms=9"), Rule::delay(ms(9), Nth::Every));
        assert_eq!(rule("delay:ms=9,reply=1"), Rule::delay(ms(9), 1));
        assert_eq!(rule("close:reply=*"), Rule::close(Nth::Every));
        assert_eq!(rule("reset:reply=0,byte=1"), Rule::reset(0).byte(1));
        assert_eq!(
            rule(r"replace:reply=0,text=a\t\x0a"),
            Rule::replace(0, "a\t\n")
        );
        assert_eq!(rule("inject:reply=0,text=x"), Rule::inject(0, "x"));
        let late = Rule::inject_after(0, "x,y", ms(7));
        assert_eq!(rule("inject:reply=0,text=x,y,after_ms=7"), late);
        assert_eq!(rule("oversize:reply=1,bytes=99"), Rule::oversize(1, 99));
        assert_eq!(rule("close_idle:after=0"), Rule::close_idle(0));
        assert_eq!(rule("refuse"), Rule::refuse());
        assert_eq!(rule("silent:conn=1"), Rule::silent().conn(1));
        assert_eq!(rule("blackhole"), Rule::blackhole());
        assert_eq!(rule("noread:times=1"), Rule::noread().times(1));
        let all = Rule::close(0).conn(3).times(1).verb("GET");
        assert_eq!(rule("close:reply=0,conn=3,times=1,verb=get"), all);
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert!(error("stal:reply=1").starts_with("unknown rule `stal`; give stall,"));
        assert_eq!(error("close"), "`close` needs reply=");
        assert_eq!(
            error("close:reply=x"),
            "reply is `x`; give a number from 0, or *"
        );
        assert_eq!(error("refuse:byte=1"), "`refuse` takes no `byte`");
        assert_eq!(
            error("close:reply=0,bite=1"),
            "reply is `0,bite=1`; give a number from 0, or *"
        );
        assert!(error(r"inject:reply=0,text=a\q").contains(r"escapes \n"));
        assert!(error(r"inject:reply=0,text=\x4").contains(r"escapes \n"));
        assert!(error("close:reply=0,verb=GOT").contains("a verb such as GET"));
    }
}
