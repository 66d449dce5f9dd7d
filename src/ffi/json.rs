//! PHP's JSON encoder and decoder, through what it exports for extensions.

use std::ffi::{c_char, c_int};
use std::mem::MaybeUninit;
use std::ptr;

use ext_php_rs::boxed::ZBox;
use ext_php_rs::ffi::ext_php_rs_zend_string_release;
use ext_php_rs::types::{ZendStr, Zval};

use super::memory::tagcache_string_bytes;
use super::serialize::SmartStr;

/// Slashes and letters beyond ASCII as they are, and 1.0 as `1.0`.
const ENCODE: c_int = 1 << 6 | 1 << 8 | 1 << 10;
/// Objects become arrays.
const DECODE: i64 = 1;

unsafe extern "C" {
    fn php_json_encode_ex(
        out: *mut SmartStr,
        value: *mut Zval,
        options: c_int,
        depth: i64,
    ) -> c_int;
    fn php_json_decode_ex(
        into: *mut Zval,
        text: *const c_char,
        length: usize,
        options: i64,
        depth: i64,
    ) -> c_int;
}

/// Encodes a value without objects; `None` if PHP refuses it. *May bail out.*
pub(crate) fn json_encode(value: &Zval, depth: usize) -> Option<ZBox<ZendStr>> {
    let mut out = SmartStr {
        text: ptr::null_mut(),
        room: 0,
    };
    // SAFETY: the value is only read; PHP builds the string in `out`, which is then ours alone, and a
    // `smart_str` always has room for a NUL behind its bytes.
    unsafe {
        let done = php_json_encode_ex(
            &raw mut out,
            ptr::from_ref(value).cast_mut(),
            ENCODE,
            depth as i64,
        ) == 0;
        if out.text.is_null() {
            return None;
        }
        if !done {
            ext_php_rs_zend_string_release(out.text);
            return None;
        }
        // The encoder leaves the NUL to its caller.
        tagcache_string_bytes(out.text)
            .add((*out.text).len)
            .write(MaybeUninit::new(0));
        Some(ZBox::from_raw(out.text))
    }
}

/// Decodes; false if it is no JSON. *May bail out.*
pub(crate) fn json_decode(text: &ZendStr, depth: usize, into: &mut Zval) -> bool {
    let text = text.as_bytes();
    // SAFETY: PHP reads the text up to the NUL that ends each of its strings, and writes the
    // value, which is ours.
    unsafe { php_json_decode_ex(into, text.as_ptr().cast(), text.len(), DECODE, depth as i64) == 0 }
}
