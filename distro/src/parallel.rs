//! Work on many things beside each other, a few at a time.

use std::{
    convert::Infallible,
    sync::{Mutex, PoisonError},
    thread,
};

/// Does something with each item and returns what came of them in the items' order.
pub fn each<I: Sync, T: Send>(at_a_time: usize, items: &[I], work: impl Fn(&I) -> T + Sync) -> Vec<T> {
    match until_failure(at_a_time, items, |item| Ok::<_, Infallible>(work(item))) {
        Ok(done) => done,
        Err(never) => match never {},
    }
}

/// The same for work that may fail. Once one does, no other is begun.
///
/// # Errors
/// That of the first item, in their order, that failed.
pub fn until_failure<I: Sync, T: Send, E: Send>(
    at_a_time: usize,
    items: &[I],
    work: impl Fn(&I) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    let queue = Mutex::new(items.iter().enumerate());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let stop = || while next().is_some() {};
    let done = Mutex::new(Vec::new());
    let worker = || {
        while let Some((index, item)) = next() {
            let result = work(item);
            if result.is_err() {
                stop();
            }
            done.lock().unwrap_or_else(PoisonError::into_inner).push((index, result));
        }
    };
    thread::scope(|scope| {
        for _ in 0..at_a_time.clamp(1, items.len().max(1)) {
            scope.spawn(worker);
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::{each, until_failure};

    #[test]
    fn answers_come_in_the_order_of_what_was_given() {
        let numbers: Vec<u64> = (0..50).collect();
        assert_eq!(each(8, &numbers, |number| number * 2), numbers.iter().map(|number| number * 2).collect::<Vec<_>>());
        assert!(each(8, &[0_u8; 0], |_| ()).is_empty());
    }

    #[test]
    fn results_come_in_the_order_of_the_items() {
        let items: Vec<u32> = (0..50).collect();
        let squares = until_failure(3, &items, |item| Ok::<_, ()>(item * item)).expect("all done");
        assert_eq!(squares, items.iter().map(|item| item * item).collect::<Vec<_>>());
        assert_eq!(until_failure(3, &[], |(): &()| Ok::<_, ()>(())), Ok(vec![]));
    }

    #[test]
    fn after_a_failure_nothing_new_is_begun() {
        let begun = AtomicUsize::new(0);
        let failed = until_failure(1, &[1, 2, 3, 4], |item| {
            begun.fetch_add(1, Ordering::Relaxed);
            if *item == 2 { Err(*item) } else { Ok(()) }
        });
        assert_eq!((failed, begun.into_inner()), (Err(2), 2));
    }
}
