//! The stack that documents are parsed on, and what is said when it is too small.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes of it. What overflows it dies alone.
const SIZE: usize = 64 << 20;
/// A fault so near to the end of the stack is an overflow.
const NEAR: usize = 64 << 10;

/// Where the stack ends.
static END: AtomicUsize = AtomicUsize::new(0);

/// Does `work` on a large stack of its own, on the same thread. An overflow is said on the standard error before the process
/// dies of it, in the words in which Rust says it of the stacks that it knows.
pub fn on_large_stack<T>(work: impl FnOnce() -> T) -> T {
    stacker::grow(SIZE, || {
        let here = 0_u8;
        let left = stacker::remaining_stack().unwrap_or_default();
        END.store((&raw const here).addr() - left, Ordering::Relaxed);
        watch();
        work()
    })
}

fn watch() {
    // SAFETY: the handler has the signature that `SA_SIGINFO` asks for, and all zeros are a mask without signals and no
    // restorer. It runs on the stack that Rust has set aside for handlers of this thread (sigaltstack(2)).
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_fault as *const () as libc::sighandler_t;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        for signal in [libc::SIGSEGV, libc::SIGBUS] {
            // Without it an overflow is a crash like any other.
            libc::sigaction(signal, &raw const action, std::ptr::null_mut());
        }
    }
}

/// Says what happened, and lets it happen again without a handler: the status is that of the fault.
extern "C" fn on_fault(signal: libc::c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    const WORDS: &[u8] = b"the parser has overflowed its stack\n";
    // SAFETY: the system passes a description of the fault, and both calls are allowed in handlers (signal-safety(7)).
    unsafe {
        let fault = (*info).si_addr().addr();
        let end = END.load(Ordering::Relaxed);
        if (end.saturating_sub(NEAR)..end.saturating_add(NEAR)).contains(&fault) {
            libc::write(libc::STDERR_FILENO, WORDS.as_ptr().cast(), WORDS.len());
        }
        libc::signal(signal, libc::SIG_DFL);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::Command;

    use super::*;

    /// Sets the other test off in a process of its own.
    const CHILD: &str = "SHEAF_TEST_STACK";

    fn depth(bytes: &[u8; 256], left: u32) -> u32 {
        let deeper = std::hint::black_box([bytes[0].wrapping_add(1); 256]);
        if left == 0 { u32::from(deeper[0]) } else { 1 + depth(&deeper, left - 1) }
    }

    /// What dies of its stack, and what of something else, when another test says so.
    #[test]
    fn a_process_that_dies() {
        match std::env::var(CHILD).as_deref() {
            Ok("overflow") => {
                on_large_stack(|| depth(&[0; 256], u32::MAX));
            }
            Ok("fault") => on_large_stack(|| {
                // SAFETY: none: this process is to die of it.
                unsafe { std::ptr::dangling::<u8>().read_volatile() };
            }),
            Ok(_) | Err(_) => {}
        }
    }

    #[test]
    fn an_overflow_is_said_and_another_fault_is_not() {
        let says = |what: &str| {
            let mut command = Command::new(std::env::current_exe().expect("a test"));
            command.args(["--exact", "worker::stack::tests::a_process_that_dies", "--nocapture"]).env(CHILD, what);
            let output = command.output().expect("it starts");
            assert_eq!(output.status.signal(), Some(libc::SIGSEGV), "{output:?}");
            String::from_utf8_lossy(&output.stderr).contains("overflowed its stack")
        };
        assert!(says("overflow"));
        assert!(!says("fault"));
        // Deep is not too deep: more than the stack of the main thread would hold.
        assert!(on_large_stack(|| depth(&[0; 256], 40_000)) >= 40_000);
    }
}
