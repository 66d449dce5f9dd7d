//! What the replies of one call may hold of memory: nothing beyond it is kept or asked for, and everybody knows what
//! was carried out.

mod common;

use std::task::Poll;
use std::time::Duration;

use common::{assert_full_capacity, call, limits, outcome, pool, run};
use tagcache_client::{
    CallLimits, Commands, Error, ErrorKind, Fanout, Pool, Replies, Reply, TagList, Value,
};
use tagcached::fault::{FaultServer, Nth, Rule};

const MB: usize = 1 << 20;

/// A server that answers every GET with so many bytes.
fn answering(bytes: usize) -> (FaultServer, Pool) {
    let rule = Rule::oversize(Nth::Every, bytes).verb("GET");
    let server = FaultServer::start([rule]).unwrap();
    let pool = pool(server.addr(), 1);
    (server, pool)
}

fn at_most(max_call_bytes: usize) -> CallLimits {
    CallLimits {
        max_call_bytes,
        ..limits(20_000)
    }
}

fn get(commands: &mut Commands, n: usize) {
    commands.get(format!("k{n}").as_bytes()).unwrap();
}

fn gets(count: usize) -> Commands {
    let mut commands = Commands::new();
    (0..count).for_each(|n| get(&mut commands, n));
    commands
}

fn set(commands: &mut Commands, n: usize) {
    let (key, none) = (format!("s{n}"), TagList::new());
    commands
        .put(key.as_bytes(), None, &none, Value::Int(n as i64))
        .unwrap();
}

/// How many commands of each of `verbs` the server has seen lately.
fn seen<const N: usize>(server: &FaultServer, verbs: [&str; N]) -> [usize; N] {
    let log = server.log();
    let of = |verb| {
        let of_verb = |line: &str| line.split('\t').next() == Some(verb);
        log.iter().filter(|entry| of_verb(&entry.line)).count()
    };
    verbs.map(of)
}

#[test]
fn what_does_not_fit_is_left_out_and_all_that_was_sent_is_answered() {
    let (server, pool) = answering(MB);
    let mut commands = gets(20);
    set(&mut commands, 1);
    get(&mut commands, 20);
    set(&mut commands, 2);
    let mut replies = Replies::new();
    call(&pool, &at_most(8 * MB), &commands, &mut replies).unwrap();
    assert_eq!((replies.len(), replies.whole()), (23, 7));
    assert!(replies.byte_len() <= 8 * MB);
    for n in 0..7 {
        assert!(matches!(replies.get(n), Reply::Value(text) if text.len() == MB));
    }
    for n in (7..20).chain([21]) {
        assert_eq!(replies.get(n), Reply::LeftOut);
        assert_eq!(replies.value(n), None);
    }
    for n in [20, 22] {
        assert_eq!(replies.get(n), Reply::Ok);
    }
    assert_eq!(seen(&server, ["GET", "PUT"]), [21, 2]);
    // Nothing is wrong with the connection.
    assert_eq!((pool.stats().idle, pool.stats().closed_broken), (1, 0));
    assert_full_capacity(&pool);
}

#[test]
fn commands_behind_what_does_not_fit_are_not_sent() {
    const GETS: usize = 5000;
    let (server, pool) = answering(64 << 10);
    let mut commands = Commands::new();
    for n in 0..GETS {
        get(&mut commands, n);
        set(&mut commands, n);
    }
    let mut replies = Replies::new();
    let error = call(&pool, &at_most(8 * MB), &commands, &mut replies).unwrap_err();
    let Error::CallTooLarge {
        limit,
        sent,
        of,
        next,
        ..
    } = &error
    else {
        panic!("{error:?}");
    };
    assert_eq!(
        (*limit, *of, error.kind()),
        (8 * MB, 2 * GETS, ErrorKind::Protocol)
    );
    assert_eq!(*sent, replies.len());
    // What was sent is what was answered: the reads that fit and those that had been sent by then.
    assert!(replies.whole() >= 2 * 127, "{}", replies.whole());
    assert!(*sent <= 2 * 1024 + 1, "{sent} were sent");
    let [puts, reads] = seen(&server, ["PUT", "GET"]);
    assert_eq!(puts + reads, *sent);
    assert_eq!(puts, replies.iter().filter(|r| *r == Reply::Ok).count());
    let expected = if sent % 2 == 0 { "GET \"k" } else { "PUT \"s" };
    assert_eq!(*next, format!("{expected}{}\"", sent / 2));
    assert!(error.to_string().contains("max_call_bytes"), "{error}");
    assert_eq!((pool.stats().idle, pool.stats().closed_broken), (1, 0));

    // Who knows how long replies are asks for fewer.
    let error = call(&pool, &at_most(8 * MB), &commands, &mut replies).unwrap_err();
    let Error::CallTooLarge { sent, .. } = error else {
        panic!("{error:?}");
    };
    assert!(sent <= 2 * 140, "{sent} were sent");
    assert_full_capacity(&pool);
}

#[test]
fn a_command_that_was_begun_is_finished() {
    // A PUT larger than every buffer of the kernel is on its way when the replies become too much.
    let (server, pool) = answering(3 * MB);
    let large = vec![b'x'; 48 * MB];
    let mut commands = gets(3);
    let none = TagList::new();
    for key in [b"a", b"b"] {
        commands.put(key, None, &none, Value::Str(&large)).unwrap();
    }
    let mut replies = Replies::new();
    let error = call(&pool, &at_most(4 * MB), &commands, &mut replies).unwrap_err();
    assert!(
        matches!(error, Error::CallTooLarge { sent: 4, of: 5, .. }),
        "{error:?}"
    );
    assert_eq!(seen(&server, ["GET", "PUT"]), [3, 1]);
    assert_eq!(replies.get(3), Reply::Ok);
    assert_full_capacity(&pool);
}

#[test]
fn a_reply_that_comes_alone_may_be_as_long_as_any() {
    let (_server, pool) = answering(2 * MB);
    let replies = run(&pool, &at_most(1024), |c| get(c, 0)).unwrap();
    assert!(matches!(replies.get(0), Reply::Value(text) if text.len() == 2 * MB));
    // What follows does not fit, and replies without stored text always do.
    let replies = run(&pool, &at_most(1024), |c| {
        (0..1000).for_each(|n| set(c, n));
        get(c, 0);
    })
    .unwrap();
    assert_eq!(replies.whole(), 1000);
    assert_eq!(replies.get(1000), Reply::LeftOut);
}

#[test]
fn small_replies_of_any_number_come_in_one_exchange() {
    let (_server, pool) = answering(100);
    let replies = run(&pool, &at_most(64 * MB), |c| {
        (0..30_000).for_each(|n| get(c, n));
    })
    .unwrap();
    assert_eq!((replies.whole(), pool.stats().check_outs), (30_000, 1));
}

#[test]
fn replies_that_just_fit_are_all_kept() {
    let (_server, pool) = answering(1000);
    // "VALUE\t", 1000 bytes and LF each, but what closes the batch needs no room.
    let commands = gets(3000);
    let mut replies = Replies::new();
    let exactly = 3000 * 1007 - 1;
    call(&pool, &at_most(exactly), &commands, &mut replies).unwrap();
    assert_eq!(replies.whole(), 3000);
    call(&pool, &at_most(exactly - 1), &commands, &mut replies).unwrap();
    assert_eq!((replies.whole(), replies.len()), (2999, 3000));
}

#[test]
fn refusals_without_end_are_kept_in_part() {
    let text = format!("ERR {}\n", "no ".repeat(MB / 3));
    let server = FaultServer::start([Rule::replace(Nth::Every, text).verb("PUT")]).unwrap();
    let pool = pool(server.addr(), 1);
    let mut commands = Commands::new();
    (0..40).for_each(|n| set(&mut commands, n));
    let mut replies = Replies::new();
    call(&pool, &at_most(4 * MB), &commands, &mut replies).unwrap();
    assert_eq!(replies.len(), 40);
    assert!(replies.byte_len() < 5 * MB);
    assert!(matches!(replies.get(39), Reply::Error(text) if text.starts_with(b"no no")));
}

#[test]
fn a_shifted_reply_is_found_behind_what_was_left_out() {
    let rules = [
        Rule::oversize(Nth::Every, MB).verb("GET"),
        Rule::inject(9, "VALUE\tSTOLEN\n"),
    ];
    let server = FaultServer::start(rules).unwrap();
    let pool = pool(server.addr(), 1);
    let mut replies = Replies::new();
    let error = call(&pool, &at_most(4 * MB), &gets(20), &mut replies).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
    assert!(!matches!(error, Error::CallTooLarge { .. }));
    assert!(replies.is_empty());
}

#[test]
fn a_reply_longer_than_allowed_is_found_behind_what_was_left_out() {
    let rules = [
        Rule::oversize(Nth::Every, MB).verb("GET"),
        Rule::oversize(Nth::At(7), 3 * MB).verb("GET"),
    ];
    let server = FaultServer::start(rules).unwrap();
    let pool = pool(server.addr(), 1);
    let limits = CallLimits {
        max_reply_bytes: 2 * MB,
        ..at_most(4 * MB)
    };
    let error = call(&pool, &limits, &gets(20), &mut Replies::new()).unwrap_err();
    assert!(matches!(error, Error::ReplyTooLarge { .. }), "{error}");
}

#[test]
fn the_lanes_of_a_fan_out_share_the_room() {
    let rule = Rule::oversize(Nth::Every, 64 << 10).verb("GET");
    let server = FaultServer::start([rule]).unwrap();
    let pool = pool(server.addr(), 4);
    let commands = gets(2000);
    let fanout = Fanout::start(&pool, &at_most(8 * MB), &commands, 4).unwrap();
    assert!(fanout.drive(Duration::from_secs(20)));
    let (mut held, mut left_out, mut unsent) = (0, 0, 0);
    for n in 0..2000 {
        match outcome(&fanout, n) {
            Poll::Ready(Ok(replies)) => match replies.get(0) {
                Reply::Value(text) => held += text.len(),
                Reply::LeftOut => left_out += 1,
                other => panic!("command {n}: {other:?}"),
            },
            Poll::Ready(Err(error)) => {
                assert!(matches!(*error, Error::CallTooLarge { .. }), "{error}");
                unsent += 1;
            }
            Poll::Pending => panic!("command {n} is pending"),
        }
    }
    assert!((6 * MB..=8 * MB).contains(&held), "{held} bytes are held");
    assert_eq!(held / (64 << 10) + left_out + unsent, 2000);
    assert_eq!(seen(&server, ["GET"]), [2000 - unsent]);
    drop(fanout);
    assert_eq!(pool.stats().closed_broken, 0);
    assert_full_capacity(&pool);
}
