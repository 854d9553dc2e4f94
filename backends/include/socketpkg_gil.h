/* For how long a thread keeps the GIL while it makes calls that cannot block.
 *
 * A call that releases the GIL beside a computing thread gets it back only after that thread's whole switch interval
 * (5 ms), so calls that cannot block keep it. But a thread whose calls always find data then behaves like a computing
 * one itself: with sixteen of them, a thread that sleeps wakes up to a second late. So a thread keeps the GIL for a
 * budget of time, then hands it over, and stands in a queue of such threads (socketpkg_gil_queue.h). The next budget
 * depends on who had the GIL before it came back:
 *
 *  - nobody took it: the budget doubles, up to SP_GIL_BUDGET_ALONE;
 *  - threads that transfer as this one does: the budget is SP_GIL_BUDGET_SHARED;
 *  - a thread that is not one of ours, for as long as a computing one keeps it: the budget doubles, up to
 *    SP_GIL_BUDGET_COMPUTING, for each handover costs such a wait.
 *
 * A thread that is woken needs some time to take the GIL, so the one that hands it over stays away for a while. The
 * only thread of an interpreter hands nothing over. To look at the clock at each call would be dear, so it is looked at
 * in each SP_GIL_CALLS-th.
 *
 * Included after Python.h. */
#ifndef SOCKETPKG_GIL_H
#define SOCKETPKG_GIL_H

#include <sched.h>
#include <time.h>
#include "socketpkg_gil_queue.h"

enum {
    SP_GIL_CALLS = 16,
    /* In nanoseconds. */
    SP_GIL_BUDGET_SHARED = 300000,
    SP_GIL_BUDGET_ALONE = 2400000,
    SP_GIL_BUDGET_COMPUTING = 12000000,
    /* How long a thread stays away for others to take the GIL: when one of ours waits for it, and when none does. */
    SP_GIL_AWAY = 400000,
    SP_GIL_AWAY_UNSEEN = 40000,
    /* Somebody else has had the GIL when it takes longer than this to get it back. */
    SP_GIL_TAKEN = 10000,
    /* A computing thread has had it when it was longer than this with none of ours. */
    SP_GIL_LONG_TURN = 2000000
};

typedef struct {
    int calls;       /* that are made without a look at the clock */
    long long since; /* when the budget began, 0 before */
    long long budget;
} sp_gil_state;

#if defined(__GLIBC__) && !defined(__APPLE__)
/* Without a call for each access. glibc keeps room for a little of this in modules that are loaded late, others keep
 * none. */
static __thread sp_gil_state sp_gil __attribute__((tls_model("initial-exec")));
#else
static __thread sp_gil_state sp_gil;
#endif
/* How many threads wait in our calls to get the GIL back, and how often one has got it. */
static int sp_gil_waiting;
static unsigned long sp_gil_turns;
/* When one of ours handed it over last. */
static long long sp_gil_handed_over;
/* In place of all budgets, where it is not 0: for tests. */
static long long sp_gil_fixed;

static void sp_gil_forked(void)
{
    sp_gil_waiting = 0;
    sp_gil_queue_forked();
}

__attribute__((constructor)) static void sp_gil_loaded(void)
{
    pthread_atfork(NULL, NULL, sp_gil_forked);
}

static long long sp_gil_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Right before a thread asks for the GIL. */
static inline void sp_gil_asking(void)
{
    __atomic_add_fetch(&sp_gil_waiting, 1, __ATOMIC_RELAXED);
}

/* Right after. The budget begins anew. */
static inline void sp_gil_returned(void)
{
    __atomic_sub_fetch(&sp_gil_waiting, 1, __ATOMIC_RELAXED);
    __atomic_add_fetch(&sp_gil_turns, 1, __ATOMIC_RELAXED);
    sp_gil.calls = 0;
    sp_gil.since = 0;
}

#ifdef Py_LIMITED_API
/* Exported, but not declared for the limited API, or only for that of newer Pythons. */
PyAPI_FUNC(PyInterpreterState *) PyThreadState_GetInterpreter(PyThreadState *);
PyAPI_FUNC(PyThreadState *) PyInterpreterState_ThreadHead(PyInterpreterState *);
PyAPI_FUNC(PyThreadState *) PyThreadState_Next(PyThreadState *);
#endif

static void sp_gil_stay_away(unsigned long turns)
{
    int seen = __atomic_load_n(&sp_gil_waiting, __ATOMIC_RELAXED) > 0;
    long long begin = sp_gil_now();
    do
        sched_yield();
    while (sp_gil_now() - begin < (seen ? SP_GIL_AWAY : SP_GIL_AWAY_UNSEEN)
           && __atomic_load_n(&sp_gil_turns, __ATOMIC_RELAXED) == turns);
}

static void sp_gil_hand_over(void)
{
    PyThreadState *self = PyThreadState_Get();
    long long asked, got, handed_over;
    unsigned long turns = __atomic_load_n(&sp_gil_turns, __ATOMIC_RELAXED);
    int others;
    if (PyThreadState_Next(PyInterpreterState_ThreadHead(PyThreadState_GetInterpreter(self))) == NULL) {
        sp_gil.budget = SP_GIL_BUDGET_ALONE;
        sp_gil.since = 0;
        return;
    }
    __atomic_store_n(&sp_gil_handed_over, sp_gil_now(), __ATOMIC_RELAXED);
    PyEval_SaveThread();
    if (!sp_gil_queue_enter())
        sp_gil_stay_away(turns);
    asked = sp_gil_now();
    sp_gil_asking();
    PyEval_RestoreThread(self);
    got = sp_gil_now();
    sp_gil_queue_leave();
    others = __atomic_load_n(&sp_gil_turns, __ATOMIC_RELAXED) != turns;
    sp_gil_returned();
    handed_over = __atomic_load_n(&sp_gil_handed_over, __ATOMIC_RELAXED);
    if (got - asked < SP_GIL_TAKEN && !others) {
        if ((sp_gil.budget *= 2) > SP_GIL_BUDGET_ALONE)
            sp_gil.budget = SP_GIL_BUDGET_ALONE;
    } else if (got - (asked > handed_over ? asked : handed_over) < SP_GIL_LONG_TURN) {
        sp_gil.budget = SP_GIL_BUDGET_SHARED;
    } else if ((sp_gil.budget *= 2) > SP_GIL_BUDGET_COMPUTING) {
        sp_gil.budget = SP_GIL_BUDGET_COMPUTING;
    }
}

static void sp_gil_look(void)
{
    long long now = sp_gil_now();
    if (sp_gil.since == 0) {
        sp_gil.since = now;
        if (sp_gil.budget == 0)
            sp_gil.budget = SP_GIL_BUDGET_SHARED;
    } else if (now - sp_gil.since >= (sp_gil_fixed ? sp_gil_fixed : sp_gil.budget)) {
        sp_gil_hand_over();
    }
    sp_gil.calls = SP_GIL_CALLS;
}

/* Before each call that keeps the GIL: hands it over when the budget is used up. */
static inline void sp_gil_keep(void)
{
#ifndef Py_GIL_DISABLED
    if (--sp_gil.calls < 0)
        sp_gil_look();
#else
    (void)sp_gil_look;
#endif
}

#endif
