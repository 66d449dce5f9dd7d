//! The functions `tagcache_*` of the old extension: the calls of the methods, but a failure is a
//! warning and the value that the old function returned.

use ext_php_rs::boxed::ZBox;
use ext_php_rs::builders::ModuleBuilder;
use ext_php_rs::flags::DataType;
use ext_php_rs::types::{ZendHashTable, Zval};
use ext_php_rs::zend::ExecuteData;
use tagcache_client::TagMatch;

use crate::client;
use crate::error::Failure;
use crate::ffi::{self, Call};
use crate::ops::{self, Put, Ttl};
use crate::options::Options;
use crate::report;
use crate::signature::{ITEMS, KEY, KEYS, NO_TAGS, Param, TAG, TAGS, TTL, VALUE, declare, param};

const HANDLE: Param = param("handle", DataType::object("TagCache"));
const OPTIONS: Param = param("options", DataType::Array).nullable().or("null");

/// Adds the functions to the module.
pub(crate) fn declare_all(module: ModuleBuilder<'_>) -> ModuleBuilder<'_> {
    const BOOL: Option<DataType> = Some(DataType::Bool);
    const INT: Option<DataType> = Some(DataType::Long);
    const ARRAY: Option<DataType> = Some(DataType::Array);
    const MIXED: Option<DataType> = Some(DataType::Mixed);
    let object = Some(DataType::object("TagCache"));
    [
        declare("tagcache_create", create, &[OPTIONS], object),
        declare(
            "tagcache_put",
            put,
            &[HANDLE, KEY, VALUE, NO_TAGS, TTL],
            BOOL,
        ),
        declare("tagcache_get", get, &[HANDLE, KEY], MIXED),
        declare("tagcache_delete", delete, &[HANDLE, KEY], BOOL),
        declare(
            "tagcache_invalidate_tag",
            invalidate_tag,
            &[HANDLE, TAG],
            INT,
        ),
        declare("tagcache_keys_by_tag", keys_by_tag, &[HANDLE, TAG], ARRAY),
        declare("tagcache_bulk_get", bulk_get, &[HANDLE, KEYS], ARRAY),
        declare("tagcache_bulk_put", bulk_put, &[HANDLE, ITEMS, TTL], INT),
        declare("tagcache_stats", stats, &[HANDLE], ARRAY),
        declare("tagcache_flush", flush, &[HANDLE], INT),
        declare("tagcache_search_any", search_any, &[HANDLE, TAGS], ARRAY),
        declare("tagcache_search_all", search_all, &[HANDLE, TAGS], ARRAY),
        declare("tagcache_close", close, &[HANDLE], Some(DataType::Void)),
    ]
    .into_iter()
    .fold(module, ModuleBuilder::function)
}

/// Completes the types that can't be declared. For MINIT.
pub(crate) fn patch_types() {
    ffi::patch(None, "tagcache_create", None, ffi::FALSE);
}

/// Defines the entry points of functions: what PHP calls, what they return on failure, and the
/// body they lead to.
macro_rules! functions {
    ($($entry:ident or $fallback:expr => |$call:ident, $result:ident| $body:expr;)*) => {$(
        extern "C" fn $entry(frame: &mut ExecuteData, result: &mut Zval) {
            fn body($call: &Call<'_>, $result: &mut Zval) -> Result<(), Failure> {
                $body;
                Ok(())
            }
            ffi::handle(frame, result, |call, result| {
                if let Err(failure) = body(call, result) {
                    $fallback(result);
                    failure.warn();
                }
            });
        }
    )*};
}

functions! {
    create or no => |call, result| {
        let options = match call.optional_value(0) {
            None => Options::from_ini()?,
            Some(value) if value.is_null() => Options::from_ini()?,
            Some(value) => match value.array() {
                Some(options) => Options::from_array(options)?,
                None => return Err(call.wrong_type(0, c"of type ?array")),
            },
        };
        client::make(options, result)?;
    };
    put or no => |call, result| {
        let (handle, key, value) = (call.handle(0)?, call.str(1)?, call.value(2));
        let tags = call.optional_array(3)?;
        let ttl = ttl(call.optional_long(4)?);
        result.set_bool(ops::put(handle, key, value, tags, ttl, Put::Always)?);
    };
    get or nothing => |call, result| {
        if !ops::get(call.handle(0)?, call.str(1)?, result)? {
            result.set_null();
        }
    };
    delete or no => |call, result| result.set_bool(ops::delete(call.handle(0)?, call.str(1)?)?);
    invalidate_tag or zero => |call, result| {
        result.set_long(ops::invalidate_tag(call.handle(0)?, call.str(1)?)?);
    };
    keys_by_tag or empty => |call, result| {
        result.set_hashtable(ops::keys_by_tag(call.handle(0)?, call.str(1)?)?);
    };
    bulk_get or empty => |call, result| {
        result.set_hashtable(ops::get_many(call.handle(0)?, call.array(1)?)?);
    };
    bulk_put or zero => |call, result| {
        let (handle, items) = (call.handle(0)?, call.array(1)?);
        let stored = ops::put_many(handle, items, ttl(call.optional_long(2)?), None)?;
        result.set_long(stored.count);
        if let Some(failure) = stored.failure {
            failure.after(stored.count, items.len()).warn();
        }
    };
    stats or empty => |call, result| {
        result.set_hashtable(report::server(&ops::stats(call.handle(0)?)?));
    };
    flush or zero => |call, result| result.set_long(ops::flush(call.handle(0)?)?);
    search_any or empty => |call, result| {
        result.set_hashtable(search(call, TagMatch::Any)?);
    };
    search_all or empty => |call, result| {
        result.set_hashtable(search(call, TagMatch::All)?);
    };
    close or nothing => |call, _result| call.handle(0)?.close();
}

fn search(call: &Call<'_>, how: TagMatch) -> Result<ZBox<ZendHashTable>, Failure> {
    ops::search(call.handle(0)?, call.array(1)?, how)
}

/// Reads a time to live as the old functions did: 0 or less is none.
fn ttl(ms: Option<i64>) -> Ttl {
    ms.and_then(|ms| u64::try_from(ms).ok())
        .and_then(std::num::NonZeroU64::new)
}

fn no(result: &mut Zval) {
    result.set_bool(false);
}

fn zero(result: &mut Zval) {
    result.set_long(0);
}

fn nothing(result: &mut Zval) {
    result.set_null();
}

fn empty(result: &mut Zval) {
    result.set_hashtable(ZendHashTable::new());
}
