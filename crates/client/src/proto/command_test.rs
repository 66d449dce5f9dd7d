//! The lines that [`Commands`] writes.

use std::num::NonZeroU64;
use std::sync::Arc;

use super::command::Commands;
use super::namespace::Namespace;
use super::tags::{TagList, TagMatch};
use super::verb::Verb;
use crate::codec::{Value, encode};

fn tags(list: &[&str]) -> TagList {
    let mut tags = TagList::new();
    for tag in list {
        tags.push(tag.as_bytes()).unwrap();
    }
    tags
}

fn line(fill: impl FnOnce(&mut Commands)) -> String {
    let mut commands = Commands::new();
    fill(&mut commands);
    assert_eq!(commands.len(), 1);
    String::from_utf8(commands.bytes().to_vec()).unwrap()
}

#[test]
fn a_namespace_stands_before_every_name() {
    let shop = Namespace::new(b"shop:").unwrap();
    let within = |fill: &dyn Fn(&mut Commands)| {
        let mut commands = Commands::new();
        commands.set_namespace(Some(Arc::new(shop.clone())));
        fill(&mut commands);
        assert_eq!(commands.len(), 1);
        String::from_utf8(commands.bytes().to_vec()).unwrap()
    };
    let (none, two) = (TagList::new(), tags(&["a", "-"]));
    type Case<'a> = (&'a dyn Fn(&mut Commands), &'a str);
    let cases: [Case<'_>; 12] = [
        (
            &|c| c.put(b"k", None, &none, Value::Null).unwrap(),
            "PUT\tshop:k\t-\t__TC_NS__shop:\t__TC_NULL__\n",
        ),
        (
            &|c| c.add(b"k", None, &two, Value::Null).unwrap(),
            "ADD\tshop:k\t-\tshop:a,shop:-,__TC_NS__shop:\t__TC_NULL__\n",
        ),
        (&|c| c.get(b"k").unwrap(), "GET\tshop:k\n"),
        (&|c| c.delete(b"k").unwrap(), "DEL\tshop:k\n"),
        (
            &|c| c.incr(b"k", 2, None, &two).unwrap(),
            "INCR\tshop:k\t2\t-\tshop:a,shop:-,__TC_NS__shop:\n",
        ),
        (
            &|c| c.decr(b"k", 2, NonZeroU64::new(9), &none).unwrap(),
            "ADD\tshop:k\t9\t__TC_NS__shop:\t0\nDECR\tshop:k\t2\t9\t-\n",
        ),
        (&|c| c.invalidate_tag(b"a").unwrap(), "INV_TAG\tshop:a\n"),
        (
            &|c| c.invalidate_tags(&two, TagMatch::All).unwrap(),
            "INV_TAGS_ALL\tshop:a,shop:-\n",
        ),
        (
            &|c| c.invalidate_keys([&b"x"[..], b"y"]).unwrap(),
            "INV_KEYS\tshop:x,shop:y\n",
        ),
        (&|c| c.keys_by_tag(b"a").unwrap(), "KEYS_BY_TAG\tshop:a\n"),
        (&Commands::stats, "STATS\n"),
        (&Commands::flush, "INV_TAG\t__TC_NS__shop:\n"),
    ];
    for (fill, expected) in cases {
        assert_eq!(within(fill), expected);
    }
}

#[test]
fn a_seed_is_no_command_of_its_own() {
    let mut commands = Commands::new();
    commands.set_namespace(Some(Arc::new(Namespace::new(b"p:").unwrap())));
    commands.incr(b"a", 1, None, &TagList::new()).unwrap();
    let mark = commands.mark();
    commands.incr(b"b", 1, None, &TagList::new()).unwrap();
    assert_eq!((commands.len(), commands.lines()), (2, 4));
    let mut lanes = vec![Commands::new(); 2];
    let places = commands.deal(&mut lanes);
    assert_eq!(places.len(), 2);
    assert_eq!(lanes.iter().map(Commands::len).sum::<usize>(), 2);
    for (lane, place) in places {
        assert!((place as usize) < lanes[lane as usize].len());
    }
    commands.rewind(mark);
    assert_eq!((commands.len(), commands.lines()), (1, 2));
    commands.clear(0);
    assert_eq!((commands.len(), commands.lines()), (0, 0));
}

#[test]
fn rewinding_leaves_what_was_there() {
    let mut commands = Commands::new();
    commands.delete(b"a").unwrap();
    let mark = commands.mark();
    commands.get(b"b").unwrap();
    commands.stats();
    assert!(commands.wants_seal());
    commands.rewind(mark);
    assert_eq!((commands.len(), commands.bytes()), (1, &b"DEL\ta\n"[..]));
    commands.stats();
    assert!(!commands.wants_seal(), "the reader of text is gone");
    commands.get(b"c").unwrap();
    let mark = commands.mark();
    commands.stats();
    commands.rewind(mark);
    commands.flush();
    assert!(commands.wants_seal(), "the reader of text has stayed");
}

#[test]
fn appended_commands_keep_their_order_and_what_they_read() {
    let (mut all, mut more) = (Commands::new(), Commands::new());
    all.delete(b"a").unwrap();
    more.get(b"b").unwrap();
    all.append(&more);
    assert_eq!((all.len(), all.bytes()), (2, &b"DEL\ta\nGET\tb\n"[..]));
    assert!(!all.wants_seal(), "the reader of text is the last");
    all.append(&Commands::new());
    assert!(!all.wants_seal());
    more.clear(0);
    more.stats();
    all.append(&more);
    assert!(all.wants_seal());
    assert_eq!(all.verbs(), [Verb::Del, Verb::Get, Verb::Stats]);
}

#[test]
fn every_command_is_one_line_of_the_protocol() {
    let two = tags(&["a", "b"]);
    let none = TagList::new();
    let ttl = NonZeroU64::new(5000);
    assert_eq!(
        line(|c| c.put(b"k", None, &none, Value::Str(b"v")).unwrap()),
        "PUT\tk\t-\t-\tv\n"
    );
    assert_eq!(
        line(|c| c.put(b"k", ttl, &two, Value::Int(7)).unwrap()),
        "PUT\tk\t5000\ta,b\t7\n"
    );
    assert_eq!(
        line(|c| c.add(b"k", ttl, &none, Value::Null).unwrap()),
        "ADD\tk\t5000\t-\t__TC_NULL__\n"
    );
    assert_eq!(line(|c| c.get(b"k,1").unwrap()), "GET\tk,1\n");
    assert_eq!(line(|c| c.delete(b" k ").unwrap()), "DEL\t k \n");
    assert_eq!(
        line(|c| c.incr(b"n", -3, None, &none).unwrap()),
        "INCR\tn\t-3\t-\t-\n"
    );
    assert_eq!(
        line(|c| c.decr(b"n", i64::MIN, ttl, &two).unwrap()),
        "DECR\tn\t-9223372036854775808\t5000\ta,b\n"
    );
    assert_eq!(line(|c| c.invalidate_tag(b"-").unwrap()), "INV_TAG\t-\n");
    assert_eq!(
        line(|c| c.invalidate_tags(&two, TagMatch::Any).unwrap()),
        "INV_TAGS_ANY\ta,b\n"
    );
    assert_eq!(
        line(|c| c.invalidate_tags(&two, TagMatch::All).unwrap()),
        "INV_TAGS_ALL\ta,b\n"
    );
    assert_eq!(
        line(|c| c.invalidate_keys([&b"a"[..], b"b"]).unwrap()),
        "INV_KEYS\ta,b\n"
    );
    assert_eq!(line(|c| c.keys_by_tag(b"t").unwrap()), "KEYS_BY_TAG\tt\n");
    assert_eq!(line(Commands::stats), "STATS\n");
    assert_eq!(line(Commands::flush), "FLUSH\n");
}

#[test]
fn the_last_value_is_what_a_reply_would_bring() {
    let mut commands = Commands::new();
    assert_eq!(commands.last_value(), None);
    commands.set_namespace(Some(Arc::new(Namespace::new(b"shop:").unwrap())));
    let values = [
        Value::Str(b"a\tb\t"),
        Value::Str(b""),
        Value::Str(b"two\nlines\r"),
        Value::Int(-7),
        Value::Null,
        Value::Serialized(b"a:1:{i:0;N;}"),
    ];
    for value in values {
        commands
            .put(b"k", NonZeroU64::new(5), &tags(&["a", "b"]), value)
            .unwrap();
        assert_eq!(commands.last_value(), Some(&*encode(value, None)));
        commands.add(b"k", None, &TagList::new(), value).unwrap();
        assert_eq!(commands.last_value(), Some(&*encode(value, None)));
    }
    commands.get(b"k").unwrap();
    assert_eq!(commands.last_value(), None, "a GET stores nothing");
}

#[test]
fn the_tag_dash_is_a_tag() {
    assert_eq!(
        line(|c| c.put(b"k", None, &tags(&["-"]), Value::Str(b"v")).unwrap()),
        "PUT\tk\t-\t-,\tv\n"
    );
    assert_eq!(
        line(|c| c
            .put(b"k", None, &tags(&["-", "x"]), Value::Str(b"v"))
            .unwrap()),
        "PUT\tk\t-\t-,x\tv\n"
    );
}

#[test]
fn no_key_of_a_namespace_makes_two_in_a_list() {
    let mut commands = Commands::new();
    commands.set_namespace(Some(Arc::new(Namespace::new(b"p:").unwrap())));
    let (none, key) = (TagList::new(), b"x,p:y");
    let refused = [
        commands.put(key, None, &none, Value::Null),
        commands.add(key, None, &none, Value::Null),
        commands.get(key),
        commands.delete(key),
        commands.incr(key, 1, None, &none),
        commands.decr(key, 1, None, &none),
        commands.invalidate_keys([&key[..]]),
    ];
    assert!(refused.iter().all(Result::is_err), "{refused:?}");
    assert_eq!((commands.bytes(), commands.len()), (&b""[..], 0));
    commands.get(b"x,y").unwrap();
    let room = Namespace::new(b"p:").unwrap().within(b"q:").unwrap();
    commands.set_namespace(Some(Arc::new(room)));
    assert!(commands.get(key).is_err(), "in lists of the outer one");
    commands.get(b"x,q:y").unwrap();
    commands.set_namespace(None);
    commands.get(key).unwrap();
    assert_eq!(
        commands.bytes(),
        b"GET\tp:x,y\nGET\tp:q:x,q:y\nGET\tx,p:y\n"
    );
}

#[test]
fn a_refused_command_leaves_nothing_behind() {
    let mut commands = Commands::new();
    commands.get(b"first").unwrap();
    let before = commands.bytes().to_vec();
    assert!(commands.get(b"a\nFLUSH").is_err());
    assert!(
        commands
            .put(b"", None, &TagList::new(), Value::Str(b"v"))
            .is_err()
    );
    assert!(commands.invalidate_tag(b"a,b").is_err());
    assert!(commands.invalidate_keys([&b"ok"[..], b"a,b"]).is_err());
    assert!(commands.invalidate_keys([]).is_err());
    assert!(
        commands
            .invalidate_tags(&TagList::new(), TagMatch::Any)
            .is_err()
    );
    assert_eq!((commands.bytes(), commands.len()), (&before[..], 1));
}

#[test]
fn no_value_makes_a_second_line() {
    for value in [
        &b"a\nb"[..],
        b"a\r",
        b"\n",
        b"\xff\xfe",
        b"",
        b"__TC_NULL__",
        b"a\0",
    ] {
        let bytes = line(|c| {
            c.put(b"k", None, &TagList::new(), Value::Str(value))
                .unwrap()
        });
        assert_eq!(bytes.matches(['\n', '\r']).count(), 1, "{value:?}");
    }
}
