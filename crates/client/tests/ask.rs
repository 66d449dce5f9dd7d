//! Signs of life of several servers.

mod common;

use std::net::TcpListener;
use std::time::{Duration, Instant};

use tagcache_client::{Endpoint, Error, ask_all};

use common::server;

fn at(addr: std::net::SocketAddr) -> Endpoint {
    Endpoint::tcp(addr.ip().to_string(), addr.port())
}

#[test]
fn silent_servers_are_asked_at_the_same_time() {
    let patience = Duration::from_millis(400);
    // The kernel takes the connections, and nobody answers.
    let silent: Vec<_> = (0..6)
        .map(|_| TcpListener::bind("127.0.0.1:0").unwrap())
        .collect();
    let well = server();
    let mut endpoints: Vec<_> = silent
        .iter()
        .map(|listener| at(listener.local_addr().unwrap()))
        .collect();
    endpoints.insert(3, at(well.addr()));
    let began = Instant::now();
    let answers = ask_all(&endpoints, patience);
    let took = began.elapsed();
    assert!(
        took >= patience && took < 2 * patience,
        "six silent servers took {took:?}"
    );
    assert_eq!(answers.len(), 7);
    for (n, answer) in answers.iter().enumerate() {
        match answer {
            Ok(_) => assert_eq!(n, 3, "only one answers"),
            Err(Error::Timeout { endpoint, .. }) => {
                assert_eq!(*endpoint, endpoints[n].to_string(), "in order");
            }
            Err(other) => panic!("server {n}: {other}"),
        }
    }
    assert!(answers[3].is_ok());
}

#[test]
fn each_gets_its_own_reason() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = at(closed.local_addr().unwrap());
    drop(closed);
    let nowhere = Endpoint::Unix("/nowhere/at/all.sock".into());
    let answers = ask_all(&[nobody, nowhere], Duration::from_secs(2));
    for answer in &answers {
        assert!(matches!(answer, Err(Error::Connect { .. })), "{answer:?}");
    }
    assert!(
        answers[1]
            .as_ref()
            .unwrap_err()
            .to_string()
            .contains("/nowhere/at/all.sock")
    );
    assert!(ask_all(&[], Duration::from_secs(1)).is_empty());
}
