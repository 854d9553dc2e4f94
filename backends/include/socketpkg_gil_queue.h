/* The threads that handed over the GIL, in the order in which they did. Only the first of them asks for it.
 *
 * The interpreter keeps its waiting threads in no order: one that has waited for 5 ms goes to the end. With sixteen of
 * ours among them a thread that is woken waits for all, and some of ours wait for much longer than others. So at most
 * one of ours stands there, and the next one comes when it has got the GIL.
 *
 * A thread ends inside the call that asks for the GIL when the interpreter ends. It stays the first then; but the one
 * thread that lives on is alone, and hands nothing over.
 *
 * Included by socketpkg_gil.h. */
#ifndef SOCKETPKG_GIL_QUEUE_H
#define SOCKETPKG_GIL_QUEUE_H

#include <pthread.h>

typedef struct sp_gil_place {
    pthread_cond_t reached;
    int is_first;
    struct sp_gil_place *next;
} sp_gil_place;

static struct {
    pthread_mutex_t lock;
    int asking; /* whether there is a first one: it has left the list */
    sp_gil_place *waiting, *last;
} sp_gil_queue = {PTHREAD_MUTEX_INITIALIZER, 0, NULL, NULL};

/* Waits until all that came before have got the GIL. Whether there were any. */
static int sp_gil_queue_enter(void)
{
    int waits;
    pthread_mutex_lock(&sp_gil_queue.lock);
    if ((waits = sp_gil_queue.asking)) {
        sp_gil_place place = {.is_first = 0, .next = NULL};
        pthread_cond_init(&place.reached, NULL);
        *(sp_gil_queue.last ? &sp_gil_queue.last->next : &sp_gil_queue.waiting) = &place;
        sp_gil_queue.last = &place;
        while (!place.is_first)
            pthread_cond_wait(&place.reached, &sp_gil_queue.lock);
        pthread_cond_destroy(&place.reached);
    }
    sp_gil_queue.asking = 1;
    pthread_mutex_unlock(&sp_gil_queue.lock);
    return waits;
}

/* Right after the first one has got the GIL. */
static void sp_gil_queue_leave(void)
{
    sp_gil_place *next;
    pthread_mutex_lock(&sp_gil_queue.lock);
    if ((next = sp_gil_queue.waiting)) {
        if ((sp_gil_queue.waiting = next->next) == NULL)
            sp_gil_queue.last = NULL;
        next->is_first = 1;
        pthread_cond_signal(&next->reached);
    } else {
        sp_gil_queue.asking = 0;
    }
    pthread_mutex_unlock(&sp_gil_queue.lock);
}

/* In a child: only the thread that forked lives on, and it has the GIL. */
static void sp_gil_queue_forked(void)
{
    pthread_mutex_init(&sp_gil_queue.lock, NULL);
    sp_gil_queue.asking = 0;
    sp_gil_queue.waiting = sp_gil_queue.last = NULL;
}

#endif
