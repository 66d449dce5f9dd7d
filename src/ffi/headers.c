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

/*
 * PHP's notes of whether it is serializing or unserializing right now.
 */

/* As src/ffi/nesting.rs declares it. */
typedef struct {
    unsigned lock;
    unsigned serialize_level;
    void *serialize_data;
    unsigned unserialize_level;
    void *unserialize_data;
} tagcache_nesting;

/*
 * Tells whether anything is noted; if so, keeps it in outer and forgets it. Until it is noted again no Fiber can be
 * left for another: what is kept would be noted again when it is no longer so, and data be freed by then.
 */
bool tagcache_nesting_leave(tagcache_nesting *outer)
{
    if (!BG(serialize_lock) && !BG(serialize).level && !BG(unserialize).level) {
        return false;
    }
    outer->lock = BG(serialize_lock);
    outer->serialize_level = BG(serialize).level;
    outer->serialize_data = BG(serialize).data;
    outer->unserialize_level = BG(unserialize).level;
    outer->unserialize_data = BG(unserialize).data;
    BG(serialize_lock) = 0;
    BG(serialize).level = 0;
    BG(serialize).data = NULL;
    BG(unserialize).level = 0;
    BG(unserialize).data = NULL;
    zend_fiber_switch_block();
    return true;
}

/* Notes again what was kept. */
void tagcache_nesting_return(const tagcache_nesting *outer)
{
    zend_fiber_switch_unblock();
    BG(serialize_lock) = outer->lock;
    BG(serialize).level = outer->serialize_level;
    BG(serialize).data = outer->serialize_data;
    BG(unserialize).level = outer->unserialize_level;
    BG(unserialize).data = outer->unserialize_data;
}
