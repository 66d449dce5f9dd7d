//! Every raw call into Zend, and the only `unsafe` of the extension.
//!
//! Each function here is safe to call from an entry point of the extension (a method, a
//! function, a module callback), which is where PHP's memory and its globals may be touched:
//! on a PHP thread, within a request. Nothing else in the extension runs anywhere else, and the
//! client crate, which may, can't reach this module (rules Z1 and Z4).
//!
//! A call marked *may bail out* can leave by `longjmp` over the Rust frames in between, whose
//! destructors then do not run. Its callers keep nothing but PHP's own memory and
//! what is [`Owned`] on the stack, and never a connection (rule L1).

mod array;
mod aside;
mod call;
mod caught;
mod error;
mod foreign;
mod given;
mod info;
mod ini;
mod inside;
mod instance;
mod json;
mod leaked;
mod log;
mod memory;
mod module;
mod object;
mod owned;
mod reflect;
mod refusal;
mod serialize;
mod session;
mod settle;
mod stream;

pub(crate) use array::{
    Items, Key, append, elements, first_name, insert, list, pairs, strings, values,
    without_references,
};
pub(crate) use aside::{apart, exact_floats, watch_fibers};
pub(crate) use call::{Call, handle};
pub(crate) use caught::{call_user, call_with, is_callable, take_exception};
pub(crate) use error::{
    Slot, exception_is_pending, raise_deprecated, raise_warning, read_property, spl_parent,
    this_property, throw, throw_because_of, update_long, update_str,
};
pub(crate) use foreign::{function, read_by, watch_errors, write_by};
pub(crate) use info::{php_api, table_end, table_header, table_row, table_start};
pub(crate) use ini::{ini_accept, ini_display, ini_path, ini_text, ini_unregister};
pub(crate) use inside::{
    Decider, Node, class_named, is_plain, is_serializable, is_shared, properties, refers_alone_to,
};
pub(crate) use instance::{Class, Held, Instance, Values, this};
pub(crate) use json::{json_decode, json_encode};
pub(crate) use leaked::Leaked;
pub(crate) use log::log;
pub(crate) use memory::{go_on, probe_allocator, string, unpacked};
pub(crate) use object::{construct, copy_object, install_handlers, new_object};
pub(crate) use owned::Owned;
pub(crate) use reflect::{ARRAY, FALSE, NULL, STATIC, STRING, keep, patch};
pub(crate) use refusal::watch_throws;
pub(crate) use serialize::{serialize, unserialize};
pub(crate) use session::register_session_handler;
pub(crate) use settle::settle;
pub(crate) use stream::stream_of;

/// Frees and forgets what calls have left behind that PHP has left for good. For the end of a request,
/// when PHP runs no code of the user any more.
pub(crate) fn request_is_over() {
    aside::forget();
    foreign::forget();
    owned::free_all();
}
