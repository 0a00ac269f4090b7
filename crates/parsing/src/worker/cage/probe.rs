//! Tries what the cage should refuse, from inside. Nothing here does harm where it succeeds.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::Command;
use std::time::Duration;

use rustix::process::{getppid, test_kill_process};

/// Something that should be impossible, in words, and an attempt at it.
type Attempt = (&'static str, fn() -> bool);

const ATTEMPTS: &[Attempt] = &[
    ("read a file", || File::open("/etc/passwd").is_ok()),
    ("list a folder", || fs::read_dir("/").is_ok()),
    ("write a file", write_a_file),
    ("connect", || connects(TcpStream::connect_timeout(&local(9), Duration::from_millis(200)))),
    ("listen", || TcpListener::bind(local(0)).is_ok()),
    ("open a datagram socket", || UdpSocket::bind(local(0)).is_ok()),
    ("start a program", || Command::new("/bin/true").status().is_ok()),
    ("become a program", || !refused(become_nothing())),
    ("start a thread", || std::thread::Builder::new().spawn(|| ()).is_ok()),
    ("signal the parent", || getppid().is_some_and(|parent| test_kill_process(parent).is_ok())),
    ("run written memory", runs_written_memory),
];

/// What of it is possible; nothing, where every protection is on.
pub fn what_is_possible() -> Vec<String> {
    ATTEMPTS.iter().filter(|(_, attempt)| attempt()).map(|(what, _)| (*what).to_owned()).collect()
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn write_a_file() -> bool {
    let path = std::env::temp_dir().join(format!("sheaf-probe-{}", std::process::id()));
    let possible = File::create(&path).is_ok();
    let _ = fs::remove_file(path);
    possible
}

/// Nobody listens there: to be told so is to have got through.
fn connects(outcome: std::io::Result<TcpStream>) -> bool {
    outcome.map_or_else(|error| !matches!(error.raw_os_error(), Some(libc::EPERM | libc::EACCES)), |_| true)
}

fn refused(errno: i32) -> bool {
    errno == libc::EPERM || errno == libc::EACCES
}

/// The error of running a program that is not there.
fn become_nothing() -> i32 {
    let arguments = [c"/nonexistent/program".as_ptr(), std::ptr::null()];
    // SAFETY: the path and both lists end as they should, and a program that does not exist never runs.
    unsafe { libc::execve(arguments[0], arguments.as_ptr(), arguments[1..].as_ptr()) };
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

fn runs_written_memory() -> bool {
    let (private, all) = (libc::MAP_PRIVATE | libc::MAP_ANON, libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC);
    // SAFETY: a new mapping of one page at a place of the system's choice, used by nobody, and removed again.
    unsafe {
        let page = libc::mmap(std::ptr::null_mut(), 4096, all, private, -1, 0);
        page != libc::MAP_FAILED && libc::munmap(page, 4096) == 0
    }
}
