//! How much memory one call may take.

use crate::error::{Error, Result};

/// Bytes that one call may take: half of what the machine has free, or of what its container allows; no limit where the
/// system does not say.
pub fn limit() -> u64 {
    let free = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| available(&text));
    let groups = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
    let allowed = groups
        .iter()
        .filter_map(|path| std::fs::read_to_string(path).ok()?.trim().parse::<u64>().ok());
    free.into_iter().chain(allowed).min().map_or(u64::MAX, |bytes| bytes / 2)
}

/// `MemAvailable` of the text of `/proc/meminfo`, in bytes.
fn available(text: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.starts_with("MemAvailable:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok()?.checked_mul(1024)
}

/// Bytes of a matrix, as far as 64 bits hold them.
pub fn matrix_bytes(rows: usize, columns: usize, item: usize) -> u64 {
    (rows as u64).saturating_mul(columns as u64).saturating_mul(item as u64)
}

/// Refuses work that would take more than `max_memory` bytes, or than [`limit`] where there is none.
///
/// # Errors
///
/// [`Error::MemoryLimit`] with `alternative`, a clause that says what to do instead.
pub fn check(what: &str, needed: u64, max_memory: Option<u64>, alternative: &str) -> Result<()> {
    let allowed = max_memory.unwrap_or_else(limit);
    if needed <= allowed {
        return Ok(());
    }
    Err(Error::MemoryLimit {
        what: what.to_owned(),
        needed_bytes: needed,
        limit_bytes: allowed,
        alternative: alternative.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_memory_is_read_in_bytes() {
        let text = "MemTotal:       24000000 kB\nMemAvailable:   20000000 kB\n";
        assert_eq!(available(text), Some(20_480_000_000));
        assert_eq!(available("nothing"), None);
    }

    #[test]
    fn what_does_not_fit_is_refused_with_its_size() {
        let error = check("a matrix", matrix_bytes(10, 10, 8), Some(799), "take fewer rows");
        let message = error.unwrap_err().to_string();
        assert_eq!(
            message,
            "a matrix needs 800 bytes of memory, and 799 are allowed; take fewer rows"
        );
        assert!(check("a matrix", 800, Some(800), "").is_ok());
        assert_eq!(matrix_bytes(usize::MAX, usize::MAX, 8), u64::MAX);
    }
}
