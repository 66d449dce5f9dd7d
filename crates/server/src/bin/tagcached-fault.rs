//! `tagcached-fault`: a TagCache server that goes wrong on demand, for tests in any language.
//! Rules come as arguments and as lines on stdin; answers go to stdout, one line each.

#![forbid(unsafe_code)]

use std::error::Error;
use std::fmt::Write as _;
use std::io::{self, BufRead, Write};
use std::process::ExitCode;
use std::sync::mpsc::{self, Sender};

use lexopt::prelude::*;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tagcached::fault::{FaultConfig, FaultServer, Rule};

const HELP: &str = r"tagcached-fault: a TagCache server that goes wrong on demand

usage: tagcached-fault [--listen ADDR:PORT] [--unix PATH] [--echo-keys] [RULE...]

It prints `READY 127.0.0.1:PORT` or `READY unix:PATH`, obeys lines on stdin, and ends at the end
of stdin, at `quit` or on SIGTERM. --echo-keys: a GET of an absent key answers the key.

rules (N counts the replies of a connection from 0; * is every reply):
  stall:reply=N[,byte=B]       send B bytes of reply N, then nothing more
  dribble:ms=M[,reply=N]       one byte each M ms, from reply N on
  delay:ms=M[,reply=N]         answer after M ms
  close:reply=N[,byte=B]       close after B bytes of reply N
  reset:reply=N[,byte=B]       reset after B bytes of reply N
  replace:reply=N,text=T       send T instead; escapes \n \r \t \\ \xHH
  inject:reply=N,text=T[,after_ms=M]  send T behind reply N, at once or M ms later
  oversize:reply=N,bytes=B     send VALUE, TAB, B times x, LF instead
  close_idle:after=N           close after reply N was sent whole
  refuse  silent  blackhole  noread
each also with conn=K (the K-th connection, from 0), times=T, verb=GET (N counts that verb)

stdin: rule RULE, clear, accept, kick, stats, log, quit
";

/// What the main thread waits for.
enum Input {
    Line(String),
    End,
}

fn main() -> ExitCode {
    let (config, rules) = match parse() {
        Ok(Some(parsed)) => parsed,
        Ok(None) => return ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tagcached-fault: {error}; see --help");
            return ExitCode::from(2);
        }
    };
    match serve(config, rules) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tagcached-fault: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse() -> Result<Option<(FaultConfig, Vec<Rule>)>, lexopt::Error> {
    let mut config = FaultConfig::default();
    let mut rules = Vec::new();
    let mut args = lexopt::Parser::from_env();
    while let Some(arg) = args.next()? {
        match arg {
            Long("listen") => config.listen = args.value()?.parse()?,
            Long("unix") => config.unix = Some(args.value()?.into()),
            Long("echo-keys") => config.echo_keys = true,
            Short('h') | Long("help") => {
                print!("{HELP}");
                return Ok(None);
            }
            Value(rule) => rules.push(rule.parse()?),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some((config, rules)))
}

fn serve(config: FaultConfig, rules: Vec<Rule>) -> Result<(), Box<dyn Error>> {
    let (sender, inputs) = mpsc::channel();
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    let on_signal = sender.clone();
    std::thread::spawn(move || {
        signals.forever().next();
        // Fails when main has ended already.
        let _ = on_signal.send(Input::End);
    });
    let place = config
        .unix
        .as_ref()
        .map(|path| format!("unix:{}", path.display()));
    let server = FaultServer::start_with(config, rules)?;
    println!(
        "READY {}",
        place.unwrap_or_else(|| server.addr().to_string())
    );
    io::stdout().flush()?;
    std::thread::spawn(move || read_lines(&sender));
    while let Ok(Input::Line(line)) = inputs.recv() {
        let line = line.trim_end_matches(['\r', '\n']);
        if line == "quit" {
            break;
        }
        println!("{}", obey(&server, line));
        io::stdout().flush()?;
    }
    Ok(())
}

fn read_lines(sender: &Sender<Input>) {
    for line in io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        if sender.send(Input::Line(line)).is_err() {
            return;
        }
    }
    // Fails when main has ended already.
    let _ = sender.send(Input::End);
}

/// Executes one line of stdin and returns the answer.
fn obey(server: &FaultServer, line: &str) -> String {
    match line.split_once(' ').unwrap_or((line, "")) {
        ("rule", text) => match text.parse::<Rule>() {
            Ok(rule) => match server.try_add(rule) {
                Ok(()) => "ok".into(),
                Err(error) => format!("error {error}"),
            },
            Err(error) => format!("error {error}"),
        },
        ("clear", "") => {
            server.clear();
            "ok".into()
        }
        ("accept", "") => {
            server.accept();
            "ok".into()
        }
        ("kick", "") => {
            server.kick();
            "ok".into()
        }
        ("stats", "") => format!(
            r#"{{"peers":{},"peers_max":{},"peers_total":{},"replies":{}}}"#,
            server.peers(),
            server.peers_max(),
            server.peers_total(),
            server.replies()
        ),
        ("log", "") => log(server),
        _ => format!("error unknown command `{line}`; see --help"),
    }
}

fn log(server: &FaultServer) -> String {
    let entries = server.log();
    let entries: Vec<String> = entries
        .iter()
        .map(|entry| {
            format!(
                r#"{{"conn":{},"line":"{}"}}"#,
                entry.conn,
                escape(&entry.line)
            )
        })
        .collect();
    format!("[{}]", entries.join(","))
}

/// Escapes what JSON does not allow in a string.
fn escape(text: &str) -> String {
    text.chars()
        .fold(String::with_capacity(text.len()), |mut json, c| {
            match c {
                '"' => json.push_str("\\\""),
                '\\' => json.push_str("\\\\"),
                '\t' => json.push_str("\\t"),
                '\r' => json.push_str("\\r"),
                // Writing to a String cannot fail.
                c if c < ' ' => drop(write!(json, "\\u{:04x}", c as u32)),
                c => json.push(c),
            }
            json
        })
}
