//! Class `TagCache`: its methods, each a line or two over [`ops`](crate::ops). They throw.

use ext_php_rs::builders::ClassBuilder;
use ext_php_rs::error::Result as BindingResult;
use ext_php_rs::flags::{ConstantFlags, DataType, MethodFlags};
use ext_php_rs::types::{ZendHashTable, Zval};
use ext_php_rs::zend::ExecuteData;
use tagcache_client::TagMatch;

use crate::VERSION;
use crate::batch;
use crate::error::Failure;
use crate::ffi::{self, Call, Owned, Slot};
use crate::handle::HandleCell;
use crate::ops::encode::ttl;
use crate::ops::{self, Count, Put, Stored};
use crate::options::{self, Options};
use crate::pipeline;
use crate::registry;
use crate::remember::{Remember, Settings};
use crate::report;
use crate::signature::{
    BY, DEFAULT, ITEMS, KEY, KEYS, MODE, NO_TAGS, Param, TAG, TAGS, TTL, VALUE, declare, param,
};

static CLASS: Slot = Slot::empty();

const FILL: Param = param("fill", DataType::Callable).nullable().or("null");
const OPTIONS: Param = param("options", DataType::Mixed).or("null");
const PREFIX: Param = param("prefix", DataType::String);
const MAKE: Param = param("make", DataType::Callable);
const SETTINGS: Param = param("options", DataType::Array).or("[]");

/// Registers the class. For MINIT.
///
/// # Errors
///
/// What the binding says when PHP refuses it.
pub(crate) fn register() -> BindingResult<()> {
    const BOOL: Option<DataType> = Some(DataType::Bool);
    const INT: Option<DataType> = Some(DataType::Long);
    const ARRAY: Option<DataType> = Some(DataType::Array);
    const MIXED: Option<DataType> = Some(DataType::Mixed);
    const STRING: Option<DataType> = Some(DataType::String);
    const VOID: Option<DataType> = Some(DataType::Void);
    let of_class = MethodFlags::Public | MethodFlags::Static;

    let mut class = ClassBuilder::new("TagCache")
        .constant("VERSION", VERSION, &[], ConstantFlags::Public)?
        .method(declare("create", create, &[OPTIONS], MIXED), of_class)
        .method(declare("drain", drain, &[], INT), of_class)
        .method(declare("metrics", metrics, &[], STRING), of_class)
        .method(declare("doctor", doctor, &[], ARRAY), of_class);
    let methods = [
        declare("__construct", construct, &[OPTIONS], None),
        declare("set", set, &[KEY, VALUE, NO_TAGS, TTL], BOOL),
        declare("add", add, &[KEY, VALUE, NO_TAGS, TTL], BOOL),
        declare("get", get, &[KEY, DEFAULT], MIXED),
        declare(
            "remember",
            remember,
            &[KEY, MAKE, NO_TAGS, TTL, SETTINGS],
            MIXED,
        ),
        declare("has", has, &[KEY], BOOL),
        declare("delete", delete, &[KEY], BOOL),
        declare("increment", increment, &[KEY, BY, TTL, NO_TAGS], INT),
        declare("decrement", decrement, &[KEY, BY, TTL, NO_TAGS], INT),
        declare("invalidateTag", invalidate_tag, &[TAG], INT),
        declare("invalidateTags", invalidate_tags, &[TAGS, MODE], INT),
        declare("keysByTag", keys_by_tag, &[TAG], ARRAY),
        declare("searchAny", search_any, &[TAGS], ARRAY),
        declare("searchAll", search_all, &[TAGS], ARRAY),
        declare("mGet", m_get, &[KEYS], ARRAY),
        declare("mSet", m_set, &[ITEMS, TTL, NO_TAGS], INT),
        declare("mSetItems", m_set_items, &[ITEMS], INT),
        declare("mAdd", m_add, &[ITEMS, TTL, NO_TAGS], ARRAY),
        declare("mDelete", m_delete, &[KEYS], INT),
        declare(
            "pipeline",
            pipeline,
            &[FILL],
            Some(DataType::object("TagCache\\Pipeline")),
        ),
        declare(
            "batch",
            batch,
            &[],
            Some(DataType::object("TagCache\\Batch")),
        ),
        declare("withPrefix", with_prefix, &[PREFIX], MIXED),
        declare("stats", stats, &[], ARRAY),
        declare("flush", flush, &[], INT),
        declare("poolStats", pool_stats, &[], ARRAY),
        declare("close", close, &[], VOID),
        declare("__debugInfo", debug_info, &[], ARRAY),
    ];
    for method in methods {
        class = class.method(method, MethodFlags::Public);
    }
    class
        .registration(|class, infos| {
            ffi::install_handlers(class);
            CLASS.set(class);
            ffi::keep(infos);
        })
        .register()?;

    let any_form = ffi::ARRAY | ffi::STRING | ffi::NULL;
    ffi::patch(Some(CLASS.get()), "create", Some(0), any_form);
    ffi::patch(Some(CLASS.get()), "create", None, ffi::STATIC);
    ffi::patch(Some(CLASS.get()), "__construct", Some(0), any_form);
    ffi::patch(Some(CLASS.get()), "pipeline", None, ffi::ARRAY);
    ffi::patch(Some(CLASS.get()), "withPrefix", None, ffi::STATIC);
    Ok(())
}

/// Makes a `TagCache` with `options` in `into`. *May bail out.*
pub(crate) fn make(options: Options, into: &mut Zval) -> Result<(), Failure> {
    let options = Owned::new(options);
    let handle = ffi::new_object(CLASS.raw(), into).ok_or(Failure::Thrown)?;
    handle.open(options.into_inner());
    Ok(())
}

/// Defines the entry points of methods: what PHP calls, and the body it leads to.
macro_rules! methods {
    ($($entry:ident => |$call:ident, $result:ident| $body:expr;)*) => {$(
        extern "C" fn $entry(frame: &mut ExecuteData, result: &mut Zval) {
            fn body($call: &Call<'_>, $result: &mut Zval) -> Result<(), Failure> {
                $body;
                Ok(())
            }
            ffi::handle(frame, result, |call, result| {
                if let Err(failure) = body(call, result) {
                    failure.throw();
                }
            });
        }
    )*};
}

methods! {
    create => |call, result| {
        let class = call.called_class();
        let argument = call.optional_value(0).map(Zval::shallow_clone);
        if ffi::construct(class, CLASS.get(), argument.as_slice(), result)? {
            return Ok(());
        }
        // An autoloader may run for what the properties of the class begin with.
        let options = Owned::new(options_of(call)?);
        match ffi::new_object(call.called_class(), result) {
            Some(handle) => handle.open(options.into_inner()),
            None => return Err(Failure::Thrown),
        }
    };
    construct => |call, _result| call.this().open(options_of(call)?);
    set => |call, result| result.set_bool(put(call, Put::Always)?);
    add => |call, result| result.set_bool(put(call, Put::IfAbsent)?);
    get => |call, result| {
        if !ops::get(call.this(), call.str(0)?, result)? {
            *result = call.optional_value(1).map_or_else(Zval::null, Zval::shallow_clone);
        }
    };
    remember => |call, result| {
        let make = call.value(1);
        if !ffi::is_callable(make) {
            return Err(call.wrong_type(1, c"a valid callback"));
        }
        let remember = Remember {
            handle: call.this(),
            key: call.str(0)?,
            make,
            tags: call.optional_array(2)?,
            ttl: ttl(call.optional_long(3)?)?,
            settings: Settings::of(call.optional_array(4)?)?,
        };
        remember.run(result)?;
    };
    has => |call, result| result.set_bool(ops::has(call.this(), call.str(0)?)?);
    delete => |call, result| result.set_bool(ops::delete(call.this(), call.str(0)?)?);
    increment => |call, result| result.set_long(count(call, Count::Up)?);
    decrement => |call, result| result.set_long(count(call, Count::Down)?);
    invalidate_tag => |call, result| {
        result.set_long(ops::invalidate_tag(call.this(), call.str(0)?)?);
    };
    invalidate_tags => |call, result| {
        let how = ops::mode(call, 1)?;
        result.set_long(ops::invalidate_tags(call.this(), call.array(0)?, how)?);
    };
    keys_by_tag => |call, result| {
        result.set_hashtable(ops::keys_by_tag(call.this(), call.str(0)?)?);
    };
    search_any => |call, result| {
        result.set_hashtable(ops::search(call.this(), call.array(0)?, TagMatch::Any)?);
    };
    search_all => |call, result| {
        result.set_hashtable(ops::search(call.this(), call.array(0)?, TagMatch::All)?);
    };
    m_get => |call, result| {
        result.set_hashtable(ops::get_many(call.this(), call.array(0)?)?);
    };
    m_set => |call, result| {
        let items = call.array(0)?;
        let ttl = ttl(call.optional_long(1)?)?;
        let stored = ops::put_many(call.this(), items, ttl, call.optional_array(2)?)?;
        result.set_long(all_stored(stored, items)?);
    };
    m_set_items => |call, result| {
        let items = call.array(0)?;
        result.set_long(all_stored(ops::put_items(call.this(), items)?, items)?);
    };
    m_add => |call, result| {
        let items = call.array(0)?;
        let ttl = ttl(call.optional_long(1)?)?;
        result.set_hashtable(ops::add_many(call.this(), items, ttl, call.optional_array(2)?)?);
    };
    m_delete => |call, result| {
        result.set_long(ops::delete_many(call.this(), call.array(0)?)?);
    };
    pipeline => |call, result| {
        let fill = call.optional_value(0).filter(|fill| !fill.is_null());
        if fill.is_some_and(|fill| !fill.is_callable()) {
            return Err(call.wrong_type(0, c"a valid callback or null"));
        }
        pipeline::make(call.this(), fill, result)?;
    };
    batch => |call, result| batch::make(call.this(), result)?;
    with_prefix => |call, result| {
        let prefix = call.str(0)?;
        let options = Owned::new(call.this().options_below(prefix)?);
        ffi::copy_object(call.this_zval(), result, |copy| copy.open(options.into_inner()))?;
    };
    stats => |call, result| {
        result.set_hashtable(report::server(&ops::stats(call.this())?));
    };
    flush => |call, result| result.set_long(ops::flush(call.this())?);
    pool_stats => |call, result| {
        let pool = Owned::new(call.this().shared_pool()?);
        result.set_hashtable(report::pool(&pool));
    };
    close => |call, _result| call.this().close();
    metrics => |_call, result| result.set_zend_string({
        let text = Owned::new(crate::metrics::text());
        ffi::string(text.as_bytes())?
    });
    doctor => |_call, result| result.set_hashtable(crate::doctor::examine());
    drain => |_call, result| {
        let pools = registry::all();
        for pool in &pools {
            pool.drain();
        }
        result.set_long(i64::try_from(pools.len()).unwrap_or(i64::MAX));
    };
    debug_info => |call, result| result.set_hashtable(debug_table(call.this()));
}

fn options_of(call: &Call<'_>) -> Result<Options, Failure> {
    let Some(value) = call.optional_value(0) else {
        return Options::from_ini();
    };
    match Options::from_zval(value) {
        Some(options) => options,
        None => Options::from_dsn(call.str_expecting(0, c"of type array|string|null")?),
    }
}

fn all_stored(stored: Stored, items: &ZendHashTable) -> Result<i64, Failure> {
    match stored.failure {
        None => Ok(stored.count),
        Some(failure) => Err(failure.after(stored.count, items.len())),
    }
}

fn put(call: &Call<'_>, how: Put) -> Result<bool, Failure> {
    let (key, value) = (call.str(0)?, call.value(1));
    let tags = call.optional_array(2)?;
    let ttl = ttl(call.optional_long(3)?)?;
    ops::put(call.this(), key, value, tags, ttl, how)
}

fn count(call: &Call<'_>, direction: Count) -> Result<i64, Failure> {
    let key = call.str(0)?;
    let by = if call.has(1) { call.long(1)? } else { 1 };
    let ttl = ttl(call.optional_long(2)?)?;
    ops::count(
        call.this(),
        key,
        by,
        ttl,
        call.optional_array(3)?,
        direction,
    )
}

fn debug_table(handle: &HandleCell) -> ext_php_rs::boxed::ZBox<ZendHashTable> {
    match handle.options() {
        Err(state) => report::table(&[("state", report::text(state))]),
        Ok(options) => {
            let mut rows = vec![
                ("state", report::text("open")),
                ("endpoint", report::text(&options.pool.endpoint.to_string())),
            ];
            rows.extend(
                options::words(&options)
                    .iter()
                    .map(|(name, text)| (*name, report::text(text))),
            );
            rows.extend(
                options::describe(&options)
                    .into_iter()
                    .map(|(name, n)| (name, report::number(n))),
            );
            report::table(&rows)
        }
    }
}
