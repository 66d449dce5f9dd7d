//! The rules in force, and what they make of one reply.

use std::collections::HashMap;
use std::time::Duration;

use super::rule::{Action, Nth, Rule};
use crate::proto::Verb;

/// What happens on a connection after a part of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    Stall,
    Close,
    Reset,
}

/// How one reply is sent.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// Wait before anything is sent.
    pub(super) delay: Duration,
    /// Sent instead of the reply.
    pub(super) text: Option<Vec<u8>>,
    /// Sent right behind it.
    pub(super) append: Vec<u8>,
    /// Pause before each byte.
    pub(super) dribble: Option<Duration>,
    /// Only so many bytes are sent, and then this happens.
    pub(super) cut: Option<(usize, Cut)>,
    /// Sent later.
    pub(super) late: Vec<(Duration, Vec<u8>)>,
    /// Close after all of that.
    pub(super) close: bool,
}

/// Replies of one connection so far.
#[derive(Debug, Default)]
pub(super) struct Count {
    all: u64,
    by_verb: HashMap<Verb, u64>,
}

#[derive(Debug)]
struct Active {
    rule: Rule,
    fired: u64,
}

impl Active {
    fn is_spent(&self) -> bool {
        self.rule.times.is_some_and(|times| self.fired >= times)
    }

    /// Whether the rule is about this reply; dribbling is about all from its reply on.
    fn concerns(&self, conn: u64, verb: Verb, nth: u64, nth_of_verb: u64) -> bool {
        let nth = if self.rule.verb.is_some() {
            nth_of_verb
        } else {
            nth
        };
        let from_on = matches!(self.rule.action, Action::Dribble { .. });
        !self.is_spent()
            && self.rule.conn.is_none_or(|k| k == conn)
            && self.rule.verb.is_none_or(|v| v == verb)
            && match self.rule.reply {
                Nth::Every => true,
                Nth::At(n) => nth == n || from_on && nth > n,
            }
    }
}

#[derive(Debug, Default)]
pub(super) struct Script {
    rules: Vec<Active>,
}

impl Script {
    pub(super) fn add(&mut self, rule: Rule) {
        self.rules.push(Active { rule, fired: 0 });
    }

    pub(super) fn clear(&mut self) {
        self.rules.clear();
    }

    pub(super) fn remove_refusals(&mut self) {
        self.rules
            .retain(|active| active.rule.action != Action::Refuse);
    }

    /// Whether a rule `like` this is to hold for the listener once `accepted` connections came.
    pub(super) fn wants(&self, like: &Action, accepted: u64) -> bool {
        self.rules
            .iter()
            .any(|active| active.rule.action == *like && active.rule.conn.unwrap_or(0) <= accepted)
    }

    /// Whether connection `conn` is not to be read from now on; if so, the rule has fired.
    pub(super) fn stops_reading(&mut self, conn: u64) -> bool {
        let rule = self.rules.iter_mut().find(|active| {
            active.rule.action == Action::NoRead
                && !active.is_spent()
                && active.rule.conn.is_none_or(|k| k == conn)
        });
        rule.map(|active| active.fired += 1).is_some()
    }

    /// What is to be done with the next reply of `conn`, to `verb`; None: send it as it is. The
    /// rules that take part have fired.
    pub(super) fn plan(&mut self, conn: u64, verb: Verb, count: &mut Count) -> Option<Plan> {
        let nth = count.all;
        count.all += 1;
        let of_verb = count.by_verb.entry(verb).or_default();
        let nth_of_verb = *of_verb;
        *of_verb += 1;
        let mut plan = Plan::default();
        for active in &mut self.rules {
            if active.concerns(conn, verb, nth, nth_of_verb) && plan.take(&active.rule.action) {
                active.fired += 1;
            }
        }
        (plan != Plan::default()).then_some(plan)
    }
}

impl Plan {
    /// Adds what `action` does to a reply; false if it does nothing to replies.
    fn take(&mut self, action: &Action) -> bool {
        match action {
            Action::Stall { byte } => self.cut = Some((*byte, Cut::Stall)),
            Action::Silent => self.cut = Some((0, Cut::Stall)),
            Action::Close { byte } => self.cut = Some((*byte, Cut::Close)),
            Action::Reset { byte } => self.cut = Some((*byte, Cut::Reset)),
            Action::Dribble { pause } => self.dribble = Some(*pause),
            Action::Delay { pause } => self.delay += *pause,
            Action::Replace { text } => self.text = Some(text.clone()),
            Action::Inject { text, after: None } => self.append.extend_from_slice(text),
            Action::Inject {
                text,
                after: Some(after),
            } => self.late.push((*after, text.clone())),
            Action::Oversize { bytes } => {
                let mut text = b"VALUE\t".to_vec();
                text.resize(text.len() + bytes, b'x');
                text.push(b'\n');
                self.text = Some(text);
            }
            Action::CloseIdle => self.close = true,
            Action::Refuse | Action::Blackhole | Action::NoRead => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_counted_per_connection_and_per_verb() {
        let mut script = Script::default();
        script.add(Rule::close(1).verb("GET"));
        let mut count = Count::default();
        assert_eq!(script.plan(0, Verb::Get, &mut count), None);
        assert_eq!(script.plan(0, Verb::Put, &mut count), None);
        let plan = script.plan(0, Verb::Get, &mut count).unwrap();
        assert_eq!(plan.cut, Some((0, Cut::Close)));
        assert_eq!(script.plan(1, Verb::Get, &mut Count::default()), None);
    }

    #[test]
    fn a_rule_with_times_is_spent() {
        let mut script = Script::default();
        script.add(Rule::stall(0).times(1));
        assert!(script.plan(0, Verb::Get, &mut Count::default()).is_some());
        assert!(script.plan(1, Verb::Get, &mut Count::default()).is_none());
        script.add(Rule::noread().conn(3).times(1));
        assert!(!script.stops_reading(2));
        assert!(script.stops_reading(3));
        assert!(!script.stops_reading(3));
    }

    #[test]
    fn rules_add_up() {
        let mut script = Script::default();
        let ms = Duration::from_millis;
        script.add(Rule::delay(ms(1), Nth::Every));
        script.add(Rule::inject(0, "a"));
        script.add(Rule::inject(0, "b"));
        script.add(Rule::dribble(ms(2), 1));
        let mut count = Count::default();
        let plan = script.plan(0, Verb::Get, &mut count).unwrap();
        assert_eq!(
            (plan.delay, plan.append, plan.dribble),
            (ms(1), b"ab".to_vec(), None)
        );
        script.plan(0, Verb::Get, &mut count);
        assert_eq!(
            script.plan(0, Verb::Get, &mut count).unwrap().dribble,
            Some(ms(2))
        );
    }
}
