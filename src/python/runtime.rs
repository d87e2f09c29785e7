//! How the core is called: GIL released, signals and progress watched, panics caught, threads chosen.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use pyo3::prelude::*;

use super::errors::exception;
use crate::error::Result;
use crate::parallel::{self, Monitor};

/// How often the calling thread looks for signals and reports progress.
const POLL: Duration = Duration::from_millis(50);

/// Runs a long computation on a thread of its own, so that Ctrl-C and progress get through.
///
/// `progress` is called with (units done, units in all) from the calling thread, or is `None`.
pub(crate) fn run<T: Send>(
    py: Python<'_>,
    progress: Option<&Bound<'_, PyAny>>,
    work: impl FnOnce(&Monitor) -> Result<T> + Send,
) -> PyResult<T> {
    choose_threads(py);
    let monitor = Monitor::new();
    let finished = AtomicBool::new(false);
    let caller = thread::current();
    let (outcome, interruption) = thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let outcome = catch_unwind(AssertUnwindSafe(|| work(&monitor)));
            finished.store(true, Ordering::Release);
            caller.unpark();
            outcome
        });
        let mut interruption = None;
        while !finished.load(Ordering::Acquire) {
            py.detach(|| thread::park_timeout(POLL));
            if interruption.is_none()
                && let Err(error) = py.check_signals().and_then(|()| report(progress, &monitor))
            {
                monitor.stop();
                interruption = Some(error);
            }
        }
        (py.detach(|| worker.join()), interruption)
    });
    if let Some(error) = interruption {
        return Err(error);
    }
    Ok(outcome.and_then(|caught| caught).map_err(|panic| internal(panic.as_ref()))??)
}

/// Runs a computation that takes milliseconds.
pub(crate) fn quick<T: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> Result<T> + Send,
) -> PyResult<T> {
    choose_threads(py);
    let outcome = py.detach(|| catch_unwind(AssertUnwindSafe(work)));
    Ok(outcome.map_err(|panic| internal(panic.as_ref()))??)
}

fn report(progress: Option<&Bound<'_, PyAny>>, monitor: &Monitor) -> PyResult<()> {
    match progress {
        Some(callback) => callback.call1(monitor.progress()).map(drop),
        None => Ok(()),
    }
}

fn internal(panic: &(dyn Any + Send)) -> PyErr {
    let text = panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "unknown".to_string());
    exception("InternalError", format!("this is a bug in ilk, please report it: {text}"))
}

/// One thread inside a daemonic worker of multiprocessing, whose siblings already use the cores; looked up once a process.
fn choose_threads(py: Python<'_>) {
    static PROCESS: AtomicU32 = AtomicU32::new(0);
    let process = std::process::id();
    if PROCESS.swap(process, Ordering::Relaxed) == process {
        return;
    }
    let daemonic = || -> PyResult<bool> {
        let modules = py.import("sys")?.getattr("modules")?;
        let multiprocessing = modules.call_method1("get", ("multiprocessing.process",))?;
        if multiprocessing.is_none() {
            return Ok(false);
        }
        multiprocessing.call_method0("current_process")?.getattr("daemon")?.extract()
    };
    parallel::set_shared(daemonic().unwrap_or(false));
}

/// Set the number of threads for all later calls in this process; 0 restores the default.
///
/// The default is the environment variable `ILK_NUM_THREADS`, else one thread in a daemonic worker of multiprocessing,
/// else the number of cores. Results do not depend on it.
///
/// Examples
/// --------
/// >>> import ilk
/// >>> ilk.set_num_threads(1)
/// >>> ilk.num_threads()
/// 1
/// >>> ilk.set_num_threads(0)
#[pyfunction]
pub(crate) fn set_num_threads(threads: usize) {
    parallel::set_num_threads(threads);
}

/// Number of threads that calls use.
///
/// Examples
/// --------
/// >>> import ilk
/// >>> ilk.num_threads() >= 1
/// True
#[pyfunction]
pub(crate) fn num_threads(py: Python<'_>) -> usize {
    choose_threads(py);
    parallel::num_threads()
}
