//! Servers that were dropped leave no thread and no descriptor. Alone in its process, so that
//! nothing else opens or starts any.

mod support;

use std::fs;
use std::time::Duration;

use support::{Peer, eventually};
use tagcached::fault::{FaultServer, Nth, Rule};
use tagcached::{Config, Server};

fn count(what: &str) -> usize {
    fs::read_dir(format!("/proc/self/{what}")).unwrap().count()
}

fn fault_server_in_trouble() {
    let server = FaultServer::start([
        Rule::stall(0).conn(0),
        Rule::delay(Duration::from_secs(60), Nth::Every).conn(1),
        Rule::noread().conn(2),
        Rule::close(0).conn(3),
        Rule::reset(0).conn(4),
    ])
    .unwrap();
    let mut peers: Vec<Peer> = (0..6).map(|_| Peer::connect(server.addr())).collect();
    for peer in &mut peers {
        peer.send("GET\tk\n");
    }
    assert_eq!(peers[5].line(), "NF");
    server.add(Rule::blackhole());
}

#[test]
fn dropped_servers_leave_nothing_behind() {
    // Once for what is allocated once.
    fault_server_in_trouble();
    drop(Server::start(Config::default()).unwrap());
    let (threads, files) = (count("task"), count("fd"));
    for _ in 0..5 {
        fault_server_in_trouble();
        let server = Server::start(Config::default()).unwrap();
        let mut peer = Peer::connect(server.addr());
        assert_eq!(peer.ask("GET\tk"), "NF");
    }
    // A joined thread leaves the list of the kernel a moment later.
    eventually("threads are gone", || count("task") <= threads);
    assert_eq!(count("fd"), files);
}
