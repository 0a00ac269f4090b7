//! seccomp: the system calls that parsing needs, with the arguments that it needs; any other fails with `EPERM`.
//!
//! An error rather than death, for libraries ask for things that they can do without (a locale, a time zone), and a child
//! that can be asked what it may do is one whose cage can be tested.

use std::collections::BTreeMap;

use libc::c_long;
use seccompiler::SeccompCmpArgLen::Dword;
use seccompiler::SeccompCmpOp::{Eq, MaskedEq};
use seccompiler::{
    BpfProgram, Error, SeccompAction, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    apply_filter_all_threads,
};

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Allowed with any argument: what acts on this process, its memory, its clock and descriptors that are open.
const ALWAYS: &[c_long] = &[
    // Descriptors.
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_pread64,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_lseek,
    libc::SYS_close,
    libc::SYS_fstat,
    libc::SYS_getdents64,
    libc::SYS_recvmsg,
    libc::SYS_ppoll,
    // Memory.
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    // Threads and signals of this process.
    libc::SYS_futex,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_gettid,
    libc::SYS_rseq,
    libc::SYS_restart_syscall,
    libc::SYS_exit,
    libc::SYS_exit_group,
    // Clocks, chance, and what the machine is like.
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    libc::SYS_getrandom,
    libc::SYS_getrusage,
    libc::SYS_sysinfo,
    libc::SYS_uname,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_time,
];

/// Lays the filter on every thread of this process. Files may be opened only where Landlock says which.
///
/// # Errors
/// On a processor or a kernel without it.
pub fn close(landlocked: bool) -> Result<(), Error> {
    let architecture = std::env::consts::ARCH.try_into()?;
    let refuse = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let filter = SeccompFilter::new(rules(landlocked)?, refuse, SeccompAction::Allow, architecture)?;
    let program: BpfProgram = filter.try_into()?;
    apply_filter_all_threads(&program)
}

fn rules(landlocked: bool) -> Result<Rules, Error> {
    let mut rules: Rules = ALWAYS.iter().map(|&call| (call, Vec::new())).collect();
    let own = std::process::id().into();
    // No memory that can be run.
    for call in [libc::SYS_mmap, libc::SYS_mprotect] {
        rules.insert(call, vec![when(2, without(libc::PROT_EXEC))?]);
    }
    // The state of a descriptor, not of a path.
    rules.insert(libc::SYS_newfstatat, vec![when(3, with(libc::AT_EMPTY_PATH))?]);
    rules.insert(libc::SYS_statx, vec![when(2, with(libc::AT_EMPTY_PATH))?]);
    let harmless = [libc::F_GETFD, libc::F_SETFD, libc::F_GETFL, libc::F_DUPFD_CLOEXEC];
    let harmless = harmless.into_iter().map(|command| when(1, (Eq, command.unsigned_abs().into())));
    rules.insert(libc::SYS_fcntl, harmless.collect::<Result<_, _>>()?);
    // Its own limits, and an end by its own hand.
    rules.insert(libc::SYS_prlimit64, vec![when(0, (Eq, 0))?, when(0, (Eq, own))?]);
    rules.insert(libc::SYS_tgkill, vec![when(0, (Eq, own))?]);
    if landlocked {
        let writing = libc::O_ACCMODE | libc::O_CREAT | libc::O_TRUNC | libc::O_APPEND | libc::O_PATH;
        rules.insert(libc::SYS_openat, vec![when(2, without(writing))?]);
        // PDFium asks what is a folder when it looks for fonts. That tells of any path whether it exists, and no more.
        rules.insert(libc::SYS_newfstatat, Vec::new());
        #[cfg(target_arch = "x86_64")]
        rules.insert(libc::SYS_stat, Vec::new());
    }
    Ok(rules)
}

fn when(argument: u8, (operator, value): (SeccompCmpOp, u64)) -> Result<SeccompRule, Error> {
    Ok(SeccompRule::new(vec![SeccompCondition::new(argument, Dword, operator, value)?])?)
}

fn without(bits: i32) -> (SeccompCmpOp, u64) {
    (MaskedEq(bits.unsigned_abs().into()), 0)
}

fn with(bits: i32) -> (SeccompCmpOp, u64) {
    (MaskedEq(bits.unsigned_abs().into()), bits.unsigned_abs().into())
}
