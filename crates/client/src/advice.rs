//! What to do about an error of the system: the advice belongs to the error, not to the place where it came up.

use std::io;

use crate::error::Phase;

/// Returns what to do when a connection to `endpoint` can't be opened.
pub(crate) fn on_connecting(error: &io::Error, endpoint: &str) -> &'static str {
    let unix = endpoint.starts_with("unix://");
    if let Some(advice) = on_resources(error) {
        return advice;
    }
    match (error.raw_os_error(), error.kind()) {
        (_, io::ErrorKind::ConnectionRefused) if unix => {
            "is the server running? the socket is there, but nobody listens on it"
        }
        (_, io::ErrorKind::ConnectionRefused) => {
            "is the server running, and is this its TCP port (1984), not that of HTTP (8080)?"
        }
        (Some(libc::ENOENT | libc::ENOTDIR), _) => {
            "there is no such socket: is the server running, and is this the path that it listens on?"
        }
        (Some(libc::EACCES | libc::EPERM), _) if unix => {
            "this user needs the right to write to the socket, and to search the directories that lead to it"
        }
        (Some(libc::EACCES | libc::EPERM), _) => {
            "a firewall or a security policy of this machine forbids it"
        }
        (Some(libc::EHOSTUNREACH | libc::ENETUNREACH | libc::ENETDOWN | libc::EHOSTDOWN), _) => {
            "no way leads there from this machine: check the address, the routes and the firewalls between"
        }
        (Some(libc::EADDRNOTAVAIL), _) => {
            "either the address is none to connect to, or this machine has no local port left \
             (net.ipv4.ip_local_port_range) because connections are opened and closed too often"
        }
        (Some(libc::EAFNOSUPPORT), _) => {
            "this machine does not speak that kind of address (is IPv6 switched off?)"
        }
        (Some(libc::ECONNRESET | libc::ECONNABORTED), _) => {
            "the server is about to stop, or something between does not let the connection through"
        }
        (Some(libc::EPROTOTYPE), _) => "the socket is one for datagrams: is the path right?",
        _ if unix => "is the path right (option 'path'), and does the server listen on it?",
        _ => "is the address right (options 'host' and 'port')?",
    }
}

/// Returns what to do when a name can't be looked up.
pub(crate) fn on_looking_up(error: &io::Error) -> &'static str {
    on_resources(error).unwrap_or(
        "check the option 'host', and whether the name server of this machine answers and knows the name",
    )
}

/// Returns what to do when the time was over in `phase`.
pub(crate) fn on_time(phase: Phase) -> &'static str {
    match phase {
        Phase::LookUp => {
            "does the name server of this machine answer? an address instead of a name needs none"
        }
        Phase::Connect => {
            "the server is overloaded or stopped, or a firewall swallows the packets; raise connect_timeout_ms and \
             timeout_ms if it is just slow"
        }
        _ => "raise timeout_ms if the server is just slow",
    }
}

/// Returns what to do when a descriptor to wait for can't be had.
pub(crate) fn on_waiting(error: &io::Error) -> &'static str {
    on_resources(error).unwrap_or("a batch needs a descriptor or two beside its connections")
}

/// Returns whether the error says nothing about the server: this machine is short of something.
pub(crate) fn is_shortage(error: &io::Error) -> bool {
    on_resources(error).is_some() || error.raw_os_error() == Some(libc::EADDRNOTAVAIL)
}

/// Returns what to do if this machine is short of something: then it has nothing to do with the server.
fn on_resources(error: &io::Error) -> Option<&'static str> {
    Some(match error.raw_os_error()? {
        libc::EMFILE => {
            "this process has as many descriptors open as it may: raise the limit (ulimit -n, LimitNOFILE=), \
             or find what leaves files and sockets open"
        }
        libc::ENFILE => "this machine has no descriptor left: raise fs.file-max",
        libc::ENOMEM | libc::ENOBUFS => "this machine is short of memory",
        libc::EAGAIN => {
            "this user may start no more threads, which looking up a name needs: raise the limit \
             (ulimit -u, TasksMax=), or give an address instead of a name"
        }
        _ => return None,
    })
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;
    use crate::error::Error;

    fn connecting(code: i32, endpoint: &str) -> String {
        let endpoint = endpoint.to_owned();
        let source = io::Error::from_raw_os_error(code);
        Error::Connect { endpoint, source }.to_string()
    }

    #[test]
    fn each_error_has_its_own_advice() {
        const TCP: &str = "127.0.0.1:1984";
        const UNIX: &str = "unix:///run/s";
        for (code, endpoint, has) in [
            (libc::EMFILE, TCP, "ulimit -n"),
            (libc::EMFILE, UNIX, "ulimit -n"),
            (libc::ENFILE, TCP, "fs.file-max"),
            (libc::ENOBUFS, TCP, "memory"),
            (libc::ECONNREFUSED, TCP, "(1984)"),
            (libc::ECONNREFUSED, UNIX, "nobody listens"),
            (libc::ENOENT, UNIX, "no such socket"),
            (libc::EACCES, UNIX, "right to write"),
            (libc::EPERM, TCP, "firewall"),
            (libc::EHOSTUNREACH, TCP, "routes"),
            (libc::ENETUNREACH, TCP, "routes"),
            (libc::EADDRNOTAVAIL, TCP, "ip_local_port_range"),
            (libc::EAFNOSUPPORT, TCP, "IPv6"),
            (libc::ECONNRESET, TCP, "about to stop"),
            (libc::EPROTOTYPE, UNIX, "datagrams"),
            (libc::EIO, TCP, "'host'"),
            (libc::EIO, UNIX, "'path'"),
        ] {
            let text = connecting(code, endpoint);
            let (what, advice) = text.split_once("; ").unwrap();
            assert!(what.starts_with("cannot connect to ") && what.contains(endpoint));
            assert!(advice.contains(has), "{code}: {text}");
            let asks = advice.contains("is the server running");
            let away = [libc::ECONNREFUSED, libc::ENOENT].contains(&code);
            assert_eq!(asks, away, "a server that is there is no matter of {text}");
        }
    }

    #[test]
    fn a_look_up_that_lacks_something_here_is_not_the_names_fault() {
        let look_up = |source| {
            let host = "cache.internal".to_owned();
            Error::Resolve { host, source }.to_string()
        };
        for code in [libc::EMFILE, libc::EAGAIN] {
            let text = look_up(io::Error::from_raw_os_error(code));
            assert!(
                text.contains("ulimit") && !text.contains("'host'"),
                "{text}"
            );
        }
        let text = look_up(io::Error::other("Name or service not known"));
        assert!(text.contains("check the option 'host'"), "{text}");
    }
}
