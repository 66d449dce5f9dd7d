//! The breaker: its decisions against a model that keeps the books in the simplest way, and threads on the real one.

use std::io;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use proptest::prelude::*;

use super::*;
use crate::error::Phase;

const MS: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_secs(2);
const DUE: Duration = Duration::from_millis(500);

fn why() -> Arc<str> {
    "refused".into()
}

/// A state and a clock.
struct Bench {
    state: State,
    now: Instant,
}

impl Bench {
    fn new() -> Self {
        Self {
            state: State::default(),
            now: Instant::now(),
        }
    }

    fn begin(&mut self) -> Result<Ticket, Outage> {
        self.state.begin(self.now)
    }

    /// Fails a dial that took `took`, without jitter.
    fn fail(&mut self, ticket: Ticket, took: Duration) {
        let begun = self.now;
        self.now += took;
        self.state
            .fail(ticket, begun, self.now, why(), LONGEST, 0.0);
    }

    fn pause(&self) -> Duration {
        self.state.look(self.now).unwrap().next_try.unwrap()
    }
}

#[test]
fn pauses_double_up_to_the_longest_and_a_success_ends_them() {
    let mut bench = Bench::new();
    let mut pauses = Vec::new();
    for _ in 0..8 {
        let ticket = bench.begin().unwrap();
        bench.fail(ticket, Duration::ZERO);
        pauses.push(bench.pause().as_millis());
        let early = bench.begin().unwrap_err();
        assert_eq!(&*early.reason, "refused");
        bench.now += bench.pause();
    }
    assert_eq!(pauses, [50, 100, 200, 400, 800, 1600, 2000, 2000]);
    let open = bench.state.look(bench.now).unwrap();
    assert_eq!(open.failing.as_millis(), pauses.iter().sum());
    bench.state.succeed();
    assert_eq!(bench.begin(), Ok(Ticket::Free));
    let ticket = bench.begin().unwrap();
    bench.fail(ticket, Duration::ZERO);
    assert_eq!(bench.pause(), 50 * MS, "from the beginning");
}

#[test]
fn a_pause_is_as_long_as_the_try_before_it() {
    let mut bench = Bench::new();
    let ticket = bench.begin().unwrap();
    bench.fail(ticket, 1200 * MS);
    assert_eq!(bench.pause(), 1200 * MS);
    bench.now += bench.pause();
    let ticket = bench.begin().unwrap();
    bench.fail(ticket, 3000 * MS);
    assert_eq!(bench.pause(), LONGEST);
}

#[test]
fn dials_that_fail_together_are_one_failure() {
    let mut bench = Bench::new();
    let tickets = [(); 8].map(|()| bench.begin().unwrap());
    for ticket in tickets {
        bench.fail(ticket, Duration::ZERO);
    }
    assert_eq!(bench.pause(), 50 * MS);
}

#[test]
fn one_at_a_time_tries() {
    let mut bench = Bench::new();
    let ticket = bench.begin().unwrap();
    bench.fail(ticket, Duration::ZERO);
    bench.now += LONGEST;
    let first = bench.begin().unwrap();
    let second = bench.begin().unwrap_err();
    assert_eq!(second.next_try, None, "somebody tries");
    bench.state.abandon(first);
    assert!(bench.begin().is_ok(), "it was given up");
}

/// The server was back for a moment: what was begun before that has no say in who tries now.
#[test]
fn a_try_from_before_a_success_ends_no_later_one() {
    let mut bench = Bench::new();
    let free = bench.begin().unwrap();
    let ticket = bench.begin().unwrap();
    bench.fail(ticket, Duration::ZERO);
    bench.now += LONGEST;
    let old = bench.begin().unwrap();
    bench.state.succeed();
    bench.fail(free, Duration::ZERO);
    bench.now += LONGEST;
    let new = bench.begin().unwrap();
    bench.fail(old, Duration::ZERO);
    bench.state.abandon(old);
    assert_eq!(bench.begin().unwrap_err().next_try, None, "still trying");
    bench.state.abandon(new);
    assert!(bench.begin().is_ok());
}

#[test]
fn a_call_that_was_short_of_time_is_no_failure_but_many_are() {
    let mut bench = Bench::new();
    for _ in 0..4 {
        assert!(bench.begin().is_ok());
        assert!(!bench.state.wait_in_vain(100 * MS, DUE));
    }
    assert!(bench.state.wait_in_vain(100 * MS, DUE));
    bench.state.succeed();
    assert!(
        !bench.state.wait_in_vain(100 * MS, DUE),
        "from the beginning"
    );
}

#[derive(Clone, Debug)]
enum Move {
    Pass(u64),
    Begin,
    /// How the oldest dial under way ends.
    Succeed,
    Fail {
        took: u64,
        jitter: f64,
    },
    CutOff(u64),
    Abandon,
}

fn moves() -> impl Strategy<Value = Move> {
    prop_oneof![
        2 => (0u64..2500).prop_map(Move::Pass),
        4 => Just(Move::Begin),
        1 => Just(Move::Succeed),
        3 => (0u64..4000, 0.0..1.0).prop_map(|(took, jitter)| Move::Fail { took, jitter }),
        1 => (0u64..300).prop_map(Move::CutOff),
        1 => Just(Move::Abandon),
    ]
}

proptest! {
    /// Whatever happens in whatever order: never two tries at once, and when nobody tries, there is a next try, after
    /// the longest pause at the latest; it is open from the first failure to the next success and never else.
    #[test]
    fn nothing_wedges_it(moves in prop::collection::vec(moves(), 1..200), newest_first in any::<bool>()) {
        let mut bench = Bench::new();
        let mut under_way: Vec<(Ticket, u64)> = Vec::new();
        // How often it has been closed; a try counts as one as long as that has not changed.
        let (mut closed, mut is_open) = (0, false);
        for one in moves {
            let begun = bench.now;
            let take = |under_way: &mut Vec<(Ticket, u64)>| {
                let at = if newest_first { under_way.len().checked_sub(1)? } else { 0 };
                (at < under_way.len()).then(|| under_way.remove(at).0)
            };
            match one {
                Move::Pass(ms) => bench.now += ms as u32 * MS,
                Move::Begin => match bench.begin() {
                    Ok(ticket) => {
                        prop_assert_eq!(is_open, ticket != Ticket::Free);
                        under_way.push((ticket, closed));
                    }
                    Err(open) => {
                        prop_assert!(is_open);
                        prop_assert!(open.next_try != Some(Duration::ZERO));
                    }
                },
                Move::Succeed => if take(&mut under_way).is_some() {
                    bench.state.succeed();
                    closed += 1;
                    is_open = false;
                },
                Move::Fail { took, jitter } => if let Some(ticket) = take(&mut under_way) {
                    let now = bench.now;
                    let begun = now.checked_sub(took as u32 * MS).unwrap_or(begun);
                    bench.state.fail(ticket, begun, now, why(), LONGEST, jitter);
                    is_open = true;
                },
                Move::CutOff(ms) => if let Some(ticket) = take(&mut under_way) {
                    if bench.state.wait_in_vain(ms as u32 * MS, DUE) {
                        bench.state.fail(ticket, begun, bench.now, why(), LONGEST, 0.5);
                        is_open = true;
                    } else {
                        bench.state.abandon(ticket);
                    }
                },
                Move::Abandon => if let Some(ticket) = take(&mut under_way) {
                    bench.state.abandon(ticket);
                },
            }
            let tries = under_way.iter().filter(|(ticket, when)| *ticket != Ticket::Free && *when == closed).count();
            prop_assert!(tries <= 1, "two tries at once");
            match bench.state.look(bench.now) {
                None => prop_assert!(!is_open),
                Some(open) => {
                    prop_assert!(is_open);
                    prop_assert_eq!(open.next_try.is_none(), tries == 1);
                    prop_assert!(open.next_try.unwrap_or_default() <= LONGEST);
                }
            }
        }
        // Everybody goes away without a word: then somebody may try.
        for (ticket, _) in under_way {
            bench.state.abandon(ticket);
        }
        bench.now += LONGEST;
        prop_assert!(bench.begin().is_ok());
    }

    #[test]
    fn jitter_takes_a_quarter_at_most(jitter in 0.0..1.0f64, failures in 1usize..12) {
        let mut bench = Bench::new();
        for n in 0..failures {
            let ticket = bench.begin().unwrap();
            let now = bench.now;
            bench.state.fail(ticket, now, now, why(), LONGEST, jitter);
            let whole = (50 * MS * (1 << n.min(10))).min(LONGEST);
            let pause = bench.pause();
            prop_assert!(pause <= whole && pause >= whole.mul_f64(0.75), "{:?} of {:?}", pause, whole);
            bench.now += pause;
        }
    }
}

/// Threads that dial a server that is away for the first hundred dials.
#[test]
fn eight_threads_try_one_at_a_time() {
    let breaker = Breaker::new();
    let (trying, dials, skipped) = (AtomicU32::new(0), AtomicU32::new(0), AtomicU32::new(0));
    let start = Barrier::new(8);
    // So that it is open from the beginning, and each dial below is a try.
    breaker.begin().unwrap().failed("away", MS);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                start.wait();
                while breaker.outage().is_some() {
                    let Ok(attempt) = breaker.begin() else {
                        skipped.fetch_add(1, Ordering::Relaxed);
                        thread::yield_now();
                        continue;
                    };
                    if attempt.ticket == Some(Ticket::Free) {
                        break;
                    }
                    assert_eq!(trying.fetch_add(1, Ordering::SeqCst), 0, "two at once");
                    thread::yield_now();
                    let nth = dials.fetch_add(1, Ordering::Relaxed);
                    trying.fetch_sub(1, Ordering::SeqCst);
                    match nth % 4 {
                        _ if nth >= 100 => attempt.succeeded(),
                        0 => drop(attempt),
                        1 => attempt.cut_off(DUE, "late", MS),
                        _ => attempt.failed("away", MS),
                    }
                }
            });
        }
    });
    assert!(breaker.is_closed() && breaker.outage().is_none());
    assert_eq!(dials.load(Ordering::Relaxed), 101);
    assert!(skipped.load(Ordering::Relaxed) > 0);
}

#[test]
fn a_panic_in_a_try_lets_the_next_one_try() {
    let breaker = Breaker::new();
    breaker.begin().unwrap().failed("away", MS);
    thread::sleep(2 * MS);
    let other = breaker.clone();
    let gone = thread::spawn(move || {
        let _attempt = other.begin().unwrap();
        std::panic::resume_unwind(Box::new("on purpose"));
    });
    assert!(gone.join().is_err());
    assert_eq!(breaker.outage().unwrap().next_try, Some(Duration::ZERO));
    let attempt = breaker.begin().expect("nobody may try any more");
    assert!(breaker.check().is_err(), "one at a time");
    attempt.succeeded();
    assert!(breaker.outage().is_none());
}

/// Processes that lost a server at the same moment come back apart.
#[test]
fn pauses_differ() {
    let pauses = Vec::from_iter((0..20).map(|_| {
        let breaker = Breaker::new();
        breaker.begin().unwrap().failed("away", LONGEST);
        let state = breaker.0.lock();
        let failing = state.failing.as_ref().unwrap();
        failing.next - failing.since
    }));
    let (least, most) = (pauses.iter().min().unwrap(), pauses.iter().max().unwrap());
    // Up to 12.5 ms apart, where the same pause twice differs by microseconds.
    assert!(*most - *least > 3 * MS, "{pauses:?}");
}

/// Which ends of a dial open it.
#[test]
fn only_what_the_server_or_the_way_to_it_did_opens_it() {
    let endpoint = || "127.0.0.1:1984".to_owned();
    let connect = |code| Error::Connect {
        endpoint: endpoint(),
        source: io::Error::from_raw_os_error(code),
    };
    let resolve = |source| Error::Resolve {
        host: "cache".to_owned(),
        source,
    };
    let timeout = |phase| Error::Timeout {
        phase,
        endpoint: endpoint(),
        limit: MS,
        elapsed: MS,
    };
    let limits = |connect_timeout| CallLimits {
        connect_timeout,
        ..CallLimits::default()
    };
    let opens = |error: Error, limits: &CallLimits| {
        let breaker = Breaker::new();
        let attempt = breaker.begin().unwrap();
        thread::sleep(MS);
        attempt.settle(&Err::<(), _>(error), limits);
        assert_eq!(breaker.is_closed(), breaker.outage().is_none());
        breaker.outage().is_some()
    };
    let whole = limits(Duration::from_secs(3));
    for code in [
        libc::ECONNREFUSED,
        libc::EHOSTUNREACH,
        libc::ENETUNREACH,
        libc::ECONNRESET,
        libc::ENOENT,
        libc::EACCES,
    ] {
        assert!(opens(connect(code), &whole), "{code}");
    }
    for code in [
        libc::EMFILE,
        libc::ENFILE,
        libc::ENOBUFS,
        libc::ENOMEM,
        libc::EADDRNOTAVAIL,
    ] {
        assert!(!opens(connect(code), &whole), "{code}");
        let error = io::Error::from_raw_os_error(code);
        assert!(!opens(resolve(error), &whole), "{code}");
    }
    assert!(opens(resolve(io::Error::other("no such name")), &whole));
    for phase in [Phase::LookUp, Phase::Connect] {
        assert!(!opens(timeout(phase), &whole), "the call had little time");
        assert!(opens(timeout(phase), &limits(MS)), "all that a dial has");
    }
}
