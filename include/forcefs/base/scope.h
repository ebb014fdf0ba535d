/* SPDX-License-Identifier: MIT */
/*
 * Clean-up at the end of a scope. AUTO_FREE and AUTO_CLOSE for variables, LOCK_SCOPE for a mutex,
 * take_ptr to hand a pointer on. Types with a free function of their own define their cleaner with
 * DEFINE_CLEANER beside the type and use it as AUTO(type).
 */
#ifndef FORCEFS_BASE_SCOPE_H
#define FORCEFS_BASE_SCOPE_H

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static inline void scope_free(void *p)
{
	free(*(void **)p);
}

static inline void scope_close(int *fd)
{
	if (*fd >= 0) {
		close(*fd);
	}
}

static inline void scope_unlock(pthread_mutex_t **m)
{
	if (*m) {
		pthread_mutex_unlock(*m);
	}
}

#define AUTO_FREE  __attribute__((cleanup(scope_free)))
#define AUTO_CLOSE __attribute__((cleanup(scope_close)))

#define SCOPE_PASTE2(a, b) a##b
#define SCOPE_PASTE(a, b)  SCOPE_PASTE2(a, b)
/* Holds the mutex until the enclosing block ends. */
#define LOCK_SCOPE(m)                                                                              \
	pthread_mutex_t *SCOPE_PASTE(lock_scope_, __LINE__)                                        \
		__attribute__((cleanup(scope_unlock), unused)) = (pthread_mutex_lock(m), (m))

/* DEFINE_CLEANER(buf, struct buf, buf_release) makes AUTO(buf) struct buf b = …; call
 * buf_release(&b) at the end of the scope. */
#define DEFINE_CLEANER(name, type, fn)                                                             \
	static inline void scope_clean_##name(type *p)                                             \
	{                                                                                          \
		fn(p);                                                                             \
	}
/* The same for a pointer variable and a free function that accepts NULL. */
#define DEFINE_PTR_CLEANER(name, type, fn)                                                         \
	static inline void scope_clean_##name(type **p)                                            \
	{                                                                                          \
		fn(*p);                                                                            \
	}
#define AUTO(name) __attribute__((cleanup(scope_clean_##name)))

/* Returns *p and leaves NULL in it: the value changes hands. */
#define take_ptr(p)                                                                                \
	({                                                                                         \
		__typeof__(*(p)) take_ptr_ = *(p);                                                 \
		*(p) = NULL;                                                                       \
		take_ptr_;                                                                         \
	})

#endif
