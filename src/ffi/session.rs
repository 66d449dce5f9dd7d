//! A save handler of sessions, registered with PHP's extension `session` if that is there: it is looked
//! up when the module starts, so the module loads without it.

use std::ffi::{CStr, c_char, c_int, c_long, c_void};
use std::ptr;
use std::rc::Rc;

use ext_php_rs::ffi::ext_php_rs_zend_string_release;
use ext_php_rs::types::ZendStr;

use super::{Owned, call};
use crate::error::Failure;
use crate::session::Session;

const SUCCESS: c_int = 0;
const FAILURE: c_int = -1;

type ModData = *mut *mut c_void;

/// PHP's description of a handler, the same in all releases since 7.1 (`PHP_SESSION_API` 20161017).
#[repr(C)]
struct PsModule {
    name: *const c_char,
    open: extern "C" fn(ModData, *const c_char, *const c_char) -> c_int,
    close: extern "C" fn(ModData) -> c_int,
    read: extern "C" fn(ModData, *mut ZendStr, *mut *mut ZendStr, i64) -> c_int,
    write: extern "C" fn(ModData, *mut ZendStr, *mut ZendStr, i64) -> c_int,
    destroy: extern "C" fn(ModData, *mut ZendStr) -> c_int,
    gc: extern "C" fn(ModData, i64, *mut i64) -> i64,
    create_sid: extern "C" fn(ModData) -> *mut ZendStr,
    validate_sid: extern "C" fn(ModData, *mut ZendStr) -> c_int,
    update_timestamp: extern "C" fn(ModData, *mut ZendStr, *mut ZendStr, i64) -> c_int,
}

// SAFETY: constants that nobody changes.
unsafe impl Sync for PsModule {}

static MODULE: PsModule = PsModule {
    name: c"tagcache".as_ptr(),
    open,
    close,
    read,
    write,
    destroy,
    gc,
    create_sid,
    validate_sid,
    update_timestamp: write,
};

type Register = unsafe extern "C" fn(*const PsModule) -> c_int;
type CreateId = unsafe extern "C" fn(ModData) -> *mut ZendStr;

/// Registers the handler `tagcache`; returns whether sessions are there and took it. For MINIT.
pub(crate) fn register_session_handler() -> bool {
    let register = symbol(c"php_session_register_module");
    if register.is_null() {
        return false;
    }
    // SAFETY: PHP's function of this name has this type, and the module lives for ever.
    unsafe { std::mem::transmute::<*mut c_void, Register>(register)(&raw const MODULE) >= 0 }
}

fn symbol(name: &CStr) -> *mut c_void {
    // SAFETY: looks a name up among the symbols of the process.
    unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) }
}

/// Runs `body` as any entry point (see [`handle`](super::handle)); a failure becomes a warning.
fn enter<R>(fallback: R, body: impl FnOnce() -> Result<R, Failure>) -> R {
    let mut result = fallback;
    call::enter(|| match body() {
        Ok(done) => result = done,
        Err(failure) => failure.warn(),
    });
    result
}

/// Runs `body` with the session of `data`; fails if there is none. Code of the user that runs meanwhile
/// (its handler of errors) may end the session: the call has a count of its own.
fn with(data: ModData, body: impl FnOnce(&Session) -> Result<(), Failure>) -> c_int {
    // SAFETY: PHP passes the slot, which holds null or what `open` put there.
    let session = unsafe { (*data).cast::<Session>() };
    if session.is_null() {
        return FAILURE;
    }
    // SAFETY: made by `Rc::into_raw`, and alive as it is in the slot; the count that is added is given to
    // the new `Rc`.
    let session = Owned::new(unsafe {
        Rc::increment_strong_count(session);
        Rc::from_raw(session)
    });
    enter(FAILURE, || body(&session).map(|()| SUCCESS))
}

/// # Safety
///
/// `text` is a string of PHP's that lives for `'a`.
unsafe fn bytes<'a>(text: *mut ZendStr) -> &'a [u8] {
    // SAFETY: by the contract.
    unsafe { &*text }.as_bytes()
}

extern "C" fn open(data: ModData, path: *const c_char, _name: *const c_char) -> c_int {
    close(data);
    enter(FAILURE, || {
        // SAFETY: PHP passes a C string that lives for the call.
        let path = unsafe { CStr::from_ptr(path) }.to_bytes();
        let session = Session::open(path)?;
        // SAFETY: the slot is PHP's for this session, and `close` has emptied it.
        unsafe { *data = Rc::into_raw(Rc::new(session)).cast_mut().cast() };
        Ok(SUCCESS)
    })
}

extern "C" fn close(data: ModData) -> c_int {
    // SAFETY: the slot holds null or what `open` put there, which is taken out before it is dropped.
    let session = unsafe { ptr::replace(data, ptr::null_mut()) }.cast::<Session>();
    if session.is_null() {
        return SUCCESS;
    }
    enter(FAILURE, || {
        // SAFETY: made by `Rc::into_raw` in `open`, and no longer in the slot.
        drop(unsafe { Rc::from_raw(session) });
        Ok(SUCCESS)
    })
}

extern "C" fn read(data: ModData, id: *mut ZendStr, into: *mut *mut ZendStr, _life: i64) -> c_int {
    with(data, |session| {
        // SAFETY: PHP passes a live string and a place for the answer, which is its own to release.
        unsafe {
            let text = session.read(bytes(id))?;
            *into = text.into_raw();
        }
        Ok(())
    })
}

extern "C" fn write(data: ModData, id: *mut ZendStr, value: *mut ZendStr, life: i64) -> c_int {
    // SAFETY: PHP passes two live strings.
    with(data, |session| unsafe {
        session.write(bytes(id), bytes(value), life)
    })
}

extern "C" fn destroy(data: ModData, id: *mut ZendStr) -> c_int {
    // SAFETY: PHP passes a live string.
    with(data, |session| unsafe { session.destroy(bytes(id)) })
}

/// The server removes what is over by itself.
extern "C" fn gc(_data: ModData, _life: i64, removed: *mut i64) -> i64 {
    // SAFETY: PHP passes a place for the number.
    unsafe { *removed = 0 };
    0
}

extern "C" fn create_sid(data: ModData) -> *mut ZendStr {
    const TRIES: c_long = 3;
    let create = symbol(c"php_session_create_id");
    if create.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: PHP's function of this name has this type; it makes a string of ours to give away.
    let create = unsafe { std::mem::transmute::<*mut c_void, CreateId>(create) };
    for _ in 0..TRIES {
        // SAFETY: as above.
        let id = unsafe { create(data) };
        if id.is_null() || validate_sid(data, id) == FAILURE {
            return id;
        }
        // SAFETY: the string is ours, and nobody else has seen it.
        unsafe { ext_php_rs_zend_string_release(id) };
    }
    ptr::null_mut()
}

extern "C" fn validate_sid(data: ModData, id: *mut ZendStr) -> c_int {
    let mut known = false;
    // SAFETY: PHP passes a live string.
    let asked = with(data, |session| unsafe {
        known = session.exists(bytes(id))?;
        Ok(())
    });
    if asked == SUCCESS && known {
        SUCCESS
    } else {
        FAILURE
    }
}
