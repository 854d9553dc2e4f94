/* For how long a thread keeps the GIL while it makes calls that cannot block.
 *
 * A call that gives the GIL up beside a computing thread gets it back only after that thread's whole switch interval
 * (5 ms), so calls that cannot block keep it. But a thread whose calls always find data then behaves like a computing
 * one itself: with sixteen of them, a thread that sleeps wakes up to a second late. So a thread keeps the GIL for a
 * budget of time. When it is used up, the next calls release the GIL around their system call, as those of the standard
 * library do, until another thread has taken it or none has come. How long it took to get it back says who the
 * neighbours are, and sets the next budget:
 *
 *  - nobody came: this thread is alone, and its budget doubles, up to BUDGET_ALONE;
 *  - it came back soon: others transfer as this thread does, and the budget is BUDGET_SHARED;
 *  - it took as long as a computing thread keeps it: the budget doubles, up to BUDGET_COMPUTING, for each release costs
 *    such a wait.
 *
 * The state belongs to a thread. Looking at the clock at each call would be dear, so it is looked at in each
 * SP_GIL_CALLS-th. */
#ifndef SOCKETPKG_GIL_H
#define SOCKETPKG_GIL_H

#include <time.h>

enum {
    SP_GIL_CALLS = 16,
    /* How many calls release the GIL when nobody comes: a thread that is woken needs some 50 us to take it. */
    SP_GIL_RELEASES = 64,
    SP_GIL_BUDGET_SHARED = 200000,     /* nanoseconds */
    SP_GIL_BUDGET_ALONE = 1600000,
    SP_GIL_BUDGET_COMPUTING = 12000000,
    /* Somebody else has had the GIL when it takes longer than this to get it back. */
    SP_GIL_TAKEN = 15000,
    /* A thread that computes has had it when a turn takes longer than this. */
    SP_GIL_LONG_TURN = 2000000
};

typedef struct {
    int calls;    /* that still keep the GIL without a look at the clock */
    int releases; /* that still release it, 0 while the budget lasts */
    long long since;  /* when the budget began, 0 before */
    long long budget;
    unsigned long turns;
} sp_gil_state;

static __thread sp_gil_state sp_gil;
/* How often any thread has used its budget up, to tell many that share from one that computes. */
static unsigned long sp_gil_turns;
/* In place of all budgets, where it is not 0: for tests. */
static long long sp_gil_fixed;

static long long sp_gil_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int sp_gil_look(void)
{
    long long now;
    if (sp_gil.releases)
        return 0;
    now = sp_gil_now();
    if (sp_gil.since == 0) {
        sp_gil.since = now;
        if (sp_gil.budget == 0)
            sp_gil.budget = SP_GIL_BUDGET_SHARED;
    } else if (now - sp_gil.since >= (sp_gil_fixed ? sp_gil_fixed : sp_gil.budget)) {
        sp_gil.releases = SP_GIL_RELEASES;
        sp_gil.turns = __atomic_add_fetch(&sp_gil_turns, 1, __ATOMIC_RELAXED);
        return 0;
    }
    sp_gil.calls = SP_GIL_CALLS - 1;
    return 1;
}

/* Whether the next call that cannot block keeps the GIL. Asked once before each. */
static inline int sp_gil_keep(void)
{
    if (sp_gil.calls > 0) {
        sp_gil.calls--;
        return 1;
    }
    return sp_gil_look();
}

/* The time right before the GIL is asked back; 0 when nobody needs to know. */
static inline long long sp_gil_asked(void)
{
    return sp_gil.releases ? sp_gil_now() : 0;
}

/* The GIL is back after a call that released it; *asked* is what sp_gil_asked gave. */
static inline void sp_gil_returned(long long asked)
{
    long long now, took;
    unsigned long others;
    if (!sp_gil.releases || !asked) {
        /* It was released for a reason of its own: a wait, or a large copy. */
        sp_gil.releases = 0;
        sp_gil.calls = 0;
        sp_gil.since = 0;
        return;
    }
    now = sp_gil_now();
    took = now - asked;
    if (took < SP_GIL_TAKEN) {
        if (--sp_gil.releases > 0)
            return;
        sp_gil.budget *= 2;
        if (sp_gil.budget > SP_GIL_BUDGET_ALONE)
            sp_gil.budget = SP_GIL_BUDGET_ALONE;
    } else {
        others = __atomic_load_n(&sp_gil_turns, __ATOMIC_RELAXED) - sp_gil.turns;
        if (took / (long long)(others + 1) < SP_GIL_LONG_TURN)
            sp_gil.budget = SP_GIL_BUDGET_SHARED;
        else if ((sp_gil.budget *= 2) > SP_GIL_BUDGET_COMPUTING)
            sp_gil.budget = SP_GIL_BUDGET_COMPUTING;
    }
    sp_gil.releases = 0;
    sp_gil.since = now;
    sp_gil.calls = SP_GIL_CALLS - 1;
}

#endif
