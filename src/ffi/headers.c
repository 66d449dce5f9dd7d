/*
 * What only PHP's headers know: macros, inline functions, and a structure whose layout differs between
 * releases. Nothing else is in C.
 */
#include <php.h>
#include <Zend/zend_fibers.h>
#include <ext/standard/basic_functions.h>

/* Makes value, which is none, a reference to what it is. */
void tagcache_make_reference(zval *value)
{
    ZVAL_MAKE_REF(value);
}

/* Makes a string whose bytes, but for the NUL behind them, are for the caller to write. May bail out. */
zend_string *tagcache_string_make(size_t length)
{
    zend_string *string = zend_string_alloc(length, false);

    ZSTR_VAL(string)[length] = '\0';
    return string;
}

/* Returns where the bytes of a string are. */
char *tagcache_string_bytes(zend_string *string)
{
    return ZSTR_VAL(string);
}

/* Tells whether a slot of an object, one without a value, belongs to a property that has a type. */
bool tagcache_slot_is_typed(zend_object *object, zval *slot)
{
    return zend_get_typed_property_info_for_slot(object, slot) != NULL;
}

/* What PHP is serializing and unserializing, as src/ffi/aside.rs declares it. */
typedef struct {
    unsigned lock;
    unsigned serialize_level;
    void *serialize_data;
    unsigned unserialize_level;
    void *unserialize_data;
} tagcache_nesting;

/* Exchanges it for other. */
void tagcache_nesting_swap(tagcache_nesting *other)
{
    tagcache_nesting now = {
        .lock = BG(serialize_lock),
        .serialize_level = BG(serialize).level,
        .serialize_data = BG(serialize).data,
        .unserialize_level = BG(unserialize).level,
        .unserialize_data = BG(unserialize).data,
    };

    BG(serialize_lock) = other->lock;
    BG(serialize).level = other->serialize_level;
    BG(serialize).data = other->serialize_data;
    BG(unserialize).level = other->unserialize_level;
    BG(unserialize).data = other->unserialize_data;
    *other = now;
}

/* Returns the Fiber that runs; the main program has one, too. */
const void *tagcache_fiber(void)
{
    return EG(current_fiber_context);
}
