//! Takes the place of the C library's clocks and randomness in this program, so that everything in it, whoever wrote it,
//! lives in virtual time. What is not virtual goes to the system.

#![allow(unsafe_code, reason = "the two functions of the C library can't be replaced otherwise")]

use rampart_sim::host;

/// # Safety
/// As the C library's: `time` points to a `timespec`.
#[unsafe(no_mangle)]
unsafe extern "C" fn clock_gettime(clock: libc::clockid_t, time: *mut libc::timespec) -> libc::c_int {
    let is_wall_clock = matches!(clock, libc::CLOCK_REALTIME | libc::CLOCK_REALTIME_COARSE);
    match host::read(is_wall_clock) {
        // SAFETY: the caller's promise
        Some((tv_sec, tv_nsec)) => unsafe { time.write(libc::timespec { tv_sec, tv_nsec }) },
        // SAFETY: the caller's promise, handed on
        None => return unsafe { libc::syscall(libc::SYS_clock_gettime, clock, time) } as libc::c_int,
    }
    0
}

/// # Safety
/// As the C library's: `buffer` has `length` bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn getrandom(buffer: *mut libc::c_void, length: usize, flags: libc::c_uint) -> isize {
    // SAFETY: the caller's promise
    let bytes = unsafe { std::slice::from_raw_parts_mut(buffer.cast::<u8>(), length) };
    if host::fill(bytes) {
        return length.cast_signed();
    }
    // SAFETY: the caller's promise, handed on
    unsafe { libc::syscall(libc::SYS_getrandom, buffer, length, flags) as isize }
}
