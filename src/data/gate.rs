//! A gate that lets work in while there is memory for it.

use std::sync::{Condvar, Mutex, PoisonError};

use crate::memory::Room;

/// Lets work in while there is memory for it; the rest waits. One piece of work always gets in.
pub(super) struct Gate {
    most: u64,
    taken: Mutex<u64>,
    freed: Condvar,
}

impl Gate {
    /// A gate for half of the memory that is left.
    pub fn for_half() -> Gate {
        Gate::new(Room::now().bytes().map_or(u64::MAX, |left| left / 2))
    }

    fn new(most: u64) -> Gate {
        Gate { most, taken: Mutex::new(0), freed: Condvar::new() }
    }

    /// Does work that takes `bytes` bytes meanwhile.
    pub fn pass<T>(&self, bytes: u64, work: impl FnOnce() -> T) -> T {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let full = |taken: &mut u64| *taken > 0 && taken.saturating_add(bytes) > self.most;
        let mut taken = self.freed.wait_while(taken, full).unwrap_or_else(PoisonError::into_inner);
        *taken = taken.saturating_add(bytes);
        drop(taken);
        let _leaving = Leaving { gate: self, bytes };
        work()
    }
}

/// Gives memory back, also when the work panics.
struct Leaving<'a> {
    gate: &'a Gate,
    bytes: u64,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        *self.gate.taken.lock().unwrap_or_else(PoisonError::into_inner) -= self.bytes;
        self.gate.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn work_waits_while_there_is_no_room_and_too_large_work_goes_alone() {
        let (gate, at_once, most) = (Gate::new(10), AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for bytes in [3, 3, 3, 4, 6, 10, 100, 1, 1] {
                let (gate, at_once, most) = (&gate, &at_once, &most);
                scope.spawn(move || {
                    gate.pass(bytes, || {
                        let now = at_once.fetch_add(bytes, Ordering::SeqCst) + bytes;
                        assert!(now <= 10 || now == 100, "{now}");
                        most.fetch_max(now, Ordering::SeqCst);
                        std::thread::yield_now();
                        at_once.fetch_sub(bytes, Ordering::SeqCst);
                    });
                });
            }
        });
        assert_eq!(most.into_inner(), 100);
        assert_eq!(*gate.taken.lock().unwrap(), 0);
    }
}
