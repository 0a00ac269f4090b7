//! The child: reads jobs from its standard input, parses under limits of its own, answers on its standard output.

mod album;
mod cage;
mod job;
mod lifeline;
mod stack;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::os::unix::ffi::OsStringExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process;

use crate::archive::{Stop, level};
use crate::canvas::Canvas;
use crate::formats::Pdfium;
use crate::protocol::{self, FRAME_OVERHEAD, Reply, Request};
use crate::wire::Incoming;
use album::Wanted;
use cage::Resident;
use lifeline::Lifeline;
use stack::on_large_stack;

/// After so many documents a child asks to be replaced: what leaks, leaks no further.
const JOBS: u32 = 1000;
/// A child that holds more than this many bytes after a document asks to be replaced.
const RESIDENT: u64 = 384 << 20;

/// The whole of the hidden command `parse-worker`: serves a [`crate::Pool`] until it closes the pipe.
pub fn worker_main() -> ! {
    // A panic's message may quote the document: only its place is said.
    std::panic::set_hook(Box::new(|info| {
        let _ = writeln!(io::stderr(), "panicked at {:?}", info.location());
    }));
    // One thread: from the second on, the C library's allocator takes locks.
    let served = on_large_stack(|| catch_unwind(AssertUnwindSafe(serve)));
    match served {
        Ok(Ok(())) => process::exit(0),
        Ok(Err(error)) => {
            let _ = writeln!(io::stderr(), "{error}");
            process::exit(1)
        }
        Err(_) => process::exit(1),
    }
}

fn serve() -> io::Result<()> {
    let mut input = BufReader::new(Incoming::default());
    // Not `io::stdout()`, which looks for the end of the last line in all that it is given.
    let stdout = File::from(rustix::stdio::stdout().try_clone_to_owned()?);
    let mut output = BufWriter::with_capacity(64 << 10, stdout);
    let Some(Request::Hello { version, address_space, pdfium }) = protocol::read(&mut input, FRAME_OVERHEAD)? else {
        return Err(io::Error::other("no greeting"));
    };
    let mut canvas = Canvas::new(input.get_mut().file()?);
    let _lifeline = Lifeline::new(input.get_mut().file()?)?;
    let pdfium = Pdfium::new(pdfium.map(|path| PathBuf::from(OsString::from_vec(path))));
    // Inside the cage no library can be loaded.
    pdfium.load();
    let mut resident = Resident::open();
    let protections = cage::enter(address_space)?;
    protocol::write(&mut output, &Reply::Hello { version: protocol::VERSION, protections })?;
    output.flush()?;
    if version != protocol::VERSION {
        return Ok(());
    }

    let mut jobs = 0;
    let mut waiting = receive(&mut input)?;
    while let Some((request, file)) = waiting {
        let file = || file.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "a request came without its file"));
        jobs += 1;
        let mut retire = |panicked| panicked || jobs >= JOBS || resident.bytes() > RESIDENT;
        // Jobs that came together are answered together.
        let is_last = input.buffer().is_empty() || !matches!(request, Request::Job { .. });
        let mut send = |reply: &Reply| {
            protocol::write(&mut output, reply)?;
            if is_last { output.flush() } else { Ok(()) }
        };
        let reply = match request {
            Request::Job { hints, limits, range } => {
                cage::allow_processor_time(limits.wall)?;
                let finished = job::run(file()?, &hints, &limits, range, &pdfium, &mut send)?;
                let retire = retire(finished.panicked);
                match finished.result {
                    Ok(summary) => Reply::Done { summary, retire },
                    Err(failure) => Reply::Failed { failure, retire },
                }
            }
            Request::Page { hints, limits, page, what } => {
                let wanted = Wanted { file: file()?, hints, limits, page, what };
                let mut next = || receive(&mut input);
                waiting = album::serve(wanted, &pdfium, &mut canvas, &mut next, &mut |finished| {
                    jobs += 1;
                    let retire = finished.panicked || jobs >= JOBS || resident.bytes() > RESIDENT;
                    send(&match finished.result {
                        Ok(reply) => Reply::OfPage { reply, retire },
                        Err(failure) => Reply::Failed { failure, retire },
                    })
                })?;
                continue;
            }
            Request::Unpack { name, level } => {
                cage::allow_processor_time(level.limits.wall)?;
                let file = file()?;
                let unpacked = catch_unwind(AssertUnwindSafe(|| level::unpack(file, &name, &level, &mut send)));
                let retire = retire(unpacked.is_err());
                Reply::Unpacked { result: unpacked.unwrap_or_else(|_| Err(Stop::This(job::panicked()))), retire }
            }
            Request::Probe => Reply::Possible(cage::what_is_possible()),
            Request::Hello { .. } => return Err(io::Error::other("a second greeting")),
        };
        send(&reply)?;
        waiting = receive(&mut input)?;
    }
    Ok(())
}

/// The next request, and the file that it came with; nothing when the parent has closed its end.
fn receive(input: &mut BufReader<Incoming>) -> io::Result<album::Incoming> {
    let Some(request) = protocol::read(input, FRAME_OVERHEAD)? else { return Ok(None) };
    let file = match &request {
        Request::Job { .. } | Request::Page { .. } | Request::Unpack { .. } => Some(input.get_mut().file()?),
        Request::Hello { .. } | Request::Probe => None,
    };
    Ok(Some((request, file)))
}
