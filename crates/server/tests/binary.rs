//! The two programs, from their command lines to their ends.

mod support;

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use support::Peer;

const SERVER: &str = env!("CARGO_BIN_EXE_tagcached");
const FAULT: &str = env!("CARGO_BIN_EXE_tagcached-fault");

fn run(program: &str, args: &[&str]) -> Output {
    Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn temp(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("tagcached-{}-{name}", std::process::id()))
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill")
        .args([name, &child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn help_and_version_go_to_stdout() {
    for program in [SERVER, FAULT] {
        let help = run(program, &["--help"]);
        assert!(help.status.success());
        let text = String::from_utf8(help.stdout).unwrap();
        assert!(
            text.contains("--listen ADDR:PORT") && text.contains("--unix PATH"),
            "{text}"
        );
    }
    let version = run(SERVER, &["--version"]);
    assert!(version.status.success());
    let text = String::from_utf8(version.stdout).unwrap();
    assert_eq!(text, format!("tagcached {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_wrong_command_line_is_named_and_ends_with_2() {
    for (program, args, part) in [
        (SERVER, &["--lisen", "x"][..], "--lisen"),
        (SERVER, &["extra"], "extra"),
        (
            SERVER,
            &["--listen", "nowhere"],
            "give ADDR:PORT, such as 127.0.0.1:1984",
        ),
        (SERVER, &["--threads", "0"], "give 1 to 256 threads"),
        (
            SERVER,
            &["--max-memory", "many"],
            "a number of bytes, or one with K, M or G",
        ),
        (SERVER, &["--on-full", "maybe"], "give evict or error"),
        (
            SERVER,
            &["--max-line", "3"],
            "max_line_bytes is 3; it must be at least 64",
        ),
        (
            SERVER,
            &["--idle-timeout", "0"],
            "give 1 to 31536000 seconds, or none",
        ),
        (SERVER, &["--listen", "none"], "nothing to listen on"),
        (FAULT, &["--lisen", "x"], "--lisen"),
        (FAULT, &["stal:reply=1"], "unknown rule `stal`"),
    ] {
        let output = run(program, args);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {text}");
        assert!(text.contains(part), "{args:?}: {text}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_taken_address_is_named_and_ends_with_1() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let output = run(SERVER, &["--listen", &addr]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains(&addr) && text.contains("in use"), "{text}");
}

#[test]
fn it_says_when_it_is_ready_and_stops_on_either_signal() {
    for name in ["-TERM", "-INT"] {
        let (socket, port_file) = (temp("bin.sock"), temp("bin.port"));
        let mut child = Command::new(SERVER)
            .args(["--listen", "127.0.0.1:0", "--threads", "2", "--unix"])
            .arg(&socket)
            .arg("--port-file")
            .arg(&port_file)
            .stdout(Stdio::piped())
            .spawn()
            .map(Killed)
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.0.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let place = line.strip_prefix("tagcached listening on ").unwrap();
        let (tcp, unix) = place.trim_end().split_once(" and ").unwrap();
        assert_eq!(unix, format!("unix:{}", socket.display()));
        let addr: SocketAddr = tcp.parse().unwrap();
        let port = std::fs::read_to_string(&port_file).unwrap();
        assert_eq!(port, format!("{}\n", addr.port()));
        let mut peer = Peer::connect(addr);
        assert_eq!(peer.ask("PUT\tk\t-\t-\tv"), "OK");
        signal(&child.0, name);
        assert!(child.0.wait().unwrap().success());
        assert_eq!(peer.rest(), b"");
        assert!(!socket.exists() && !port_file.exists());
    }
}

/// Starts the server and reads the line that says it is ready.
fn start(args: &[&str]) -> (Killed, String) {
    let mut child = Command::new(SERVER)
        .args(args)
        .stdout(Stdio::piped())
        .spawn()
        .map(Killed)
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.0.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    (child, line)
}

#[test]
fn it_says_how_it_stands_when_asked() {
    let mut child = Command::new(SERVER)
        .args(["--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .map(Killed)
        .unwrap();
    let mut lines = BufReader::new(child.0.stdout.take().unwrap()).lines();
    let ready = lines.next().unwrap().unwrap();
    let mut peer = Peer::connect(ready.rsplit(' ').next().unwrap().parse().unwrap());
    for n in 0..200 {
        assert_eq!(peer.ask(&format!("PUT\tk{n}\t-\tt\tv")), "OK");
    }
    assert_eq!(peer.ask("INV_TAGS_ANY\tt"), "INV_TAGS_ANY\t200");
    assert_eq!(peer.ask("PUT\tk\t-\tt\tv"), "OK");
    signal(&child.0, "-USR1");
    let line = lines.next().unwrap().unwrap();
    let words: Vec<&str> = line.split(' ').collect();
    assert_eq!(words[..3], ["tagcached", "entries", "1"], "{line}");
    assert_eq!(
        words[5..9],
        ["connections", "1", "evictions", "0"],
        "{line}"
    );
    let number = |at: usize| words[at].parse::<u64>().unwrap();
    assert!((50..500).contains(&number(4)), "{line}");
    assert!(words[9] == "longest_hold_us" && number(10) > 0, "{line}");
    assert_eq!(peer.ask("GET\tk"), "VALUE\tv");
}

/// A deployment that takes the files of the old server away, starts the new one and ends the old.
#[test]
fn a_server_that_ends_leaves_the_files_of_its_successor() {
    let (socket, port_file) = (temp("successor.sock"), temp("successor.port"));
    let (socket, port_file) = (socket.to_str().unwrap(), port_file.to_str().unwrap());
    let args = [
        "--listen",
        "127.0.0.1:0",
        "--unix",
        socket,
        "--port-file",
        port_file,
    ];
    let (mut old, _) = start(&args);
    std::fs::remove_file(socket).unwrap();
    let (mut new, line) = start(&args);
    signal(&old.0, "-TERM");
    assert!(old.0.wait().unwrap().success());
    UnixStream::connect(socket).unwrap();
    let port = std::fs::read_to_string(port_file).unwrap();
    assert!(
        line.contains(&format!("127.0.0.1:{} ", port.trim_end())),
        "{line} {port}"
    );
    signal(&new.0, "-TERM");
    assert!(new.0.wait().unwrap().success());
    assert!(UnixStream::connect(socket).is_err());
    assert!(!std::fs::exists(port_file).unwrap());
}

#[test]
fn the_socket_file_of_a_killed_server_is_replaced() {
    let socket = temp("killed.sock");
    for round in 0..2 {
        let mut child = Command::new(SERVER)
            .args(["--listen", "none", "--unix"])
            .arg(&socket)
            .stdout(Stdio::piped())
            .spawn()
            .map(Killed)
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.0.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let expected = format!("tagcached listening on unix:{}\n", socket.display());
        assert_eq!(line, expected, "round {round}");
    }
    assert!(socket.exists());
    std::fs::remove_file(&socket).unwrap();
}

#[test]
fn the_fault_server_obeys_stdin() {
    let mut child = Command::new(FAULT)
        .args(["--echo-keys", "replace:reply=0,text=NO\\n"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map(Killed)
        .unwrap();
    let mut stdin = child.0.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.0.stdout.take().unwrap());
    let mut answer = move || {
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    };
    let ready = answer();
    let addr = ready.strip_prefix("READY ").unwrap().parse().unwrap();
    let mut tell = |line: &str| {
        writeln!(stdin, "{line}").unwrap();
        answer()
    };
    let mut peer = Peer::connect(addr);
    assert_eq!(peer.ask("GET\tk"), "NO");
    assert_eq!(peer.ask("GET\tk\"\\\u{1}"), "VALUE\tk\"\\\u{1}");
    assert_eq!(
        tell("stats"),
        r#"{"peers":1,"peers_max":1,"peers_total":1,"replies":2}"#
    );
    let log = r#"[{"conn":0,"line":"GET\tk"},{"conn":0,"line":"GET\tk\"\\\u0001"}]"#;
    assert_eq!(tell("log"), log);
    assert_eq!(tell("log"), "[]");
    assert_eq!(tell("rule refuse"), "ok");
    assert!(std::net::TcpStream::connect(addr).is_err());
    assert_eq!(tell("accept"), "ok");
    assert_eq!(tell("rule close:reply=9"), "ok");
    assert_eq!(tell("rule close"), "error `close` needs reply=");
    assert_eq!(tell("sing"), "error unknown command `sing`; see --help");
    assert_eq!(tell("clear"), "ok");
    assert_eq!(tell("kick"), "ok");
    assert_eq!(peer.rest(), b"");
    writeln!(stdin, "quit").unwrap();
    assert!(child.0.wait().unwrap().success());
}

#[test]
fn the_fault_server_ends_with_its_stdin_and_on_a_signal() {
    for by_signal in [false, true] {
        let mut child = Command::new(FAULT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map(Killed)
            .unwrap();
        let stdin = child.0.stdin.take().unwrap();
        let mut line = String::new();
        BufReader::new(child.0.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert!(line.starts_with("READY 127.0.0.1:"));
        if by_signal {
            signal(&child.0, "-TERM");
            assert!(child.0.wait().unwrap().success());
        } else {
            drop(stdin);
            assert!(child.0.wait().unwrap().success());
        }
    }
}
